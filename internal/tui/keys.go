// SPDX-License-Identifier: BSD-3-Clause

package tui

import "charm.land/bubbles/v2/key"

// keyMap is what keys do.
type keyMap struct {
	up, down, pageUp, pageDown, first, last, pane key.Binding
	freeze, reset, sort, columns, mask, names     key.Binding
	graph, theme, help, quit                      key.Binding
}

var keys = keyMap{
	up:       bind("↑ k", "pick the path above, or scroll the hops", "up", "k"),
	down:     bind("↓ j", "pick the path below", "down", "j"),
	pageUp:   bind("PgUp", "a screen up", "pgup", "ctrl+b"),
	pageDown: bind("PgDn", "a screen down", "pgdown", "ctrl+f"),
	first:    bind("Home", "the first", "home"),
	last:     bind("End G", "the last", "end", "G"),
	pane:     bind("Tab ⏎", "to the hops, and back to the paths", "tab", "shift+tab", "enter"),
	freeze:   bind("Space", "freeze what is shown; measuring goes on", "space"),
	reset:    bind("r", "reset the figures", "r"),
	sort:     bind("s", "sort by: path, loss, median, 95th percentile", "s"),
	columns:  bind("c", "other columns", "c"),
	mask:     bind("m", "mask the first hops: none, 1, 2, 3, 4", "m"),
	names:    bind("n", "names or addresses", "n"),
	graph:    bind("g", "show or hide the fork", "g"),
	theme:    bind("t", "for dark, light terminals, or as detected", "t"),
	help:     bind("?", "this help, and back", "?", "h"),
	quit:     bind("q", "leave, and print the report", "q", "ctrl+c"),
}

func bind(shown, does string, names ...string) key.Binding {
	return key.NewBinding(key.WithKeys(names...), key.WithHelp(shown, does))
}

// all are the keys in the order of the help.
func (k *keyMap) all() []key.Binding {
	return []key.Binding{
		k.up, k.down, k.pageUp, k.pageDown, k.first, k.last, k.pane, k.freeze, k.reset, k.sort,
		k.columns, k.mask, k.names, k.graph, k.theme, k.help, k.quit,
	}
}
