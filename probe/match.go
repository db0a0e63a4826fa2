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

// answer is a received packet that quotes a probe, somebody's.
type answer struct {
	flow      flowKey
	tag       tag
	cookie    uint64
	hasCookie bool
	at        time.Time
	reply     traceflow.Reply // without RTT
}

// errIrrelevant is a well-formed packet that answers no probe: an echo
// request, a router advertisement.
var errIrrelevant = errors.New("not an answer to a probe")

var errChecksum = fmt.Errorf("%w: ICMP checksum", packet.ErrMalformed)

// decodeAnswer takes a received packet apart. It returns errIrrelevant, or an
// error of package packet when the packet is malformed.
func decodeAnswer(d *traceflow.Datagram) (answer, error) {
	outer, body, err := packet.DecodeIP(d.Data)
	if err != nil {
		return answer{}, err
	}
	want := packet.ProtocolICMPv6
	if outer.Source.Is4() {
		want = packet.ProtocolICMP
	}
	if outer.Protocol != want {
		return answer{}, errIrrelevant
	}
	// Raw sockets get ICMP before the kernel has looked at its checksum; ICMPv6
	// it has checked.
	if outer.Source.Is4() && !packet.ValidChecksum(body, outer.Source, outer.Destination, outer.Protocol) {
		return answer{}, errChecksum
	}
	message, err := packet.DecodeICMP(body, outer.Source, outer.Destination)
	if err != nil {
		return answer{}, err
	}
	kind := kindOf(outer.Source.Is4(), message.Type, message.Code)
	if kind == traceflow.NoReply {
		return answer{}, errIrrelevant
	}
	e, err := packet.DecodeICMPError(body, outer.Source, outer.Destination)
	if err != nil {
		return answer{}, err
	}
	quote := &e.Quote
	if quote.IP.Protocol != packet.ProtocolUDP {
		return answer{}, errIrrelevant
	}
	a := answer{
		flow: flowKey{
			protocol: traceflow.ProtocolUDP,
			source:   quote.IP.Source, destination: quote.IP.Destination,
			sourcePort: quote.SourcePort, destinationPort: quote.DestinationPort,
		},
		at: d.Time,
		reply: traceflow.Reply{
			Kind: kind, Address: outer.Source, TTL: outer.TTL,
			ICMPType: message.Type, ICMPCode: message.Code,
			HeaderQuoted: true, QuotedTTL: quote.IP.TTL, QuotedTOS: quote.IP.TOS,
			MPLS: labels(e.Extensions),
		},
	}
	a.tag, a.cookie, a.hasCookie = quotedIdentity(quote)
	return a, nil
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
