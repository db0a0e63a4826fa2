// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"math"
	"testing"
)

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-4*math.Max(1e-4, math.Abs(want)) }

func TestFisher(t *testing.T) {
	tests := []struct {
		name       string
		a, n, b, m int
		want       float64
	}{
		{"the lady tasting tea", 1, 4, 3, 4, 17.0 / 70},
		{"all of four", 0, 4, 4, 4, 1.0 / 70},
		{"2 of 16 against a clean pool of 200", 0, 200, 2, 16, 16.0 * 15 / (216 * 215)},
		{"3 of 16 against a clean pool of 200", 0, 200, 3, 16, 16.0 * 15 * 14 / (216.0 * 215 * 214)},
		{"6 of 16 against 16", 0, 16, 6, 16, 8008.0 / 906192},
		{"nothing", 0, 10, 0, 10, 1},
		{"no tries", 0, 0, 3, 10, 1},
		{"the other way", 5, 5, 0, 5, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := fisher(tt.a, tt.n, tt.b, tt.m); !near(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestBinomial(t *testing.T) {
	tests := []struct {
		k, n int
		q    float64
		want float64
	}{
		{8, 10, 0.5, 56.0 / 1024}, {0, 10, 0.5, 1}, {11, 10, 0.5, 0}, {1, 1, 0.25, 0.25}, {3, 3, 0, 0}, {3, 3, 1, 1},
	}
	for _, tt := range tests {
		if got := binomial(tt.k, tt.n, tt.q); !near(got, tt.want) {
			t.Errorf("%d of %d at %v: %v, want %v", tt.k, tt.n, tt.q, got, tt.want)
		}
		if tt.q > 0 && tt.q < 1 && !near(below(tt.k, tt.n, tt.q), 1-tt.want) {
			t.Errorf("below %d of %d at %v: %v, want %v", tt.k, tt.n, tt.q, below(tt.k, tt.n, tt.q), 1-tt.want)
		}
	}
}

// TestWilson has the values of Newcombe, "Two-sided confidence intervals for the
// single proportion", 1998, table I.
func TestWilson(t *testing.T) {
	tests := []struct {
		k, n      int
		low, high float64
	}{
		{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718},
	}
	for _, tt := range tests {
		low, high := wilson(tt.k, tt.n, 1.959964)
		if math.Abs(low-tt.low) > 0.0001 || math.Abs(high-tt.high) > 0.0001 {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", tt.k, tt.n, low, high, tt.low, tt.high)
		}
	}
	if low, high := wilson(0, 0, 2); low != 0 || high != 1 {
		t.Errorf("of nothing: %v to %v, want 0 to 1", low, high)
	}
	if z := deviations(0.05); math.Abs(z-1.959964) > 1e-6 {
		t.Errorf("95 %% are within %v deviations, want 1.959964", z)
	}
}

func TestMedianInterval(t *testing.T) {
	values := make([]int, 101)
	for i := range values {
		values[i] = i
	}
	low, median, high := medianInterval(values, 1.959964)
	if low != 40 || median != 50 || high != 60 {
		t.Errorf("%d, %d, %d; want 40, 50, 60", low, median, high)
	}
	if low, median, high := medianInterval([]int{3, 4}, 3.3); low != 3 || median != 3 || high != 4 {
		t.Errorf("of two: %d, %d, %d; want 3, 3, 4", low, median, high)
	}
	if low, median, high := medianInterval([]int{7}, 3.3); low != 7 || median != 7 || high != 7 {
		t.Errorf("of one: %d, %d, %d; want 7", low, median, high)
	}
}

func TestHolm(t *testing.T) {
	got := holm([]float64{0.01, 0.04, 0.03, 0.005}, 0)
	for i, want := range []float64{0.03, 0.06, 0.06, 0.02} {
		if !near(got[i], want) {
			t.Errorf("%v, want 0.03 0.06 0.06 0.02", got)
			break
		}
	}
	if got := holm([]float64{0.9, 0.8}, 0); got[0] != 1 || got[1] != 1 {
		t.Errorf("%v, want 1 1", got)
	}
	if got := holm([]float64{0.01, 0.001}, 3); math.Abs(got[1]-0.005) > 1e-12 || math.Abs(got[0]-0.04) > 1e-12 {
		t.Errorf("with three tests more: %v", got)
	}
	if got := holm(nil, 0); len(got) != 0 {
		t.Errorf("%v of nothing", got)
	}
}

// TestNeeded has the stopping points that diamond-miner gives for 95 %.
func TestNeeded(t *testing.T) {
	for k, want := range map[int]int{2: 6, 3: 11, 4: 16, 11: 57, 16: 90, 101: 765} {
		if got := needed(k); got != want {
			t.Errorf("%d flows for %d next hops, want %d", got, k, want)
		}
	}
	for _, tt := range []struct{ k, n, want int }{{1, 5, 1 + 0}, {3, 16, 3}, {3, 15, 3}, {15, 89, 15}, {15, 90, 15}, {1, 6, 1}} {
		got := widest(tt.k, tt.n)
		if tt.n >= needed(tt.k+1) && got != tt.k || tt.n < needed(tt.k+1) && got <= tt.k {
			t.Errorf("%d seen by %d flows: %d at most", tt.k, tt.n, got)
		}
	}
}
