// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"net/netip"
	"slices"
)

// doubt returns the first reason why nothing can be said of a candidate.
func (j *exitJudge) doubt() ExitReason {
	silent := j.silent()
	switch {
	case j.unstable():
		return ReasonPerPacket
	case j.changed():
		return ReasonRouteChanged
	case silent:
		return ReasonSilentHop
	case j.hidden():
		return ReasonHiddenMPLS
	case slices.ContainsFunc(j.owners, func(o nextOwner) bool { return len(o.asns) == 0 }) || j.gap():
		return ReasonUnknownOwner
	case j.manyOrigins():
		return ReasonSeveralOrigins
	case j.few():
		return ReasonFewFlows
	case j.alone():
		return ReasonLoneAddress
	}
	return ""
}

// span calls look with each leaving's walks and the TTLs from where the paths
// part to the first hop behind.
func (j *exitJudge) span(look func(w *Walk, from, to uint8) bool) bool {
	for i := range j.leavings {
		l := &j.leavings[i]
		from, to := l.way.hops[j.start[i]].ttl, l.farHop().ttl
		if slices.ContainsFunc(l.way.walks, func(w *Walk) bool { return look(w, from, to) }) {
			return true
		}
	}
	return false
}

// unstable reports whether flows were answered by several nodes in turn.
func (j *exitJudge) unstable() bool {
	for i := range j.trace.Graph.Diamonds {
		d := &j.trace.Graph.Diamonds[i]
		for k := range j.leavings {
			if d.Balancer == BalancerPerPacket && d.Divergence == j.leavings[k].way.ids[j.start[k]] {
				return true
			}
		}
	}
	return j.span(func(w *Walk, from, to uint8) bool {
		return slices.ContainsFunc(w.Varied, func(ttl uint8) bool { return from <= ttl && ttl <= to })
	})
}

// changed reports whether flows took another way while they were measured.
func (j *exitJudge) changed() bool {
	return j.span(func(w *Walk, from, to uint8) bool {
		return slices.ContainsFunc(j.trace.Changes, func(c RouteChange) bool {
			return c.Flow == w.Flow.ID && from <= c.TTL && c.TTL <= to
		})
	})
}

// silent reports whether a hop on a way is silent, or any flow was: another way,
// by a router that does not answer, may be there. It counts such flows.
func (j *exitJudge) silent() bool {
	found := false
	seen := make(map[*Walk]bool)
	for i := range j.leavings {
		l := &j.leavings[i]
		for _, who := range l.way.who[j.start[i] : l.far+1] {
			found = found || !who.IsValid()
		}
	}
	j.span(func(w *Walk, from, to uint8) bool {
		for ttl := int(from); ttl <= int(to); ttl++ {
			at := ttl - int(w.First)
			if at >= 0 && at < len(w.Hops) && (w.Hops[at].Kind == NoReply || w.Hops[at].Kind == Mute) {
				seen[w] = true
			}
		}
		return false
	})
	j.exit.Unanswered = len(seen)
	return found || len(seen) > 0 || j.lost()
}

// lost reports whether another path goes through where these part, and was not
// seen to leave the AS behind it; or is silent there and may go through it.
func (j *exitJudge) lost() bool {
	asn := j.exit.Near.ASN
	for i := range j.ways {
		w := &j.ways[i]
		left, leaves := j.left[leftKey{w.path.ID, asn}]
		for k := range j.leavings {
			l, start := &j.leavings[k], j.start[k]
			at := slices.Index(w.ids, l.way.ids[start])
			if at >= 0 && (!leaves || left < at) || at < 0 && w.mayPass(l.way, start) {
				return true
			}
		}
	}
	return false
}

// mayPass reports whether a way is silent at a hop of another, and was where that
// was before.
func (w *exitWay) mayPass(other *exitWay, at int) bool {
	if at >= len(w.who) || w.who[at].IsValid() {
		return false
	}
	for before := at - 1; before >= 0; before-- {
		if w.who[before].IsValid() && other.who[before].IsValid() {
			return w.who[before] == other.who[before]
		}
	}
	return true
}

// gap reports whether hops of nobody known are at a border.
func (j *exitJudge) gap() bool {
	return slices.ContainsFunc(j.leavings, func(l leaving) bool { return l.border.Gap() > 0 })
}

// hidden reports whether routers may be hidden by MPLS between where the paths
// part and the first hops behind: a quoted TTL of more than 1, a label that has
// counted down, one address twice, or a way back that is longer by several hops
// all at once. Any one of them is enough, and they are looked for hop by hop, so
// that silence elsewhere cannot make it unseen.
func (j *exitJudge) hidden() bool {
	for i := range j.leavings {
		l := &j.leavings[i]
		for at := j.start[i] + 1; at <= l.far; at++ {
			s := j.stations[place{int(l.way.hops[at].ttl), l.way.who[at]}]
			before := j.stations[place{int(l.way.hops[at-1].ttl), l.way.who[at-1]}]
			if s == nil {
				continue
			}
			opaque := 255 - s.labelTTL
			if s.quoted > 1 || s.labelled && opaque > 0 && opaque <= longestTunnel || l.way.hops[at].address == l.way.hops[at-1].address {
				return true
			}
			if before != nil && !s.labelled && !before.labelled && s.transit && s.print != nil && before.print != nil &&
				s.print.Asymmetry.Min-before.print.Asymmetry.Max >= longerReturn {
				return true
			}
		}
	}
	return false
}

// manyOrigins reports whether it is not clear which of several ASes the nearer
// or a next one is, or a last hop may be of a next one.
func (j *exitJudge) manyOrigins() bool {
	if slices.ContainsFunc(j.owners, func(o nextOwner) bool { return len(o.asns) > 1 }) {
		return true
	}
	for i := range j.leavings {
		l := &j.leavings[i]
		if len(l.asns) != 1 {
			return true
		}
		for _, o := range j.owners {
			if len(shared(l.nearHop().asns, o.asns)) > 0 {
				return true
			}
		}
	}
	return false
}

// few reports whether too few flows, or addresses, were answered: altogether, or
// by any router or next AS that makes the class.
func (j *exitJudge) few() bool {
	type part struct {
		router netip.Addr
		asn    uint32
	}
	parts := make(map[part][]*Walk)
	var all []*Walk
	for i, flows := range j.flows {
		var p part
		switch {
		case j.several:
			p.router = j.routers[j.exit.Branches[i].Exit.Address]
		default:
			p.asn = j.exit.Branches[i].Entry.ASN
		}
		parts[p] = append(parts[p], flows...)
		all = append(all, flows...)
	}
	count := func(flows []*Walk) int {
		if j.vary == VaryDestinations {
			return destinations(flows)
		}
		return len(flows)
	}
	for _, flows := range parts {
		if count(flows) < fewestBranchFlows {
			return true
		}
	}
	return count(all) < fewestExitFlows
}

// alone reports whether one address is all that says whose a hop is which
// matters: for one router, the nearer AS and every next one. Where ports on
// peering LANs say who is next, what the nearer is called matters less; and by
// several routers paths leave the AS whoever is behind.
//
// An address that is a third party's on another way may be one here.
func (j *exitJudge) alone() bool {
	if slices.ContainsFunc(j.leavings, func(l leaving) bool { return j.third[l.way.ids[l.near]] || j.third[l.way.ids[l.far]] }) {
		return true
	}
	if j.several {
		return false
	}
	_, ports := j.lans()
	return slices.ContainsFunc(j.owners, func(o nextOwner) bool { return o.lone }) || !ports && j.nearAddresses() < 2
}

// nearAddresses counts the addresses of the nearer AS on the way to its last hop;
// one in the user's own table, or on its own port, is enough.
func (j *exitJudge) nearAddresses() int {
	most := 0
	for i := range j.leavings {
		l := &j.leavings[i]
		seen := make(map[netip.Addr]bool)
		for _, h := range l.way.hops[l.entry : l.near+1] {
			if slices.Contains(h.asns, l.border.Near.ASN) {
				seen[h.address] = true
			}
		}
		if h := l.nearHop(); h.own || h.port.Member != 0 {
			return 2
		}
		most = max(most, len(seen))
	}
	return most
}
