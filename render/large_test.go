// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"traceflow"
	"traceflow/render"
)

// huge is a trace as only a forged file has it: n flows that share nothing but the
// source and few stations, to TTL 255.
func huge(t *testing.T, n int) *traceflow.Trace {
	var flows []string
	for i := range n {
		cells := make([]string, 0, 255)
		for ttl := 1; ttl < 255; ttl++ {
			cells = append(cells, fmt.Sprintf("198.%d.%d.%d", ttl, i/250, 1+i%250))
		}
		flows = append(flows, strings.Join(append(cells, "203.0.113.9"), " "))
	}
	g := golden{name: "huge", ends: ipv4, flows: flows}
	return g.trace(t)
}

// TestTooLarge wants one line of what cannot be drawn, in little time, and a page
// with all of it all the same.
func TestTooLarge(t *testing.T) {
	trace := huge(t, 60) // each TTL has fewer than make a bar
	var b bytes.Buffer
	started := time.Now()
	err := render.SVG(&b, trace, render.Options{})
	const want = "too large to draw: 15242 stations, 15300 links; --format html has all as tables, csv and json too"
	if err == nil || err.Error() != want || b.Len() > 0 {
		t.Errorf("%v, %d bytes, want %s", err, b.Len(), want)
	}
	var pages render.Pages
	_, data, err := pages.Next(trace, false)
	if err != nil {
		t.Fatal(err)
	}
	var shown struct {
		Drawing struct {
			Nodes    []any
			TooLarge string `json:"too_large"`
		}
	}
	if err := json.Unmarshal(data, &shown); err != nil {
		t.Fatal(err)
	}
	if shown.Drawing.TooLarge != "too large to draw: 15242 stations, 15300 links" || len(shown.Drawing.Nodes) != 15242 {
		t.Errorf("%q, %d nodes", shown.Drawing.TooLarge, len(shown.Drawing.Nodes))
	}
	t.Logf("%v, %d bytes", time.Since(started), len(data))
}

// TestManyFoldedDown draws what is huge but folds into bars.
func TestManyFoldedDown(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	trace := huge(t, 300)
	started := time.Now()
	if text := draw(t, trace); len(text) > 40_000_000 {
		t.Errorf("%d bytes", len(text))
	}
	t.Logf("%v", time.Since(started))
}
