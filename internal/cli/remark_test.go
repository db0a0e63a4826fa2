// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"traceflow"
)

// TestRemarkScreens says how a trace ended once on a screen: in the result, where
// that is on it.
func TestRemarkScreens(t *testing.T) {
	const ending = "dst: not reached, by 1 flow\n"
	for _, tt := range []struct {
		name       string
		env        Env
		summarised bool
		want       string
	}{
		{"result and remarks on one screen", Env{Terminal: true, Width: 80, ErrWidth: 80}, true, ""},
		{"result in a pipe", Env{Terminal: true, ErrWidth: 80}, true, ending},
		{"remarks in a file", Env{Width: 80}, true, ending},
		{"a result that does not say", Env{Terminal: true, Width: 80, ErrWidth: 80}, false, ending},
		{"narrow", Env{Terminal: true, ErrWidth: 20}, true, "dst: not reached, by\n1 flow\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stderr bytes.Buffer
			tt.env.Err = &stderr
			remark(tt.env, &traceflow.Trace{
				Destination: traceflow.Destination{Name: "dst", Address: netip.MustParseAddr("192.0.2.1")},
				Flows:       make([]traceflow.Flow, 1),
				Stats:       traceflow.Stats{Probes: 2, Replies: 1},
				Complete:    true,
			}, tt.summarised)
			if got := stderr.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestRemarkSummary wants the summary below a table apart from it on a screen, and
// as wide as that.
func TestRemarkSummary(t *testing.T) {
	trace := &traceflow.Trace{
		Config: traceflow.Config{Paths: 1, Confidence: 0.95, MaxTTL: 64}, Flows: make([]traceflow.Flow, 1),
		Stats: traceflow.Stats{Probes: 2, Replies: 1}, Complete: true,
	}
	const width = 30
	var screen, file bytes.Buffer
	remark(Env{Err: &screen, Terminal: true, Width: width, ErrWidth: width}, trace, false)
	remark(Env{Err: &file}, trace, false)
	ending, summary, apart := strings.Cut(screen.String(), "\n\n")
	if !apart {
		t.Errorf("nothing parts the summary from the result: %q", screen.String())
	}
	for line := range strings.Lines(screen.String()) {
		if len(line) > width+1 {
			t.Errorf("wider than %d: %q", width, line)
		}
	}
	words := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if got, want := words(ending+"\n"+summary), words(file.String()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
