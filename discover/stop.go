// SPDX-License-Identifier: BSD-3-Clause

package discover

import "math"

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
