// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"encoding/binary"
	"net/netip"

	"traceflow/internal/topology"
	"traceflow/packet"
)

// extensions are what the ICMP errors of a network carry behind the quote, for
// packets that came over each edge; nil where they carry none.
type extensions struct{ ipv4, ipv6 [][]byte }

// newExtensions encodes the extensions of all nodes.
func newExtensions(t *topology.Topology) extensions {
	x := extensions{make([][]byte, len(t.Edges)), make([][]byte, len(t.Edges))}
	plain := make([][]byte, len(t.Nodes)) // of nodes that tell of no interface
	for i := range t.Nodes {
		plain[i] = appendExtensions(&t.Nodes[i], topology.Interface{}, netip.Addr{})
	}
	links := make([]int, len(t.Nodes)) // into each node so far
	for i, e := range t.Edges {
		node := &t.Nodes[e.To]
		x.ipv4[i], x.ipv6[i] = plain[e.To], plain[e.To]
		if node.Interface.Told() {
			in := node.Interface.Of(links[e.To])
			x.ipv4[i] = appendExtensions(node, in, node.Address4)
			x.ipv6[i] = appendExtensions(node, in, node.Address6)
		}
		links[e.To]++
	}
	return x
}

// of returns what an error about the packet carries, where it is.
func (x *extensions) of(f *flight) []byte {
	edge := f.path[len(f.path)-1]
	if f.header.Source.Is4() {
		return x.ipv4[edge]
	}
	return x.ipv6[edge]
}

// appendExtensions encodes a label stack and an interface; nil for neither.
func appendExtensions(node *topology.Node, in topology.Interface, address netip.Addr) []byte {
	var objects []byte
	if stack := node.MPLS; len(stack) > 0 {
		entries := make([]packet.LabelStackEntry, len(stack))
		for i, label := range stack {
			entries[i] = packet.LabelStackEntry{
				Label: label.Label, TC: label.TC, TTL: label.TTL, Bottom: i == len(stack)-1,
			}
		}
		objects = packet.AppendMPLSObject(objects, entries)
	}
	if in.Told() {
		objects = packet.AppendObject(objects, interfaceObject(in, address))
	}
	if len(objects) == 0 {
		return nil
	}
	return packet.AppendExtensions(nil, objects)
}

// The bits of the C-Type of an interface object (RFC 5837, section 4.1), whose
// upper two are its role: 0 for the incoming interface.
const (
	interfaceIndex   = 0x08
	interfaceAddress = 0x04
	interfaceName    = 0x02
	interfaceMTU     = 0x01
)

// interfaceObject tells of the interface by which a packet came. Its payload
// is (RFC 5837, sections 4.1 to 4.3), each part only if the C-Type says so:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+---------------------------------------------------------------+
//	|                             Index                             |
//	+-------------------------------+-------------------------------+
//	|  family: 1 IPv4, 2 IPv6       |               0               |
//	+-------------------------------+-------------------------------+
//	|                     address, 4 or 16 bytes                    |
//	+---------------+-----------------------------------------------+
//	| name's length |   Name, with the length padded to 4 bytes     |
//	+---------------+-----------------------------------------------+
//	|                              MTU                              |
//	+---------------------------------------------------------------+
func interfaceObject(in topology.Interface, address netip.Addr) packet.Object {
	o := packet.Object{Class: packet.ClassInterface}
	if in.Index != 0 {
		o.CType |= interfaceIndex
		o.Payload = binary.BigEndian.AppendUint32(o.Payload, in.Index)
	}
	if address.IsValid() {
		family := byte(1)
		if address.Is6() {
			family = 2
		}
		o.CType |= interfaceAddress
		o.Payload = append(append(o.Payload, 0, family, 0, 0), address.AsSlice()...)
	}
	if in.Name != "" {
		padding := -(1 + len(in.Name)) & 3
		o.CType |= interfaceName
		o.Payload = append(append(o.Payload, byte(1+len(in.Name)+padding)), in.Name...)
		o.Payload = append(o.Payload, make([]byte, padding)...)
	}
	if in.MTU != 0 {
		o.CType |= interfaceMTU
		o.Payload = binary.BigEndian.AppendUint32(o.Payload, in.MTU)
	}
	return o
}
