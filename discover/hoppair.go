// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"math"
	"slices"
)

// A test is what the statement rests on, one after another along the path:
//
//   - at each TTL, that there is no further node;
//   - between two TTLs with several nodes each, that there is no further link
//     between them. Next to a TTL with one node the links follow.
//
// Each is met when so many flows were answered at the TTL, or at both, that
// what is missing would have been seen if it carried an equal share. A flow
// whose path ended before is answered, and what it shows is one more kind.
type test struct {
	ttl    int   // the farther one of a pair
	pair   bool  // between ttl - 1 and ttl
	kinds  int   // different things seen
	known  int   // flows that were answered
	counts []int // these flows, by what they showed

	// Of a node's next hops only (node.go): the node, at ttl - 1.
	node int32

	// Of a pair only: nodes on either side, whether every node on a side has as
	// many links as the others there, and whether the tests of both TTLs are met.
	near, far int
	regular   bool
	settled   bool
}

// full reports whether a pair has all links that there can be.
func (x *test) full() bool { return x.pair && x.kinds == x.near*x.far }

// more returns the links of the next larger graph in which every node of a
// side has as many links as the others, as it is when nodes and links both
// carry equal shares; and the links that it has for each node of the larger
// side, beside those seen.
func (x *test) more() (links, degree, seen int) {
	links = x.kinds + lcm(x.near, x.far)
	larger := max(x.near, x.far)
	return links, links / larger, x.kinds / larger
}

func lcm(a, b int) int {
	g, r := a, b
	for r > 0 {
		g, r = r, g%r
	}
	return a / g * b
}

// target returns how many flows have to be answered for a chance of a miss of
// at most alpha.
//
// If nodes and links both carry equal shares, a pair in which every node of a
// side has d links can only lack links that make it d' for each: L' links in
// all, not L. That n flows show no more than L of them has a chance of at most
// C(d', d)^m · (L/L')^n, where m nodes are on the larger side. One odd link more
// would have a smaller share than the others; half of the flows that would
// exclude it with an equal share are asked for in any case.
func (x *test) target(alpha float64) int {
	if !x.pair {
		return StoppingPoint(x.kinds+1, alpha)
	}
	odd := StoppingPoint(x.kinds+1, alpha)
	switch {
	case x.full():
		return 0
	case !x.settled:
		return odd / 2
	case !x.regular:
		return odd
	}
	links, degree, seen := x.more()
	n := (float64(max(x.near, x.far))*logChoose(degree, seen) - math.Log(alpha)) / math.Log(float64(links)/float64(x.kinds))
	return max(int(math.Ceil(n)), odd/2)
}

// missed bounds the chance that something is missing after all.
func (x *test) missed() float64 {
	switch {
	case x.full():
		return 0
	case x.known == 0: // of a pair that no flow was answered at both ends of
		return 1
	case x.pair && x.regular:
		links, degree, seen := x.more()
		return min(1, math.Exp(float64(max(x.near, x.far))*logChoose(degree, seen)+
			float64(x.known)*math.Log(float64(x.kinds)/float64(links))))
	}
	return missed(x.kinds+1, x.known)
}

// logChoose returns the logarithm of n over k.
func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// tests returns the tests of all TTLs that anything is known of.
func (t *table) tests() []test {
	last := 0
	for ttl := t.first; ttl <= t.max; ttl++ {
		if len(t.columns[ttl].counts) > 0 {
			last = ttl
		}
	}
	var out []test
	for ttl := t.first; ttl <= last; ttl++ {
		c := &t.columns[ttl]
		if len(c.counts) == 0 {
			continue // silent for everybody: nothing can be tested
		}
		x := test{ttl: ttl, kinds: c.kinds(), known: c.known, counts: slices.Clone(c.counts)}
		if c.over > 0 {
			x.counts = append(x.counts, c.over)
		}
		out = append(out, x)
		if c.kinds() > 1 && ttl > t.first && t.columns[ttl-1].kinds() > 1 {
			out = append(out, t.pairTest(ttl))
		}
	}
	return out
}

// pairTest looks at the links between a TTL and the one before.
func (t *table) pairTest(ttl int) test {
	links, flows := t.pairs(ttl - 1)
	near, far := make(map[int32]int), make(map[int32]int)
	x := test{ttl: ttl, pair: true, kinds: len(links), known: flows, regular: true}
	for l, n := range links {
		x.counts = append(x.counts, n)
		near[l.near]++
		far[l.far]++
		// Where paths end, nothing is to be expected of the number of links.
		x.regular = x.regular && l.far != over
	}
	x.near, x.far = max(1, len(near)), max(1, len(far))
	for _, side := range []map[int32]int{near, far} {
		for _, degree := range side {
			x.regular = x.regular && degree*len(side) == len(links)
		}
	}
	return x
}

// settle notes which pairs are between TTLs whose own tests are met.
func settle(tests []test, alpha float64) {
	met := make(map[int]bool)
	for i := range tests {
		if x := &tests[i]; !x.pair {
			met[x.ttl] = x.known >= x.target(alpha)
		}
	}
	for i := range tests {
		if x := &tests[i]; x.pair {
			x.settled = met[x.ttl-1] && met[x.ttl]
		}
	}
}

// alpha is the chance of a miss that each of n tests may have.
func (s *adaptive) alpha(n int) float64 {
	if s.PairAlpha > 0 {
		return s.PairAlpha
	}
	// Before the distance is known more tests are to be expected; asking for
	// too little now costs a round trip.
	if !s.anyEnd() {
		n = max(n, 2*firstHops)
	}
	return (1 - s.Confidence) / float64(max(1, n))
}

// planPairs asks for what the tests need.
func (s *adaptive) planPairs() {
	tests := s.tests()
	alpha := s.alpha(len(tests))
	settle(tests, alpha)
	covered := make([]bool, s.upTo+2)
	for i := range tests {
		t := &tests[i]
		covered[t.ttl] = true
		target := t.target(alpha)
		if t.pair {
			s.askPair(t.ttl, target-t.known)
			continue
		}
		if t.known < target {
			target = max(target, s.foresee(t, alpha))
		}
		s.askTTL(t.ttl, target-t.known)
	}
	// TTLs that nothing is known of yet.
	for ttl := s.first; ttl <= s.upTo; ttl++ {
		if !covered[ttl] && len(s.columns[ttl].counts) == 0 && !s.deaf(ttl) {
			target := StoppingPoint(2, alpha)
			if s.columns[ttl].silent > 0 || !s.anyEnd() && s.back == 0 && ttl > firstHops+s.first {
				target = 3 // nobody there, as it seems
			}
			s.askTTL(ttl, target-s.columns[ttl].known)
		}
	}
}

// foresee returns the stopping point for as many kinds as there probably are,
// given that so many of the known flows showed something new: asking for all
// of them at once saves round trips. It is the smallest number of kinds, of
// equal share, that could well show as many: the mean number shown by as many
// draws and one standard deviation.
func (s *adaptive) foresee(t *test, alpha float64) int {
	if t.kinds < 3 || t.known == 0 {
		return 0
	}
	n := float64(t.known)
	kinds := t.kinds
	for ; kinds < 4*t.kinds; kinds++ {
		k := float64(kinds)
		empty := math.Pow(1-1/k, n)
		mean := k * (1 - empty)
		variance := k*empty + k*(k-1)*math.Pow(1-2/k, n) - k*k*empty*empty
		if mean+math.Sqrt(max(0, variance)) >= float64(t.kinds) {
			break
		}
	}
	return StoppingPoint(kinds+1, alpha)
}

// askTTL asks n more flows at a TTL: those that were silent once more, then
// others in order.
func (s *adaptive) askTTL(ttl, n int) {
	for i := range s.rows {
		if s.planned[[2]int{i, ttl}] && s.rows[i].cells[ttl] < 0 {
			n-- // already asked, as a witness
		}
	}
	for i := 0; i < len(s.rows) && n > 0; i++ {
		if s.rows[i].cells[ttl] == silent && s.ask(i, ttl) {
			n--
		}
	}
	for i := 0; n > 0; i++ {
		r := s.row(i)
		if r == nil {
			return
		}
		if r.extra || r.cells[ttl] != unasked || s.planned[[2]int{i, ttl}] {
			continue
		}
		if !s.ask(i, ttl) {
			s.windows[ttl].wanted = true
			return
		}
		n--
	}
}

// askPair asks for n more flows that are known at a TTL and the one before:
// first those known at one of the two, then others in order.
func (s *adaptive) askPair(ttl, n int) {
	known := func(c int32) bool { return c >= 0 || c == over }
	for pass := range 2 {
		for i := 0; n > 0; i++ {
			if pass == 0 && i >= len(s.rows) {
				break
			}
			r := s.row(i)
			if r == nil {
				return
			}
			near, far := known(r.cells[ttl-1]), known(r.cells[ttl])
			if r.extra || near && far || pass == 0 && !near && !far {
				continue
			}
			if pass == 1 && (r.cells[ttl-1] != unasked || r.cells[ttl] != unasked) && !s.windows[ttl].limited && !s.windows[ttl-1].limited &&
				(int(r.tries[ttl-1]) > s.Retries || int(r.tries[ttl]) > s.Retries) {
				continue // silent for good
			}
			asked := true
			if !near {
				asked = s.ask(i, ttl-1) || s.planned[[2]int{i, ttl - 1}]
			}
			if asked && !far {
				asked = s.ask(i, ttl) || s.planned[[2]int{i, ttl}]
			}
			if !asked {
				if s.windows[ttl].left <= 0 || s.windows[ttl-1].left <= 0 {
					s.windows[ttl].wanted, s.windows[ttl-1].wanted = true, true
					return
				}
				continue
			}
			n--
		}
	}
}
