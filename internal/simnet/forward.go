// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"traceflow"
	"traceflow/internal/topology"
	"traceflow/packet"
)

// errLength refuses what a kernel would not send either.
var errLength = errors.New("packet is not as long as its header says")

// flight is one packet on its way to the destination.
type flight struct {
	// data is the packet, with header and payload taken apart. It is the
	// sender's until a node changes something, and then the network's. The TTL
	// and the checksum of an IPv4 header are out of date.
	data    []byte
	header  packet.IP
	payload []byte
	changed bool
	// flow is what balancers see; the source changes behind NATs.
	flow traceflow.Flow
	// at is the node that the packet has reached and ttl what it has there.
	at  int
	ttl uint8
	// now is the time there, since the network's epoch.
	now time.Duration
	// path is the edges behind it, and nats what was translated on them.
	path []int
	nats []translation
	// readers get what is answered.
	readers []*queue
}

// carry takes one packet as far as it gets, and queues what is answered. The
// caller holds mu.
func (n *Network) carry(data []byte, now time.Duration, readers []*queue) error {
	header, payload, err := packet.DecodeIP(data)
	if err != nil {
		return err
	}
	if header.Length != len(data) {
		return errLength
	}
	if !n.t.Nodes[n.t.Source].AddressFor(header.Source).IsValid() || !n.reaches(header.Destination) {
		return nil
	}
	f := &n.flight
	*f = flight{
		data: data, header: header, payload: payload, flow: flowOf(&header, payload),
		at: n.t.Source, ttl: header.TTL, now: now, path: f.path[:0], nats: f.nats[:0], readers: readers,
	}
	n.throw(f)
	for n.hop(f) {
	}
	return nil
}

// reaches reports whether an address is the destination's: its own, or one in
// its prefix that is nobody's.
func (n *Network) reaches(address netip.Addr) bool {
	own := n.t.Nodes[n.t.Destination].AddressFor(address)
	if address == own || !own.IsValid() || n.addresses[address] {
		return address == own && own.IsValid()
	}
	prefix, err := own.Prefix(own.BitLen() - 8)
	return err == nil && prefix.Contains(address)
}

// replier is the address that the node with the packet answers from.
func (n *Network) replier(f *flight) netip.Addr {
	if f.at == n.t.Destination {
		return f.header.Destination
	}
	return n.t.Nodes[f.at].AddressFor(f.header.Source)
}

// flowOf reads what balancers may hash. Fragments and protocols without ports
// have zeros for them; what routers find there in an ICMP message is type, code
// and checksum, of which the flow of an echo request keeps the last.
func flowOf(h *packet.IP, payload []byte) traceflow.Flow {
	f := traceflow.Flow{
		Protocol: traceflow.Protocol(h.Protocol), Source: h.Source, Destination: h.Destination,
		Label: h.Label, TOS: h.TOS,
	}
	whole := len(payload) >= 4 && h.FragmentOffset == 0 && !h.MoreFragments
	switch h.Protocol {
	case packet.ProtocolUDP, packet.ProtocolTCP:
		if whole {
			f.SourcePort = binary.BigEndian.Uint16(payload)
			f.DestinationPort = binary.BigEndian.Uint16(payload[2:])
		}
	case packet.ProtocolICMP, packet.ProtocolICMPv6:
		f.Protocol = traceflow.ProtocolICMP
		if whole {
			f.SourcePort = binary.BigEndian.Uint16(payload[2:])
		}
	}
	return f
}

// hop takes the packet over one edge and through the node behind it. It
// reports whether the packet goes on.
func (n *Network) hop(f *flight) bool {
	edge := n.choose(f)
	if edge < 0 {
		return false
	}
	e := &n.t.Edges[edge]
	if !f.fits(e) {
		if !n.t.Nodes[f.at].NoPTB {
			n.refuse(f, tooBig(e.MTU))
		}
		return false
	}
	n.leave(f)
	f.now += n.crossing(e)
	f.path = append(f.path, edge)
	f.at = e.To
	if f.at == n.t.Destination {
		n.deliver(f)
		return false
	}
	node := &n.t.Nodes[f.at]
	if !node.KeepTTL && f.ttl <= 1 && (!node.ZeroTTL || f.ttl == 0) {
		n.refuse(f, timeExceeded)
		return false
	}
	if node.Unreachable != topology.UnreachableNone {
		n.refuse(f, refusals[node.Unreachable])
		return false
	}
	return !n.chance(node.ForwardLoss)
}

// fits reports whether the node lets the packet over the edge. What may be
// fragmented passes, whole: nothing fragments here.
func (f *flight) fits(e *topology.Edge) bool {
	return e.MTU == 0 || len(f.data) <= e.MTU || f.header.Source.Is4() && !f.header.DontFragment
}

// leave does to the packet what the node does to those that it forwards.
func (n *Network) leave(f *flight) {
	if f.at == n.t.Source {
		return
	}
	node := &n.t.Nodes[f.at]
	if !node.KeepTTL {
		f.ttl--
	}
	if tos := node.Remark.Apply(f.header.TOS); tos != f.header.TOS {
		n.change(f)
		f.header.TOS, f.flow.TOS = tos, tos
		if f.header.Source.Is4() {
			f.data[1] = tos
		} else {
			f.data[0], f.data[1] = f.data[0]&0xf0|tos>>4, tos<<4|f.data[1]&0x0f
		}
	}
	if node.NAT != topology.NATNone {
		n.translate(f, node)
	}
}

// change makes the packet's bytes the network's, which may be written to.
func (n *Network) change(f *flight) {
	if !f.changed {
		n.rewrite = append(n.rewrite[:0], f.data...)
		f.data, f.payload = n.rewrite, n.rewrite[f.header.HeaderLength:]
		f.changed = true
	}
}

// choose returns the edge by which the node forwards the packet.
func (n *Network) choose(f *flight) int {
	if n.t.Nodes[f.at].Balance == topology.PerPacket {
		turn := n.turns[f.at]
		n.turns[f.at]++
		return n.table.ByTurn(f.at, turn)
	}
	return n.table.ByFlow(f.at, &f.flow)
}
