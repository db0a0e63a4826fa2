// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"cmp"
	"slices"
)

// bundle is what the links between the same two stations add up to.
type bundle struct {
	Link
	now, before int // flows
	sights      []sight
	of          map[*Link]bool
	mixed       bool // not all are gone, or new
}

// addLinks adds a link between stations that one path passes one after the other,
// if there is one between the two nodes at which it does. Between owners all flows
// of the path count.
func (g *grouper) addLinks(d *Drawing) {
	links := make(map[ends]*Link, len(g.from.Links))
	for i := range g.from.Links {
		l := &g.from.Links[i]
		links[ends{l.From, l.To}] = l
	}
	at := make(map[ends]int)
	var bundles []bundle
	for i := range g.from.Paths {
		p := &g.from.Paths[i]
		now, before := p.flowsOf()
		for j := 1; j < len(p.Nodes); j++ {
			l, from, to := links[ends{p.Nodes[j-1], p.Nodes[j]}], g.at[i][j-1], g.at[i][j]
			if l == nil || from == to {
				continue
			}
			key := ends{g.stations[from].id, g.stations[to].id}
			k, ok := at[key]
			if !ok {
				k = len(bundles)
				at[key] = k
				bundles = append(bundles, bundle{Link: Link{From: key.from, To: key.to, Inferred: true}, of: make(map[*Link]bool)})
			}
			b := &bundles[k]
			b.of[l] = true
			b.now, b.before = b.now+now, b.before+before
		}
	}
	atTTL := make(map[int][2]int)
	for i := range bundles {
		b := &bundles[i]
		if g.by == ByRouter {
			b.now, b.before = 0, 0
		}
		for _, l := range sorted(b.of) {
			b.add(l)
			switch {
			case g.by != ByRouter && b.IXP == "":
				b.IXP = g.nodes[l.To].IXP
			case g.by == ByRouter:
				b.count(l)
			}
		}
		ttl := g.stations[g.byID[b.From]].column
		sum := atTTL[ttl]
		atTTL[ttl] = [2]int{sum[0] + b.now, sum[1] + b.before}
	}
	for i := range bundles {
		b := &bundles[i]
		sum := atTTL[g.stations[g.byID[b.From]].column]
		b.finish(g.allOr(sum[0], false), g.allOr(sum[1], true), g.from.Merged)
		d.Links = append(d.Links, b.Link)
	}
}

// sorted returns the links of a set in the order of their IDs.
func sorted(set map[*Link]bool) []*Link {
	out := make([]*Link, 0, len(set))
	for l := range set {
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b *Link) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return out
}

// count adds the flows of a link.
func (b *bundle) count(l *Link) {
	if l.Status == Gone {
		b.before += l.Flows
		return
	}
	b.now += l.Flows
	if l.Before != nil {
		b.before += l.Before.Flows
	}
}

// add adds what is known of a link but for its flows.
func (b *bundle) add(l *Link) {
	b.mixed = b.mixed || b.Bundle > 0 && b.Status != l.Status
	b.Status = l.Status
	b.Bundle += l.Bundle
	b.Inferred = b.Inferred && l.Inferred
	b.Lost = max(b.Lost, l.Lost)
	b.Samples += l.Samples
	if l.Delta != nil {
		b.sights = append(b.sights, sight{*l.Delta, l.Flows, l.Samples})
	}
}

// finish says what links have in common. all are the flows that shares are of.
func (b *bundle) finish(all, allBefore int, merged bool) {
	if b.mixed {
		b.Status = Unchanged
	}
	b.Flows, b.Share = b.now, part(b.now, all)
	past := &Past{Flows: b.before, Share: part(b.before, allBefore)}
	switch {
	case b.Status == Gone:
		b.Flows, b.Share = past.Flows, past.Share
	case merged && b.Status == Unchanged:
		b.Before = past
	}
	if len(b.sights) == 0 {
		return
	}
	delta, samples := middle(b.sights) // sorts them
	b.Delta, b.Samples = &delta, samples
	if least, most := b.sights[0].delta, b.sights[len(b.sights)-1].delta; least != most {
		b.Deltas = []int64{least, most}
	}
}
