// SPDX-License-Identifier: BSD-3-Clause

package topology

import "traceflow"

// Table is a topology's edges ordered by the node that they leave: what a node
// looks up to forward a packet. It does not change and may be shared.
type Table struct {
	t    *Topology
	next []nextHops
}

// nextHops are the edges that leave one node.
type nextHops struct {
	edges  []int    // indices into Topology.Edges, in file order
	bounds []uint64 // running sum of weights; nil when all are equal
	total  uint64
}

// Table orders the edges of t, which must not change from then on.
func (t *Topology) Table() *Table {
	b := &Table{t: t, next: make([]nextHops, len(t.Nodes))}
	for i, e := range t.Edges {
		b.next[e.From].edges = append(b.next[e.From].edges, i)
	}
	for i := range b.next {
		h := &b.next[i]
		even := true
		for _, e := range h.edges {
			weight := max(1, t.Edges[e].Weight)
			h.total += uint64(weight)
			h.bounds = append(h.bounds, h.total)
			even = even && weight == 1
		}
		if even {
			h.bounds = nil
		}
	}
	return b
}

// Edges returns the edges that leave a node, as indices into Topology.Edges.
func (b *Table) Edges(node int) []int { return b.next[node].edges }

// ByFlow returns the edge by which a node that balances per flow or per
// destination forwards the flow, or -1 if nothing leaves the node.
func (b *Table) ByFlow(node int, f *traceflow.Flow) int {
	h := &b.next[node]
	switch len(h.edges) {
	case 0:
		return -1
	case 1:
		return h.edges[0]
	}
	// The hash as a fraction of 2³², scaled to the sum of the weights.
	return h.at(uint64(b.t.Nodes[node].HashFlow(f)) * h.total >> 32)
}

// ByTurn returns the edge by which a node that balances per packet forwards
// its packet number turn, or -1 if nothing leaves the node.
func (b *Table) ByTurn(node int, turn uint64) int {
	h := &b.next[node]
	if len(h.edges) == 0 {
		return -1
	}
	return h.at(turn % h.total)
}

// at returns the edge whose share of the weights holds point.
func (h *nextHops) at(point uint64) int {
	if h.bounds == nil {
		return h.edges[point]
	}
	k := 0
	for h.bounds[k] <= point {
		k++
	}
	return h.edges[k]
}
