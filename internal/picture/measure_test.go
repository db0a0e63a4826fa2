// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"traceflow"
)

// TestLossBegins tests where the loss of a path is said to begin.
func TestLossBegins(t *testing.T) {
	tests := []struct {
		name string
		lost []int // of 100 packets, hop by hop; the last is the destination
		want []float64
	}{
		{"none", []int{0, 0, 0}, []float64{0, 0, 0}},
		{"at once", []int{30, 30, 30}, []float64{0.3, 0, 0}},
		{"further on", []int{0, 30, 34, 28}, []float64{0, 0.3, 0, 0}},
		{"a router that answers less", []int{0, 60, 0, 0}, []float64{0, 0, 0, 0}},
		{"a router that answers less behind the loss", []int{0, 30, 70, 33, 31}, []float64{0, 0.3, 0, 0, 0}},
		{"a router that answers less before the loss", []int{0, 90, 0, 30, 30}, []float64{0, 0, 0, 0.3, 0}},
		{"twice", []int{0, 10, 10, 45, 45}, []float64{0, 0.1, 0, 0.35, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := beginnings(lossy(tt.lost, 100)); !near(got, tt.want) {
				t.Error(cmp.Diff(tt.want, got))
			}
		})
	}
	t.Run("too few packets to be sure at the first hop", func(t *testing.T) {
		// 18 of 42 at the first hop are no more than chance beside 5 of 30 at
		// the third, so it is the second that is judged to lose.
		hops, _ := lossy([]int{18, 8, 5, 8}, 33)
		verdicts := []traceflow.HopLoss{traceflow.LossUnclear, traceflow.LossUnclear, traceflow.LossUnclear, traceflow.LossPersists}
		if got, want := beginnings(hops, verdicts), []float64{8.0 / 33, 0, 0, 0}; !near(got, want) {
			t.Error(cmp.Diff(want, got))
		}
	})
	t.Run("a packet or two before it are chance", func(t *testing.T) {
		hops, _ := lossy([]int{2, 30, 30}, 100)
		verdicts := []traceflow.HopLoss{traceflow.LossUnclear, traceflow.LossPersists, traceflow.LossPersists}
		if got, want := beginnings(hops, verdicts), []float64{0, 0.3, 0}; !near(got, want) {
			t.Error(cmp.Diff(want, got))
		}
	})
}

func near(got, want []float64) bool {
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-9 {
			return false
		}
	}
	return len(got) == len(want)
}

// lossy makes a path whose hops lose so many of the packets that each is sent.
func lossy(lost []int, sent int) ([]traceflow.HopStats, []traceflow.HopLoss) {
	p := traceflow.PathStats{Reached: true}
	for _, n := range lost {
		p.Hops = append(p.Hops, traceflow.HopStats{RTTStats: traceflow.RTTStats{Sent: sent, Replies: sent - n}})
	}
	return p.Hops, p.Losses()
}
