// SPDX-License-Identifier: BSD-3-Clause

package tui

import (
	"fmt"
	"slices"
	"strconv"

	"charm.land/lipgloss/v2"

	"traceflow"
	"traceflow/render"
)

const (
	hopHead     = 3 + 2 + 1 + 1 // TTL, sign, and what parts them
	nodeWidth   = 5
	minNodes    = 72 // columns of a screen with room for nodes beside addresses
	minAddress  = 15
	maxAddress  = 45
	asWidth     = 9
	hidden      = "(hidden)"
	figuresRoom = 6 + minHistory + lossWidth // beside the columns that were chosen
)

// hopLines draws the hops of the picked path: two lines of titles and so many of
// them; graph is whether the fork stands below.
func (m *model) hopLines(rows int, graph bool) []string {
	p, losses := m.pickedPath()
	title := fmt.Sprintf("Path %d", p.Path)
	if n := len(p.Flows); n == 1 {
		title += fmt.Sprintf(" %s 1 flow", m.glyphs.dot)
	} else {
		title += fmt.Sprintf(" %s %d flows", m.glyphs.dot, n)
	}
	if !p.Reached {
		title += fmt.Sprintf(" %s does not reach the destination", m.glyphs.dot)
	}
	m.topHop = max(0, min(m.topHop, len(p.Hops)-rows))
	if len(p.Hops) > rows {
		title += fmt.Sprintf(" %s hops %d to %d of %d", m.glyphs.dot, m.topHop+1, m.topHop+rows, len(p.Hops))
	}
	withAS := m.width >= 100 && m.hasOwners()
	// The fork is drawn in names of nodes, which are of use if they are here too.
	withNode := m.width >= 100 || m.width >= minNodes && graph
	before := hopHead
	if withNode {
		before += nodeWidth + 1
	}
	if withAS {
		before += asWidth + 1
	}
	address := min(max(minAddress, m.width-before-1-figuresRoom-columnsWidth(columnSets[m.columns])), m.longest(p))
	before += address + 1
	columns, history := m.columnsFor(m.width - before - lossWidth)
	head := "TTL    "
	if withNode {
		head += m.fit("NODE", nodeWidth) + " "
	}
	head += m.fit("ADDRESS", address) + " "
	if withAS {
		head += m.fit("AS", asWidth) + " "
	}
	lines := []string{
		m.rule(title, m.inHops),
		m.line(false, piece{m.fit(head+m.figuresHead(columns, history), m.width), m.styles.head}),
	}
	for i := m.topHop; i < min(m.topHop+rows, len(p.Hops)); i++ {
		h := &p.Hops[i]
		sign := m.hopSign(h, losses[i])
		pieces := []piece{{fmt.Sprintf("%3d ", h.TTL), m.styles.plain}, sign, {" ", m.styles.plain}}
		if withNode {
			pieces = append(pieces, piece{m.fit(h.Node, nodeWidth) + " ", m.styles.dim})
		}
		pieces = append(pieces, piece{m.fit(m.who(h), address) + " ", m.styles.plain})
		if withAS {
			pieces = append(pieces, piece{m.fit(m.owner(h), asWidth) + " ", m.styles.dim})
		}
		spark := piece{" " + m.glyphs.spark(h.Recent, history), m.styles.good}
		if sign.text != fine {
			spark.style = sign.style
		}
		if history == 0 {
			spark.text = ""
		}
		lines = append(lines, m.line(false, append(pieces, m.lossText(h, sign.style), piece{m.figures(h, columns), m.styles.plain}, spark)...))
	}
	return lines
}

// longest is how wide the names of a path's hops are, within bounds.
func (m *model) longest(p *traceflow.PathStats) int {
	width := minAddress
	for i := range p.Hops {
		width = max(width, lipgloss.Width(m.who(&p.Hops[i])))
	}
	return min(width, maxAddress)
}

// who is the name of a hop, or its address.
func (m *model) who(h *traceflow.HopStats) string {
	if !h.IsValid() {
		return m.address(h.TTL, "*")
	}
	text := h.Address.String()
	if m.names {
		if a := m.annotations.Of(h.Address); a.Hostname.Name != "" {
			text = a.Hostname.Name
		}
	}
	if h.Interface != 0 {
		text += " if " + strconv.FormatUint(uint64(h.Interface), 10)
	}
	return m.address(h.TTL, render.Printable(text))
}

// address is what is shown at a TTL, unless that is to be hidden.
func (m *model) address(ttl uint8, text string) string {
	if int(ttl) <= m.mask {
		return hidden
	}
	return text
}

// hasOwners reports whether the owner of any address is known.
func (m *model) hasOwners() bool {
	return slices.ContainsFunc(m.annotations, func(a traceflow.Annotation) bool {
		as, _ := a.Owner()
		return as != 0
	})
}

// owner is the AS whose router a hop most likely is.
func (m *model) owner(h *traceflow.HopStats) string {
	if !h.IsValid() || int(h.TTL) <= m.mask {
		return ""
	}
	a := m.annotations.Of(h.Address)
	if as, _ := a.Owner(); as != 0 {
		return "AS" + strconv.FormatUint(uint64(as), 10)
	}
	return ""
}
