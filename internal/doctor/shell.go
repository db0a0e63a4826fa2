// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"strings"
	"unicode"
)

// Word returns text as one word of a POSIX shell, so that a line to type does
// what it says whatever a file or an interface is called.
func Word(text string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("/._-+:", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
