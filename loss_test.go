// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hops makes a path of hops, each given by packets sent and lost.
func hops(reached bool, tallies ...tally) PathStats {
	p := PathStats{Reached: reached}
	for i, x := range tallies {
		h := HopStats{TTL: uint8(i + 1), RTTStats: RTTStats{Sent: x.sent, Replies: x.sent - x.lost}}
		if x.sent > x.lost {
			h.Address = netip.MustParseAddr("192.0.2.1")
		}
		p.Hops = append(p.Hops, h)
	}
	return p
}

func TestLosses(t *testing.T) {
	const (
		none, unclear = LossNone, LossUnclear
		all, own      = LossPersists, LossLocal
	)
	tests := []struct {
		name string
		path PathStats
		// limited is the TTL of a hop whose answers are limited.
		limited int
		want    []HopLoss
	}{
		{name: "no hops"},
		{name: "nothing sent", path: hops(false, tally{}), want: []HopLoss{none}},
		{name: "nothing lost", path: hops(true, tally{3, 0}, tally{3, 0}), want: []HopLoss{none, none}},
		{name: "nothing answers", path: hops(true, tally{30, 30}, tally{30, 0}), want: []HopLoss{none, none}},
		{name: "one of three is no verdict", path: hops(true, tally{3, 1}, tally{3, 0}), want: []HopLoss{unclear, none}},
		{name: "nor at the destination", path: hops(true, tally{3, 0}, tally{3, 1}), want: []HopLoss{none, unclear}},
		{name: "nor at both", path: hops(true, tally{3, 1}, tally{3, 1}), want: []HopLoss{unclear, unclear}},
		{name: "two of two is none either", path: hops(true, tally{2, 1}, tally{2, 1}), want: []HopLoss{unclear, unclear}},
		{name: "three of ten", path: hops(true, tally{10, 3}, tally{10, 0}), want: []HopLoss{unclear, none}},
		{name: "one router answers seldom", path: hops(true, tally{100, 0}, tally{100, 30}, tally{100, 0}, tally{100, 0}), want: []HopLoss{none, own, none, none}},
		{name: "few packets, but many witnesses", path: hops(true, tally{10, 5}, tally{10, 0}, tally{10, 0}, tally{10, 0}, tally{10, 0}), want: []HopLoss{own, none, none, none, none}},
		{name: "two routers do", path: hops(true, tally{100, 50}, tally{100, 40}, tally{100, 0}), want: []HopLoss{own, own, none}},
		{name: "loss from the second hop on", path: hops(true, tally{100, 0}, tally{100, 30}, tally{100, 28}, tally{100, 33}), want: []HopLoss{none, all, all, all}},
		{name: "the same, of few packets", path: hops(true, tally{10, 0}, tally{10, 3}, tally{10, 3}, tally{10, 3}), want: []HopLoss{none, unclear, unclear, all}},
		{name: "a router adds its own to loss before it", path: hops(true, tally{200, 60}, tally{200, 180}, tally{200, 60}), want: []HopLoss{all, own, all}},
		{name: "loss that begins late", path: hops(true, tally{100, 0}, tally{100, 0}, tally{100, 30}), want: []HopLoss{none, none, all}},
		{name: "more and more loss", path: hops(true, tally{100, 20}, tally{100, 40}, tally{100, 60}), want: []HopLoss{all, all, all}},
		{name: "a silent hop is no witness", path: hops(true, tally{100, 30}, tally{100, 100}, tally{100, 0}), want: []HopLoss{own, none, none}},
		{name: "no destination", path: hops(false, tally{100, 30}, tally{100, 30}), want: []HopLoss{unclear, unclear}},
		{name: "no destination, but somebody behind", path: hops(false, tally{100, 30}, tally{100, 0}), want: []HopLoss{own, none}},
		{name: "a silent destination", path: hops(true, tally{100, 30}, tally{100, 100}), want: []HopLoss{unclear, none}},
		{name: "a limited destination", path: hops(true, tally{100, 80}, tally{100, 80}), limited: 2, want: []HopLoss{unclear, own}},
		{name: "a limited router is no witness", path: hops(true, tally{100, 30}, tally{100, 80}, tally{100, 30}), limited: 2, want: []HopLoss{all, own, all}},
		{name: "the nearest is clean, the others limit", path: hops(true, tally{100, 60}, tally{100, 0}, tally{100, 60}), want: []HopLoss{own, none, all}},
		{name: "little loss of many", path: hops(true, tally{100_000, 1000}, tally{100_000, 1000}), want: []HopLoss{all, all}},
		{name: "half as much is neither", path: hops(true, tally{100, 40}, tally{100, 20}), want: []HopLoss{unclear, all}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.limited > 0 {
				tt.path.Hops[tt.limited-1].Limited = true
			}
			want := append([]HopLoss{}, tt.want...)
			if diff := cmp.Diff(want, tt.path.Losses()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestLossErrors adds up how probable it is that the tests say the contrary of
// the truth, where it is hardest: a witness loses just half as much.
func TestLossErrors(t *testing.T) {
	for _, own := range []int{3, 5, 10, 20, 40} {
		for _, witness := range []int{3, 5, 10, 20, 40, 120} {
			for _, loss := range []float64{0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1} {
				local, persists := 0.0, 0.0
				for x := range own + 1 {
					for y := range witness + 1 {
						p := point(x, own, loss) * point(y, witness, loss/2)
						if half(tally{own, x}, tally{witness, y}, false) < lossError {
							local += p
						}
						if half(tally{own, x}, tally{witness, y}, true) < lossError {
							persists += p
						}
					}
				}
				if local > lossError || persists > lossError {
					t.Errorf("%d and %d packets, %v lost: errors %.3f and %.3f", own, witness, loss, local, persists)
				}
			}
		}
	}
}

// point is the chance of k successes in n tries.
func point(k, n int, p float64) float64 {
	c := 1.0
	for i := range k {
		c *= float64(n-i) / float64(i+1)
	}
	return c * math.Pow(p, float64(k)) * math.Pow(1-p, float64(n-k))
}

func TestBinomialTail(t *testing.T) {
	for _, n := range []int{1, 7, 60} {
		for _, q := range []float64{0.1, 1.0 / 3, 0.9} {
			for k := range n + 1 {
				more, fewer := 0.0, 0.0
				for i := range n + 1 {
					if i >= k {
						more += point(i, n, q)
					}
					if i <= k {
						fewer += point(i, n, q)
					}
				}
				if got := binomialTail(k, n, q, true); math.Abs(got-more) > 1e-9 && (got != 1 || float64(k) > float64(n)*q) {
					t.Errorf("%d or more of %d, %v: got %v, want %v", k, n, q, got, more)
				}
				if got := binomialTail(k, n, q, false); math.Abs(got-fewer) > 1e-9 && (got != 1 || float64(k) < float64(n)*q) {
					t.Errorf("%d or fewer of %d, %v: got %v, want %v", k, n, q, got, fewer)
				}
			}
		}
	}
	if got := binomialTail(501_000, 1_000_000, 0.5, true); math.Abs(got-0.0228) > 0.001 {
		t.Errorf("two standard deviations of a million: %v", got)
	}
}

func TestPathLoss(t *testing.T) {
	tests := []struct {
		name  string
		path  PathStats
		want  float64
		known bool
	}{
		{name: "no hops"},
		{name: "not reached", path: hops(false, tally{10, 5})},
		{name: "a silent destination", path: hops(true, tally{10, 5}, tally{10, 10})},
		{name: "the destination's", path: hops(true, tally{10, 5}, tally{10, 1}), want: 0.1, known: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, known := tt.path.Loss(); math.Abs(got-tt.want) > 1e-9 || known != tt.known {
				t.Errorf("got %v, %t", got, known)
			}
		})
	}
	limited := hops(true, tally{10, 5})
	limited.Hops[0].Limited = true
	if _, known := limited.Loss(); known {
		t.Error("a limited destination tells")
	}
}

func TestLimits(t *testing.T) {
	tests := []struct{ name, answers string }{
		{"nothing", ""},
		{"all", "++++++++++++"},
		{"none", "------------"},
		{"one of three", "++-"},
		{"yes: a burst, a trickle", "++++++--------+-------+-----"},
		{"yes: a burst, then nothing", "++++++------------"},
		{"too few after it", "++++++--"},
		{"a burst by chance", "++++----+-+-"},
		{"yes: the same, suspected", "++++----+-+-"},
		{"no burst, though suspected", "++-+---+-+-"},
		{"no burst", "+-+-----+--+---+-----"},
		{"a burst and then most", "++++++-++-+++-+++-+++"},
		{"an outage in the middle", "++++++++++++++++++++++++++--------------------------"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var answered []bool
			for _, c := range tt.answers {
				answered = append(answered, c == '+')
			}
			if got, want := limits(answered, strings.Contains(tt.name, "suspect")), tt.name[:3] == "yes"; got != want {
				t.Errorf("got %t, want %t", got, want)
			}
		})
	}
}
