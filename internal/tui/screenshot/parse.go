// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"strconv"
	"strings"
)

// look is how a cell is drawn. Colours are of SVG; "" is the terminal's own.
type look struct {
	foreground, background  string
	bold, underline, invert bool
}

// piece is text of one look.
type piece struct {
	text string
	look
}

// palette are the first eight colours and their bright forms.
var palette = [16]string{
	"#1e2127", "#e06c75", "#98c379", "#d19a66", "#61afef", "#c678dd", "#56b6c2", "#abb2bf",
	"#5c6370", "#ff7b86", "#b5e890", "#e5c07b", "#7cc4ff", "#de9bf0", "#7fd6e0", "#ffffff",
}

// parse reads lines with SGR sequences (ECMA-48, 8.3.117), which are the only
// ones that tmux prints.
func parse(text string) [][]piece {
	var lines [][]piece
	var now look
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		var pieces []piece
		for len(line) > 0 {
			plain, rest, found := strings.Cut(line, "\x1b[")
			if plain != "" {
				pieces = append(pieces, piece{plain, now})
			}
			if !found {
				break
			}
			sequence, after, _ := strings.Cut(rest, "m")
			now = now.change(strings.FieldsFunc(sequence, func(r rune) bool { return r == ';' || r == ':' }))
			line = after
		}
		lines = append(lines, pieces)
	}
	return lines
}

// change applies the parameters of one sequence.
func (l look) change(parameters []string) look {
	if len(parameters) == 0 {
		return look{}
	}
	for i := 0; i < len(parameters); i++ {
		n, _ := strconv.Atoi(parameters[i]) // what is no number is 0, as in terminals
		switch {
		case n == 0:
			l = look{}
		case n == 1:
			l.bold = true
		case n == 4:
			l.underline = true
		case n == 7:
			l.invert = true
		case n == 22:
			l.bold = false
		case n == 24:
			l.underline = false
		case n == 27:
			l.invert = false
		case n >= 30 && n <= 37:
			l.foreground = palette[n-30]
		case n >= 90 && n <= 97:
			l.foreground = palette[n-90+8]
		case n == 39:
			l.foreground = ""
		case n >= 40 && n <= 47:
			l.background = palette[n-40]
		case n == 49:
			l.background = ""
		case (n == 38 || n == 48) && i+4 < len(parameters) && parameters[i+1] == "2":
			var rgb [3]int
			for j, part := range parameters[i+2 : i+5] {
				rgb[j], _ = strconv.Atoi(part)
			}
			if color := fmt.Sprintf("#%02x%02x%02x", rgb[0]&0xff, rgb[1]&0xff, rgb[2]&0xff); n == 38 {
				l.foreground = color
			} else {
				l.background = color
			}
			i += 4
		case (n == 38 || n == 48) && i+2 < len(parameters) && parameters[i+1] == "5":
			v, _ := strconv.Atoi(parameters[i+2])
			if color := indexed(v & 0xff); n == 38 {
				l.foreground = color
			} else {
				l.background = color
			}
			i += 2
		}
	}
	return l
}

// indexed is one of the 256 colours of xterm: the palette, a cube, and greys.
func indexed(n int) string {
	switch {
	case n < 16:
		return palette[n]
	case n < 232:
		level := func(v int) int {
			if v == 0 {
				return 0
			}
			return 55 + 40*v
		}
		n -= 16
		return fmt.Sprintf("#%02x%02x%02x", level(n/36), level(n/6%6), level(n%6))
	}
	grey := 8 + 10*(n-232)
	return fmt.Sprintf("#%02x%02x%02x", grey, grey, grey)
}
