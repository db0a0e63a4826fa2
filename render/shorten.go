// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// mostName is the longest text of strangers that is written whole where
	// people read it, in characters; DNS names can have 253.
	mostName = 64
	// leastName is what is left of a name at least where there is little room.
	leastName = 12
)

// shorten cuts text to n characters, the last of which then is an ellipsis.
func shorten(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:max(0, n-1)]) + "…"
}

// pad adds spaces up to n characters.
func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s)))
}

// milliseconds writes a time with three digits that count, in 5 columns up to
// 99,999 ms.
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 0.9995:
		return fmt.Sprintf("%.3f", ms)
	case ms < 9.995:
		return fmt.Sprintf("%.2f", ms)
	case ms < 99.95:
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}
