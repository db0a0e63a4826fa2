// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/render"
)

// series sums up packets: a reply after each of some round trips in
// milliseconds, and some lost.
func series(lost int, milliseconds ...float64) traceflow.RTTStats {
	var s traceflow.Series
	for range lost {
		s.Lost()
	}
	for _, ms := range milliseconds {
		s.Answered(time.Duration(ms * float64(time.Millisecond)))
	}
	return s.Stats()
}

// steady is n replies after the same time.
func steady(n int, ms float64) []float64 { return slices.Repeat([]float64{ms}, n) }

// TestPathReport has four paths of three hops to the destination, and one that
// ends before it.
func TestPathReport(t *testing.T) {
	trace := (&golden{name: "report", ends: ipv4, flows: []string{
		"192.0.2.1 198.51.100.1 203.0.113.9",
		"192.0.2.1 198.51.100.2 203.0.113.9",
		"192.0.2.1 198.51.100.3 203.0.113.9",
		"192.0.2.1 198.51.100.4!3/13",
		"192.0.2.1 198.51.100.5 203.0.113.9",
	}}).trace(t)
	stats := trace.PathStats()
	figures := [][]traceflow.RTTStats{
		{series(0, steady(100, 1)...), series(30, steady(70, 2)...), series(0, append(steady(96, 2.5), 3.5, 12345.6, 0.0123)...)}, // a limit on the way
		{series(0, steady(100, 1)...), series(0, steady(100, 22.2)...), series(0, steady(100, 33)...)},                            // slow
		{series(0, steady(100, 1)...), series(20, steady(80, 2)...), series(22, steady(78, 3)...)},                                // loss that persists
		{series(1, 1, 1), series(0, 2)}, // does not arrive
		{series(0, steady(100, 1)...), series(100), series(1, steady(99, 3)...)},
	}
	for i := range stats {
		for j := range stats[i].Hops {
			stats[i].Hops[j].RTTStats = figures[i][j]
		}
	}
	var plain bytes.Buffer
	if err := render.PathReport(&plain, trace, stats, render.Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "testdata/report/paths.txt", plain.String())
	var colored bytes.Buffer
	if err := render.PathReport(&colored, trace, stats, render.Options{Width: 80, Color: true}); err != nil {
		t.Fatal(err)
	}
	sgr := regexp.MustCompile(`\x1b\[[0-9;]*m`)
	if colored.Len() == plain.Len() {
		t.Error("colours are not used")
	}
	if diff := cmp.Diff(plain.String(), sgr.ReplaceAllString(colored.String(), "")); diff != "" {
		t.Errorf("colours change more than colours (-plain +coloured)\n%s", diff)
	}
}

// TestReportWidths wants every line within the width of the terminal, from the
// narrowest that figures fit into on.
func TestReportWidths(t *testing.T) {
	for _, tt := range traces {
		for _, width := range []int{80, 100, 132} {
			t.Run(fmt.Sprint(tt.name, " ", width), func(t *testing.T) {
				var b strings.Builder
				if err := render.Report(&b, tt.trace(t), render.Options{Width: width}); err != nil {
					t.Fatal(err)
				}
				for line := range strings.Lines(b.String()) {
					line = strings.TrimSuffix(line, "\n")
					if n := utf8.RuneCountInString(line); n > width && !strings.Contains(line, " to ") {
						t.Errorf("%d columns: %s", n, line)
					}
				}
			})
		}
	}
}

// TestReportContinued has an empty line between two results on one stream.
func TestReportContinued(t *testing.T) {
	g := golden{ends: ipv4, flows: []string{"192.0.2.1 203.0.113.9"}}
	var first, second bytes.Buffer
	for b, o := range map[*bytes.Buffer]render.Options{&first: {}, &second: {Continued: true}} {
		if err := render.Report(b, g.trace(t), o); err != nil {
			t.Fatal(err)
		}
	}
	if second.String() != "\n"+first.String() {
		t.Errorf("%s\nis continued by\n%s", &first, &second)
	}
}
