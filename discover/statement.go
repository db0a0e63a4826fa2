// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"math"

	"traceflow"
)

// statement computes what the tests allow to say. The chances of a miss of all
// tests add up (union bound); the chance that the confidence leaves is divided
// equally among them to find the smallest share for which every link was seen.
func (s *adaptive) statement() traceflow.Guarantee {
	g := traceflow.Guarantee{Confidence: s.Confidence, MinShare: 1, Alpha: 1, EqualShares: true}
	tests := s.tests()
	if len(tests) == 0 {
		return g
	}
	g.Alpha, g.MinShare = 0, 0
	alpha := s.alpha(len(tests))
	each := (1 - s.Confidence) / float64(len(tests))
	short := make(map[int]bool)
	for _, t := range tests {
		g.Alpha += missed(t.kinds+1, t.known)
		share := smallestShare(t.known, each)
		g.MinShare = max(g.MinShare, share)
		if t.known < StoppingPoint(t.kinds+1, alpha) {
			short[t.ttl] = true
			g.Short = append(g.Short, traceflow.ShortHop{TTL: uint8(t.ttl), MinShare: share})
		}
		if !s.equal(t, 0.01/float64(len(tests))) {
			g.EqualShares = false
		}
	}
	for ttl := s.first; ttl <= tests[len(tests)-1].ttl; ttl++ {
		if short[ttl] || s.columns[ttl].silent > 0 {
			g.LimitedHops = append(g.LimitedHops, uint8(ttl))
		}
		if s.windows[ttl].limited {
			g.RateLimited = append(g.RateLimited, uint8(ttl))
		}
	}
	g.Alpha = min(1, g.Alpha)
	return g
}

// equal reports whether the flows are spread over what a test saw as equal
// shares would spread them, by Pearson's chi-square at a level.
func (s *adaptive) equal(t test, level float64) bool {
	var counts []int
	if t.pair {
		links, _ := s.pairs(t.ttl - 1)
		for _, n := range links {
			counts = append(counts, n)
		}
	} else {
		counts = append(counts, s.columns[t.ttl].counts...)
		if s.columns[t.ttl].over > 0 {
			counts = append(counts, s.columns[t.ttl].over)
		}
	}
	k := len(counts)
	if k < 2 {
		return true
	}
	expected := float64(t.known) / float64(k)
	x := 0.0
	for _, n := range counts {
		x += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	return chiSquareTail(x, k-1) >= level
}

// chiSquareTail approximates the chance that a chi-square of df degrees of
// freedom is at least x (Wilson and Hilferty, PNAS 1931).
func chiSquareTail(x float64, df int) float64 {
	v := 2 / (9 * float64(df))
	z := (math.Cbrt(x/float64(df)) - (1 - v)) / math.Sqrt(v)
	return math.Erfc(z/math.Sqrt2) / 2
}
