// SPDX-License-Identifier: BSD-3-Clause

package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

// piece is text of one style.
type piece struct {
	text  string
	style lipgloss.Style
}

// line joins pieces into one that is as wide as the screen. One that is picked
// is in a style of its own.
func (m *model) line(picked bool, pieces ...piece) string {
	var b strings.Builder
	room := m.width
	for i, p := range pieces {
		text := p.text
		if width := lipgloss.Width(text); width > room || i == len(pieces)-1 && picked {
			text = m.fit(text, room)
			width = room
			room -= width
		} else {
			room -= width
		}
		if picked {
			b.WriteString(text)
		} else {
			b.WriteString(p.style.Render(text))
		}
	}
	if picked {
		return m.styles.picked.Render(b.String())
	}
	return b.String()
}

// layout is how many lines the panes have, without their titles.
type layout struct{ paths, hops, graph int }

const (
	// frame is what is not in a pane: the line at the top, news and keys.
	frame = 3
	// tall is from how many lines on the fork is shown unasked, and below it where
	// all else has room.
	tall = 34
	// fewLines is what a pane that is shown has at least, if it needs as much.
	fewLines = 3
)

func (m *model) showsGraph() bool {
	if m.graphSet {
		return m.graph
	}
	p, _ := m.pickedPath()
	return m.height >= tall || p != nil && frame+1+len(m.order)+2+len(p.Hops)+1+m.fork.height <= m.height
}

// layout shares the lines out: the hops and the fork have what they need up to
// a part of them, the paths the rest, and what these leave the others.
func (m *model) layout() layout {
	var l layout
	p, _ := m.pickedPath()
	if p == nil {
		return l
	}
	paths, hops, graph := len(m.order), len(p.Hops), 0
	room := m.height - frame - 1 - 2 // titles
	if m.showsGraph() {
		graph = m.fork.height
		room -= 2
	}
	l.hops = min(hops, max(fewLines, room/3))
	if graph > 0 {
		l.graph = min(graph, max(fewLines, room/4))
	}
	l.paths = min(paths, room-l.hops-l.graph)
	if l.paths < 1 { // the fork has to give way
		l.graph = 0
		l.paths = max(1, min(paths, room-l.hops))
	}
	spare := max(0, room-l.paths-l.hops-l.graph)
	more := min(spare, hops-l.hops)
	l.hops += more
	if l.graph > 0 {
		l.graph += min(spare-more, graph-l.graph)
	}
	return l
}

// View implements tea.Model.
func (m *model) View() tea.View {
	v := tea.NewView(m.draw())
	v.AltScreen = true
	return v
}

// draw returns the screen, line by line.
func (m *model) draw() string {
	if m.width < MinWidth || m.height < MinHeight {
		return m.fit(fmt.Sprintf("too small: %dx%d at least", MinWidth, MinHeight), m.width)
	}
	lines := []string{m.top()}
	switch {
	case m.help:
		lines = append(lines, m.helpLines()...)
	case m.trace == nil:
		lines = append(lines, "", m.line(false, piece{fmt.Sprintf("  Looking for every path: %d packets sent, %d answered.",
			m.looking.Probes, m.looking.Replies), m.styles.plain}))
	case len(m.order) == 0:
		lines = append(lines, "", m.line(false, piece{"  There is no path to measure: nothing has answered.", m.styles.plain}))
	default:
		l := m.layout()
		lines = append(lines, m.pathLines(l.paths)...)
		lines = append(lines, m.hopLines(l.hops, l.graph > 0)...)
		if l.graph > 0 {
			lines = append(lines, m.forkLines(l.graph)...)
		}
	}
	lines = lines[:min(len(lines), m.height-2)]
	for len(lines) < m.height-2 {
		lines = append(lines, "")
	}
	return strings.Join(append(lines, m.news(), m.bottom()), "\n")
}

// top says what is measured.
func (m *model) top() string {
	s := &m.styles
	pieces := []piece{{"traceflow ", s.title}, {m.options.Target, s.title}, {"  " + m.options.How, s.dim}}
	var state piece
	switch {
	case m.trace == nil:
		state = piece{"discovering", s.warn}
	case m.frozen:
		state = piece{"FROZEN", s.bad}
	default:
		state = piece{fmt.Sprintf("round %d  %s", m.shown.Round, clock(m.shown.Elapsed)), s.plain}
	}
	used := 0
	for _, p := range pieces {
		used += lipgloss.Width(p.text)
	}
	gap := m.width - used - lipgloss.Width(state.text)
	if gap < 1 { // what is sent matters least, then a long name
		pieces = pieces[:2]
		room := m.width - lipgloss.Width(state.text) - 1 - lipgloss.Width(pieces[0].text)
		pieces[1].text = m.fit(pieces[1].text, room)
		gap = 1
	}
	return m.line(false, append(pieces, piece{strings.Repeat(" ", gap), s.plain}, state)...)
}

// bottom says what keys there are.
func (m *model) bottom() string {
	var pieces []piece
	room := m.width
	for _, hint := range [][2]string{
		{"q", "leave"},
		{"?", "help"},
		{"Space", "freeze"},
		{"s", "sort"},
		{"c", "columns"},
		{"g", "fork"},
		{"r", "reset"},
		{"n", "names"},
		{"m", "mask"},
		{"t", "theme"},
		{"Tab", "pane"},
	} {
		text := hint[0] + " " + hint[1] + "  "
		if room -= lipgloss.Width(text); room < 0 {
			break
		}
		pieces = append(pieces, piece{hint[0], m.styles.key}, piece{" " + hint[1] + "  ", m.styles.dim})
	}
	return m.line(false, pieces...)
}

// rule heads a pane below the first.
func (m *model) rule(text string, active bool) string {
	style, begin := m.styles.dim, m.glyphs.rule
	if active {
		style, begin = m.styles.title, m.glyphs.pointer
	}
	text = begin + m.glyphs.rule + " " + text + " "
	return m.line(false, piece{text + strings.Repeat(m.glyphs.rule, max(0, m.width-lipgloss.Width(text))), style})
}
