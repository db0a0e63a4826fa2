// SPDX-License-Identifier: BSD-3-Clause

package discover

// planNodes asks for what the MDA's rule needs: at each node, so many flows
// that are known to pass it and were answered one TTL further on that one more
// next hop of equal share would have been seen (Veitch et al., INFOCOM 2009).
// Flows that are known to pass a node are asked first; where there are not
// enough, new ones are asked at the node's own TTL until some do.
func (s *adaptive) planNodes() {
	alpha := s.alpha(s.nodeTests())
	s.askTTL(s.first, StoppingPoint(max(1, s.columns[s.first].kinds())+1, alpha)-s.columns[s.first].known)
	for ttl := s.first; ttl < s.upTo; ttl++ {
		if len(s.columns[ttl].counts) == 0 {
			if !s.deaf(ttl) {
				s.askTTL(ttl, 3-s.columns[ttl].known)
			}
			continue
		}
		if !s.deaf(ttl + 1) {
			s.planSuccessors(ttl, alpha)
		}
	}
	if c := &s.columns[s.upTo]; c.known == 0 && !s.deaf(s.upTo) {
		s.askTTL(s.upTo, StoppingPoint(2, alpha))
	}
}

// nodeTests counts the tests of planNodes: one for each node that has a next
// hop, and one for the first TTL.
func (s *adaptive) nodeTests() int {
	n := 1
	for ttl := s.first; ttl < s.upTo; ttl++ {
		n += len(s.columns[ttl].counts)
	}
	return n
}

// planSuccessors asks for the next hops of every node at a TTL.
func (s *adaptive) planSuccessors(ttl int, alpha float64) {
	next := make([]map[int32]bool, len(s.columns[ttl].counts))
	flows := make([]int, len(next))
	for _, r := range s.rows {
		near, far := r.cells[ttl], r.cells[ttl+1]
		if near < 0 || far == unasked || far == silent {
			continue
		}
		if next[near] == nil {
			next[near] = make(map[int32]bool)
		}
		next[near][far] = true
		flows[near]++
	}
	search := 0
	for n := range next {
		if s.isEnd(ttl, int32(n)) {
			continue
		}
		lack := StoppingPoint(max(1, len(next[n]))+1, alpha) - flows[n]
		for i := 0; i < len(s.rows) && lack > 0; i++ {
			r := s.rows[i]
			if r.cells[ttl] == int32(n) && (r.cells[ttl+1] == unasked || r.cells[ttl+1] == silent) &&
				(s.planned[[2]int{i, ttl + 1}] || s.ask(i, ttl+1)) {
				lack--
			}
		}
		if lack > 0 {
			// As many new flows as should bring what is lacking, by the node's
			// share so far. A new flow serves whichever node it meets.
			c := &s.columns[ttl]
			search = max(search, lack*max(1, c.known/max(1, c.counts[n])))
		}
	}
	s.askTTL(ttl, search)
}

// isEnd reports whether paths end at a node, so that it has no next hop.
func (s *adaptive) isEnd(ttl int, node int32) bool {
	for _, r := range s.rows {
		if r.cells[ttl] == node && r.ended() && r.walk.Distance() == ttl {
			return true
		}
	}
	return false
}
