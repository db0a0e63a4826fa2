// SPDX-License-Identifier: BSD-3-Clause

package tui

import "charm.land/lipgloss/v2"

// styles are how kinds of text look. Each says something that a sign or a word
// says too.
type styles struct {
	plain, dim, title, head, bad, warn, good, picked, key lipgloss.Style
}

// newStyles are readable on a background that is dark, or light. Without
// colours, they are bold, underlined and reversed.
func newStyles(color, dark bool) styles {
	plain := lipgloss.NewStyle()
	s := styles{
		plain: plain, dim: plain, title: plain.Bold(true), head: plain.Underline(true),
		bad: plain.Bold(true), warn: plain, good: plain, picked: plain.Reverse(true), key: plain.Bold(true),
	}
	if !color {
		return s
	}
	pick := lipgloss.LightDark(dark)
	c := func(light, dark string) lipgloss.Style {
		return plain.Foreground(pick(lipgloss.Color(light), lipgloss.Color(dark)))
	}
	s.dim = c("#666666", "#8c8c8c")
	s.title = c("#005f87", "#5fafd7").Bold(true)
	s.head = c("#666666", "#8c8c8c").Underline(true)
	s.bad = c("#b00020", "#ff6b6b").Bold(true)
	s.warn = c("#8a5a00", "#e0af68")
	s.good = c("#00613a", "#87c38a")
	s.key = c("#005f87", "#5fafd7").Bold(true)
	s.picked = plain.Bold(true).Foreground(pick(lipgloss.Color("#000000"), lipgloss.Color("#ffffff"))).
		Background(pick(lipgloss.Color("#cfe3f1"), lipgloss.Color("#26425a")))
	return s
}

// theme is which background the colours are for.
type theme uint8

const (
	autoTheme theme = iota // as the terminal says
	darkTheme
	lightTheme
)

// themeNames are in the order of key t.
var themeNames = [...]string{"as detected", "for dark terminals", "for light terminals"}

// glyphs are what is drawn with.
type glyphs struct {
	levels                      []rune // of a sparkline, the lowest first
	lost                        rune
	dot, pointer, rule, unknown string
	ellipsis                    string
	// links are lines by the directions that they go in: left 1, right 2, up 4,
	// down 8.
	links [16]string
}

func newGlyphs(ascii bool) glyphs {
	if ascii {
		return glyphs{
			levels: []rune("_.-=+*#"), lost: 'x', dot: "-", pointer: ">", rule: "-", unknown: "-", ellipsis: "~",
			links: [16]string{" ", "-", "-", "-", "|", "+", "+", "+", "|", "+", "+", "+", "|", "+", "+", "+"},
		}
	}
	return glyphs{
		levels: []rune("▁▂▃▄▅▆▇█"), lost: '×', dot: "·", pointer: "▸", rule: "─", unknown: "–", ellipsis: "…",
		links: [16]string{" ", "╴", "╶", "─", "╵", "┘", "└", "┴", "╷", "┐", "┌", "┬", "│", "┤", "├", "┼"},
	}
}
