// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"slices"
	"strings"

	"traceflow/internal/picture"
)

const legendLine = 24

// svgLegend is a row of samples with their meaning, broken into lines.
type svgLegend struct {
	strings.Builder
	width, x, rows int
}

// add adds a sample, drawn around 0 0 and as wide as given, and what it means.
func (l *svgLegend) add(sample string, wide int, meaning string) {
	need := wide + 8 + len([]rune(meaning))*7 + 22
	if l.x > 0 && l.x+need > l.width {
		l.x = 0
		l.rows++
	}
	fmt.Fprintf(l, "<g transform=\"translate(%d %d)\">%s<text x=\"%d\" y=\"4\">%s</text></g>\n", l.x, l.rows*legendLine, sample, wide+8, text(meaning))
	l.x += need
}

// legend explains what is in the drawing, and nothing else.
func (s *svg) legend(width int) *svgLegend {
	l := &svgLegend{width: width - 2*svgMargin}
	has := func(k picture.Kind) bool {
		return slices.ContainsFunc(s.d.Nodes, func(n picture.Node) bool { return n.Kind == k })
	}
	link := func(is func(*picture.Link) bool) bool {
		return slices.ContainsFunc(s.d.Links, func(k picture.Link) bool { return is(&k) })
	}
	l.add(`<rect class="s" x="0" y="-6" width="13" height="13"/>`, 13, "source, destination")
	if has(picture.Router) {
		l.add(`<circle class="s" cx="6" cy="0" r="5.5"/>`, 12, "router")
	}
	if has(picture.Silent) {
		l.add(`<g class="silent"><circle class="s" cx="6" cy="0" r="6"/></g>`, 12, "no answer")
	}
	if has(picture.Exchange) {
		l.add(`<g class="exchange"><path class="s" d="M8 -8l8 8l-8 8l-8 -8z"/></g>`, 16, "exchange point")
	}
	if has(picture.Group) {
		what := "routers of one AS"
		if s.d.By == picture.ByCity {
			what = "routers in one city"
		}
		l.add(`<g class="group"><rect class="s" x="0" y="-7" width="26" height="14" rx="7"/></g>`, 26, what)
	}
	if has(picture.Bar) {
		l.add(`<g class="bar"><rect class="s" x="0" y="-8" width="18" height="16" rx="3"/><path class="rods" stroke-width="1.5" d="M4 -4h9M4 0h7M4 4h10"/></g>`, 18, "many next hops, by share")
	}
	l.add(`<g class="links"><path class="d0" stroke-width="1.5" d="M0 0H14"/><path class="d0" stroke-width="4.8" d="M14 0H28"/><path class="d0" stroke-width="8" d="M28 0H42"/></g>`, 42, "share of flows")
	if s.d.Merged {
		s.legendOfTwo(l)
	} else if link(func(k *picture.Link) bool { return k.Delta != nil }) {
		var b strings.Builder
		for level := range picture.Levels {
			fmt.Fprintf(&b, `<g class="links"><path class="d%d" stroke-width="6" d="M%d 0h20"/></g>`, level, 20*level)
		}
		var steps []string
		for level := 1; level < picture.Levels; level++ {
			steps = append(steps, fmt.Sprint(picture.LevelFrom(level)/1000))
		}
		l.add(b.String(), 20*picture.Levels, "delay that a link adds: up to "+strings.Join(steps, ", ")+" ms, and more")
	}
	if !s.d.Merged && link(func(k *picture.Link) bool { return k.Level < 0 && !k.Inferred }) {
		l.add(`<g class="links"><path class="na" stroke-width="4" d="M0 0H28"/></g>`, 28, "delay N/A")
	}
	if link(func(k *picture.Link) bool { return k.Inferred }) {
		l.add(`<g class="links"><path class="na inferred" stroke-width="3" d="M0 0H28"/></g>`, 28, "inferred")
	}
	if link(func(k *picture.Link) bool { return k.Lost > 0 }) {
		l.add(`<g class="links"><path class="lossy" stroke-width="4" d="M0 0H28"/></g>`, 28, "loss that persists to the destination")
	}
	s.legendOfExits(l)
	if len(s.d.Marks) > 0 {
		l.add(`<g class="nat"><path d="M4 -9V9"/></g>`, 8, "addresses are translated")
	}
	if len(s.d.Pipes) > 0 {
		l.add(`<g class="pipe"><path class="wall" d="M8 0H26"/><path d="M8 0H26"/></g>`, 34, "tunnel")
	}
	if slices.ContainsFunc(s.d.Nodes, func(n picture.Node) bool { return len(n.Ends) > 0 }) {
		l.add(`<g class="stub"><path d="M0 0H16m0 -7v14"/></g>`, 18, "flows end here")
	}
	return l
}

// legendOfTwo explains a drawing of two results.
func (s *svg) legendOfTwo(l *svgLegend) {
	l.add(`<g class="links"><path class="na" stroke-width="4" d="M0 0H28"/></g>`, 28, "unchanged")
	l.add(`<g class="links"><path class="na gone" stroke-width="4" d="M0 0H28"/></g><text class="delay sign gone" x="14" y="5">−</text>`, 28, "gone")
	l.add(`<g class="links"><path class="na new" stroke-width="4" d="M0 0H28"/></g><text class="delay sign new" x="14" y="5">+</text>`, 28, "new")
}
