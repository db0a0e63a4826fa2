// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"strings"
	"unicode"
)

const (
	// mostName is the longest text of strangers that is written whole where
	// people read it, in columns; DNS names can have 253.
	mostName = 64
	// leastName is what is left of a name at least where there is little room.
	leastName = 12
)

// wide are the characters that take two columns of a terminal: those of East
// Asian Width W and F (Unicode Annex 11), in blocks.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115f, Stride: 1}, // Hangul Jamo
		{Lo: 0x2e80, Hi: 0x303e, Stride: 1}, // CJK radicals and punctuation
		{Lo: 0x3041, Hi: 0xa4cf, Stride: 1}, // Kana to Yi
		{Lo: 0xa960, Hi: 0xa97f, Stride: 1},
		{Lo: 0xac00, Hi: 0xd7a3, Stride: 1}, // Hangul
		{Lo: 0xf900, Hi: 0xfaff, Stride: 1},
		{Lo: 0xfe10, Hi: 0xfe19, Stride: 1},
		{Lo: 0xfe30, Hi: 0xfe6f, Stride: 1},
		{Lo: 0xff01, Hi: 0xff60, Stride: 1}, // full-width forms
		{Lo: 0xffe0, Hi: 0xffe6, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x16fe0, Hi: 0x18aff, Stride: 1},
		{Lo: 0x1aff0, Hi: 0x1b2ff, Stride: 1},
		{Lo: 0x1f300, Hi: 0x1f64f, Stride: 1}, // pictographs
		{Lo: 0x1f680, Hi: 0x1f6ff, Stride: 1},
		{Lo: 0x1f900, Hi: 0x1faff, Stride: 1},
		{Lo: 0x20000, Hi: 0x3fffd, Stride: 1},
	},
}

// displayWidth returns how many columns printable text takes on a terminal.
func displayWidth(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me): // drawn over the one before
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}

// pad fills text up to a width, on the right, or on the left if it is negative.
func pad(s string, width int) string {
	if width < 0 {
		return strings.Repeat(" ", max(0, -width-displayWidth(s))) + s
	}
	return s + strings.Repeat(" ", max(0, width-displayWidth(s)))
}

// cut returns the longest beginning of text that takes at most width columns.
func cut(s string, width int) string {
	for i, r := range s {
		if width -= runeWidth(r); width < 0 {
			return s[:i]
		}
	}
	return s
}

// cutLeft returns the longest end of text that takes at most width columns and
// does not begin with a mark that belongs to the character before.
func cutLeft(s string, width int) string {
	n := displayWidth(s)
	for i, r := range s {
		if n <= width && runeWidth(r) > 0 {
			return s[i:]
		}
		n -= runeWidth(r)
	}
	return ""
}

// shorten makes text fit into a width, with an ellipsis at its end.
func shorten(s string, width int) string { return shortenEnd(s, "…", width) }

// shortenEnd makes text fit, with an ellipsis for what is left out at its end.
func shortenEnd(s, ellipsis string, width int) string {
	if displayWidth(s) <= width {
		return s
	}
	return strings.TrimRight(cut(s, width-displayWidth(ellipsis)), " ") + ellipsis
}

// shortenMiddle does so in the middle: the first label of a host's name tells
// the router and the last ones whose it is.
func shortenMiddle(s, ellipsis string, width int) string {
	if displayWidth(s) <= width {
		return s
	}
	room := max(0, width-displayWidth(ellipsis))
	return cut(s, (room+1)/2) + ellipsis + cutLeft(s, room/2)
}

// Wrap breaks printable text into lines of at most width columns of a terminal,
// at spaces; a longer word has a line of its own. Width 0 is no limit.
func Wrap(s string, width int) []string {
	if width <= 0 || displayWidth(s) <= width {
		return []string{s}
	}
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		switch {
		case line == "":
			line = word
		case displayWidth(line)+1+displayWidth(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
