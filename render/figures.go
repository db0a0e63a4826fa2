// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"strings"
	"time"
)

// milliseconds writes a time with three digits that count, in 5 columns up to
// 99,999 ms; below a millisecond with three decimals, its microseconds.
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

// alignPoints pads figures so that their decimal points stand below each other,
// and makes them equally wide.
func alignPoints(figures []string) {
	left, right := 0, 0
	for _, f := range figures {
		whole, _, _ := strings.Cut(f, ".")
		left, right = max(left, len(whole)), max(right, len(f)-len(whole))
	}
	for i, f := range figures {
		whole, _, _ := strings.Cut(f, ".")
		figures[i] = strings.Repeat(" ", left-len(whole)) + f + strings.Repeat(" ", right-(len(f)-len(whole)))
	}
}

// part writes n of all in percent, with as many digits as asked for.
func part(n, all, digits int) string {
	return fmt.Sprintf("%.*f %%", digits, 100*float64(n)/float64(max(1, all)))
}

// percentage writes a share in percent, with two digits that count.
func percentage(share float64) string {
	if share < 0.0995 {
		return fmt.Sprintf("%.1f %%", 100*share)
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}
