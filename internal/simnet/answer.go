// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"traceflow/internal/topology"
	"traceflow/packet"
)

// refusal is an ICMP error in both families. rest is the second word of its
// header: an MTU, or 0.
type refusal struct {
	type4, code4, type6, code6 uint8
	rest                       uint32
}

// What nodes refuse with. For ICMPv6 see RFC 4443, sections 3.1 and 3.3.
var (
	timeExceeded = refusal{
		packet.ICMPv4TimeExceeded, packet.ICMPv4CodeTTLExceeded,
		packet.ICMPv6TimeExceeded, packet.ICMPv6CodeHopLimitExceeded, 0,
	}
	portUnreachable = refusal{
		packet.ICMPv4DestinationUnreachable, packet.ICMPv4CodePortUnreachable,
		packet.ICMPv6DestinationUnreachable, packet.ICMPv6CodePortUnreachable, 0,
	}
	refusals = [...]refusal{
		topology.UnreachableNet: {
			packet.ICMPv4DestinationUnreachable, packet.ICMPv4CodeNetUnreachable,
			packet.ICMPv6DestinationUnreachable, packet.ICMPv6CodeNoRoute, 0,
		},
		topology.UnreachableHost: {
			packet.ICMPv4DestinationUnreachable, packet.ICMPv4CodeHostUnreachable,
			packet.ICMPv6DestinationUnreachable, packet.ICMPv6CodeAddressUnreachable, 0,
		},
		topology.UnreachableProhibited: {
			packet.ICMPv4DestinationUnreachable, packet.ICMPv4CodeCommunicationProhibited,
			packet.ICMPv6DestinationUnreachable, packet.ICMPv6CodeCommunicationProhibited, 0,
		},
	}
)

// tooBig refuses a packet that is longer than the next link takes (RFC 1191,
// section 4; RFC 4443, section 3.2).
func tooBig(mtu int) refusal {
	return refusal{
		packet.ICMPv4DestinationUnreachable, packet.ICMPv4CodeFragmentationNeeded,
		packet.ICMPv6PacketTooBig, 0, uint32(mtu),
	}
}

// refuse answers the packet with an ICMP error from the node where it is.
func (n *Network) refuse(f *flight, r refusal) {
	node := &n.t.Nodes[f.at]
	family, typ, code := 0, r.type4, r.code4
	if f.header.Source.Is6() {
		family, typ, code = 1, r.type6, r.code6
	}
	// An error never answers an error, nor a fragment that is not the first
	// (RFC 1122, section 3.2.2; RFC 4443, section 2.4 (e)).
	if isError(f) || f.header.FragmentOffset != 0 {
		return
	}
	if node.Silent || !n.buckets[f.at][family].take(node.Limit, f.now) {
		return
	}
	source := n.replier(f)
	ext := n.extensions.of(f)
	if typ == packet.ICMPv6PacketTooBig && family == 1 {
		ext = nil // which has no room for any (RFC 4884, section 4)
	}
	quote := n.appendQuote(n.quote[:0], f, len(ext))
	n.quote = quote
	layout := packet.CompliantLayout
	if node.MPLSLegacy {
		layout = packet.LegacyLayout
	}
	protocol := packet.ProtocolICMP
	if family == 1 {
		protocol = packet.ProtocolICMPv6
	}
	n.message = packet.AppendICMPError(n.message[:0], source, f.sender().Addr(), typ, code, r.rest, quote, ext, layout)
	n.answer(f, protocol)
}

// isError reports whether the packet is an ICMP error itself.
func isError(f *flight) bool {
	switch f.header.Protocol {
	case packet.ProtocolICMP, packet.ProtocolICMPv6:
		return len(f.payload) > 0 && packet.IsICMPError(f.header.Source, f.payload[0])
	}
	return false
}

// answer sends n.message from the node where the packet is back along its
// path, with what the node and the links do to answers.
func (n *Network) answer(f *flight, protocol uint8) {
	node := &n.t.Nodes[f.at]
	ttl, alive := n.ttlOnArrival(f)
	if node.Silent || !alive || n.chance(node.ReplyLoss) {
		return
	}
	header := packet.IP{
		Source: n.replier(f), Destination: f.sender().Addr(),
		Protocol: protocol, TTL: ttl, DontFragment: true,
	}
	for range 1 + node.Duplicates {
		due := f.now + node.AnswerDelay
		for _, e := range f.path {
			due += n.crossing(&n.t.Edges[e])
		}
		for _, q := range f.readers {
			b := packet.AppendIP(n.buffer(), &header, len(n.message))
			b = append(b, n.message...)
			if !q.push(due, b) {
				n.release(b)
			}
		}
	}
}

// ttlOnArrival returns what is left of an answer's TTL at the vantage point;
// false when nothing is.
func (n *Network) ttlOnArrival(f *flight) (uint8, bool) {
	const usual = 64
	node := &n.t.Nodes[f.at]
	ttl := int(node.ReplyTTL)
	if ttl == 0 {
		ttl = usual
	}
	ttl -= int(node.ReturnExtra)
	for _, e := range f.path[1:] {
		if !n.t.Nodes[n.t.Edges[e].From].KeepTTL {
			ttl--
		}
	}
	return uint8(ttl), ttl > 0
}
