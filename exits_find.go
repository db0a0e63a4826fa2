// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"maps"
	"net/netip"
	"slices"
)

// exitWay is a path with the owners of its hops, the vantage point first.
type exitWay struct {
	path  *Path
	hops  route
	ids   []string // Node.IDs; "" is the vantage point
	who   []Responder
	walks []*Walk // that count
}

// leaving is where a way leaves an AS, by indices of its hops.
type leaving struct {
	way    *exitWay
	border Border
	// asns are the ASes that all known hops before may be of: one, but for MOAS.
	asns             []uint32
	entry, near, far int
}

func (l *leaving) nearHop() *owned    { return &l.way.hops[l.near] }
func (l *leaving) farHop() *owned     { return &l.way.hops[l.far] }
func (l *leaving) farWho() Responder  { return l.way.who[l.far] }
func (l *leaving) router() netip.Addr { return l.nearHop().address }

// exitCandidate is a set of leavings of one AS that part behind a node.
type exitCandidate struct {
	leavings []leaving
	// start is the index of that node in the way of each leaving.
	start []int
	// several is true if they leave by several routers.
	several bool
	routers routers
}

// routers has the lowest address of the router that each last hop is of.
type routers map[netip.Addr]netip.Addr

type exitFinder struct {
	trace    *Trace
	vary     ExitVary
	ways     []exitWay
	stations map[place]*station
	next     map[string][]*owned // hops that follow a node on any way
	left     map[leftKey]int     // the index of the last hop in an AS that a way leaves
	repeats  map[place]int       // answers to flows that were answered there before
	third    map[string]bool     // nodes that are a third party's on some way
	names    map[uint32]string
}

type leftKey struct {
	path int
	asn  uint32
}

func newExitFinder(t *Trace) *exitFinder {
	f := &exitFinder{
		trace: t, vary: t.Vary(), next: make(map[string][]*owned), left: make(map[leftKey]int), repeats: make(map[place]int),
		third: make(map[string]bool), names: t.asNames(),
	}
	tracks := t.tracks()
	f.stations = readStations(tracks)
	for i := range tracks {
		var before place
		for _, s := range tracks[i].sights {
			p := place{s.ttl, s.who}
			if p == before {
				f.repeats[p]++
			}
			before = p
		}
	}
	f.readWays()
	return f
}

// readWays makes a way of each path that counts.
func (f *exitFinder) readWays() {
	t := f.trace
	walks := make(map[int][]*Walk)
	prefix := t.Annotations.Of(t.Destination.Address).Origin.Prefix
	for i := range t.Graph.Walks {
		w := &t.Graph.Walks[i]
		if f.vary == VaryPorts || !prefix.IsValid() || prefix.Contains(w.Flow.Destination) {
			walks[w.Path] = append(walks[w.Path], w)
		}
	}
	nodes := make(map[string]*Node, len(t.Graph.Nodes))
	for i := range t.Graph.Nodes {
		nodes[t.Graph.Nodes[i].ID] = &t.Graph.Nodes[i]
	}
	owners := newOwners(t)
	for i := range t.Graph.Paths {
		p := &t.Graph.Paths[i]
		if len(walks[p.ID]) == 0 {
			continue
		}
		w := exitWay{
			path: p, walks: walks[p.ID], ids: append([]string{""}, p.Nodes...),
			hops: route{owners.of(t.VantagePoint.Address, 0)}, who: []Responder{{Address: t.VantagePoint.Address}},
		}
		for _, id := range p.Nodes {
			n := nodes[id]
			w.hops, w.who = append(w.hops, owners.of(n.Address, n.TTL)), append(w.who, n.Responder)
		}
		raw := w.hops
		w.hops = raw.withoutThirdParties()
		for i := range raw {
			if len(raw[i].asns) != len(w.hops[i].asns) {
				f.third[w.ids[i]] = true
			}
		}
		f.ways = append(f.ways, w)
	}
	for i := range f.ways {
		w := &f.ways[i]
		for at := 1; at < len(w.hops); at++ {
			f.next[w.ids[at-1]] = append(f.next[w.ids[at-1]], &w.hops[at])
		}
	}
}

// at returns the index of a hop by its TTL.
func (w *exitWay) at(ttl uint8) int {
	return slices.IndexFunc(w.hops, func(h owned) bool { return h.ttl == ttl })
}

// leavings finds where a way leaves ASes that are known.
func (w *exitWay) leavings() []leaving {
	var out []leaving
	entry := -1
	for _, b := range w.hops.borders() {
		l := leaving{way: w, border: b, entry: entry, near: w.at(b.Near.TTL), far: w.at(b.Far.TTL)}
		entry = l.far
		if b.Near.ASN == 0 || l.near < 0 || l.far < 0 {
			continue
		}
		if l.entry < 0 || l.entry > l.near { // the AS before it was not known
			l.entry = slices.IndexFunc(w.hops, func(h owned) bool { return slices.Contains(h.asns, b.Near.ASN) })
		}
		for _, h := range w.hops[l.entry : l.near+1] {
			switch {
			case len(h.asns) == 0:
			case len(l.asns) == 0:
				l.asns = h.asns
			default:
				l.asns = shared(l.asns, h.asns)
			}
		}
		out = append(out, l)
	}
	return out
}

// candidates groups the leavings of each AS.
func (f *exitFinder) candidates() []exitCandidate {
	byAS := make(map[uint32][]leaving)
	for i := range f.ways {
		for _, l := range f.ways[i].leavings() {
			asn := l.border.Near.ASN
			byAS[asn] = append(byAS[asn], l)
			f.left[leftKey{l.way.path.ID, asn}] = l.near
		}
	}
	var out []exitCandidate
	for _, asn := range slices.Sorted(maps.Keys(byAS)) {
		all := byAS[asn]
		r := findRouters(all)
		of := func(l *leaving) netip.Addr { return r[l.router()] }
		for _, group := range grouped(all, of) {
			if len(grouped(group, (*leaving).farWho)) > 1 {
				c := exitCandidate{leavings: group, routers: r}
				for i := range group {
					c.start = append(c.start, group[i].near)
				}
				out = append(out, c)
			}
		}
		parted := make(map[string]bool) // nodes
		for _, group := range grouped(all, func(l *leaving) string { return l.way.ids[l.entry] }) {
			if id := lastCommon(group); len(grouped(group, of)) > 1 && !parted[id] {
				parted[id] = true
				out = append(out, behind(id, all, r))
			}
		}
	}
	return out
}

// behind has the leavings of all ways that go through a node of the AS.
func behind(id string, all []leaving, r routers) exitCandidate {
	c := exitCandidate{several: true, routers: r}
	for i := range all {
		if at := slices.Index(all[i].way.ids, id); all[i].entry <= at && at <= all[i].near {
			c.leavings, c.start = append(c.leavings, all[i]), append(c.start, at)
		}
	}
	return c
}

// grouped parts leavings by a key, in the order of the first of each.
func grouped[K comparable](all []leaving, key func(*leaving) K) [][]leaving {
	var keys []K
	var out [][]leaving
	for i := range all {
		k := key(&all[i])
		at := slices.Index(keys, k)
		if at < 0 {
			at = len(keys)
			keys, out = append(keys, k), append(out, nil)
		}
		out[at] = append(out[at], all[i])
	}
	return out
}

// findRouters takes last hops for one router where the same first hop of the
// next AS, at one TTL and by one interface, is right behind both: a router answers from the link
// that the packet came in by, and a link has one router at its other end.
func findRouters(all []leaving) routers {
	r := make(routers)
	for i := range all {
		r[all[i].router()] = all[i].router()
	}
	next := slices.DeleteFunc(slices.Clone(all), func(l leaving) bool { return l.border.Gap() > 0 })
	for _, group := range grouped(next, func(l *leaving) string { return l.way.ids[l.far] }) {
		for i := range group {
			a, b := r[group[0].router()], r[group[i].router()]
			if b.Less(a) {
				a, b = b, a
			}
			for who, is := range r {
				if is == b {
					r[who] = a
				}
			}
		}
	}
	return r
}

// lastCommon returns the last node that leavings with a common entry into the AS
// have in common.
func lastCommon(group []leaving) string {
	first := &group[0]
	for at := first.near; ; at-- {
		id := first.way.ids[at]
		if at == first.entry || !slices.ContainsFunc(group, func(l leaving) bool { return !slices.Contains(l.way.ids[:l.near+1], id) }) {
			return id
		}
	}
}
