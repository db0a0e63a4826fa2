// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"net/netip"

	"traceflow"
)

// sign is something that replies show of the way of a packet.
type sign[S comparable] struct {
	kind Kind // of a change of it
	// read takes it out of a reply to a flow, and reports whether the reply can tell
	// at all.
	read func(*traceflow.Walk, *traceflow.Reply) (S, bool)
	// say says what it is.
	say func(S) string
}

// state is what every pass of a side reads from the replies to a flow at a TTL;
// not steady where passes disagree, or none can tell.
func (s *sign[S]) state(p *pair, side, flow, ttl int) (value S, steady bool) {
	for _, w := range p.sides[side].tracks[flow].walks {
		at := ttl - int(w.First)
		if at < 0 || at >= len(w.Hops) {
			continue
		}
		if _, ok := evidence(w, &w.Hops[at]); !ok {
			continue
		}
		v, ok := s.read(w, &w.Hops[at])
		switch {
		case !ok:
		case !steady:
			value, steady = v, true
		case v != value:
			return value, false
		}
	}
	return value, steady
}

// wavers reports whether passes of a side read different states.
func (s *sign[S]) wavers(p *pair, side, flow, ttl int) bool {
	var value S
	told := false
	for _, w := range p.sides[side].tracks[flow].walks {
		at := ttl - int(w.First)
		if at < 0 || at >= len(w.Hops) || !w.Hops[at].Kind.Answered() {
			continue
		}
		v, ok := s.read(w, &w.Hops[at])
		if ok && told && v != value {
			return true
		}
		if ok {
			value, told = v, true
		}
	}
	return false
}

// shift is a state that is another at the same nodes.
type shift[S comparable] struct {
	ttl           int
	near, far     netip.Addr
	before, after S
	flows         []int
	sure          int // flows that two passes at least on either side were answered by
}

// find compares what the same node says to the same flow on both sides, and
// notes for each change the nearest TTL at which it shows: what is behind it only
// hands it on. Where packets are spread one by one before, they carry what they met
// on different ways, and nothing is said.
func (s *sign[S]) find(p *pair) {
	type key struct {
		ttl           int
		near          netip.Addr
		before, after S
	}
	found := make(map[key]*shift[S])
	var order []*shift[S]
	of, unsteady := 0, 0
	for f := range p.flows {
		var near netip.Addr
		told, spread := false, false
		for ttl := 1; ttl < p.depth(f); ttl++ {
			spread = spread || !p.noise.clean(ttl)
			if spread || !p.compared(f, ttl) || !p.common(f, ttl) {
				continue
			}
			who := p.at(before, f, ttl)
			b, ok := s.state(p, before, f, ttl)
			a, ok2 := s.state(p, after, f, ttl)
			if told = told || ok && ok2; !ok || !ok2 {
				if s.wavers(p, before, f, ttl) || s.wavers(p, after, f, ttl) {
					unsteady++
				}
				near = who.Address
				continue
			}
			if a == b {
				near = who.Address
				continue
			}
			k := key{ttl, near, b, a}
			x := found[k]
			if x == nil {
				x = &shift[S]{ttl: ttl, near: near, far: who.Address, before: b, after: a}
				found[k], order = x, append(order, x)
			}
			if x.flows = append(x.flows, f); x.far != who.Address {
				x.far = netip.Addr{} // one of several
			}
			if p.cell(before, f, ttl).answers > 1 && p.cell(after, f, ttl).answers > 1 {
				x.sure++
			}
			break
		}
		if told {
			of++
		}
	}
	for _, x := range order {
		c := &finding{certain: x.sure > 1 && unsteady == 0, cause: p.causeOf(x.flows)}
		c.Kind, c.Flows, c.Of, c.TTL, c.Near, c.Far = s.kind, p.ids(x.flows), of, uint8(x.ttl), x.near, x.far
		c.Before, c.After = s.say(x.before), s.say(x.after)
		c.P = fisher(unsteady, max(1, 2*of), len(x.flows), max(1, of))
		p.add(c)
	}
}

// steady reports whether there are passes enough to know what does not change of
// itself.
func (p *pair) steady() bool {
	return len(p.sides[before].passes) > 1 && len(p.sides[after].passes) > 1
}

// causeOf returns the move that all of the flows were part of, if there is one.
func (p *pair) causeOf(flows []int) *finding {
	var m *move
	for _, f := range flows {
		if p.moved[f] == nil || m != nil && p.moved[f] != m {
			return nil
		}
		m = p.moved[f]
	}
	if m == nil {
		return nil
	}
	return m.finding
}
