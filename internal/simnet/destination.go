// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"encoding/binary"
	"net/netip"

	"traceflow/internal/topology"
	"traceflow/packet"
)

// deliver hands the packet to the destination, a host. Like a kernel it drops
// what has a wrong checksum, and it waits in vain for the rest of a fragment.
// Its answers go to whoever sent the packet, as NATs on their way see to.
func (n *Network) deliver(f *flight) {
	h, node := &f.header, &n.t.Nodes[f.at]
	if h.MoreFragments || h.FragmentOffset != 0 || node.Drops(&f.flow) {
		return
	}
	switch h.Protocol {
	case packet.ProtocolUDP:
		n.deliverUDP(f, node)
	case packet.ProtocolTCP:
		n.deliverTCP(f, node)
	case packet.ProtocolICMP, packet.ProtocolICMPv6:
		n.deliverEcho(f, node)
	}
}

// deliverUDP answers with port unreachable, or as what listens there does.
func (n *Network) deliverUDP(f *flight, node *topology.Node) {
	h := &f.header
	u, payload, err := packet.DecodeUDP(f.payload)
	if err != nil || u.Length > len(f.payload) ||
		!packet.ValidChecksum(f.payload[:u.Length], h.Source, h.Destination, h.Protocol) {
		return
	}
	reply := func(data []byte) {
		from := netip.AddrPortFrom(h.Destination, u.DestinationPort)
		n.message = packet.AppendUDP(n.message[:0], from, f.sender(), data)
		n.answer(f, h.Protocol)
	}
	switch {
	case node.TTLExpired:
		n.refuse(f, timeExceeded)
	case node.UDP == topology.UDPOpen:
		reply([]byte("here"))
	case node.UDP == topology.UDPQUIC:
		if version, ok := versionNegotiation(payload); ok {
			reply(version)
		}
	default:
		n.refuse(f, portUnreachable)
	}
}

// deliverTCP answers a segment that opens a connection: with a reset (RFC 9293,
// section 3.5.2, group 1), or on an open port as a Linux host does.
func (n *Network) deliverTCP(f *flight, node *topology.Node) {
	h := &f.header
	t, payload, err := packet.DecodeTCP(f.payload)
	if err != nil || t.Flags&(packet.FlagSYN|packet.FlagACK|packet.FlagRST) != packet.FlagSYN ||
		!packet.ValidChecksum(f.payload, h.Source, h.Destination, h.Protocol) {
		return
	}
	if node.TTLExpired {
		n.refuse(f, timeExceeded)
		return
	}
	reply := packet.TCP{
		SourcePort: t.DestinationPort, DestinationPort: f.sender().Port(),
		Acknowledgment: t.Sequence + 1 + uint32(len(payload)), Flags: packet.FlagRST | packet.FlagACK,
	}
	if node.TCP == topology.TCPOpen {
		n.accept(f, &t, &reply)
	}
	n.message = packet.AppendTCP(n.message[:0], h.Destination, f.sender().Addr(), &reply, nil)
	n.answer(f, h.Protocol)
}

// accept makes the answer to a SYN one that opens the connection. Data that
// came with the SYN is not acknowledged: that takes TCP Fast Open.
func (n *Network) accept(f *flight, syn, reply *packet.TCP) {
	reply.Flags = packet.FlagSYN | packet.FlagACK
	reply.Acknowledgment = syn.Sequence + 1
	reply.Window = 65535
	// The initial sequence number of RFC 6528: one for each connection.
	reply.Sequence = uint32(n.t.Seed)*2654435761 ^ uint32(syn.SourcePort)<<16 ^ uint32(syn.DestinationPort)
	const mss = 1460
	n.options = append(n.options[:0], 2, 4, mss>>8, mss&0xff) // RFC 9293, section 3.7.1
	if offered, ok := timestamp(syn.Options); ok {
		now := reply.Sequence + uint32(f.now.Milliseconds())
		n.options = append(n.options, 1, 1, 8, 10) // RFC 7323, section 3.2
		n.options = binary.BigEndian.AppendUint32(n.options, now)
		n.options = binary.BigEndian.AppendUint32(n.options, offered)
	}
	reply.Options = n.options
}

// timestamp returns the sender's time in a timestamp option, if there is one.
func timestamp(options []byte) (uint32, bool) {
	for len(options) > 0 {
		switch {
		case options[0] == 0: // end
			return 0, false
		case options[0] == 1: // nothing
			options = options[1:]
			continue
		case len(options) < 2 || options[1] < 2 || int(options[1]) > len(options):
			return 0, false
		case options[0] == 8 && options[1] == 10:
			return binary.BigEndian.Uint32(options[2:]), true
		}
		options = options[options[1]:]
	}
	return 0, false
}

// deliverEcho answers echo requests.
func (n *Network) deliverEcho(f *flight, node *topology.Node) {
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
	if node.TTLExpired {
		n.refuse(f, timeExceeded)
		return
	}
	m.Type, m.ID = reply, f.sender().Port()
	n.message = packet.AppendEcho(n.message[:0], h.Destination, f.sender().Addr(), &m)
	n.answer(f, h.Protocol)
}
