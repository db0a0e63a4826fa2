// SPDX-License-Identifier: BSD-3-Clause

package render

import "strings"

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
	if !c.below {
		add(c.name, titleName)
		add(c.owner, titleOwner)
		add(c.mpls, titleMPLS)
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
	if !c.below {
		add(c.name, plain, shortenMiddle(x.name, ellipsis, c.name))
		add(c.owner, plain, c.shortOwner(x, ellipsis))
		add(c.mpls, plain, x.mpls)
	}
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
	margin := strings.Repeat(" ", c.ttl+c.suffix+gutter) + below(x.tree)
	text := ""
	if c.below {
		text = c.about(x)
	}
	for text != "" || len(notes) > 0 {
		line, width := o.paint(dim, margin), displayWidth(margin)
		if text != "" {
			line += "  "
			width += 2
			if o.Width > 0 {
				text = shortenEnd(text, ellipsis, max(fairName, o.Width-width))
			}
			line += text
			width += displayWidth(text)
			text = ""
		}
		if len(notes) > 0 && width <= before {
			line += strings.Repeat(" ", before+gutter-width) + notes[0]
			notes = notes[1:]
		}
		out = append(out, line)
	}
	return out
}

// shortOwner is the AS with its name as far as that fits, else its number.
func (c *widths) shortOwner(x *row, ellipsis string) string {
	if displayWidth(x.owner) <= c.owner || c.owner >= len(x.short)+4 {
		return shortenEnd(x.owner, ellipsis, c.owner)
	}
	return x.short
}

// about is what stands below an address that there is no room beside.
func (c *widths) about(x *row) string {
	var parts []string
	for _, p := range []string{x.name, x.owner} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if x.mpls != "" {
		parts = append(parts, titleMPLS+" "+x.mpls)
	}
	return strings.Join(parts, "  ")
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
