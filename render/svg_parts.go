// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"traceflow"
	"traceflow/internal/picture"
)

// tints are how many colours the grounds of owners have in turn.
const tints = 6

// drawing writes what stands behind first.
func (s *svg) drawing() {
	for i := range s.d.Bands {
		s.band(&s.d.Bands[i])
	}
	s.ruler()
	for i := range s.d.Pipes {
		s.pipe(&s.d.Pipes[i])
	}
	s.printf("<g class=\"links\">\n")
	for i := range s.d.Links {
		s.link(&s.d.Links[i])
	}
	for i := range s.d.Nodes {
		s.track(s.d.Nodes[i].In)
		s.track(s.d.Nodes[i].Out)
	}
	s.printf("</g>\n")
	for i := range s.d.Marks {
		s.mark(&s.d.Marks[i])
	}
	s.printf("<g class=\"nodes\">\n")
	for i := range s.d.Nodes {
		s.node(&s.d.Nodes[i])
	}
	s.printf("</g>\n")
	for i := range s.d.Links {
		s.linkLabel(&s.d.Links[i])
	}
}

// linkLabel writes what stands beside a link, and what became of it.
func (s *svg) linkLabel(l *picture.Link) {
	class := "delay"
	if l.Lost > 0 {
		class = "delay loss"
	}
	if l.Label != "" {
		s.printf("<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>\n", class, l.LabelX, l.LabelY-7, text(l.Label))
	}
	if sign := signs[l.Status]; sign != "" {
		s.printf("<text class=\"delay sign %s\" x=\"%d\" y=\"%d\">%s</text>\n", l.Status, l.LabelX, l.LabelY+5, sign)
	}
}

// signs tell without colour what became of something.
var signs = map[picture.Status]string{picture.Gone: "−", picture.New: "+"}

// band writes the ground of an owner, and the name where there is room.
func (s *svg) band(b *picture.Band) {
	class := "unknown"
	if b.Tint >= 0 {
		class = fmt.Sprintf("as%d", b.Tint%tints)
	}
	s.printf("<g class=\"band %s\"><title>%s</title>\n", class, text(fullName(b.Name)))
	for _, a := range b.Areas {
		s.printf("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", a.X, a.Y, a.W, a.H)
	}
	for _, a := range b.Areas {
		if !a.Named {
			continue
		}
		s.printf("<text x=\"%d\" y=\"%d\">%s</text>\n", a.X+8, a.Y+15, text(shortEnd(b.Name, (a.W-12)*10/74)))
	}
	s.printf("</g>\n")
}

// shortEnd leaves the end out of text longer than n letters.
func shortEnd(s string, n int) string {
	if r := []rune(s); len(r) > n && n > 1 {
		return strings.TrimSpace(string(r[:n-1])) + "…"
	}
	return s
}

// ruler writes the TTL above each column.
func (s *svg) ruler() {
	s.printf("<g class=\"ruler\">\n")
	for i, c := range s.d.Columns {
		x, label := c.X+c.W/2, cmp.Or(c.Label, fmt.Sprint(c.TTL))
		if i == 0 {
			s.printf("<text x=\"%d\" y=\"-10\">%s</text>\n", x, cmp.Or(c.Label, "TTL"))
			continue
		}
		s.printf("<path d=\"M%d 0V%d\"/><text x=\"%d\" y=\"-10\">%s</text>\n", x, s.d.Height, x, label)
	}
	s.printf("</g>\n")
}

func (s *svg) pipe(p *picture.Pipe) {
	class := "pipe"
	if p.Hidden > 0 {
		class = "pipe hidden"
	}
	var strokes strings.Builder
	for _, stroke := range p.Strokes {
		strokes.WriteString(stroke.String())
	}
	s.printf("<g class=\"%s\"><title>%s</title><path class=\"wall\" d=\"%s\"/><path d=\"%s\"/><text x=\"%d\" y=\"%d\">%s</text></g>\n",
		class, text(p.Detail), strokes.String(), strokes.String(), p.X, p.Y+4, text(p.Label))
}

func (s *svg) mark(m *picture.Mark) {
	class, label := "nat", "NAT"
	if !m.Certain {
		class, label = "nat maybe", "NAT?"
	}
	s.printf("<g class=\"%s\"><title>%s</title><path d=\"M%d %dV%d\"/><rect x=\"%d\" y=\"%d\" width=\"38\" height=\"16\" rx=\"3\"/><text x=\"%d\" y=\"%d\">%s</text></g>\n",
		class, text(m.Detail), m.X, m.Top, m.Bottom, m.X-19, m.Bottom-17, m.X, m.Bottom-5, label)
}

// link writes a stroke. What it means is never told by its colour alone: dashes
// are for what is inferred, and loss and long delays are written beside it.
func (s *svg) link(l *picture.Link) {
	class := s.strokeClass(l.Level, l.Inferred, l.Status)
	if l.Lost > 0 {
		class += " lossy"
	}
	s.printf("<path class=\"%s\" stroke-width=\"%g\" d=\"%s\"><title>%s</title></path>\n", class, l.Width, l.Stroke, text(s.linkTitle(l)))
}

// strokeClass is the class of a stroke by its level of delay; in a drawing of two
// results by what became of it.
func (s *svg) strokeClass(level int, inferred bool, status picture.Status) string {
	class := "na"
	if level >= 0 && !s.d.Merged {
		class = fmt.Sprintf("d%d", level)
	}
	if inferred {
		class += " inferred"
	}
	if status != picture.Unchanged {
		class += " " + string(status)
	}
	return class
}

func (s *svg) track(t *picture.Track) {
	if t != nil {
		s.printf("<path class=\"track %s\" stroke-width=\"%g\" d=\"%s\"/>\n", s.strokeClass(t.Level, t.Inferred, t.Status), t.Width, t.Stroke)
	}
}

// node writes a station with its labels.
func (s *svg) node(n *picture.Node) {
	class := string(n.Kind)
	if n.Unreached {
		class += " unreached"
	}
	if n.Verdict == string(traceflow.LossPersists) {
		class += " lossy"
	}
	if n.Kind == picture.Group && n.Name == "" {
		class += " nobody"
	}
	if n.Status != picture.Unchanged {
		class += " " + string(n.Status)
	}
	s.printf("<g class=\"%s\"><title>%s</title>", class, text(s.nodeTitle(n)))
	x := n.X + n.W/2
	for i, line := range n.Lines {
		style := "label"
		switch {
		case i > 0:
			style = "label more"
		case n.Hostname == "" && n.Address != "":
			style = "label address"
		}
		foot := n.Y - 11
		if n.Kind == picture.Bar {
			foot = n.Y - n.Below - 5
		}
		s.printf("<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>", style, x, foot-picture.LineHeight*(len(n.Lines)-1-i), text(line))
	}
	s.stubs(n)
	switch n.Kind {
	case picture.Source:
		s.printf("<rect class=\"s\" x=\"%d\" y=\"%d\" width=\"13\" height=\"13\"/>", x-6, n.Y-6)
	case picture.Destination:
		s.printf("<rect class=\"s\" x=\"%d\" y=\"%d\" width=\"15\" height=\"15\"/>", x-7, n.Y-7)
	case picture.Exchange:
		s.printf("<path class=\"s\" d=\"M%d %dl8 8l-8 8l-8 -8z\"/>", x, n.Y-8)
	case picture.Bar:
		s.bar(n)
	case picture.Silent:
		s.printf("<circle class=\"s\" cx=\"%d\" cy=\"%d\" r=\"6\"/>", x, n.Y)
	case picture.Router:
		s.printf("<circle class=\"s\" cx=\"%d\" cy=\"%d\" r=\"5.5\"/>", x, n.Y)
	case picture.Group:
		s.printf("<rect class=\"s\" x=\"%d\" y=\"%d\" width=\"26\" height=\"14\" rx=\"7\"/>", x-13, n.Y-7)
	}
	s.tags(n)
	if sign := signs[n.Status]; sign != "" {
		s.printf("<text class=\"sign\" x=\"%d\" y=\"%d\">%s</text>", x+10, n.Y+16, sign)
	}
	s.printf("</g>\n")
}

// bar draws each node of a wide column as a line, as long as its share.
func (s *svg) bar(n *picture.Node) {
	s.printf("<rect class=\"s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>", n.X, n.Y-n.Below, n.W, 2*n.Below)
	members := slices.Clone(n.Members)
	slices.SortStableFunc(members, func(a, b picture.Node) int { return cmp.Compare(b.Share, a.Share) })
	most := members[0].Share
	room, pitch := float64(n.W-20), float64(2*n.Below-16)/float64(len(n.Members))
	var lines, silent strings.Builder
	for i := range members {
		m := &members[i]
		b := &lines
		if m.Kind == picture.Silent {
			b = &silent
		}
		fmt.Fprintf(b, "M%d %.1fh%.1f", n.X+10, float64(n.Y-n.Below+8)+pitch*(float64(i)+0.5), room*m.Share/most)
	}
	s.printf("<path class=\"rods\" stroke-width=\"%.2f\" d=\"%s\"/>", math.Min(3, 0.6*pitch), lines.String())
	if silent.Len() > 0 {
		s.printf("<path class=\"rods silent\" stroke-width=\"%.2f\" d=\"%s\"/>", math.Min(3, 0.6*pitch), silent.String())
	}
}

// stubs marks where flows end that do not reach the destination.
func (s *svg) stubs(n *picture.Node) {
	if len(n.Ends) == 0 {
		return
	}
	flows, reasons := 0, make([]string, 0, len(n.Ends))
	for _, e := range n.Ends {
		flows += e.Flows
		reasons = append(reasons, fmt.Sprintf("%d %s", e.Flows, endText(e.Reason)))
	}
	x, y := n.X+n.W/2, n.Y
	s.printf("<g class=\"stub\"><title>%s</title>", text(fmt.Sprintf("%s no further: %s", Count(flows, "flow"), strings.Join(reasons, ", "))))
	goesOn := false
	for i := range s.d.Links {
		goesOn = goesOn || s.d.Links[i].From == n.ID
	}
	if goesOn {
		s.printf("<path d=\"M%d %dv13m-6 0h12\"/>", x, y+3)
	} else {
		s.printf("<path d=\"M%d %dH%dm0 -7v14\"/><text x=\"%d\" y=\"%d\">%s</text>", x, y, n.X+n.W+8, n.X+n.W+14, y+4, text(endText(n.Ends[0].Reason)))
	}
	s.printf("</g>")
}

// endText says why a flow got no further.
func endText(reason string) string {
	switch reason {
	case traceflow.EndUnreachable.String():
		return "refused"
	case traceflow.EndMaxTTL.String():
		return "TTL limit"
	case traceflow.EndSilent.String():
		return "silence"
	default:
		return "cut short"
	}
}
