// SPDX-License-Identifier: BSD-3-Clause

package tui

import (
	"slices"

	"charm.land/lipgloss/v2"
)

// helpLines explains keys and signs, in two columns where there is room.
func (m *model) helpLines() []string {
	s := &m.styles
	const keyWidth, column = 7, 54
	var left, right [][]piece
	left = append(left, []piece{{"Keys", s.title}})
	for _, b := range keys.all() {
		shown := b.Help().Key
		if m.options.ASCII {
			shown = b.Keys()[0]
		}
		left = append(left, []piece{{m.fit(shown, keyWidth), s.key}, {b.Help().Desc, s.plain}})
	}
	right = append(right, []piece{{"Signs", s.title}})
	for _, sign := range []struct {
		piece
		means string
	}{
		{piece{lossy, s.bad}, "loss that persists to the destination"},
		{piece{dead, s.bad}, "the destination is silent on this path"},
		{piece{limited, s.warn}, "the router answers less than it forwards"},
		{piece{unclear, s.dim}, "loss; too little is known to tell where"},
		{piece{strayed, s.warn}, "its flows now take another path"},
		{piece{" " + string(m.glyphs.lost), s.plain}, "in a history: no answer"},
		{piece{" " + m.glyphs.unknown, s.dim}, "loss that nobody can know"},
	} {
		right = append(right, []piece{{m.fit(sign.text, 3), sign.style}, {sign.means, s.plain}})
	}
	right = append(right, nil, []piece{{"Each packet counts for the path it took, and where", s.dim}},
		[]piece{{"paths begin alike, for all of these.", s.dim}},
		[]piece{{"Round trips are in milliseconds.", s.dim}})
	if m.width < column+48 {
		// The signs first: keys can be tried.
		lines := append(right[:8:8], left...)
		out := make([]string, 0, len(lines))
		for _, l := range lines {
			out = append(out, m.line(false, l...))
		}
		return out
	}
	var out []string
	for i := range max(len(left), len(right)) {
		var pieces []piece
		if i < len(left) {
			pieces = left[i]
		}
		used := 0
		for _, p := range pieces {
			used += lipgloss.Width(p.text)
		}
		if i < len(right) {
			pieces = append(slices.Clip(pieces), piece{m.fit("", column-used), s.plain})
			pieces = append(pieces, right[i]...)
		}
		out = append(out, m.line(false, pieces...))
	}
	return out
}
