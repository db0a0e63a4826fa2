// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"strings"
	"unicode"
)

// glyphs are what drawings are made of. Those of a tree are two columns wide.
type glyphs struct {
	branch, fork, last, down, nothing string
	to, from                          string // leads to, comes from
	ellipsis, dash                    string
}

var (
	boxGlyphs = glyphs{
		branch: "├ ", fork: "─┬ ", last: "└ ", down: "│ ", nothing: "  ",
		to: "→", from: "←", ellipsis: "…", dash: "–",
	}
	asciiGlyphs = glyphs{
		branch: "+ ", fork: "-+ ", last: "` ", down: "| ", nothing: "  ",
		to: "->", from: "<-", ellipsis: "...", dash: "-",
	}
)

func (o Options) glyphs() *glyphs {
	if o.ASCII {
		return &asciiGlyphs
	}
	return &boxGlyphs
}

// underneath returns what continues a drawing in lines that belong to the one with
// the drawing tree.
func underneath(tree string) string {
	return strings.NewReplacer("├", "│", "┬", "│", "─", " ", "└", " ", "+", "|", "-", " ", "`", " ").Replace(tree)
}

// clean makes text of strangers safe to show.
func (o Options) clean(s string) string { return o.spell(Printable(shorten(s, mostCell))) }

// spell writes text with the characters that can be shown.
func (o Options) spell(s string) string {
	if !o.ASCII {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, strings.NewReplacer(boxGlyphs.ellipsis, asciiGlyphs.ellipsis, boxGlyphs.to, asciiGlyphs.to, "×", "x").Replace(s))
}
