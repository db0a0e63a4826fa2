// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"slices"
	"strings"
)

// The titles of the columns.
const (
	titleTTL     = "TTL"
	titleAddress = "Address"
	titleName    = "Name"
	titleOwner   = "AS"
	titleMPLS    = "MPLS"
	titleFlows   = "Flows"
	titleRTT     = "RTT ms"
	titleLoss    = "Loss"
)

func (c *widths) titles() string {
	var b strings.Builder
	add := func(width int, title string) {
		if width != 0 {
			b.WriteString(strings.Repeat(" ", gutter) + pad(title, width))
		}
	}
	b.WriteString(pad(titleTTL, c.ttl+c.suffix))
	add(c.address, titleAddress)
	for i, width := range c.beside() {
		add(width, [...]string{titleName, titleOwner, titleMPLS}[i])
	}
	add(-c.flows, titleFlows)
	add(-c.rtt, titleRTT)
	add(-c.loss, titleLoss)
	return b.String()
}

// lines returns a row as lines of text. In all but the first the column of TTLs
// is empty.
func (c *widths) lines(x *row, o Options) []string {
	var b strings.Builder
	add := func(width int, s style, text string) {
		if width != 0 {
			b.WriteString(strings.Repeat(" ", gutter) + o.paint(s, pad(text, width)))
		}
	}
	b.WriteString(o.paint(dim, pad(x.ttl, -c.ttl)+pad(x.suffix, c.suffix)))
	look := plain
	if x.final {
		look = bold
	}
	b.WriteString(strings.Repeat(" ", gutter) + o.paint(dim, x.tree) + o.paint(look, x.address))
	if x.marks != "" {
		b.WriteString(" " + o.paint(yellow, x.marks))
	}
	b.WriteString(strings.Repeat(" ", max(0, c.address-displayWidth(x.place()))))
	ellipsis := o.glyphs().ellipsis
	beside := c.beside()
	add(beside[0], plain, shortenMiddle(x.name, ellipsis, c.name))
	add(beside[1], plain, x.ownerIn(c.owner, ellipsis))
	add(beside[2], plain, x.mpls)
	look = plain
	if x.red {
		look = red
	}
	add(-c.flows, plain, x.flows)
	add(-c.rtt, plain, x.rtt)
	add(-c.loss, look, x.loss)
	before := c.width()
	if c.notes > 0 {
		before -= gutter + c.notes
	}
	notes := c.wrapNotes(x, o)
	if len(notes) > 0 {
		b.WriteString(strings.Repeat(" ", gutter) + notes[0])
		notes = notes[1:]
	}
	out := []string{strings.TrimRight(b.String(), " ")}
	// What else belongs to the row continues the drawing.
	margin := strings.Repeat(" ", c.ttl+c.suffix+gutter) + underneath(x.tree)
	room := 0
	if o.Width > 0 {
		room = max(fairName, o.Width-displayWidth(margin)-gutter)
	}
	about := x.about(c.below, room, ellipsis)
	for about != "" || len(notes) > 0 {
		line, width := o.paint(dim, margin), displayWidth(margin)
		if about != "" {
			line += strings.Repeat(" ", gutter) + about
			width += gutter + displayWidth(about)
			about = ""
		}
		if len(notes) > 0 && width <= before {
			line += strings.Repeat(" ", before+gutter-width) + notes[0]
			notes = notes[1:]
		}
		out = append(out, line)
	}
	return out
}

// ownerIn is the AS with its name as far as that fits, else its number.
func (x *row) ownerIn(width int, ellipsis string) string {
	if displayWidth(x.owner) <= width || width >= len(x.short)+4 {
		return shortenEnd(x.owner, ellipsis, width)
	}
	return x.short
}

// about is what stands below an address, in at most width columns as far as
// names can be shortened; 0 is no limit.
func (x *row) about(b below, width int, ellipsis string) string {
	name, owner, mpls := x.name, x.owner, x.mpls
	if mpls != "" {
		mpls = titleMPLS + " " + mpls
	}
	switch b {
	case nothingBelow:
		return ""
	case labelsBelow:
		return mpls
	case allBelow:
	}
	text := func() string {
		parts := slices.DeleteFunc([]string{name, owner, mpls}, func(s string) bool { return s == "" })
		return strings.Join(parts, strings.Repeat(" ", gutter))
	}
	over := func() int { return displayWidth(text()) - width }
	if width > 0 && over() > 0 {
		owner = x.ownerIn(displayWidth(owner)-over(), ellipsis)
	}
	if width > 0 && over() > 0 {
		name = shortenMiddle(name, ellipsis, max(fairName, displayWidth(name)-over()))
	}
	return text()
}

// wrapNotes returns the notes in lines of the column's width, a note's words in
// its style.
func (c *widths) wrapNotes(x *row, o Options) []string {
	var out []string
	width := 0
	for i, n := range x.notes {
		words := strings.Fields(n.text)
		for j, word := range words {
			painted := o.paint(n.style, word)
			if j == len(words)-1 && i < len(x.notes)-1 {
				word, painted = word+",", painted+","
			}
			w := displayWidth(word)
			switch {
			case len(out) == 0 || o.Width > 0 && width+1+w > c.notes:
				out, width = append(out, painted), w
			default:
				out[len(out)-1] += " " + painted
				width += 1 + w
			}
		}
	}
	return out
}
