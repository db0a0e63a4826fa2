// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"fmt"

	"traceflow/internal/topology"
)

// outgoing returns, for each node, the indices of the edges that leave it.
func outgoing(t *topology.Topology) [][]int {
	out := make([][]int, len(t.Nodes))
	for i, e := range t.Edges {
		out[e.From] = append(out[e.From], i)
	}
	return out
}

// order ranks the nodes so that every edge leads to a higher rank.
func order(t *topology.Topology) ([]int, error) {
	waiting := make([]int, len(t.Nodes))
	for _, e := range t.Edges {
		waiting[e.To]++
	}
	var ready []int
	for i, n := range waiting {
		if n == 0 {
			ready = append(ready, i)
		}
	}
	out := outgoing(t)
	rank := make([]int, len(t.Nodes))
	for done := 0; done < len(ready); done++ {
		node := ready[done]
		rank[node] = done
		for _, e := range out[node] {
			to := t.Edges[e].To
			if waiting[to]--; waiting[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	if len(ready) < len(t.Nodes) {
		return nil, fmt.Errorf("%s: edges form a cycle", t.Name)
	}
	return rank, nil
}

// back returns, for each node, the edge by which it reaches target when it
// sends against the direction of the edges: the first one that leads there, or
// -1 for the target and for nodes that do not lie behind it.
func (b *builder) back(target int) []int {
	t, out := b.t, b.outgoing()
	edge := make([]int, len(t.Nodes))
	for i := range edge {
		edge[i] = -1
	}
	for queue := []int{target}; len(queue) > 0; queue = queue[1:] {
		for _, e := range out[queue[0]] {
			if to := t.Edges[e].To; edge[to] < 0 {
				edge[to] = e
				queue = append(queue, to)
			}
		}
	}
	return edge
}
