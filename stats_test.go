// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestSeries compares what a series says of its window, which it keeps up to
// date packet by packet, with what follows from the packets themselves.
func TestSeries(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var s Series
	var all []time.Duration
	for i := range 3 * Window {
		d := time.Duration(random.IntN(50)) * time.Millisecond // few values, so that some are equal
		if lost := random.IntN(4) == 0 || i/Window == 1 && i%Window < 200; lost {
			d = -1
			s.Lost()
		} else {
			s.Answered(d)
		}
		all = append(all, d)
		window := all[max(0, len(all)-Window):]
		if diff := cmp.Diff(window, s.Recent(Window)); diff != "" {
			t.Fatalf("after %d packets (-want +got):\n%s", len(all), diff)
		}
		if diff := cmp.Diff(window[max(0, len(window)-7):], s.Recent(7)); diff != "" {
			t.Fatalf("the latest 7 of %d (-want +got):\n%s", len(all), diff)
		}
		answered := slices.DeleteFunc(slices.Clone(window), func(d time.Duration) bool { return d < 0 })
		if len(answered) < 2 {
			continue
		}
		var jitter time.Duration
		for i := 1; i < len(answered); i++ {
			jitter += (answered[i] - answered[i-1]).Abs()
		}
		got := s.Stats()
		want := got
		want.Jitter = jitter / time.Duration(len(answered)-1)
		slices.Sort(answered)
		want.Median, want.P95 = answered[(len(answered)+1)/2-1], answered[(95*len(answered)+99)/100-1]
		if got != want {
			t.Fatalf("after %d packets: %+v, want %+v", len(all), got, want)
		}
	}
}
