// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"traceflow"
)

// move is flows that left one node for another next hop than before: one thing
// that happened, whatever it changed further on.
type move struct {
	near    traceflow.Responder // the zero one is the vantage point
	nearTTL int
	ttl     int   // the first that differs
	flows   []int // indices of pair.flows, ascending
	// cells is how many flows were compared at the TTL; sure is true where enough that
	// moved did so in every pass of a network that does nothing of itself.
	cells  int
	sure   bool
	chance float64
	// known are those that could have moved: they passed the node and were answered
	// behind it on both sides.
	known []int
	// from and to are how many of them met each next hop, before and after.
	from, to map[traceflow.Responder]int
	// gone and came are next hops on one side only; strayed are flows that moved
	// between two that are on both.
	gone, came []traceflow.Responder
	strayed    int
	finding    *finding
}

// start is where a flow's way begins to differ.
type start struct {
	near    traceflow.Responder
	nearTTL int
	ttl     int
	// maybe are nodes behind near that only one side was answered by.
	maybe []place
}

// findStart looks for the first TTL at which a flow was answered by others, and
// for the last before it at which it was not.
func (p *pair) findStart(flow int) (start, bool) {
	var s start
	for ttl := 1; ttl < p.depth(flow); ttl++ {
		b, a := p.at(before, flow, ttl), p.at(after, flow, ttl)
		switch {
		case b.IsValid() && a.IsValid() && p.common(flow, ttl):
			s = start{near: min2(a, b), nearTTL: ttl}
		case b.IsValid() && a.IsValid():
			s.ttl = ttl
			return s, true
		case b.IsValid():
			s.maybe = append(s.maybe, place{ttl, b})
		case a.IsValid():
			s.maybe = append(s.maybe, place{ttl, a})
		}
	}
	return start{}, false
}

// min2 makes one of two that are the same but for what they tell.
func min2(a, b traceflow.Responder) traceflow.Responder {
	if joined, same := a.Join(b); same {
		return joined
	}
	if a.Compare(b) < 0 {
		return a
	}
	return b
}

// group puts flows together that left the same node.
func (p *pair) group() {
	starts := make(map[int]start)
	find := func(near traceflow.Responder, ttl int) *move {
		for _, m := range p.moves {
			if _, same := m.near.Join(near); same && m.nearTTL == ttl {
				return m
			}
		}
		return nil
	}
	for f := range p.flows {
		if s, ok := p.findStart(f); ok {
			starts[f] = s
		}
	}
	// Those that know best where they left come first.
	order := make([]int, 0, len(starts))
	for f := range starts {
		order = append(order, f)
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(len(starts[a].maybe)-len(starts[b].maybe), a-b) })
	for _, f := range order {
		s := starts[f]
		var m *move
		for _, maybe := range slices.Backward(s.maybe) {
			if m = find(maybe.who, maybe.ttl); m != nil {
				break
			}
		}
		if m == nil {
			m = find(s.near, s.nearTTL)
		}
		if m == nil {
			m = &move{near: s.near, nearTTL: s.nearTTL, ttl: s.ttl}
			p.moves = append(p.moves, m)
		}
		m.ttl = min(m.ttl, s.ttl)
		m.flows = append(m.flows, f)
		p.moved[f] = m
	}
	slices.SortFunc(p.moves, func(a, b *move) int { return cmp.Or(a.nearTTL-b.nearTTL, a.near.Compare(b.near)) })
	for _, m := range p.moves {
		slices.Sort(m.flows)
	}
}

// findMoves groups the flows that moved, tests each group against the noise, and
// says what it was.
func (p *pair) findMoves() {
	p.group()
	p.tests += max(0, p.placesLeft()-len(p.moves))
	for _, m := range p.moves {
		differ := 0
		for f := range p.flows {
			if !p.compared(f, m.ttl) {
				continue
			}
			m.cells++
			if p.moved[f] == m && !p.common(f, m.ttl) {
				differ++
			}
		}
		noise := p.noise.baseline(m.ttl)
		m.chance = fisher(noise.differ, noise.all, max(differ, 1), max(m.cells, 1))
		chance := p.repeated(m)
		m.chance = min(m.chance, chance)
		p.survey(m)
		m.sure = p.noise.quiet() && (chance <= p.rules.Alpha || p.familiar(m) > 1)
		p.name(m)
	}
	p.findSpread()
}

// placesLeft counts the nodes behind which flows could have moved.
func (p *pair) placesLeft() int {
	places := make(map[place]bool)
	for f := range p.flows {
		near := place{}
		for ttl := 1; ttl < p.depth(f); ttl++ {
			if !p.compared(f, ttl) {
				continue
			}
			places[near] = true
			if !p.common(f, ttl) {
				break
			}
			near = place{ttl, p.at(before, f, ttl)}
		}
	}
	return len(places)
}

// mostPerFlow is how many TTLs of one flow count as evidence of their own: those of
// a route that came and went go together.
const mostPerFlow = 2

// familiar counts the flows of a move that went to a next hop which others had
// before, or left one that others have still: no other address of the same router.
func (p *pair) familiar(m *move) (n int) {
	for _, f := range m.flows {
		if p.steadyCell(f, m.ttl) > 0 && m.to[p.at(before, f, m.ttl)]+m.from[p.at(after, f, m.ttl)] > 0 {
			n++
		}
	}
	return n
}

// repeated is the chance of the cells of a move that differ in every pass, of two at
// least on either side, where nothing differs within a side.
//
// A router that answers from two addresses at random, to all flows through it, shows
// each flow the same in all passes of a side with the chance of coins that fall
// alike. The more routers of the target do such things, the more likely that this
// one does.
func (p *pair) repeated(m *move) float64 {
	var places []place
	for _, f := range m.flows {
		mine := 0
		for ttl := m.ttl; ttl < p.depth(f) && mine < mostPerFlow; ttl++ {
			if p.steadyCell(f, ttl) > 0 && !p.common(f, ttl) {
				if at := (place{ttl, p.at(before, f, ttl)}); !slices.Contains(places, at) {
					places = append(places, at)
				}
				mine++
			}
		}
	}
	if len(places) == 0 {
		return 1
	}
	slices.SortFunc(places, place.compare)
	chance := 1.0
	for len(places) > 0 {
		ttl, n := places[0].ttl, 0
		all := make(map[traceflow.Responder]bool)
		for ; n < len(places) && places[n].ttl == ttl; n++ {
			chance *= p.noise.fickle()
			for f := range p.flows {
				who := p.at(before, f, ttl)
				if all[who] = true; who == places[n].who {
					chance *= math.Pow(0.5, float64(p.steadyCell(f, ttl)))
				}
			}
		}
		chance *= math.Exp(logChoose(len(all), n)) // any of them could have been the ones
		places = places[n:]
	}
	return min(1, chance)
}

// steadyCell returns how many answers to a flow repeat one of before on the same
// side: 0 unless there are two on both, where nothing at the TTL differs.
func (p *pair) steadyCell(flow, ttl int) int {
	b, a := p.cell(before, flow, ttl).answers, p.cell(after, flow, ttl).answers
	if b < 2 || a < 2 || !p.noise.clean(ttl) {
		return 0
	}
	return b + a - 2
}

// survey counts the next hops of the node that flows left, before and after.
func (p *pair) survey(m *move) {
	m.from, m.to = make(map[traceflow.Responder]int), make(map[traceflow.Responder]int)
	passed := func(side, f int) bool {
		if m.nearTTL == 0 {
			return true
		}
		_, same := p.at(side, f, m.nearTTL).Join(m.near)
		return same
	}
	for f := range p.flows {
		inside := slices.Contains(m.flows, f)
		if !inside && !passed(before, f) && !passed(after, f) {
			continue
		}
		// Who came from elsewhere tells of what is there, and not of who moved.
		if b := p.at(before, f, m.ttl); b.IsValid() && (inside || passed(before, f)) {
			m.from[b]++
		}
		if a := p.at(after, f, m.ttl); a.IsValid() && (inside || passed(after, f)) {
			m.to[a]++
		}
		if p.compared(f, m.ttl) && (inside || passed(before, f) && passed(after, f)) {
			m.known = append(m.known, f)
		}
	}
	m.gone, m.came = missing(m.from, m.to), missing(m.to, m.from)
	for _, f := range m.known {
		if p.moved[f] == m && !p.common(f, m.ttl) && m.to[p.at(before, f, m.ttl)] > 0 && m.from[p.at(after, f, m.ttl)] > 0 {
			m.strayed++
		}
	}
}

// missing returns who is in one count and not in another, in order.
func missing(in, not map[traceflow.Responder]int) (out []traceflow.Responder) {
	for who := range in {
		if not[who] == 0 {
			out = append(out, who)
		}
	}
	slices.SortFunc(out, traceflow.Responder.Compare)
	return out
}

// name says what a move was, and notes it with what follows from it.
func (p *pair) name(m *move) {
	f := &finding{certain: m.sure, gone: m.gone, came: m.came, move: m}
	f.P, f.Flows, f.Of, f.TTL, f.Near = m.chance, p.ids(m.flows), max(len(m.known), len(m.flows)), uint8(m.ttl), m.near.Address
	if len(m.gone) > 0 {
		f.Far = m.gone[0].Address
	} else if len(m.came) > 0 {
		f.Far = m.came[0].Address
	}
	m.finding = f
	switch {
	case p.nameTunnel(m):
	case p.nameWidth(m):
	case p.nameRehash(m):
	default:
		p.nameRoute(m)
	}
	if p.noise.quiet() {
		f.unclear = fmt.Sprintf("%d of %d flows went another way, too few to tell from chance", len(m.flows), f.Of)
	}
	p.add(f)
	p.addLinks(m)
}
