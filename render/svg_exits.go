// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"slices"
	"strings"

	"traceflow/internal/picture"
)

// tags writes what leaves at a node below it, each with what it rests on.
func (s *svg) tags(n *picture.Node) {
	for i, t := range n.Tags {
		class := "tag"
		if !t.Certain {
			class += " maybe"
		}
		if t.Status != picture.Unchanged {
			class += " " + string(t.Status)
		}
		label := strings.TrimSpace(signs[t.Status] + " " + t.Label)
		wide := tagWidth(label)
		top := n.Y + n.TagTop(i)
		s.printf("<g class=\"%s\"><title>%s</title><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"15\" rx=\"3\"/><text x=\"%d\" y=\"%d\">%s</text></g>",
			class, text(s.tagTitle(&t)), n.X+n.W/2-wide/2, top, wide, n.X+n.W/2, top+11, text(label))
	}
}

// tagWidth is how wide a tag is drawn.
func tagWidth(label string) int { return 6*len([]rune(label)) + 12 }

// tagTitle says what a tag is about.
func (s *svg) tagTitle(t *picture.Tag) string {
	out := exitText(&s.d.Exits[t.Exit].Found)
	if t.Kind == picture.TagPort {
		out = t.Label + ": " + out
	}
	switch t.Status {
	case picture.Gone:
		out += " That was before."
	case picture.New:
		out += " It was not so before."
	case picture.Unchanged:
	}
	return out
}

// legendOfExits explains tags.
func (s *svg) legendOfExits(l *svgLegend) {
	add := func(label, class, meaning string, is func(*picture.Tag) bool) {
		shown := slices.ContainsFunc(s.d.Nodes, func(n picture.Node) bool {
			return slices.ContainsFunc(n.Tags, func(t picture.Tag) bool { return is(&t) })
		})
		if !shown {
			return
		}
		wide := tagWidth(label)
		l.add(fmt.Sprintf(`<g class="%s"><rect x="0" y="-7" width="%d" height="15" rx="3"/><text x="%d" y="4">%s</text></g>`, class, wide, wide/2, label), wide, meaning)
	}
	add("exits", "tag", "an AS is left by several ways from here on", func(t *picture.Tag) bool { return t.Kind == picture.TagExit && t.Certain })
	add("exits?", "tag maybe", "the same, and why cannot be told", func(t *picture.Tag) bool { return !t.Certain })
	add("port", "tag", "parallel ports of one member", func(t *picture.Tag) bool { return t.Kind == picture.TagPort })
}
