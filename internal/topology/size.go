// SPDX-License-Identifier: BSD-3-Clause

package topology

import "math/bits"

// Size is how much there is to find in a network, if every node that is drawn
// answers.
type Size struct {
	// Interfaces counts the nodes without the source.
	Interfaces int
	// Links counts the edges without those that leave the source.
	Links int
	// Paths counts the ways from source to destination; the largest uint64
	// stands for that many or more.
	Paths uint64
}

// Size counts the network as traces do, from the first hop on.
func (t *Topology) Size() Size {
	size := Size{Interfaces: len(t.Nodes) - 1}
	table := t.Table()
	for _, e := range t.Edges {
		if e.From != t.Source {
			size.Links++
		}
	}
	known := make([]bool, len(t.Nodes))
	paths := make([]uint64, len(t.Nodes))
	known[t.Destination], paths[t.Destination] = true, 1
	// Depth first without recursion: a node is counted once those behind it are.
	for todo := []int{t.Source}; len(todo) > 0; {
		at := todo[len(todo)-1]
		ready := true
		var sum uint64
		for _, e := range table.Edges(at) {
			to := t.Edges[e].To
			if !known[to] {
				ready = false
				todo = append(todo, to)
				continue
			}
			var carry uint64
			if sum, carry = bits.Add64(sum, paths[to], 0); carry != 0 {
				sum = ^uint64(0)
			}
		}
		if known[at] || ready {
			todo = todo[:len(todo)-1]
		}
		if ready && !known[at] {
			known[at], paths[at] = true, sum
		}
	}
	size.Paths = paths[t.Source]
	return size
}
