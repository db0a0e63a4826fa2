// SPDX-License-Identifier: BSD-3-Clause

package render

import "strings"

// widths are those of the columns of a tree, 0 where there is none.
type widths struct {
	ttl, suffix, address, name, owner, mpls, flows, rtt, loss, notes int
	// number is the width of the widest AS number, the least of owner.
	number int
	// below says what stands below the address instead of beside it.
	below below
}

// below is what stands below an address because there is no room beside it.
type below uint8

// What is moved there, in this order.
const (
	nothingBelow below = iota
	labelsBelow
	allBelow // names and owners, too
)

// The widths that columns are not made narrower than without need.
const (
	wideName, fairName   = 28, 16
	wideOwner, leastNote = 24, 16
	gutter               = 2 // between two columns
)

// table returns the lines of rows under a line of titles.
func table(rows []row, o Options) []string {
	if len(rows) == 0 {
		return nil
	}
	c := natural(rows)
	c.fit(o.Width)
	out := []string{o.paint(dim, strings.TrimRight(c.titles(), " "))}
	for i := range rows {
		out = append(out, c.lines(&rows[i], o)...)
	}
	return out
}

// natural measures columns, and aligns the figures in them.
func natural(rows []row) widths {
	var c widths
	rtts := make([]string, len(rows))
	for i := range rows {
		rtts[i] = rows[i].rtt
	}
	alignPoints(rtts)
	widen := func(width *int, text string) { *width = max(*width, displayWidth(text)) }
	for i := range rows {
		x := &rows[i]
		if x.rtt != "" {
			x.rtt = rtts[i]
		}
		widen(&c.ttl, x.ttl)
		widen(&c.suffix, x.suffix)
		widen(&c.address, x.place())
		widen(&c.name, x.name)
		widen(&c.owner, x.owner)
		widen(&c.number, x.short)
		widen(&c.mpls, x.mpls)
		widen(&c.flows, x.flows)
		widen(&c.rtt, x.rtt)
		widen(&c.loss, x.loss)
		widen(&c.notes, x.remarks())
	}
	c.ttl = max(c.ttl, len(titleTTL)-c.suffix)
	for _, t := range []struct {
		width *int
		title string
	}{
		{&c.address, titleAddress},
		{&c.name, titleName},
		{&c.owner, titleOwner},
		{&c.mpls, titleMPLS},
		{&c.flows, titleFlows},
		{&c.rtt, titleRTT},
		{&c.loss, titleLoss},
	} {
		if *t.width > 0 {
			*t.width = max(*t.width, len(t.title))
		}
	}
	return c
}

// place is the drawing, the address and its marks.
func (x *row) place() string { return strings.TrimRight(x.tree+x.address+" "+x.marks, " ") }

// remarks are the notes as one text.
func (x *row) remarks() string {
	var texts []string
	for _, n := range x.notes {
		texts = append(texts, n.text)
	}
	return strings.Join(texts, ", ")
}

// width is that of a whole line.
func (c *widths) width() int {
	n := c.ttl + c.suffix
	for _, w := range []int{c.address, c.flows, c.rtt, c.loss, c.notes} {
		if w > 0 {
			n += gutter + w
		}
	}
	for _, w := range c.beside() {
		if w > 0 {
			n += gutter + w
		}
	}
	return n
}

// beside returns the widths of name, owner and labels as far as they stand
// beside the address.
func (c *widths) beside() []int {
	switch c.below {
	case allBelow:
		return []int{0, 0, 0}
	case labelsBelow:
		return []int{c.name, c.owner, 0}
	default:
		return []int{c.name, c.owner, c.mpls}
	}
}

// fit makes columns narrower, in an order that takes the least first, until
// they are no wider together than width.
func (c *widths) fit(width int) {
	if width <= 0 {
		return
	}
	whole := *c
	for _, b := range []below{nothingBelow, labelsBelow, allBelow} {
		*c = whole
		c.below = b
		c.shrink(width)
		if c.width() <= width {
			return
		}
	}
	for _, column := range []*int{&c.loss, &c.rtt} {
		if c.width() > width {
			*column = 0
		}
	}
}

func (c *widths) shrink(width int) {
	to := func(column *int, least int) {
		if over := c.width() - width; over > 0 && *column > least {
			*column = max(least, *column-over)
		}
	}
	to(&c.notes, leastNote)
	if c.below == allBelow {
		return
	}
	to(&c.name, wideName)
	to(&c.owner, max(c.number, min(c.owner, wideOwner)))
	to(&c.name, fairName)
	to(&c.owner, c.number)
}
