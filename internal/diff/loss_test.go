// SPDX-License-Identifier: BSD-3-Clause

package diff_test

import (
	"fmt"
	"testing"

	"traceflow/internal/diff"
)

// TestLossFloor injects the loss that a report says would be found nine times in ten,
// and counts how often it is. What is not found is inconclusive, never nothing.
func TestLossFloor(t *testing.T) {
	const (
		line  = "link s > r1 > m > c > d"
		seeds = 20
		least = 15 // of 20: fewer come once in a hundred such tests of 90 %
	)
	tests := []struct {
		name string
		how  how
		most float64 // that the floor may be
	}{
		{"6 flows", how{flows: 6, retries: 2}, 0.9},
		{"16 flows", how{flows: 16}, 0.5},
		{"16 flows, 4 passes", how{flows: 16, passes: 4}, 0.3},
		{"64 flows, 4 packets each", how{flows: 64, repeats: 4}, 0.04},
		{"64 flows, 16 packets each: the policy counts from 1 %", how{flows: 64, repeats: 16}, 0.02},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			floor := both(t, network(t, line, "", 0), network(t, line, "", 0), tt.how, tt.how).Targets[0].LossFloor
			if floor > tt.most || floor < 0.01 {
				t.Fatalf("the floor is %.3f", floor)
			}
			right := 0
			for seed := range seeds {
				b, a := tt.how, tt.how
				b.luck, a.luck = uint64(seed), uint64(1000+seed)
				lossy := network(t, fmt.Sprintf("node c forward-loss=%.2f%%\n", 100*floor)+line, "", seed)
				r := both(t, network(t, line, "", seed), lossy, b, a)
				if found(r, diff.LossUp) {
					right++
				} else if r.Severity < diff.Inconclusive {
					t.Errorf("seed %d: a loss of %.1f %% is not told:\n%s", seed, 100*floor, show(r))
				}
			}
			if t.Logf("%.1f %%: %d of %d", 100*floor, right, seeds); right < least {
				t.Errorf("found %d of %d times, want %d", right, seeds, least)
			}
		})
	}
}
