// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/render"
)

// TestTextLoss looks for what the tree says of losses, address by address.
func TestTextLoss(t *testing.T) {
	const (
		upper = "192.0.2.1 198.51.100.1 198.51.100.129 203.0.113.9"
		lower = "192.0.2.1 198.51.100.2 198.51.100.129 203.0.113.9"
	)
	every := func(n int) func(int) bool { return func(i int) bool { return i%n == 1 } }
	burst := func(i int) bool { return i >= 6 && i%5 != 0 }
	// Which of the packets of each flow to each TTL are lost.
	type loss map[int]map[uint8]func(packet int) bool
	tests := []struct {
		name    string
		packets int
		flows   []string
		lost    loss
		want    map[string]string // by address, what stands behind the round trip
	}{
		{"none", 40, []string{upper, lower}, nil, map[string]string{"203.0.113.9": "destination"}},
		{
			"persists", 80,
			[]string{upper},
			loss{1: {2: every(4), 3: every(4), 4: every(4)}},
			map[string]string{
				"198.51.100.1":   "25 % of 80 loss from here on",
				"198.51.100.129": "25 % of 80", "203.0.113.9": "25 % of 80 destination",
			},
		},
		{
			"on one of two ways", 40,
			[]string{upper, lower},
			loss{1: {2: every(2), 3: every(2), 4: every(2)}},
			map[string]string{
				"198.51.100.1":   "50 % of 40 loss from here on",
				"198.51.100.129": "25 % of 80", "203.0.113.9": "25 % of 80 destination",
			},
		},
		{
			"of answers", 40,
			[]string{upper, lower},
			loss{1: {1: every(3)}, 2: {1: every(3)}},
			map[string]string{"192.0.2.1": "32 % of 80 loses answers only", "203.0.113.9": "destination"},
		},
		{
			"rate limit", 40,
			[]string{upper},
			loss{1: {1: burst}},
			map[string]string{"192.0.2.1": "70 % of 40 rate-limited", "203.0.113.9": "destination"},
		},
		{
			"at the destination", 40,
			[]string{upper},
			loss{1: {4: every(4)}},
			map[string]string{"203.0.113.9": "25 % of 40 destination, loss on the way here"},
		},
		{
			"of a few", 8,
			[]string{upper},
			loss{1: {2: every(4), 3: every(4), 4: every(4)}},
			map[string]string{
				"198.51.100.1": "25 % of 8", "198.51.100.129": "25 % of 8", "203.0.113.9": "25 % of 8 destination",
			},
		},
		{
			"nearly none, nearly all", 3000,
			[]string{upper},
			loss{1: {1: every(3000), 2: func(i int) bool { return i != 0 }}},
			map[string]string{
				"192.0.2.1": "<0.1 % of 3000", "198.51.100.1": ">99 % of 3000 loses answers only", "203.0.113.9": "destination",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := golden{ends: ipv4, flows: tt.flows}
			trace := g.trace(t)
			first := slices.Clone(trace.Exchanges)
			trace.Exchanges = nil
			for i := range tt.packets {
				for _, e := range first {
					e.Attempt, e.Sent = i+1, e.Sent.Add(time.Duration(i)*time.Second)
					if lost := tt.lost[e.Flow][e.TTL]; lost != nil && lost(i) {
						e.Reply = traceflow.Reply{}
					}
					trace.Exchanges = append(trace.Exchanges, e)
				}
			}
			var b bytes.Buffer
			if err := render.Text(&b, trace, render.Options{}); err != nil {
				t.Fatal(err)
			}
			got := make(map[string]string)
			for line := range strings.Lines(b.String()) {
				fields := strings.Fields(line)
				if len(fields) < 4 || strings.Trim(fields[0], "1234") != "" || !strings.Contains(line, "  ") {
					continue // no row
				}
				fields = slices.DeleteFunc(fields[1:], func(s string) bool { return strings.ContainsAny(s, "├└/") })
				if rest := strings.Join(fields[3:], " "); rest != "" {
					got[fields[0]] = rest
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s\n%s", diff, &b)
			}
		})
	}
}
