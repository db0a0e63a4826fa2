// SPDX-License-Identifier: BSD-3-Clause

package tui

import "time"

// minSpread is the least difference between the lowest and the highest level of
// a sparkline, so that what hardly varies looks so.
const minSpread = time.Millisecond

// spark draws round trips, the latest at the right, in so many cells: the
// lowest is that of the fastest, the highest at least a quarter slower.
func (g *glyphs) spark(recent []time.Duration, width int) string {
	recent = recent[max(0, len(recent)-max(0, width)):]
	low, high := time.Duration(-1), time.Duration(0)
	for _, d := range recent {
		if d >= 0 && (low < 0 || d < low) {
			low = d
		}
		high = max(high, d)
	}
	high = max(high, low+low/4, low+minSpread)
	out := make([]rune, 0, width)
	for range width - len(recent) {
		out = append(out, ' ')
	}
	for _, d := range recent {
		if d < 0 {
			out = append(out, g.lost)
			continue
		}
		level := int(int64(d-low) * int64(len(g.levels)) / int64(high-low))
		out = append(out, g.levels[min(level, len(g.levels)-1)])
	}
	return string(out)
}
