// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"traceflow"
	"traceflow/packet"
)

// flowKey is the part of a flow that a quote must repeat.
type flowKey struct {
	protocol                    traceflow.Protocol
	source, destination         netip.Addr
	sourcePort, destinationPort uint16
}

func keyOf(f traceflow.Flow) flowKey {
	return flowKey{f.Protocol, f.Source, f.Destination, f.SourcePort, f.DestinationPort}
}

// answer is a received packet that quotes or answers a probe, somebody's.
type answer struct {
	flow flowKey
	// tag is known as far as mask says.
	tag, mask tag
	cookie    uint64
	hasCookie bool
	// checksum is that of the transport header as quoted, id the IPv4
	// identification. Neither is there unless the wire sees headers.
	checksum    uint16
	hasChecksum bool
	id          uint16
	at          time.Time
	reply       traceflow.Reply // without RTT
}

// named reports whether the answer tells one packet of the flow from another.
func (a *answer) named() bool { return a.hasCookie || a.mask != 0 }

// errIrrelevant is a well-formed packet that answers no probe: an echo
// request, a router advertisement.
var errIrrelevant = errors.New("not an answer to a probe")

var errChecksum = fmt.Errorf("%w: ICMP checksum", packet.ErrMalformed)

// decodeAnswer takes a received packet apart. It returns errIrrelevant, or an
// error of package packet when the packet is malformed. header says whether
// the headers of quotes are as the router sent them.
func decodeAnswer(d *traceflow.Datagram, header bool) (answer, error) {
	outer, body, err := packet.DecodeIP(d.Data)
	if err != nil {
		return answer{}, err
	}
	a := answer{at: d.Time, reply: traceflow.Reply{Address: outer.Source, TTL: outer.TTL}}
	a.flow = flowKey{source: outer.Destination, destination: outer.Source}
	switch v4 := outer.Source.Is4(); {
	case v4 && outer.Protocol == packet.ProtocolICMP, !v4 && outer.Protocol == packet.ProtocolICMPv6:
		err = readICMP(&a, &outer, body, header)
	case outer.Protocol == packet.ProtocolTCP:
		a.flow.protocol = traceflow.ProtocolTCP
		err = readTCP(&a, body)
	case outer.Protocol == packet.ProtocolUDP:
		a.flow.protocol = traceflow.ProtocolUDP
		err = readUDP(&a, body)
	default:
		err = errIrrelevant
	}
	return a, err
}

// readICMP reads an ICMP message: an error that quotes a probe, or the reply
// to an echo request.
func readICMP(a *answer, outer *packet.IP, body []byte, header bool) error {
	// Raw sockets get ICMP before the kernel has looked at its checksum. That of
	// ICMPv6 it has checked, but not every wire then knows whom it was sent to.
	// Those of TCP and UDP mean nothing where a network card is to fill them in.
	if outer.Source.Is4() && !packet.ValidChecksum(body, outer.Source, outer.Destination, outer.Protocol) {
		return errChecksum
	}
	message, err := packet.DecodeICMP(body, outer.Source, outer.Destination)
	if err != nil {
		return err
	}
	v4 := outer.Source.Is4()
	a.reply.ICMPType, a.reply.ICMPCode = message.Type, message.Code
	if v4 && message.Type == packet.ICMPv4EchoReply || !v4 && message.Type == packet.ICMPv6EchoReply {
		a.flow.protocol = traceflow.ProtocolICMP
		readEcho(a, &message)
		return nil
	}
	a.reply.Kind = kindOf(v4, message.Type, message.Code)
	if a.reply.Kind == traceflow.NoReply {
		return errIrrelevant
	}
	e, err := packet.DecodeICMPError(body, outer.Source, outer.Destination)
	if err != nil {
		return err
	}
	q := &e.Quote
	a.flow = flowKey{source: q.IP.Source, destination: q.IP.Destination}
	a.id = q.IP.ID
	switch q.IP.Protocol {
	case packet.ProtocolUDP:
		a.flow.protocol = traceflow.ProtocolUDP
		readUDPQuote(a, q, header)
	case packet.ProtocolTCP:
		a.flow.protocol = traceflow.ProtocolTCP
		readTCPQuote(a, q)
	case packet.ProtocolICMP, packet.ProtocolICMPv6:
		a.flow.protocol = traceflow.ProtocolICMP
		readEchoQuote(a, q, header)
	default:
		return errIrrelevant
	}
	if header {
		a.reply.HeaderQuoted, a.reply.QuotedTTL, a.reply.QuotedTOS = true, q.IP.TTL, q.IP.TOS
	}
	if a.reply.Kind == traceflow.PacketTooBig {
		a.reply.MTU = message.MTU
	}
	a.reply.MPLS, a.reply.Interfaces = labels(e.Extensions), interfaces(e.Extensions)
	return nil
}

// kindOf classifies an ICMP error (RFC 792, RFC 4443); NoReply is anything
// that is not one.
func kindOf(v4 bool, typ, code uint8) traceflow.ReplyKind {
	if v4 {
		switch {
		case typ == packet.ICMPv4TimeExceeded && code == packet.ICMPv4CodeTTLExceeded:
			return traceflow.TimeExceeded
		case typ == packet.ICMPv4DestinationUnreachable && code == packet.ICMPv4CodePortUnreachable:
			return traceflow.PortUnreachable
		case typ == packet.ICMPv4DestinationUnreachable && code == packet.ICMPv4CodeFragmentationNeeded:
			return traceflow.PacketTooBig
		case typ == packet.ICMPv4DestinationUnreachable:
			return traceflow.Unreachable
		case typ == packet.ICMPv4ParameterProblem:
			return traceflow.ParameterProblem
		}
		return traceflow.NoReply
	}
	switch {
	case typ == packet.ICMPv6TimeExceeded && code == packet.ICMPv6CodeHopLimitExceeded:
		return traceflow.TimeExceeded
	case typ == packet.ICMPv6DestinationUnreachable && code == packet.ICMPv6CodePortUnreachable:
		return traceflow.PortUnreachable
	case typ == packet.ICMPv6DestinationUnreachable:
		return traceflow.Unreachable
	case typ == packet.ICMPv6PacketTooBig:
		return traceflow.PacketTooBig
	case typ == packet.ICMPv6ParameterProblem:
		return traceflow.ParameterProblem
	}
	return traceflow.NoReply
}

func labels(x packet.Extensions) []traceflow.MPLSLabel {
	var room [8]packet.LabelStackEntry
	stack := x.AppendMPLS(room[:0])
	if len(stack) == 0 {
		return nil
	}
	out := make([]traceflow.MPLSLabel, len(stack))
	for i, entry := range stack {
		out[i] = traceflow.MPLSLabel(entry)
	}
	return out
}

func interfaces(x packet.Extensions) []traceflow.Interface {
	var room [4]packet.InterfaceInfo
	told := x.AppendInterfaces(room[:0])
	if len(told) == 0 {
		return nil
	}
	out := make([]traceflow.Interface, len(told))
	for i := range told {
		out[i] = traceflow.Interface{
			Role: traceflow.InterfaceRole(told[i].Role), Index: told[i].Index, Address: told[i].Address,
			Name: string(told[i].Name), MTU: told[i].MTU,
		}
	}
	return out
}
