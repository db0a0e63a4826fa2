// SPDX-License-Identifier: BSD-3-Clause

package simnet

import "traceflow/packet"

// deliver hands the packet to the destination, a host on which nothing
// listens. Like a kernel it drops what has a wrong checksum, and it waits in
// vain for the rest of a fragment.
func (n *Network) deliver(f *flight) {
	h := &f.header
	if h.MoreFragments || h.FragmentOffset != 0 {
		return
	}
	switch h.Protocol {
	case packet.ProtocolUDP:
		n.deliverUDP(f)
	case packet.ProtocolTCP:
		n.deliverTCP(f)
	case packet.ProtocolICMP, packet.ProtocolICMPv6:
		n.deliverEcho(f)
	}
}

// deliverUDP answers with port unreachable.
func (n *Network) deliverUDP(f *flight) {
	h := &f.header
	u, _, err := packet.DecodeUDP(f.payload)
	if err != nil || u.Length > len(f.payload) || n.t.Nodes[f.at].DropUDP {
		return
	}
	if packet.ValidChecksum(f.payload[:u.Length], h.Source, h.Destination, h.Protocol) {
		n.refuse(f, portUnreachable)
	}
}

// deliverTCP answers a segment that opens a connection with a reset (RFC 9293,
// section 3.5.2, group 1).
func (n *Network) deliverTCP(f *flight) {
	h := &f.header
	t, payload, err := packet.DecodeTCP(f.payload)
	if err != nil || t.Flags&(packet.FlagSYN|packet.FlagACK|packet.FlagRST) != packet.FlagSYN ||
		!packet.ValidChecksum(f.payload, h.Source, h.Destination, h.Protocol) {
		return
	}
	n.message = packet.AppendTCP(n.message[:0], h.Destination, h.Source, &packet.TCP{
		SourcePort: t.DestinationPort, DestinationPort: t.SourcePort,
		Acknowledgment: t.Sequence + 1 + uint32(len(payload)), Flags: packet.FlagRST | packet.FlagACK,
	}, nil)
	n.answer(f, h.Protocol)
}

// deliverEcho answers echo requests.
func (n *Network) deliverEcho(f *flight) {
	h := &f.header
	request, reply := packet.ICMPv4EchoRequest, packet.ICMPv4EchoReply
	if h.Source.Is6() {
		request, reply = packet.ICMPv6EchoRequest, packet.ICMPv6EchoReply
	}
	m, err := packet.DecodeICMP(f.payload, h.Source, h.Destination)
	if err != nil || m.Type != request || m.Code != 0 ||
		!packet.ValidChecksum(f.payload, h.Source, h.Destination, h.Protocol) {
		return
	}
	m.Type = reply
	n.message = packet.AppendEcho(n.message[:0], h.Destination, h.Source, &m)
	n.answer(f, h.Protocol)
}
