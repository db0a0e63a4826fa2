// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"fmt"
	"math"
	"strings"
)

// The widths of strokes.
const (
	thinnest = 1.5
	thickest = 8.0
)

func strokeWidth(share float64) float64 {
	return math.Round((thinnest+(thickest-thinnest)*min(1, share))*10) / 10
}

// strokes leads links along the axes of their nodes and bends them in the
// channel between, where no label stands. Where several share an axis, they
// begin or end where its track does.
func (p *placer) strokes() {
	in, out := make(map[string][]*Link), make(map[string][]*Link)
	for i := range p.Links {
		l := &p.Links[i]
		l.Width, l.Level = strokeWidth(l.Share), levelOf(l.Delta)
		in[l.To], out[l.From] = append(in[l.To], l), append(out[l.From], l)
	}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		n.In, n.Out = track(in[n.ID]), track(out[n.ID])
		if n.In != nil {
			n.In.Stroke = fmt.Sprintf("M%d %dH%d", n.X, n.Y, n.middle())
		}
		if n.Out != nil {
			n.Out.Stroke = fmt.Sprintf("M%d %dH%d", n.middle(), n.Y, n.X+n.W)
		}
	}
	for i := range p.Links {
		l := &p.Links[i]
		from, to := p.node(l.From), p.node(l.To)
		x1, x2 := from.X+from.W, to.X
		start, end := from.middle(), to.middle()
		if from.Out != nil {
			start = x1
		}
		if to.In != nil {
			end = x2
		}
		if len(l.Via) > 0 {
			p.passingStroke(l)
			continue
		}
		l.Stroke = fmt.Sprintf("M%d %d", start, from.Y)
		if from.Y != to.Y {
			if start != x1 {
				l.Stroke += fmt.Sprintf("H%d", x1)
			}
			l.Stroke += bend(x1, from.Y, x2, to.Y)
		}
		if from.Y == to.Y || end != x2 {
			l.Stroke += fmt.Sprintf("H%d", end)
		}
		l.LabelX, l.LabelY = (x1+x2)/2, (from.Y+to.Y)/2
	}
}

// passingStroke draws a link that passes columns, and labels it in the first.
func (p *placer) passingStroke(l *Link) {
	from, to := p.node(l.From), p.node(l.To)
	c := p.column(from.TTL)
	start, end := from.middle(), to.middle()
	if from.Out != nil {
		start = from.X + from.W
	}
	if to.In != nil {
		end = to.X
	}
	x, y := from.X+from.W, from.Y
	var stroke strings.Builder
	fmt.Fprintf(&stroke, "M%d %dH%d", start, y, x)
	for _, next := range l.Via {
		c++
		column := &p.Columns[c]
		fmt.Fprintf(&stroke, "%sH%d", bend(x, y, column.X, next), column.X+column.W)
		x, y = column.X+column.W, next
	}
	fmt.Fprintf(&stroke, "%sH%d", bend(x, y, to.X, to.Y), end)
	l.Stroke = stroke.String()
	passed := &p.Columns[p.column(from.TTL)+1]
	l.LabelX, l.LabelY = passed.X+passed.W/2, l.Via[0]
}

func (n *Node) middle() int { return n.X + n.W/2 }

// bend is a curve that begins and ends level.
func bend(x1, y1, x2, y2 int) string {
	middle := (x1 + x2) / 2
	return fmt.Sprintf("C%d %d %d %d %d %d", middle, y1, middle, y2, x2, y2)
}

// track is what links that share an axis have in common; nil for fewer than two.
func track(links []*Link) *Track {
	if len(links) < 2 {
		return nil
	}
	t := &Track{Inferred: true, Level: -1, Status: links[0].Status}
	share := 0.0
	var flows [Levels + 1]int
	for _, l := range links {
		share += l.Share
		t.Inferred = t.Inferred && l.Inferred
		if l.Status != t.Status {
			t.Status = Unchanged
		}
		flows[l.Level+1] += l.Flows
		if flows[l.Level+1] > flows[t.Level+1] {
			t.Level = l.Level
		}
	}
	t.Width = strokeWidth(share)
	return t
}
