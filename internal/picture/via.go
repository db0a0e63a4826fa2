// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"fmt"

	"traceflow/internal/layout"
)

// lane is how far a link that passes a column keeps others away from its axis.
const lane = 7

// passing is a link in a column that it passes: only where owners are stations do
// links pass columns.
type passing struct {
	link, column int
	box          int // in the graph that is arranged
}

// addPassings gives links that pass columns a box in each, and joins these.
func (p *placer) addPassings(g *layout.Graph) []passing {
	var out []passing
	for i := range p.Links {
		l := &p.Links[i]
		from, to := p.index[l.From], p.index[l.To]
		first, last := p.column(p.Nodes[from].TTL)+1, p.column(p.Nodes[to].TTL)
		before := from
		for c := first; c < last; c++ {
			box := len(g.Boxes)
			g.Boxes = append(g.Boxes, layout.Box{Key: passingKey(l, p.Columns[c].TTL), Column: c, Above: lane, Below: lane})
			g.Links = append(g.Links, layout.Link{From: before, To: box})
			out = append(out, passing{i, c, box})
			before = box
		}
		g.Links = append(g.Links, layout.Link{From: before, To: to})
	}
	return out
}

func passingKey(l *Link, column int) string {
	return fmt.Sprintf("%03d ~~ %s ~ %s", column, l.From, l.To)
}

// passed returns where links of a drawing pass columns, by key.
func (d *Drawing) passed(places map[string]int) {
	column := make(map[string]int, len(d.Nodes))
	for i := range d.Nodes {
		column[d.Nodes[i].ID] = d.Nodes[i].TTL
	}
	for i := range d.Links {
		l := &d.Links[i]
		for j, y := range l.Via {
			places[passingKey(l, column[l.From]+1+j)] = y
		}
	}
}
