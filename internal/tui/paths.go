// SPDX-License-Identifier: BSD-3-Clause

package tui

import (
	"fmt"
	"strconv"
	"time"

	"traceflow"
	"traceflow/internal/watch"
	"traceflow/render"
)

// pathHead is what stands before the figures of a path: pointer, sign, number,
// flows, a port that reproduces it, hops.
const (
	pathHead   = "%s%s %4s %5s %5s %4s "
	headWidth  = 1 + 2 + 1 + 4 + 1 + 5 + 1 + 5 + 1 + 4 + 1
	narrowHead = 1 + 2 + 1 + 4 + 1 // without flows, port and hops
)

// wideEnough is from how many columns on a path's flows, port and hops are
// shown.
const wideEnough = 60

// pathLines draws the paths: a title and so many of them, the picked one among
// them.
func (m *model) pathLines(rows int) []string {
	wide := m.width >= wideEnough
	before := narrowHead
	if wide {
		before = headWidth
	}
	columns, history := m.columnsFor(m.width - before - lossWidth)
	title := fmt.Sprintf("%s%s %4s ", " ", "  ", "PATH")
	if wide {
		title = fmt.Sprintf(pathHead, " ", "  ", "PATH", "FLOWS", m.portTitle(), "HOPS")
	}
	lines := []string{m.line(false, piece{m.fit(title+m.figuresHead(columns, history), m.width), m.styles.head})}
	at := m.place()
	m.topPath = min(max(m.topPath, at-rows+1), at)
	m.topPath = max(0, min(m.topPath, len(m.order)-rows))
	for i := m.topPath; i < min(m.topPath+rows, len(m.order)); i++ {
		lines = append(lines, m.pathLine(m.order[i], i == at, wide, columns, history))
	}
	return lines
}

func (m *model) pathLine(i int, picked, wide bool, columns []column, history int) string {
	p := &m.shown.Paths[i]
	sign := m.pathSign(i)
	pointer := " "
	if picked {
		pointer = m.glyphs.pointer
	}
	before := []piece{{pointer, m.styles.key}, sign, {fmt.Sprintf(" %4d ", p.Path), m.styles.plain}}
	if wide {
		before = append(before, piece{
			fmt.Sprintf("%5d %s %4d ", len(p.Flows), m.right(m.port(p), 5), m.distance(p)), m.styles.plain,
		})
	}
	if len(p.Hops) == 0 {
		return m.line(picked, append(before, piece{"nothing answers", m.styles.dim})...)
	}
	end := &p.Hops[len(p.Hops)-1]
	loss := m.lossText(end, m.styles.plain)
	if _, known := p.Loss(); !known && end.Sent > 0 {
		loss = piece{m.right(m.glyphs.unknown, lossWidth), m.styles.dim}
	}
	spark := piece{" " + m.glyphs.spark(end.Recent, history), m.styles.good}
	if sign.text == lossy || sign.text == dead {
		spark.style, loss.style = m.styles.bad, m.styles.bad
	}
	if history == 0 {
		spark.text = ""
	}
	return m.line(picked, append(before, loss, piece{m.figures(end, columns), m.styles.plain}, spark)...)
}

// distance is how many hops a path has.
func (m *model) distance(p *traceflow.PathStats) int {
	if len(p.Hops) == 0 {
		return 0
	}
	return int(p.Hops[len(p.Hops)-1].TTL)
}

// portTitle names what tells one path's flows from another's.
func (m *model) portTitle() string {
	if len(m.trace.Flows) < 2 {
		return "PORT"
	}
	switch a, b := &m.trace.Flows[0], &m.trace.Flows[1]; {
	case a.Label != b.Label:
		return "LABEL"
	case a.Destination != b.Destination:
		return "TO"
	case a.SourcePort == b.SourcePort && a.DestinationPort != b.DestinationPort:
		return "DPORT"
	}
	return "PORT"
}

// port is what to send to follow a path: the source port of its first flow, or
// what else tells it from others.
func (m *model) port(p *traceflow.PathStats) string {
	if len(p.Flows) == 0 || m.flows[p.Flows[0]] == nil {
		return ""
	}
	f := m.flows[p.Flows[0]]
	switch m.portTitle() {
	case "LABEL":
		return strconv.FormatUint(uint64(f.Label), 16)
	case "TO":
		text := f.Destination.String()
		return text[max(0, len(text)-5):]
	case "DPORT":
		return strconv.Itoa(int(f.DestinationPort))
	}
	return strconv.Itoa(int(f.SourcePort))
}

// news is the latest event, or what is shown otherwise.
func (m *model) news() string {
	s := &m.styles
	if m.trace == nil || len(m.order) == 0 {
		return ""
	}
	bad, away := 0, 0
	for i := range m.shown.Paths {
		switch m.pathSign(i).text {
		case lossy, dead:
			bad++
		case strayed:
			away++
		}
	}
	summary := piece{fmt.Sprintf("%d paths, no loss on the way", len(m.shown.Paths)), s.good}
	switch {
	case bad > 0:
		summary = piece{fmt.Sprintf("%d of %d paths lose packets", bad, len(m.shown.Paths)), s.bad}
	case away > 0:
		summary = piece{fmt.Sprintf("%d of %d paths are no longer taken", away, len(m.shown.Paths)), s.warn}
	case m.shown.Round == 0:
		summary = piece{fmt.Sprintf("%d paths", len(m.shown.Paths)), s.plain}
	}
	pieces := []piece{summary}
	if m.sort != byID {
		pieces = append(pieces, piece{"  by " + sortNames[m.sort], s.dim})
	}
	if m.theme != autoTheme {
		pieces = append(pieces, piece{"  " + themeNames[m.theme], s.dim})
	}
	if m.shown.Stats.SendErrors > 0 {
		pieces = append(pieces, piece{fmt.Sprintf("  %d not sent", m.shown.Stats.SendErrors), s.bad})
	}
	if n := len(m.shown.Events); n > 0 {
		e := &m.shown.Events[n-1]
		pieces = append(pieces, piece{"  " + e.Time.Format(time.TimeOnly) + " " + m.eventText(e), s.warn})
	}
	return m.line(false, pieces...)
}

func (m *model) eventText(e *watch.Event) string {
	switch e.Kind {
	case watch.RouteChanged, watch.RouteBack:
		return fmt.Sprintf("path %d: TTL %d is now %s", e.Path, e.Change.TTL, m.address(e.Change.TTL, render.Printable(e.Change.After.String())))
	case watch.Died:
		return fmt.Sprintf("path %d: its end is silent", e.Path)
	case watch.CameBack:
		return fmt.Sprintf("path %d: its end answers again", e.Path)
	}
	return ""
}
