// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"traceflow"
)

// TestLossesTellTheTruth judges the loss of simulated networks, in which it is
// known whose it is. A verdict may be wrong once in 20 hops that lose something.
func TestLossesTellTheTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("twenty runs of each network take a minute under the race detector; make test runs them without")
	}
	const runs = 20
	tests := []struct {
		topology string
		args     []string
		// truth is the verdict by address, and "" for all others.
		truth map[string]traceflow.HopLoss
		least int // verdicts that are true, in all runs
	}{
		// One router loses 30 % of its answers, and forwards everything.
		{topology: "j", args: []string{"-P", "16", "-q", "20", "--retries", "0"}, truth: map[string]traceflow.HopLoss{"198.18.0.2": traceflow.LossLocal}, least: 18},
		{topology: "j"},
		// The answers of every hop are lost, as they would be on the first link.
		{topology: "loss30", args: []string{"-P", "16", "-q", "20", "--retries", "0"}, truth: map[string]traceflow.HopLoss{"": traceflow.LossPersists}, least: 500},
		{topology: "loss30", truth: map[string]traceflow.HopLoss{"": traceflow.LossPersists}},
		// Every node limits its answers, and nothing else is lost.
		{topology: "rl-b", truth: map[string]traceflow.HopLoss{"": traceflow.LossLocal}, least: 100},
		{topology: "rl-b", args: []string{"-P", "64"}, truth: map[string]traceflow.HopLoss{"": traceflow.LossLocal}, least: 100},
	}
	for _, tt := range tests {
		t.Run(strings.Join(append([]string{tt.topology}, tt.args...), " "), func(t *testing.T) {
			found, wrong, hops := 0, 0, 0
			for seed := range runs {
				args := append([]string{"--sim", tt.topology, "--seed", fmt.Sprint(seed + 1), "--json", "--quiet"}, tt.args...)
				var trace traceflow.Trace
				if err := json.Unmarshal([]byte(traceSim(t, args...).out), &trace); err != nil {
					t.Fatal(err)
				}
				for _, p := range trace.PathStats() {
					for i, got := range p.Losses() {
						if got == traceflow.LossNone {
							continue
						}
						hops++
						if got == traceflow.LossUnclear {
							continue
						}
						truth, ok := tt.truth[p.Hops[i].Address.String()]
						if !ok {
							truth = tt.truth[""]
						}
						if got == truth {
							found++
						} else {
							wrong++
							t.Logf("seed %d, path %d: %s of TTL %d: %d of %d answered", seed+1, p.Path, got, p.Hops[i].TTL, p.Hops[i].Replies, p.Hops[i].Sent)
						}
					}
				}
			}
			if t.Logf("%d hops with loss, %d verdicts true, %d wrong", hops, found, wrong); wrong > hops/20 || found < tt.least {
				t.Errorf("want %d true, and 5 %% wrong at most", tt.least)
			}
		})
	}
}
