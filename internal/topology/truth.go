// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"cmp"
	"net/netip"
	"slices"

	"traceflow"
)

// Hop is everything that probes of one flow can meet at one TTL.
type Hop struct {
	// Nodes are indices into Topology.Nodes, ascending. There is one unless a
	// node before it balances per packet.
	Nodes []int
	// Addresses are what the Nodes answer from, in their order; the zero Addr
	// for a node that never answers these probes.
	Addresses []netip.Addr
}

// place is where a packet is and what source it carries there.
type place struct {
	node   int
	source source
	ended  bool // at the destination, or refused by an unreachable node
}

// Truth returns what probes of the flow meet: element i belongs to TTL i+1.
// Nodes that keep the TTL are not in it, nor are those that forward with a TTL
// of 0: there the node behind answers, as it does for the next TTL. It ends
// with the first TTL at which nothing goes further: at the destination, or at
// the node that refuses to forward, which then stands there twice, for the
// probe whose TTL ends at it and for the one that it refuses.
//
// Chance is not in it: loss, limits and damaged quotes only take away. Nor is
// the size of the probes: they fit every link.
func (t *Topology) Truth(f traceflow.Flow) []Hop {
	table := t.Table()
	var hops []Hop
	now := t.step(table, f, []place{{node: t.Source, source: sourceOf(&f)}})
	for {
		hop := Hop{}
		going := false
		for _, at := range t.answering(table, f, now) {
			going = going || !at.ended
			if n := len(hop.Nodes); n > 0 && hop.Nodes[n-1] == at.node {
				continue
			}
			hop.Nodes = append(hop.Nodes, at.node)
			hop.Addresses = append(hop.Addresses, t.answersFrom(at.node, f))
		}
		hops = append(hops, hop)
		if !going {
			return hops
		}
		now = t.step(table, f, now)
	}
}

// answering returns where the packets are answered whose TTL ends at the given
// places: there, or behind nodes that forward with a TTL of 0.
func (t *Topology) answering(table *Table, f traceflow.Flow, ends []place) []place {
	var all []place
	for _, at := range ends {
		if t.Nodes[at.node].ZeroTTL && !at.ended {
			all = append(all, t.step(table, f, []place{at})...)
		} else {
			all = append(all, at)
		}
	}
	sortPlaces(all)
	return all
}

func sortPlaces(all []place) {
	slices.SortFunc(all, func(a, b place) int { return cmp.Compare(a.node, b.node) })
}

// answersFrom is the address in a node's replies to probes of the flow.
func (t *Topology) answersFrom(i int, f traceflow.Flow) netip.Addr {
	n := &t.Nodes[i]
	if n.Silent || i == t.Destination && n.Drops(&f) {
		return netip.Addr{}
	}
	return n.AddressFor(f.Destination)
}

// step returns where packets can be one TTL further on.
func (t *Topology) step(table *Table, f traceflow.Flow, now []place) []place {
	seen := map[place]bool{}
	todo := slices.Clone(now)
	var then []place
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, to := range t.onward(table, f, at) {
			if seen[to] {
				continue
			}
			seen[to] = true
			if t.Nodes[to.node].KeepTTL && !to.ended {
				todo = append(todo, to)
			} else {
				then = append(then, to)
			}
		}
	}
	sortPlaces(then)
	return then
}

// onward returns where a packet can be one link further on.
func (t *Topology) onward(table *Table, f traceflow.Flow, at place) []place {
	n := &t.Nodes[at.node]
	if at.ended {
		return []place{at}
	}
	if n.Unreachable != UnreachableNone {
		return []place{{node: at.node, ended: true}}
	}
	at.source.apply(&f)
	edges := table.Edges(at.node)
	if n.Balance != PerPacket {
		edges = []int{table.ByFlow(at.node, &f)}
	}
	at.source = at.source.behind(n, f.Protocol) // after the choice, as in kernels
	var then []place
	for _, e := range edges {
		to := t.Edges[e].To
		then = append(then, place{node: to, source: at.source, ended: to == t.Destination})
	}
	return then
}
