// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"encoding/binary"
	"net/netip"

	"traceflow/internal/topology"
	"traceflow/packet"
)

// translation is what one NAT has done to the packet at hand.
type translation struct {
	kind     topology.NAT
	from, to netip.AddrPort // the port is 0 or the echo ID in some
}

// part is a set of what a NAT rewrites in a packet.
type part uint8

const (
	partAddress part = 1 << iota
	partPort
	partChecksum
)

// translate gives the packet the source that the node's NAT gives it.
func (n *Network) translate(f *flight, node *topology.Node) {
	t := translation{kind: node.NAT, from: f.source(), to: f.source()}
	if t.to = node.Translate(t.from); t.to == t.from {
		return
	}
	n.change(f)
	rewriteSource(f.data, &f.header, t.from, t.to, partAddress|partPort|partChecksum)
	f.nats = append(f.nats, t)
	f.header.Source = t.to.Addr()
	f.flow = flowOf(&f.header, f.payload)
}

// restore undoes in a quote what NATs have done to the packet, each as its
// kind has it, the last one first.
func (f *flight) restore(quote []byte) {
	for i := len(f.nats) - 1; i >= 0; i-- {
		var parts part
		t := &f.nats[i]
		if t.kind.RestoresAddress() {
			parts |= partAddress
		}
		if t.kind.RestoresPort() {
			parts |= partPort
		}
		if t.kind.RestoresChecksum() {
			parts |= partChecksum
		}
		rewriteSource(quote, &f.header, t.to, t.from, parts)
	}
}

// source returns the packet's source where it is: the address, and the port or
// the echo ID, or 0 in packets without.
func (f *flight) source() netip.AddrPort {
	at := portOffset(&f.header)
	if at < 0 || len(f.data) < at+2 {
		return netip.AddrPortFrom(f.header.Source, 0)
	}
	return netip.AddrPortFrom(f.header.Source, binary.BigEndian.Uint16(f.data[at:]))
}

// sender returns the packet's source as it was sent, which answers go to.
func (f *flight) sender() netip.AddrPort {
	if len(f.nats) > 0 {
		return f.nats[0].from
	}
	return f.source()
}

// rewriteSource writes one source over another into a packet or what is quoted
// of it, and keeps the checksum right (RFC 1624) if that is one of the parts. A
// NAT knows what it wrote itself: what stands there instead, it leaves alone.
func rewriteSource(b []byte, h *packet.IP, from, to netip.AddrPort, parts part) {
	var words [2 * 9]uint16 // old and new by turns
	changes := words[:0]
	exchange := func(field, replacement []byte, summed bool) {
		for i := 0; summed && i < len(field); i += 2 {
			changes = append(changes, binary.BigEndian.Uint16(field[i:]), binary.BigEndian.Uint16(replacement[i:]))
		}
		copy(field, replacement)
	}
	if parts&partAddress != 0 {
		summed := h.Protocol != packet.ProtocolICMP
		if from.Addr().Is4() {
			was, is := from.Addr().As4(), to.Addr().As4()
			if field := b[12:16]; [4]byte(field) == was {
				exchange(field, is[:], summed)
			}
		} else {
			was, is := from.Addr().As16(), to.Addr().As16()
			if field := b[8:24]; [16]byte(field) == was {
				exchange(field, is[:], summed)
			}
		}
	}
	if at := portOffset(h); parts&partPort != 0 && at >= 0 && len(b) >= at+2 {
		if field := b[at : at+2]; binary.BigEndian.Uint16(field) == from.Port() {
			exchange(field, []byte{byte(to.Port() >> 8), byte(to.Port())}, true)
		}
	}
	if at := checksumOffset(h); parts&partChecksum != 0 && at >= 0 && len(b) >= at+2 {
		updateChecksum(b[at:], h, changes)
	}
}

// updateChecksum updates a checksum for words that have changed: old and new
// ones by turns.
func updateChecksum(field []byte, h *packet.IP, changes []uint16) {
	checksum := binary.BigEndian.Uint16(field)
	if h.Protocol == packet.ProtocolUDP && checksum == 0 {
		return // there is none
	}
	for i := 0; i < len(changes); i += 2 {
		checksum = packet.UpdateChecksum(checksum, changes[i], changes[i+1])
	}
	if h.Protocol == packet.ProtocolUDP && checksum == 0 {
		checksum = 0xffff
	}
	binary.BigEndian.PutUint16(field, checksum)
}

// portOffset returns where in the packet the source port is, or the ID of an
// echo request; negative if it has none.
func portOffset(h *packet.IP) int {
	return transportOffset(h, 0, 0, 4)
}

// checksumOffset returns where in the packet the transport's checksum is;
// negative if it has none.
func checksumOffset(h *packet.IP) int {
	return transportOffset(h, 6, 16, 2)
}

// transportOffset returns where a field of the transport header is. Only the
// first fragment has one.
func transportOffset(h *packet.IP, udp, tcp, icmp int) int {
	if h.FragmentOffset != 0 {
		return -1
	}
	switch h.Protocol {
	case packet.ProtocolUDP:
		return h.HeaderLength + udp
	case packet.ProtocolTCP:
		return h.HeaderLength + tcp
	case packet.ProtocolICMP, packet.ProtocolICMPv6:
		return h.HeaderLength + icmp
	}
	return -1
}
