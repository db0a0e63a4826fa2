// SPDX-License-Identifier: BSD-3-Clause

package tui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"traceflow"
	"traceflow/internal/watch"
)

// Init implements tea.Model: it asks the terminal for its background.
func (m *model) Init() tea.Cmd {
	if !m.options.Color {
		return nil
	}
	return tea.RequestBackgroundColor
}

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		m.dark = msg.IsDark()
		m.restyle()
	case lookingMsg:
		m.looking = traceflow.Stats(msg)
	case foundMsg:
		m.found(msg.trace)
	case namedMsg:
		m.annotations = traceflow.Annotations(msg)
	case measuredMsg:
		m.measured(watch.Snapshot(msg))
	case tea.KeyPressMsg:
		return m, m.press(msg)
	}
	return m, nil
}

// press does what a key is for.
func (m *model) press(k tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(k, keys.quit):
		return tea.Quit
	case key.Matches(k, keys.help):
		m.help = !m.help
	case m.help:
		m.help = false
	case key.Matches(k, keys.theme):
		m.theme = (m.theme + 1) % theme(len(themeNames))
		m.restyle()
	case m.trace == nil: // the rest is of no use yet
	case key.Matches(k, keys.up):
		m.move(-1)
	case key.Matches(k, keys.down):
		m.move(1)
	case key.Matches(k, keys.pageUp):
		m.move(-m.page())
	case key.Matches(k, keys.pageDown):
		m.move(m.page())
	case key.Matches(k, keys.first):
		m.move(-len(m.order))
	case key.Matches(k, keys.last):
		m.move(len(m.order))
	case key.Matches(k, keys.pane):
		m.inHops = !m.inHops
	case key.Matches(k, keys.freeze):
		if m.frozen = !m.frozen; !m.frozen {
			m.show()
		}
	case key.Matches(k, keys.reset):
		m.frozen = false
		if m.options.Reset != nil {
			m.options.Reset()
		}
	case key.Matches(k, keys.sort):
		m.sort = (m.sort + 1) % sortKey(len(sortNames))
		m.arrange()
	case key.Matches(k, keys.columns):
		m.columns = (m.columns + 1) % len(columnSets)
	case key.Matches(k, keys.mask):
		m.mask = (m.mask + 1) % (maxMask + 1)
	case key.Matches(k, keys.names):
		m.names = !m.names
	case key.Matches(k, keys.graph):
		m.graph, m.graphSet = !m.showsGraph(), true
	}
	return nil
}

// maxMask is how many hops key m hides at most.
const maxMask = 4

// move picks another path, or scrolls the hops.
func (m *model) move(by int) {
	if len(m.order) == 0 {
		return
	}
	if m.inHops {
		m.topHop = max(0, m.topHop+by) // the view knows how many there are
		return
	}
	at := min(max(0, m.place()+by), len(m.order)-1)
	m.picked, m.topHop = m.shown.Paths[m.order[at]].Path, 0
}

// page is how far a page goes.
func (m *model) page() int { return max(1, m.layout().paths-1) }
