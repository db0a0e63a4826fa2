// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"math"
	"slices"
)

// fisher is Fisher's exact test, one-sided: of a and b successes in n and m
// tries, the chance that b or more of them all fall among the m.
func fisher(a, n, b, m int) float64 {
	if n == 0 || m == 0 || a+b == 0 {
		return 1
	}
	total := 0.0
	for k := b; k <= min(a+b, m); k++ {
		if a+b-k <= n {
			total += math.Exp(logChoose(m, k) + logChoose(n, a+b-k) - logChoose(n+m, a+b))
		}
	}
	return min(1, total)
}

// logChoose is the logarithm of the number of ways to choose k of n.
func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// binomial is the chance of k or more successes in n tries of chance q.
func binomial(k, n int, q float64) float64 {
	switch {
	case k <= 0:
		return 1
	case k > n || q <= 0:
		return 0
	case q >= 1:
		return 1
	}
	total := 0.0
	for i := k; i <= n; i++ {
		total += math.Exp(logChoose(n, i) + float64(i)*math.Log(q) + float64(n-i)*math.Log1p(-q))
	}
	return min(1, total)
}

// below is the chance of fewer than k successes in n tries of chance q.
func below(k, n int, q float64) float64 {
	total := 0.0
	for i := range min(k, n+1) {
		total += math.Exp(logChoose(n, i) + float64(i)*math.Log(q) + float64(n-i)*math.Log1p(-q))
	}
	return min(1, total)
}

// wilson is the score interval of a share of which k of n were seen (Wilson,
// "Probable inference, the law of succession, and statistical inference", 1927),
// with z standard deviations to either side.
func wilson(k, n int, z float64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	size, share := float64(n), float64(k)/float64(n)
	middle := share + z*z/(2*size)
	half := z * math.Sqrt(share*(1-share)/size+z*z/(4*size*size))
	scale := 1 + z*z/size
	return max(0, (middle-half)/scale), min(1, (middle+half)/scale)
}

// deviations is how many standard deviations leave out alpha, both sides taken
// together.
func deviations(alpha float64) float64 { return math.Sqrt2 * math.Erfinv(1-alpha) }

// medianInterval is the median of sorted values, and the interval that it lies
// in: the values at the ranks that Wilson's interval of one half gives, as
// Fontugne et al. do it ("Pinpointing delay and forwarding anomalies using
// large-scale traceroute measurements", IMC 2017).
func medianInterval[T any](sorted []T, z float64) (low, median, high T) {
	n := len(sorted)
	from, to := wilson(n/2, n, z)
	if n%2 == 1 { // half of an odd number is between two counts
		a, b := wilson(n/2, n, z)
		c, d := wilson(n/2+1, n, z)
		from, to = (a+c)/2, (b+d)/2
	}
	at := func(share float64) int { return max(0, min(n-1, int(share*float64(n)))) }
	return sorted[at(from)], sorted[(n-1)/2], sorted[at(to)]
}

// holm corrects chances for having looked so often (Holm, "A simple sequentially
// rejective multiple test procedure", 1979): what is at most alpha afterwards
// keeps the chance of any false one below alpha. More is how many other tests there
// were, none of which had a smaller chance.
func holm(chances []float64, more int) []float64 {
	order := make([]int, len(chances))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case chances[a] < chances[b]:
			return -1
		case chances[a] > chances[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(chances))
	worst := 0.0
	for rank, i := range order {
		worst = max(worst, min(1, chances[i]*float64(len(chances)+more-rank)))
		out[i] = worst
	}
	return out
}

// widthError is the chance that is taken of a width being wrong, as everywhere in
// multipath discovery. It matters only where flows have moved.
const widthError = 0.05

// needed is how many flows it takes to exclude that there are k next hops where
// fewer were seen (Veitch et al., "Failure control in multipath route tracing",
// INFOCOM 2009; the union bound).
func needed(k int) int {
	if k < 2 {
		return 1
	}
	width := float64(k)
	return int(math.Ceil(math.Log(widthError/width) / math.Log((width-1)/width)))
}

// widest is the most next hops that there may be where k were seen by n flows.
func widest(k, n int) int {
	for high := k; ; high++ {
		if needed(high+1) <= n || high > 4*k+4 {
			return high
		}
	}
}
