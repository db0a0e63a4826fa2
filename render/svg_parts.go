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
		if l := &s.d.Links[i]; l.Label != "" {
			class := "delay"
			if l.Lost > 0 {
				class = "delay loss"
			}
			s.printf("<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>\n", class, l.LabelX, l.LabelY-7, text(l.Label))
		}
	}
}

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
		x := c.X + c.W/2
		if i == 0 {
			s.printf("<text x=\"%d\" y=\"-10\">TTL</text>\n", x)
			continue
		}
		s.printf("<path d=\"M%d 0V%d\"/><text x=\"%d\" y=\"-10\">%d</text>\n", x, s.d.Height, x, c.TTL)
	}
	s.printf("</g>\n")
}

func (s *svg) pipe(p *picture.Pipe) {
	class := "pipe"
	if p.Hidden > 0 {
		class = "pipe hidden"
	}
	s.printf("<g class=\"%s\"><title>%s</title><path class=\"wall\" d=\"%s\"/><path d=\"%s\"/><text x=\"%d\" y=\"%d\">%s</text></g>\n",
		class, text(p.Detail), p.Stroke, p.Stroke, p.X, p.Y+4, text(p.Label))
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
	class := strokeClass(l.Level, l.Inferred)
	if l.Lost > 0 {
		class += " lossy"
	}
	if l.Status != picture.Unchanged {
		class += " " + string(l.Status)
	}
	s.printf("<path class=\"%s\" stroke-width=\"%g\" d=\"%s\"><title>%s</title></path>\n", class, l.Width, l.Stroke, text(linkTitle(l)))
}

// strokeClass is the class of a stroke by its level of delay.
func strokeClass(level int, inferred bool) string {
	class := "na"
	if level >= 0 {
		class = fmt.Sprintf("d%d", level)
	}
	if inferred {
		class += " inferred"
	}
	return class
}

func (s *svg) track(t *picture.Track) {
	if t != nil {
		s.printf("<path class=\"track %s\" stroke-width=\"%g\" d=\"%s\"/>\n", strokeClass(t.Level, t.Inferred), t.Width, t.Stroke)
	}
}

// linkTitle says what is known of a link.
func linkTitle(l *picture.Link) string {
	out := fmt.Sprintf("%s → %s\n", who(l.From), who(l.To))
	if l.Bundle > 1 {
		out = fmt.Sprintf("%s, %s", Count(l.Bundle, "link"), out)
	}
	out += fmt.Sprintf("%s, %s of those at this TTL", Count(l.Flows, "flow"), percentOf(l.Share))
	switch {
	case l.Delta != nil && l.Bundle > 1:
		out += fmt.Sprintf("; round trip longer by %s at most", picture.Milliseconds(*l.Delta))
	case l.Delta != nil:
		out += fmt.Sprintf("; round trip longer by %s (median, %s)", picture.Milliseconds(*l.Delta), replies(l.Samples))
	default:
		out += "; what it adds to the round trip: N/A"
	}
	if l.Inferred {
		out += "; inferred: nobody said that the two are neighbours"
	}
	if l.Lost > 0 {
		out += fmt.Sprintf("; %s lost from here to the destination", percentOf(l.Lost))
	}
	return strings.ReplaceAll(out, "\n", ": ")
}

func replies(n int) string {
	if n == 1 {
		return "1 reply"
	}
	return Count(n, "reply")
}

// who names a node by its ID.
func who(id string) string {
	ttl, name, ok := strings.Cut(id, "/")
	switch {
	case !ok:
		return id
	case strings.HasPrefix(name, "*"):
		name = "silent hop"
	case name == "bar":
		name = "next hops"
	}
	return fmt.Sprintf("%s at TTL %s", name, ttl)
}

func percentOf(p float64) string {
	if p > 0 && p < 0.0995 {
		return fmt.Sprintf("%.1f %%", 100*p)
	}
	return fmt.Sprintf("%.0f %%", 100*p)
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
	if n.Status != picture.Unchanged {
		class += " " + string(n.Status)
	}
	s.printf("<g class=\"%s\"><title>%s</title>", class, text(nodeTitle(n)))
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
	}
	if sign := map[picture.Status]string{picture.Gone: "−", picture.New: "+"}[n.Status]; sign != "" {
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

// nodeTitle says what is known of a node.
func nodeTitle(n *picture.Node) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch n.Kind {
	case picture.Silent:
		add("Silent hop at TTL %d: no answer to %s", n.TTL, Count(n.Sent, "packet"))
		add("%s", Count(n.Flows, "flow"))
		return strings.Join(parts, "; ")
	case picture.Bar:
		add("%d next hops at TTL %d", len(n.Members), n.TTL)
	case picture.Source:
		add("Source %s %s", fullName(n.Hostname), n.Address)
		return strings.Join(parts, "; ")
	case picture.Destination, picture.Exchange, picture.Router:
		add("%s %s at TTL %d", n.Address, fullName(n.Hostname), n.TTL)
	}
	if n.Unreached {
		return "The destination answered nothing"
	}
	if n.Interface != 0 {
		add("interface %d", n.Interface)
	}
	if n.ASN != 0 {
		add("AS%d %s", n.ASN, fullName(n.ASName))
	}
	if n.IXP != "" {
		add("on the peering LAN of %s", fullName(n.IXP))
	}
	if place := strings.TrimSpace(fullName(n.City) + " " + fullName(n.Country)); place != "" {
		add("%s", place)
	}
	add("%s, %s of those at this TTL", Count(n.Flows, "flow"), percentOf(n.Share))
	add("%d of %s answered", n.Replies, Count(n.Sent, "packet"))
	if n.Replies > 0 {
		add("round trip %s median, %s to %s", picture.Milliseconds(n.RTT.Median), picture.Milliseconds(n.RTT.Min), picture.Milliseconds(n.RTT.Max))
	}
	switch n.Verdict {
	case string(traceflow.LossPersists):
		add("the loss persists to the destination")
	case string(traceflow.LossLocal):
		add("the router answers less than it forwards: no loss of the path")
	case string(traceflow.LossUnclear):
		add("too little to tell what the loss means")
	}
	return strings.Join(parts, "; ")
}
