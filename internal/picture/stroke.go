// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"fmt"
	"math"
	"slices"
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
	goOn := p.goOn()
	carried := func(l *Link) float64 { return l.Share * goOn[p.column(p.node(l.From).TTL)] }
	for i := range p.Links {
		l := &p.Links[i]
		l.Width, l.Level = strokeWidth(carried(l)), levelOf(l.Delta)
		in[l.To], out[l.From] = append(in[l.To], l), append(out[l.From], l)
	}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		n.In, n.Out = track(in[n.ID], carried), track(out[n.ID], carried)
		if n.In != nil {
			n.In.Stroke = Stroke{n.X, n.Y, n.middle(), n.Y}
		}
		if n.Out != nil {
			n.Out.Stroke = Stroke{n.middle(), n.Y, n.X + n.W, n.Y}
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
		l.Stroke = Stroke{start, from.Y}
		if from.Y != to.Y {
			l.Stroke.to(x1, from.Y)
			l.Stroke.to(x2, to.Y)
		}
		l.Stroke.to(end, to.Y)
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
	l.Stroke = Stroke{start, from.Y}
	l.Stroke.to(from.X+from.W, from.Y)
	for _, next := range l.Via {
		c++
		column := &p.Columns[c]
		l.Stroke.to(column.X, next)
		l.Stroke.to(column.X+column.W, next)
	}
	l.Stroke.to(to.X, to.Y)
	l.Stroke.to(end, to.Y)
	passed := &p.Columns[p.column(from.TTL)+1]
	l.LabelX, l.LabelY = passed.X+passed.W/2, l.Via[0]
}

func (n *Node) middle() int { return n.X + n.W/2 }

// Stroke is a line by the points at which it changes, x and y in turn: level between
// two of one height, and between others a curve that begins and ends level.
type Stroke []int

// to leads a stroke on, if there is anywhere to go.
func (s *Stroke) to(x, y int) {
	if last := len(*s) - 2; (*s)[last] != x || (*s)[last+1] != y {
		*s = append(*s, x, y)
	}
}

// String is the stroke as a path of SVG.
func (s Stroke) String() string {
	var b strings.Builder
	for i := 0; i+1 < len(s); i += 2 {
		x, y := s[i], s[i+1]
		switch {
		case i == 0:
			fmt.Fprintf(&b, "M%d %d", x, y)
		case y == s[i-1]:
			fmt.Fprintf(&b, "H%d", x)
		default:
			middle := (s[i-2] + x) / 2
			fmt.Fprintf(&b, "C%d %d %d %d %d %d", middle, s[i-1], middle, y, x, y)
		}
	}
	return b.String()
}

// goOn returns which part of all flows goes on from each column. A link's share
// is of the flows between two TTLs; where others have ended before, those that go
// on are no more by it, and their strokes no wider. The shares of owners and of
// two results are of all flows as they are.
func (p *placer) goOn() []float64 {
	part := slices.Repeat([]float64{1}, len(p.Columns))
	if p.byOwner() || p.Merged {
		return part
	}
	all, on := 0, make([]int, len(p.Columns))
	for i := range p.Paths {
		path := &p.Paths[i]
		n := len(path.Nodes)
		if n == 0 {
			continue
		}
		all += len(path.Flows)
		for c := range p.column(p.node(path.Nodes[n-1]).TTL) {
			on[c] += len(path.Flows)
		}
	}
	for c, n := range on {
		if n > 0 {
			part[c] = float64(n) / float64(all)
		}
	}
	return part
}

// track is what links that share an axis have in common, drawn as wide as what
// they carry together; nil for fewer than two.
func track(links []*Link, carried func(*Link) float64) *Track {
	if len(links) < 2 {
		return nil
	}
	t := &Track{Inferred: true, Level: -1, Status: links[0].Status}
	share := 0.0
	var flows [Levels + 1]int
	for _, l := range links {
		share += carried(l)
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
