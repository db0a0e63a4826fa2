// SPDX-License-Identifier: BSD-3-Clause

package discover

import "slices"

// planNodes asks for what the MDA's rule needs: at each node, so many flows
// that are known to pass it and were answered one TTL further on that one more
// next hop of equal share would have been seen (Veitch et al., INFOCOM 2009).
// Flows that are known to pass a node are asked first; where there are not
// enough, new ones are asked at the node's own TTL until some do.
func (s *adaptive) planNodes() {
	tests := s.nodeTests()
	alpha := s.alpha(len(tests))
	search := make(map[int]int) // flows to be asked at a TTL, to find some for its nodes
	for i := range tests {
		x := &tests[i]
		lack := x.target(alpha) - x.known
		if x.ttl == s.first {
			search[x.ttl] = lack
			continue
		}
		if lack = s.askThrough(x, lack); lack > 0 {
			// As many as should bring what is lacking, by the node's share so
			// far. A new flow serves whichever node it meets.
			c := &s.columns[x.ttl-1]
			search[x.ttl-1] = max(search[x.ttl-1], lack*max(1, c.known/max(1, c.counts[x.node])))
		}
	}
	for ttl := s.first; ttl <= s.upTo; ttl++ {
		n := search[ttl]
		if len(s.columns[ttl].counts) == 0 && !s.deaf(ttl) {
			n = max(n, 3-s.columns[ttl].known) // who is there at all
		}
		s.askTTL(ttl, n)
	}
}

// askThrough asks up to n flows that are known to pass the node of a test, one
// TTL further on, and returns how many are lacking.
func (s *adaptive) askThrough(x *test, n int) int {
	if s.deaf(x.ttl) {
		return 0
	}
	for i := 0; i < len(s.rows) && n > 0; i++ {
		r := s.rows[i]
		if r.cells[x.ttl-1] == x.node && (r.cells[x.ttl] == unasked || r.cells[x.ttl] == silent) &&
			(s.planned[[2]int{i, x.ttl}] || s.ask(i, x.ttl)) {
			n--
		}
	}
	return n
}

// nodeTests returns the tests of the MDA: that the first TTL has no further
// node, and each node that paths do not end at no further next hop.
func (t *table) nodeTests() []test {
	var out []test
	if c := &t.columns[t.first]; c.known > 0 {
		out = append(out, test{ttl: t.first, kinds: c.kinds(), known: c.known, counts: slices.Clone(c.counts)})
	}
	for ttl := t.first; ttl < t.max; ttl++ {
		next := make([]map[int32]int, len(t.columns[ttl].counts))
		ends := make([]bool, len(next))
		for _, r := range t.rows {
			near, far := r.cells[ttl], r.cells[ttl+1]
			if near < 0 || r.extra {
				continue
			}
			ends[near] = ends[near] || r.ended() && r.walk.Distance() == ttl
			if far == unasked || far == silent {
				continue
			}
			if next[near] == nil {
				next[near] = make(map[int32]int)
			}
			next[near][far]++
		}
		for n := range next {
			if ends[n] || t.columns[ttl].counts[n] == 0 {
				continue
			}
			x := test{ttl: ttl + 1, node: int32(n), kinds: max(1, len(next[n]))}
			for _, count := range next[n] {
				x.known += count
				x.counts = append(x.counts, count)
			}
			out = append(out, x)
		}
	}
	return out
}
