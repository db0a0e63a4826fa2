// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"math/rand/v2"
	"net/netip"

	"traceflow"
)

// FlowMapper returns the flow of an index, from 0, and whether there is one:
// the order in which a discovery uses flows. The flow's ID is the index + 1.
type FlowMapper func(index int) (traceflow.Flow, bool)

// Axis is the header field, or fields, that tells flows apart.
type Axis string

// The axes.
const (
	VarySourcePort      Axis = "srcport"
	VaryDestinationPort Axis = "dstport"
	VaryBothPorts       Axis = "both"
	VaryLabel           Axis = "label" // IPv6 flow label
	VaryDestination     Axis = "dst"   // address, in the destination's /24 or /120
)

// Vary returns flows that differ from the given one in one axis, in an order
// that is a permutation of its values and follows from the seed. Consecutive
// values would break the bounds: many routers hash with CRCs and XORs, under
// which the ports base + i are anything but independent draws.
//
// Source ports begin one above the flow's, destination ports at the flow's,
// labels at 1. The first destination is the flow's own.
func Vary(axis Axis, flow traceflow.Flow, seed uint64) FlowMapper {
	highest := 65535
	if flow.Protocol == traceflow.ProtocolICMP {
		highest-- // the value is a checksum, which cannot be 65535
	}
	sources := newShuffle(highest-int(flow.SourcePort), seed)
	destinations := newShuffle(65536-int(flow.DestinationPort), seed+1)
	labels := newShuffle(1<<20-1, seed)
	var others []netip.Addr
	if axis == VaryDestination {
		others = otherAddresses(flow.Destination)
	}
	addresses := newShuffle(len(others), seed)
	return func(index int) (traceflow.Flow, bool) {
		f := flow
		f.ID = index + 1
		n, ok := 0, false
		if axis == VarySourcePort || axis == VaryBothPorts {
			if n, ok = sources.at(index); ok {
				f.SourcePort += 1 + uint16(n)
			}
		}
		if axis == VaryDestinationPort || axis == VaryBothPorts {
			if n, ok = destinations.at(index); ok {
				f.DestinationPort += uint16(n)
			}
		}
		switch axis {
		case VaryLabel:
			n, ok = labels.at(index)
			f.Label = uint32(n + 1)
		case VaryDestination:
			if index == 0 {
				return f, true
			}
			if n, ok = addresses.at(index - 1); ok {
				f.Destination = others[n]
			}
		default:
		}
		return f, ok
	}
}

// otherAddresses are those that differ in the last byte, but for the two that
// may be a network's own and its broadcast address.
func otherAddresses(a netip.Addr) []netip.Addr {
	var out []netip.Addr
	bytes := a.AsSlice()
	for last := byte(1); last < 255; last++ {
		bytes[len(bytes)-1] = last
		if other, ok := netip.AddrFromSlice(bytes); ok && other != a {
			out = append(out, other)
		}
	}
	return out
}

// RandomPorts varies the source port of a flow above a base.
func RandomPorts(flow traceflow.Flow, base uint16, seed uint64) FlowMapper {
	flow.SourcePort = base
	return Vary(VarySourcePort, flow, seed)
}

// shuffle is a random permutation of 0 to size − 1, drawn as far as it is
// needed (Fisher-Yates, with only the places that were touched).
type shuffle struct {
	size   int
	random *rand.Rand
	moved  map[int]int
	drawn  []int
}

func newShuffle(size int, seed uint64) *shuffle {
	const stream = 0x7472616365666c6f // "traceflo"
	return &shuffle{size: size, random: rand.New(rand.NewPCG(seed, stream)), moved: make(map[int]int)}
}

// at returns element i and whether there is one.
func (s *shuffle) at(i int) (int, bool) {
	if i >= s.size {
		return 0, false
	}
	place := func(i int) int {
		if v, ok := s.moved[i]; ok {
			return v
		}
		return i
	}
	for len(s.drawn) <= i {
		from := len(s.drawn)
		to := from + s.random.IntN(s.size-from)
		v := place(to)
		s.moved[to] = place(from)
		s.drawn = append(s.drawn, v)
	}
	return s.drawn[i], true
}
