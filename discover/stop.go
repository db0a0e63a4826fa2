// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"math"

	"traceflow"
)

// StoppingPoint returns how many flows must have been answered to exclude
// that there are k next hops where fewer than k were seen, with a chance of
// at most alpha to be wrong, if each of the k gets the same share: the union
// bound of the coupon collector, ceil(ln(alpha/k) / ln((k−1)/k)), which is
// never smaller than the sequential stopping points of Veitch et al., "Failure
// Control in Multipath Route Tracing" (INFOCOM 2009). StoppingPoint(2, 0.05)
// is 6. k is at least 2, alpha in (0, 1).
func StoppingPoint(k int, alpha float64) int {
	n := math.Log(alpha/float64(k)) / math.Log(float64(k-1)/float64(k))
	return int(math.Ceil(n))
}

// missed bounds the chance that n answered flows show at most k−1 of k next
// hops with equal shares: the inverse of StoppingPoint.
func missed(k, n int) float64 {
	return min(1, float64(k)*math.Pow(float64(k-1)/float64(k), float64(n)))
}

// smallestShare returns the smallest share w that a next hop can have and
// still be seen by n flows with a chance of at least 1 − alpha, together with
// every other next hop that has as much: floor(1/w) · (1−w)^n ≤ alpha. It is 1
// when n flows show nothing for certain.
func smallestShare(n int, alpha float64) float64 {
	low, high := 0.0, 1.0
	for range 60 { // halving 60 times is more than a float64 can tell apart
		w := (low + high) / 2
		if math.Floor(1/w)*math.Pow(1-w, float64(n)) <= alpha {
			high = w
		} else {
			low = w
		}
	}
	return high
}

// Guarantee computes what the answered flows of finished walks allow to say
// about links that were not seen, at a confidence in (0, 1). Only flows that
// were answered at both ends of a pair of neighbouring TTLs count there.
//
// With K links seen by n such flows, a further link was missed with a chance
// of at most missed(K+1, n) if shares are equal; the chances of all pairs add
// up (union bound). The chance of 1 − confidence is divided equally among the
// pairs to find the smallest share for which every link was seen.
func Guarantee(walks []traceflow.Walk, confidence float64) traceflow.Guarantee {
	g := traceflow.Guarantee{Confidence: confidence, MinShare: 1}
	pairs := hopPairs(walks)
	if len(pairs) == 0 {
		g.Alpha = 1
		return g
	}
	each := (1 - confidence) / float64(len(pairs))
	g.MinShare = 0
	for _, p := range pairs {
		if p.silent {
			g.LimitedHops = append(g.LimitedHops, p.ttl)
		}
		if p.flows == 0 {
			// Nothing was seen of this pair, so nothing is said of it but that.
			continue
		}
		g.Alpha += missed(p.links+1, p.flows)
		g.MinShare = max(g.MinShare, smallestShare(p.flows, each))
	}
	g.Alpha = min(1, g.Alpha)
	return g
}

// hopPair is what is known of the links between the nodes at two TTLs.
type hopPair struct {
	ttl    uint8 // of the farther end
	flows  int   // answered at both ends
	links  int   // distinct
	silent bool  // some flow has the farther hop and was not answered there
}

// hopPairs looks at every TTL up to the longest walk's last hop. The nearer
// end of the first pair is the vantage point, which always answers.
func hopPairs(walks []traceflow.Walk) []hopPair {
	var pairs []hopPair
	for at := 0; ; at++ {
		var p hopPair
		links := make(map[[2]string]bool)
		for i := range walks {
			w := &walks[i]
			if w.LastAnswered()-int(w.First) < at {
				continue
			}
			p.ttl = w.First + uint8(at)
			near := "vantage point"
			if at > 0 {
				near = w.Hops[at-1].Address.String()
			}
			far := &w.Hops[at]
			if far.Kind == traceflow.NoReply {
				p.silent = true
				continue
			}
			if at > 0 && w.Hops[at-1].Kind == traceflow.NoReply {
				continue
			}
			p.flows++
			links[[2]string{near, far.Address.String()}] = true
		}
		if p.ttl == 0 {
			return pairs
		}
		p.links = len(links)
		pairs = append(pairs, p)
	}
}
