// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf8"
)

// A cell, and what is around the screen, in pixels.
const (
	cellWidth, cellHeight = 8.4, 18.0
	margin, bar           = 16.0, 30.0
	paper, ink            = "#16191f", "#d6dae2"
)

// draw makes an SVG of a screen, with the frame of a window.
func draw(lines [][]piece, width, height int) string {
	var b strings.Builder
	w, h := float64(width)*cellWidth+2*margin, float64(height)*cellHeight+bar+2*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-label="The live screen of traceflow">
<rect width="100%%" height="100%%" rx="10" fill="%s"/>
<g><circle cx="22" cy="20" r="6" fill="#ff5f57"/><circle cx="42" cy="20" r="6" fill="#febc2e"/><circle cx="62" cy="20" r="6" fill="#28c840"/></g>
<g font-family="'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,monospace" font-size="14" fill="%s" xml:space="preserve">
`, w, h, w, h, paper, ink)
	for row, line := range lines {
		column := 0
		y := bar + margin + float64(row)*cellHeight
		for _, p := range line {
			cells := utf8.RuneCountInString(p.text)
			p.draw(&b, margin+float64(column)*cellWidth, y, cells)
			column += cells
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

// draw places one piece: its background, and each word so that it is as wide as
// its cells in whatever font there is.
func (p *piece) draw(b *strings.Builder, x, y float64, cells int) {
	foreground, background := p.foreground, p.background
	if p.invert {
		foreground, background = background, foreground
		if foreground == "" {
			foreground = paper
		}
		if background == "" {
			background = ink
		}
	}
	if background != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y, float64(cells)*cellWidth, cellHeight, background)
	}
	if p.underline {
		line := foreground
		if line == "" {
			line = ink
		}
		fmt.Fprintf(b, `<path d="M%.1f %.1fh%.1f" stroke="%s" opacity=".6"/>`+"\n", x, y+cellHeight-1.5, float64(cells)*cellWidth, line)
	}
	attributes := ""
	if foreground != "" {
		attributes += fmt.Sprintf(` fill="%s"`, foreground)
	}
	if p.bold {
		attributes += ` font-weight="bold"`
	}
	runes := []rune(p.text)
	for from := 0; from < len(runes); {
		if runes[from] == ' ' {
			from++
			continue
		}
		to := from
		for to < len(runes) && runes[to] != ' ' {
			to++
		}
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs"%s>%s</text>`+"\n",
			x+float64(from)*cellWidth, y+cellHeight-4.5, float64(to-from)*cellWidth, attributes, html.EscapeString(string(runes[from:to])))
		from = to
	}
}
