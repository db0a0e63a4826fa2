// SPDX-License-Identifier: BSD-3-Clause

package tui

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// fit makes text exactly so many cells wide. It must be printable and without
// styles.
func (m *model) fit(s string, width int) string {
	if width <= 0 {
		return ""
	}
	n := utf8.RuneCountInString(s)
	if n != len(s) { // else every byte is a cell
		n = ansi.StringWidth(s)
	}
	if n > width {
		s = ansi.Truncate(s, width, m.glyphs.ellipsis)
		n = ansi.StringWidth(s)
	}
	return s + strings.Repeat(" ", width-n)
}

// right is fit, with the text at the right.
func (m *model) right(s string, width int) string {
	if n := ansi.StringWidth(s); n < width {
		return strings.Repeat(" ", width-n) + s
	}
	return m.fit(s, width)
}

// millis is a round trip in milliseconds, in five cells.
func millis(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 9.995:
		return fmt.Sprintf("%.2f", ms)
	case ms < 99.95:
		return fmt.Sprintf("%.1f", ms)
	case ms < 99999.5:
		return fmt.Sprintf("%.0f", ms)
	}
	return fmt.Sprintf("%.0fs", ms/1000)
}

// percent is a share, in five cells.
func percent(share float64) string {
	switch {
	case share > 0 && share < 0.001:
		return "<0.1%"
	case share >= 0.9995:
		return "100%"
	}
	return fmt.Sprintf("%.1f%%", 100*share)
}

// clock is how long something has taken.
func clock(d time.Duration) string {
	s := int(d.Seconds())
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
