// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"traceflow"
)

// ask plans a probe of a row at a TTL, if the TTL's window and the budget
// allow it.
func (s *adaptive) ask(index, ttl int) bool { return s.askTimes(index, ttl, s.Retries) }

// witnessTries is how much oftener a flow is asked that alone can witness a
// link: what it would answer decides whether the link is on the map.
const witnessTries = 3

// askTimes is ask with another number of retries.
func (s *adaptive) askTimes(index, ttl, retries int) bool {
	r := s.rows[index]
	if s.planned[[2]int{index, ttl}] || int(r.tries[ttl]) > retries && !s.windows[ttl].limited {
		return false
	}
	if s.windows[ttl].left <= 0 || s.sent+len(s.probes)+s.reserved >= s.MaxProbes {
		return false
	}
	s.windows[ttl].left--
	s.planned[[2]int{index, ttl}] = true
	if !s.windows[ttl].limited {
		r.tries[ttl]++
	} else {
		// Under a rate limit silence says nothing about the flow.
		r.tries[ttl] = 1
	}
	r.stale = true
	s.probes = append(s.probes, traceflow.Probe{Flow: r.flow, TTL: uint8(ttl)})
	return true
}

// controls is how many flows are asked again where a rate limit is suspected.
const controls = 2

// control asks flows again that were answered, at the TTLs that are suspected
// of a rate limit, and nothing else there until that is settled.
func (s *adaptive) control() {
	for ttl := s.first; ttl <= s.upTo; ttl++ {
		w := &s.windows[ttl]
		if !w.suspect {
			continue
		}
		w.left, w.wanted = 0, true
		n := 0
		for _, r := range s.rows {
			if r.cells[ttl] >= 0 && n < controls && (!r.ended() || r.walk.Distance() >= ttl) {
				s.probes = append(s.probes, traceflow.Probe{Flow: r.flow, TTL: uint8(ttl)})
				n++
			}
		}
		w.suspect = n > 0
	}
}

// locate goes on with flows that reached the end in a way that does not tell
// where it is: with one TTL more if quotes are seen, because the quote then
// tells, and otherwise with one TTL less.
func (s *adaptive) locate() {
	for i, r := range s.rows {
		if r.ended() || i == 0 && s.back == 0 && len(r.exchanges) == 0 {
			continue
		}
		lowest, quoted := 0, false
		for j := range r.exchanges {
			e := &r.exchanges[j]
			if e.Reply.Terminal(r.flow.Destination) && (lowest == 0 || int(e.TTL) < lowest) && int(e.TTL) < int(s.MaxTTL) {
				lowest, quoted = int(e.TTL), e.Reply.HeaderQuoted
			}
		}
		switch {
		case lowest == 0:
		case quoted && lowest+1 < int(s.MaxTTL) && r.tries[lowest+1] == 0:
			s.ask(i, lowest+1)
		case lowest > s.first:
			s.ask(i, lowest-1)
		}
	}
}

// witness sees to it that every node has a neighbour on both sides that one
// and the same flow was answered by: a link is never drawn otherwise.
func (s *adaptive) witness() {
	s.unseen = make(map[int]bool)
	for ttl := s.first; ttl < s.upTo; ttl++ {
		if s.deaf(ttl) || s.deaf(ttl+1) {
			continue
		}
		s.witnessSide(ttl, ttl+1)
		s.witnessSide(ttl+1, ttl)
	}
}

// witnessSide asks at TTL there, for each node at TTL here that no flow joins
// to anything there, one flow that is known to pass the node.
func (s *adaptive) witnessSide(here, there int) {
	need := make([]bool, len(s.columns[here].counts))
	missing := 0
	for n, count := range s.columns[here].counts {
		if count > 0 {
			need[n] = true
			missing++
		}
	}
	for _, r := range s.rows {
		if n := r.cells[here]; n >= 0 && need[n] && (r.cells[there] >= 0 || r.cells[there] == over || s.planned[[2]int{r.flow.ID - 1, there}]) {
			need[n] = false
			missing--
		}
	}
	for i := 0; i < len(s.rows) && missing > 0; i++ {
		r := s.rows[i]
		if n := r.cells[here]; n >= 0 && need[n] && s.askTimes(i, there, s.Retries+witnessTries) {
			need[n] = false
			missing--
		}
	}
	if missing > 0 {
		s.windows[there].wanted = true
		s.unseen[max(here, there)] = true
	}
}
