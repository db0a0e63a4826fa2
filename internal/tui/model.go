// SPDX-License-Identifier: BSD-3-Clause

package tui

import (
	"cmp"
	"slices"

	"traceflow"
	"traceflow/internal/watch"
	"traceflow/render"
)

// model is all that the screen shows. It holds values that nobody changes.
type model struct {
	options       Options
	width, height int
	dark          bool // what the terminal says of its background
	theme         theme
	styles        styles
	glyphs        glyphs

	looking traceflow.Stats
	trace   *traceflow.Trace // nil while the paths are looked for
	flows   map[int]*traceflow.Flow
	// annotations come later than the trace.
	annotations traceflow.Annotations
	fork        fork
	latest      watch.Snapshot
	shown       watch.Snapshot // latest, or what was when it was frozen
	losses      [][]traceflow.HopLoss

	frozen, help, names, graph bool
	graphSet                   bool // the user has said whether to show the fork
	mask, columns              int
	sort                       sortKey
	order                      []int // indices of shown.Paths
	picked                     int   // Path.ID
	inHops                     bool  // keys go to the hops
	topPath, topHop            int   // first lines shown
}

// sortKey is what the paths are sorted by.
type sortKey uint8

const (
	byID sortKey = iota
	byLoss
	byMedian
	byP95
)

// sortNames are in the order of key s.
var sortNames = [...]string{"path", "loss", "median", "95th percentile"}

func newModel(o Options) *model {
	o.Target, o.How = render.Printable(o.Target), render.Printable(o.How)
	m := &model{options: o, dark: true, mask: o.Mask, names: true, glyphs: newGlyphs(o.ASCII)}
	m.restyle()
	return m
}

// restyle follows the theme.
func (m *model) restyle() {
	dark := m.dark
	if m.theme != autoTheme {
		dark = m.theme == darkTheme
	}
	m.styles = newStyles(m.options.Color, dark)
}

// found begins to show a trace.
func (m *model) found(t *traceflow.Trace) {
	m.trace, m.annotations, m.flows = t, t.Annotations, make(map[int]*traceflow.Flow, len(t.Flows))
	for i := range t.Flows {
		m.flows[t.Flows[i].ID] = &t.Flows[i]
	}
	m.fork = newFork(t)
	if len(t.Graph.Paths) > 0 {
		m.picked = t.Graph.Paths[0].ID
	}
}

// measured takes a snapshot in.
func (m *model) measured(s watch.Snapshot) {
	m.latest = s
	if !m.frozen {
		m.show()
	}
}

// show brings what is shown up to date.
func (m *model) show() {
	m.shown = m.latest
	m.losses = make([][]traceflow.HopLoss, len(m.shown.Paths))
	for i := range m.shown.Paths {
		m.losses[i] = m.shown.Paths[i].Losses()
	}
	m.arrange()
}

// arrange sorts the paths.
func (m *model) arrange() {
	m.order = m.order[:0]
	for i := range m.shown.Paths {
		m.order = append(m.order, i)
	}
	worst := func(p *traceflow.PathStats) float64 {
		if len(p.Hops) == 0 {
			return -1
		}
		end := &p.Hops[len(p.Hops)-1]
		switch m.sort {
		case byID:
			return 0
		case byLoss:
			share, _ := p.Loss()
			return share
		case byMedian:
			return float64(end.Median)
		case byP95:
			return float64(end.P95)
		default:
			return 0
		}
	}
	slices.SortStableFunc(m.order, func(a, b int) int {
		return cmp.Compare(worst(&m.shown.Paths[b]), worst(&m.shown.Paths[a]))
	})
}

// place returns where the picked path stands in the order, or 0.
func (m *model) place() int {
	return max(0, slices.IndexFunc(m.order, func(i int) bool { return m.shown.Paths[i].Path == m.picked }))
}

// pickedPath returns the picked path and what its losses mean; nil when there is
// none.
func (m *model) pickedPath() (*traceflow.PathStats, []traceflow.HopLoss) {
	if len(m.order) == 0 {
		return nil, nil
	}
	i := m.order[m.place()]
	return &m.shown.Paths[i], m.losses[i]
}
