// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"math"

	"traceflow"
)

// Guarantee computes what the flows of finished walks that were answered allow
// to say about links that were not seen, at a confidence in (0, 1).
func Guarantee(walks []traceflow.Walk, confidence float64) traceflow.Guarantee {
	t := tableOf(walks)
	return t.statement(t.tests(), confidence)
}

// statement computes what tests allow to say. The chances of a miss of all of
// them add up (union bound); the chance that the confidence leaves is divided
// equally among them to find the smallest share for which every link was seen.
func (t *table) statement(tests []test, confidence float64) traceflow.Guarantee {
	g := traceflow.Guarantee{Confidence: confidence, MinShare: 1, Alpha: 1, EqualShares: true}
	if len(tests) == 0 {
		return g
	}
	g.Alpha, g.MinShare = 0, 0
	each := (1 - confidence) / float64(len(tests))
	settle(tests, each)
	for i := range tests {
		x := &tests[i]
		g.Alpha += x.missed()
		share := smallestShare(x.known, each)
		g.MinShare = max(g.MinShare, share)
		g.Hops = atTTL(g.Hops, x.ttl, share)
		if x.known < x.target(each) {
			g.Short = atTTL(g.Short, x.ttl, share)
		}
		g.EqualShares = g.EqualShares && x.equal(0.01/float64(len(tests)))
	}
	for ttl := t.first; ttl <= tests[len(tests)-1].ttl; ttl++ {
		if t.columns[ttl].silent > 0 {
			g.LimitedHops = append(g.LimitedHops, uint8(ttl))
		}
	}
	g.Alpha = min(1, g.Alpha)
	return g
}

// atTTL adds what a test says of a TTL: of several, the weakest counts.
func atTTL(hops []traceflow.HopShare, ttl int, share float64) []traceflow.HopShare {
	if n := len(hops); n > 0 && hops[n-1].TTL == uint8(ttl) {
		hops[n-1].MinShare = max(hops[n-1].MinShare, share)
		return hops
	}
	return append(hops, traceflow.HopShare{TTL: uint8(ttl), MinShare: share})
}

// equal reports whether the flows are spread over what a test saw as equal
// shares would spread them, by Pearson's chi-square at a level.
func (x *test) equal(level float64) bool {
	k := len(x.counts)
	if k < 2 {
		return true
	}
	expected := float64(x.known) / float64(k)
	sum := 0.0
	for _, n := range x.counts {
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
