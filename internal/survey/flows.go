// SPDX-License-Identifier: BSD-3-Clause

package survey

import (
	"math"

	"traceflow"
)

const (
	// fewest is how many flows a target has unless told otherwise, and most how many
	// a width may make of them.
	fewest = 16
	most   = 64
	// miss is the chance that none of the flows takes a given one of the next hops:
	// then the loss of that one shows in nothing. With 16 flows that is so of four
	// next hops, with 64 still 13 times in 1000 of 16.
	miss = 0.01
)

// FlowsFor returns how many flows a width takes: so many that each of the next hops
// is used by one at least, as long as that is not too many.
func FlowsFor(width int) int {
	if width < 2 {
		return fewest
	}
	n := math.Round(math.Log(miss) / math.Log(1-1/float64(width)))
	return int(min(max(n, fewest), most))
}

// widthOf is the largest number of next hops that any node has, links with silence
// in between left out.
func widthOf(g *traceflow.Graph) int {
	answered := make(map[string]bool, len(g.Nodes))
	for i := range g.Nodes {
		answered[g.Nodes[i].ID] = g.Nodes[i].Address.IsValid()
	}
	width := 0
	next := make(map[string]int)
	for _, l := range g.Links {
		if answered[l.To] {
			next[l.From]++
			width = max(width, next[l.From])
		}
	}
	return width
}
