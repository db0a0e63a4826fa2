// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"math"

	"traceflow"
)

// Guarantee computes what the flows of finished walks that were answered allow
// to say about links that were not seen, at a confidence in (0, 1).
func Guarantee(walks []traceflow.Walk, confidence float64) traceflow.Guarantee {
	return tableOf(walks).statement(confidence)
}

// statement computes what the tests allow to say. The chances of a miss of all
// tests add up (union bound); the chance that the confidence leaves is divided
// equally among them to find the smallest share for which every link was seen.
func (t *table) statement(confidence float64) traceflow.Guarantee {
	g := traceflow.Guarantee{Confidence: confidence, MinShare: 1, Alpha: 1, EqualShares: true}
	tests := t.tests()
	if len(tests) == 0 {
		return g
	}
	g.Alpha, g.MinShare = 0, 0
	each := (1 - confidence) / float64(len(tests))
	short := make(map[int]bool)
	settle(tests, each)
	for i := range tests {
		x := &tests[i]
		g.Alpha += x.missed()
		share := smallestShare(x.known, each)
		if n := len(g.Hops); n > 0 && g.Hops[n-1].TTL == uint8(x.ttl) {
			g.Hops[n-1].MinShare = max(g.Hops[n-1].MinShare, share)
		} else {
			g.Hops = append(g.Hops, traceflow.HopShare{TTL: uint8(x.ttl), MinShare: share})
		}
		g.MinShare = max(g.MinShare, share)
		if x.known < x.target(each) && !short[x.ttl] {
			short[x.ttl] = true
			g.Short = append(g.Short, traceflow.HopShare{TTL: uint8(x.ttl), MinShare: share})
		}
		if !t.equal(x, 0.01/float64(len(tests))) {
			g.EqualShares = false
		}
	}
	for ttl := t.first; ttl <= tests[len(tests)-1].ttl; ttl++ {
		if t.columns[ttl].silent > 0 {
			g.LimitedHops = append(g.LimitedHops, uint8(ttl))
		}
	}
	g.Alpha = min(1, g.Alpha)
	return g
}

// equal reports whether the flows are spread over what a test saw as equal
// shares would spread them, by Pearson's chi-square at a level.
func (t *table) equal(x *test, level float64) bool {
	var counts []int
	if x.pair {
		links, _ := t.pairs(x.ttl - 1)
		for _, n := range links {
			counts = append(counts, n)
		}
	} else {
		counts = append(counts, t.columns[x.ttl].counts...)
		if t.columns[x.ttl].over > 0 {
			counts = append(counts, t.columns[x.ttl].over)
		}
	}
	k := len(counts)
	if k < 2 {
		return true
	}
	expected := float64(x.known) / float64(k)
	sum := 0.0
	for _, n := range counts {
		sum += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	return chiSquareTail(sum, k-1) >= level
}

// chiSquareTail approximates the chance that a chi-square of df degrees of
// freedom is at least x (Wilson and Hilferty, PNAS 1931).
func chiSquareTail(x float64, df int) float64 {
	v := 2 / (9 * float64(df))
	z := (math.Cbrt(x/float64(df)) - (1 - v)) / math.Sqrt(v)
	return math.Erfc(z/math.Sqrt2) / 2
}
