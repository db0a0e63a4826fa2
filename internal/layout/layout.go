// SPDX-License-Identifier: BSD-3-Clause

// Package layout says where the boxes of a drawing in columns stand, so that
// few of the lines between them cross and most are straight. It knows nothing
// of networks: columns, boxes and links come in, heights go out.
//
// Links join neighbouring columns only, so there is no long one to lead around
// others. The work is in three steps, each in a file of its own: which box of a
// column stands above which (order.go, sift.go), how high each stands
// (align.go), and, where there was a drawing before, how to leave as much of it
// as possible where it was (keep.go).
//
// It does not choose where columns stand, nor draw; that is package picture's.
package layout

import (
	"cmp"
	"slices"
)

// Graph is what is to be arranged. The order of boxes and links does not
// matter.
type Graph struct {
	Boxes []Box
	Links []Link
	// Gap is what is kept free between two boxes of a column; GroupGap is what
	// is added where they are of two groups.
	Gap, GroupGap int
}

// Box is a node with its labels. Its axis is the line that links come to.
type Box struct {
	// Key tells it from all others, and is the same in the next drawing.
	Key    string
	Column int // from 0
	// Above and Below are how far it reaches from its axis.
	Above, Below int
	// Group is set for boxes that stand apart from those of other groups.
	Group string
}

// Link joins two boxes, as indices of Graph.Boxes. To is in the column after
// that of From; a link that is not so is not looked at.
type Link struct{ From, To int }

// Arrange returns the height of each box's axis; y grows downwards. The same
// graph gets the same heights, whatever the order of its parts. before, which
// may be nil, has those of an earlier drawing by Key: boxes that were there
// stay above and below the same boxes, and stay where they are as far as others
// leave them room.
func Arrange(g *Graph, before map[string]int) []int {
	s := newSketch(g)
	kept := s.keepOrder(before)
	switch {
	case kept && s.unchanged(before):
	default:
		var order [][]int
		crossings := 0
		if kept {
			order, crossings = s.order(), s.crossings()
		}
		s.sortColumns()
		s.minimise()
		// A drawing that grew from nothing may have become a tangle: then it is
		// better to begin again.
		if kept && crossings <= 2*s.crossings()+tangle {
			s.setOrder(order)
		} else {
			kept = false
		}
	}
	y := s.align()
	if kept {
		y = s.keepHeights(y, before)
	}
	return y
}

// tangle is how many crossings more than twice the fewest are put up with, so
// that boxes stay where they are.
const tangle = 12

// sketch is a drawing under work. Boxes are indices of graph.Boxes.
type sketch struct {
	graph   *Graph
	columns [][]int // boxes, the highest first
	at      []int   // place of each box in its column
	before  [][]int // boxes of the column before that a box is linked to
	after   [][]int
	// Scratch, by box: so that the search does not allocate.
	slot   []int
	middle []float64
	ends   []int
	// budget is how many steps may still be taken: it bounds the time without
	// looking at a clock, so that the result is always the same.
	budget int
}

// steps are about 80 ms.
const steps = 6_000_000

func newSketch(g *Graph) *sketch {
	s := &sketch{
		graph: g, at: make([]int, len(g.Boxes)), budget: steps,
		before: make([][]int, len(g.Boxes)), after: make([][]int, len(g.Boxes)),
		slot: make([]int, len(g.Boxes)), middle: make([]float64, len(g.Boxes)),
	}
	for i := range g.Boxes {
		for len(s.columns) <= g.Boxes[i].Column {
			s.columns = append(s.columns, nil)
		}
		c := g.Boxes[i].Column
		s.columns[c] = append(s.columns[c], i)
	}
	seen := make(map[Link]bool, len(g.Links))
	for _, l := range g.Links {
		if seen[l] || g.Boxes[l.To].Column != g.Boxes[l.From].Column+1 {
			continue
		}
		seen[l] = true
		s.after[l.From] = append(s.after[l.From], l.To)
		s.before[l.To] = append(s.before[l.To], l.From)
	}
	byKey := func(a, b int) int { return cmp.Compare(g.Boxes[a].Key, g.Boxes[b].Key) }
	for i := range g.Boxes {
		slices.SortFunc(s.before[i], byKey)
		slices.SortFunc(s.after[i], byKey)
	}
	s.sortColumns()
	return s
}

// sortColumns orders all columns by key: where every search begins.
func (s *sketch) sortColumns() {
	for _, column := range s.columns {
		slices.SortFunc(column, func(a, b int) int {
			return cmp.Compare(s.graph.Boxes[a].Key, s.graph.Boxes[b].Key)
		})
		s.number(column)
	}
}

// number takes over the order of a column.
func (s *sketch) number(column []int) {
	for i, v := range column {
		s.at[v] = i
	}
}

// order returns a copy of the columns, for setOrder.
func (s *sketch) order() [][]int {
	out := make([][]int, len(s.columns))
	for i, column := range s.columns {
		out[i] = slices.Clone(column)
	}
	return out
}

func (s *sketch) setOrder(order [][]int) {
	for i, column := range order {
		copy(s.columns[i], column)
		s.number(s.columns[i])
	}
}

// apart returns the least distance between the axes of two boxes, the first of
// which stands above the second.
func (s *sketch) apart(a, b int) int {
	x, y := &s.graph.Boxes[a], &s.graph.Boxes[b]
	gap := s.graph.Gap
	if x.Group != y.Group {
		gap += s.graph.GroupGap
	}
	return x.Below + gap + y.Above
}
