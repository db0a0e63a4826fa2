// SPDX-License-Identifier: BSD-3-Clause

package discover

import "math"

// A test is what the statement rests on, one after another along the path:
//
//   - at a TTL where one node is known, that there is no second;
//   - at a TTL with several nodes between two with one each, that there is no
//     further node (its links then follow: the neighbours are known);
//   - between two TTLs with several nodes each, that there is no further link
//     between them (its nodes then follow).
//
// Each is met when so many flows were answered at the TTL, or at both, that
// one more of equal share would have been seen: StoppingPoint. A flow whose
// path ended before is answered, and what it shows is one more kind.
type test struct {
	ttl   int  // the farther one of a pair
	pair  bool // between ttl - 1 and ttl
	kinds int  // different things seen
	known int  // flows that were answered
}

// tests returns the tests of all TTLs that anything is known of.
func (t *table) tests() []test {
	last := 0
	for ttl := t.first; ttl <= t.max; ttl++ {
		if len(t.columns[ttl].counts) > 0 {
			last = ttl
		}
	}
	several := func(ttl int) bool { return ttl >= t.first && ttl <= last && t.columns[ttl].kinds() > 1 }
	var out []test
	for ttl := t.first; ttl <= last; ttl++ {
		c := &t.columns[ttl]
		switch {
		case len(c.counts) == 0:
			// Silent for everybody: nothing can be tested.
		case several(ttl) && several(ttl-1):
			links, flows := t.pairs(ttl - 1)
			out = append(out, test{ttl: ttl, pair: true, kinds: len(links), known: flows})
		case several(ttl) && several(ttl+1):
			// The next pair says more.
		default:
			out = append(out, test{ttl: ttl, kinds: c.kinds(), known: c.known})
		}
	}
	return out
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
	covered := make([]bool, s.upTo+2)
	for _, t := range tests {
		covered[t.ttl] = true
		target := StoppingPoint(t.kinds+1, alpha)
		if t.known < target {
			target = max(target, s.foresee(t, alpha))
		}
		if t.pair {
			covered[t.ttl-1] = true
			s.askPair(t.ttl, target-t.known)
			continue
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
func (s *adaptive) foresee(t test, alpha float64) int {
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
