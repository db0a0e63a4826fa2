// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"strings"
	"unicode"
)

// Printable makes text that came from elsewhere safe to write to a terminal:
// one line of characters that have a look of their own. Controls, marks that
// turn the direction of writing (Unicode Annex 9) and other invisible ones are
// replaced, and so are bytes that are not UTF-8.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
