// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"cmp"
	"slices"
	"time"

	"traceflow"
)

// wayTrips are the round trips of the nodes on the way of flows, by TTL and side.
type wayTrips map[int]*[2][]roundTrips

// wayRise is how latency differs at a node.
type wayRise struct {
	rise
	at place
	// behind is true where a node behind it shows the difference, too.
	behind bool
	move   *move // that the flows were part of, before the node; nil for none
}

// findLatencyOnTheWay compares the round trips of the nodes that flows meet, where
// the destination does not answer them on both sides.
//
// A router that takes long to answer need not take long to forward. What a node shows
// counts where none of those behind it shows less, and at least one shows as much. Of
// the last one nobody can tell: that is said, and not called green.
func (p *pair) findLatencyOnTheWay(destination *[2][]roundTrips) {
	mute := make([]bool, len(p.flows))
	none := true
	for f := range mute {
		mute[f] = !answered(destination[before][f]) || !answered(destination[after][f])
		none = none && !mute[f]
	}
	if none {
		return
	}
	trips := p.tripsOnTheWay(mute)
	var rises []wayRise
	for _, set := range p.setsOnTheWay(mute) {
		r, ok := p.compareRTT(set.flows, trips[set.at.ttl])
		if !ok {
			continue
		}
		set.rise = r
		if p.shownBehind(&set, trips) {
			rises = append(rises, set)
		} else {
			p.tests++
		}
	}
	slices.SortStableFunc(rises, func(a, b wayRise) int {
		if a.behind != b.behind {
			return map[bool]int{true: -1, false: 1}[a.behind]
		}
		return cmp.Or(cmp.Compare(a.chance, b.chance), len(b.flows)-len(a.flows))
	})
	told := make(map[int]bool)
	for i := range rises {
		r := &rises[i]
		if slices.ContainsFunc(r.flows, func(f int) bool { return told[f] }) || !r.behind && !r.up {
			p.tests++
			continue
		}
		for _, f := range r.flows {
			told[f] = true
		}
		p.addWayRise(r)
	}
}

func (p *pair) addWayRise(r *wayRise) {
	kind := LatencyUp
	if r.move != nil {
		kind = LatencyMoved
	}
	f := p.addRise(r.rise, kind)
	f.Before += " to " + r.at.who.Address.String()
	if f.Confidence = traceflow.ConfidenceMedium; !r.behind {
		f.Confidence = traceflow.ConfidenceLow
		f.After += ", and nobody behind it answers: it may be slow to answer only"
	}
	if p.locate(f, r.rise); r.move != nil {
		f.cause, f.TTL, f.Near = r.move.finding, uint8(r.move.ttl), r.move.near.Address
	}
}

func answered(trips roundTrips) bool {
	return slices.ContainsFunc(trips, func(pass []time.Duration) bool { return len(pass) > 0 })
}

// tripsOnTheWay collects the round trips of the nodes that flows meet on both sides.
func (p *pair) tripsOnTheWay(flows []bool) wayTrips {
	out := make(wayTrips)
	for side := range p.sides {
		p.sides[side].eachExchange(func(pass, f int, w *traceflow.Walk, e *traceflow.Exchange) {
			ttl := int(e.TTL)
			if !flows[f] || e.Reply.RTT <= 0 || !p.common(f, ttl) {
				return
			}
			who, ok := evidence(w, &e.Reply)
			if !ok || p.noise.find(ttl, who) != p.at(side, f, ttl) {
				return
			}
			if out[ttl] == nil {
				out[ttl] = p.noTrips()
			}
			trips := out[ttl][side][f]
			trips[pass] = append(trips[pass], e.Reply.RTT)
		})
	}
	return out
}

// noTrips is room for the round trips of all flows, in every pass.
func (p *pair) noTrips() *[2][]roundTrips {
	var out [2][]roundTrips
	for side := range out {
		out[side] = make([]roundTrips, len(p.flows))
		for f := range out[side] {
			out[side][f] = make(roundTrips, len(p.sides[side].passes))
		}
	}
	return &out
}

// setsOnTheWay are the nodes that flows meet on both sides, with the flows that do:
// of those that moved, the ones that meet it behind the place where they did.
func (p *pair) setsOnTheWay(flows []bool) (out []wayRise) {
	type key struct {
		at   place
		move *move
	}
	index := make(map[key]int)
	for f := range p.flows {
		if !flows[f] {
			continue
		}
		m := p.moved[f]
		for ttl := 1; ttl < p.depth(f); ttl++ {
			if !p.compared(f, ttl) || !p.common(f, ttl) || m != nil && ttl <= m.ttl {
				continue
			}
			k := key{place{ttl, p.at(before, f, ttl)}, m}
			i, ok := index[k]
			if !ok {
				i = len(out)
				index[k], out = i, append(out, wayRise{at: k.at, move: m})
			}
			out[i].flows = append(out[i].flows, f)
		}
	}
	return out
}

// shownBehind reports whether no node behind a set shows less than half of its
// difference, and notes whether one shows it.
func (p *pair) shownBehind(r *wayRise, trips wayTrips) bool {
	least := (r.after - r.before) / 2
	for ttl := r.at.ttl + 1; ttl < longest; ttl++ {
		at := trips[ttl]
		if at == nil {
			continue
		}
		var all [2][]time.Duration
		for side := range all {
			for _, f := range r.flows {
				for _, pass := range at[side][f] {
					all[side] = append(all[side], pass...)
				}
			}
			slices.Sort(all[side])
		}
		if min(len(all[before]), len(all[after])) < leastAnswers {
			continue
		}
		rise := all[after][(len(all[after])-1)/2] - all[before][(len(all[before])-1)/2]
		if r.up && rise < least || !r.up && rise > least {
			return false
		}
		r.behind = true
	}
	return true
}
