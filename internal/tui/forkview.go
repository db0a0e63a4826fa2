// SPDX-License-Identifier: BSD-3-Clause

package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
)

// forkCell is one node of the drawn graph, or words about those that have no
// room.
type forkCell struct {
	text  string
	node  string // Node.ID, or others; "" for words that no link leads to
	style lipgloss.Style
}

// others stands for the nodes that have no room.
const others = "others"

// forkLines draws the fork: a title, the TTLs, and the nodes in so many lines
// less one. The picked path is marked.
func (m *model) forkLines(rows int) []string {
	rows--
	p, _ := m.pickedPath()
	on := make(map[string]bool)
	for i := range p.Hops {
		on[p.Hops[i].Node] = true
	}
	columns := m.fork.columns
	if len(columns)*(nodeWidth+3) > m.width {
		columns = m.fork.folded()
	}
	state := m.nodeStates()
	lines := make([][]piece, rows+1)
	room := m.width
	var before []forkCell
	for i, c := range columns {
		cells := m.forkCells(c, rows, on, state)
		width := len(ttlText(c))
		for _, cell := range cells {
			width = max(width, lipgloss.Width(cell.text))
		}
		if i > 0 {
			width += 3
		}
		if room -= width; room < 0 {
			break
		}
		if i > 0 {
			width -= 3
			m.joinCells(lines, before, cells, on)
		}
		lines[0] = append(lines[0], piece{m.fit(ttlText(c), width), m.styles.dim})
		for r := range rows {
			cell := forkCell{style: m.styles.plain}
			if r < len(cells) {
				cell = cells[r]
			}
			pad := width - lipgloss.Width(cell.text)
			filler := strings.Repeat(" ", pad)
			if cell.node != "" && i+1 < len(columns) {
				filler = strings.Repeat(m.glyphs.links[3], pad) // the link begins at the node
			}
			lines[r+1] = append(lines[r+1], piece{cell.text, cell.style}, piece{filler, m.styles.dim})
		}
		before = cells
	}
	out := []string{m.rule("Fork "+m.glyphs.dot+" nodes by TTL", false)}
	for _, l := range lines {
		out = append(out, m.line(false, l...))
	}
	return out
}

func ttlText(c forkColumn) string {
	if c.first == c.last {
		return strconv.Itoa(int(c.first))
	}
	return fmt.Sprintf("%d-%d", c.first, c.last)
}

// forkCells are the cells of one column in so many rows.
func (m *model) forkCells(c forkColumn, rows int, on map[string]bool, state map[string]nodeState) []forkCell {
	if c.first != c.last { // a run of single nodes
		return []forkCell{{c.nodes[0] + m.glyphs.ellipsis + c.nodes[len(c.nodes)-1], c.nodes[0], m.forkStyle(on[c.nodes[0]], nodeState{})}}
	}
	cell := func(id string) forkCell {
		text := id
		if !state[id].answers {
			text = "*" + id[min(1, len(id)):]
		}
		switch state[id].sign {
		case lossy:
			text += "!"
		case limited:
			text += limited
		}
		return forkCell{text, id, m.forkStyle(on[id], state[id])}
	}
	if len(c.nodes) <= rows {
		cells := make([]forkCell, 0, len(c.nodes))
		for _, id := range c.nodes {
			cells = append(cells, cell(id))
		}
		return cells
	}
	// The picked one, and words about the others.
	var cells []forkCell
	rest := "nodes"
	if i := slices.IndexFunc(c.nodes, func(id string) bool { return on[id] }); i >= 0 {
		cells, rest = append(cells, cell(c.nodes[i])), "others"
	}
	worst := slices.MaxFunc(c.nodes, func(a, b string) int {
		return cmp.Or(cmp.Compare(state[a].loss, state[b].loss), cmp.Compare(state[a].median, state[b].median))
	})
	about := ""
	if state[worst].median > 0 {
		about = "slowest " + worst + " " + millis(state[worst].median)
	}
	if state[worst].loss > 0 {
		about = "worst " + worst + " " + percent(state[worst].loss)
	}
	cells = append(cells, forkCell{fmt.Sprintf("%d %s", len(c.nodes)-len(cells), rest), others, m.styles.plain},
		forkCell{about, "", m.forkStyle(false, state[worst])})
	return cells[:min(len(cells), rows)]
}

func (m *model) forkStyle(on bool, s nodeState) lipgloss.Style {
	switch {
	case on:
		return m.styles.picked
	case s.sign == lossy:
		return m.styles.bad
	case s.sign == limited:
		return m.styles.warn
	}
	return m.styles.plain
}

// joinCells draws the links between two columns.
func (m *model) joinCells(lines [][]piece, left, right []forkCell, on map[string]bool) {
	rows := make(map[string]int)
	var from, to []string
	gather := func(cells []forkCell) (ids []string) {
		for r, c := range cells {
			if c.node != "" {
				rows[c.node] = r
				ids = append(ids, c.node)
			}
		}
		return ids
	}
	from, to = gather(left), gather(right)
	linked := func(ids []string, r int) bool {
		return slices.ContainsFunc(ids, func(id string) bool { return rows[id] == r })
	}
	spans := m.fork.spans(from, to, func(id string) int { return rows[id] })
	if len(spans) == 0 || rows[others] > 0 { // nodes without a line of their own
		spans = []span{{0, max(len(from), len(to)) - 1}}
	}
	// Where the picked path goes.
	a := slices.IndexFunc(from, func(id string) bool { return on[id] })
	b := slices.IndexFunc(to, func(id string) bool { return on[id] })
	for r := range len(lines) - 1 {
		text := "   "
		for _, s := range spans {
			if r < s.from || r > s.to {
				continue
			}
			sides, l, h := 0, " ", " "
			if linked(from, r) {
				sides, l = sides|1, m.glyphs.links[3]
			}
			if linked(to, r) {
				sides, h = sides|2, m.glyphs.links[3]
			}
			if r > s.from {
				sides |= 4
			}
			if r < s.to {
				sides |= 8
			}
			text = l + m.glyphs.links[sides] + h
		}
		style := m.styles.dim
		if a >= 0 && b >= 0 {
			x, y := rows[from[a]], rows[to[b]]
			if r >= min(x, y) && r <= max(x, y) {
				style = m.styles.title
			}
		}
		lines[r+1] = append(lines[r+1], piece{text, style})
	}
	lines[0] = append(lines[0], piece{"   ", m.styles.plain})
}

// nodeState is what the fork tells of a node: the worst of what its paths do.
type nodeState struct {
	sign    string
	loss    float64
	median  time.Duration
	answers bool
}

func (m *model) nodeStates() map[string]nodeState {
	states := make(map[string]nodeState)
	for i := range m.shown.Paths {
		for j := range m.shown.Paths[i].Hops {
			h := &m.shown.Paths[i].Hops[j]
			s := states[h.Node]
			sign := m.hopSign(h, m.losses[i][j]).text
			if s.sign == "" || sign == lossy || sign == limited && s.sign != lossy {
				s.sign = sign
			}
			if sign == lossy {
				s.loss = max(s.loss, h.Loss())
			}
			s.median = max(s.median, h.Median)
			s.answers = s.answers || h.IsValid()
			states[h.Node] = s
		}
	}
	return states
}
