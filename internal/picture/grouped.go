// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"math"
	"slices"
)

// draw makes a drawing of the stations.
func (g *grouper) draw() *Drawing {
	d := &Drawing{By: g.by, Merged: g.from.Merged, Flows: g.from.Flows, Exits: g.from.Exits, More: g.from.More}
	for i := range g.stations {
		d.Nodes = append(d.Nodes, g.node(&g.stations[i]))
	}
	for i := range g.from.Paths {
		p := g.from.Paths[i]
		p.Nodes = nil
		last := -1
		for _, s := range g.at[i] {
			if s != last {
				p.Nodes = append(p.Nodes, g.stations[s].id)
			}
			last = s
		}
		if last >= 0 {
			d.Nodes[last].endHere(p.ends)
		}
		d.Paths = append(d.Paths, p)
	}
	g.addShares(d)
	g.addLinks(d)
	g.addMarks(d)
	if g.by == ByRouter {
		g.addPipes(d)
	}
	d.label()
	return d
}

// node adds up the members of a station. One that stands for an only node with a
// kind of its own is that node.
func (g *grouper) node(s *station) Node {
	n := *g.typical(s)
	n.ID, n.TTL, n.Ends, n.Flows, n.Before = s.id, s.column, nil, s.now, nil
	n.Stations = make([]string, 0, len(s.members))
	for _, m := range s.members {
		n.Stations = append(n.Stations, m.ID)
	}
	if owners := g.by != ByRouter; owners && n.Kind != Source && n.Kind != Destination {
		n.Kind = Silent
		if slices.ContainsFunc(s.members, func(m *Node) bool { return m.Kind != Silent }) {
			n.Kind, n.Name = Group, s.holder.name
		}
		n.Address, n.Interface, n.Hostname = "", 0, ""
	}
	if n.Kind == Group {
		n.Addresses = addresses(s.members, g.stays(s))
	}
	if len(s.members) == 1 {
		if n.Kind == Group && n.Medians == nil {
			n.Medians = []int64{n.RTT.Median, n.RTT.Median}
		}
		return n
	}
	n.Interface, n.Sent, n.Replies, n.Verdict, n.Medians, n.Tags = 0, 0, 0, "", nil, nil
	for _, m := range s.members {
		n.inheritTags(m)
	}
	n.Status = s.members[0].Status
	if slices.ContainsFunc(s.members, func(m *Node) bool { return m.Status != n.Status }) {
		n.Status = Unchanged
	}
	var medians, spread []int64 // of the members; with those of their paths
	n.RTT = RTT{Min: math.MaxInt64}
	for _, m := range s.members {
		if m.Status == Gone && g.stays(s) {
			continue // in a drawing of two results, figures are those of the second
		}
		n.unite(m, g.by)
		if m.Kind == Silent && n.Kind != Silent {
			continue
		}
		n.Sent, n.Replies, n.Verdict = n.Sent+m.Sent, n.Replies+m.Replies, worse(n.Verdict, m.Verdict)
		if m.Replies > 0 {
			n.RTT.Min, n.RTT.P95, n.RTT.Max = min(n.RTT.Min, m.RTT.Min), max(n.RTT.P95, m.RTT.P95), max(n.RTT.Max, m.RTT.Max)
			medians = append(medians, m.RTT.Median)
			spread = append(append(spread, m.RTT.Median), m.Medians...)
		}
	}
	if len(medians) == 0 {
		n.RTT = RTT{}
		return n
	}
	slices.Sort(medians)
	n.RTT.Median = medians[(len(medians)-1)/2]
	if least, most := slices.Min(spread), slices.Max(spread); n.Kind == Group || apart(least, most) {
		n.Medians = []int64{least, most}
	}
	return n
}

// stays reports whether a member is still there.
func (g *grouper) stays(s *station) bool {
	return slices.ContainsFunc(s.members, func(m *Node) bool { return m.Status != Gone })
}

// addresses counts those of nodes, perhaps without those that are gone; one may
// answer at several TTLs.
func addresses(nodes []*Node, withoutGone bool) int {
	seen := make(map[string]bool, len(nodes))
	for _, n := range nodes {
		if n.Address != "" && (!withoutGone || n.Status != Gone) {
			seen[n.Address] = true
		}
	}
	return len(seen)
}

// typical returns the member that says what a station is: the first that is not
// gone, is of its owner, and answered, as far as there is one.
func (g *grouper) typical(s *station) *Node {
	rank := func(m *Node) int {
		r := 0
		if m.Kind != Silent {
			r++
		}
		if s.holder != (holder{}) && holderOf(m, g.by) == s.holder {
			r += 2
		}
		if m.Status != Gone {
			r += 4
		}
		return r
	}
	return slices.MaxFunc(s.members, func(a, b *Node) int { return rank(a) - rank(b) }) // the first of them
}

// unite leaves out of a station what its members do not have in common. Silent
// hops say nothing about it.
func (n *Node) unite(m *Node, by Grouping) {
	if m.Kind == Silent {
		return
	}
	if m.ASN != n.ASN && by != ByAS { // whose it is, is known there
		n.ASN, n.ASName = 0, ""
	}
	if m.IXP != n.IXP {
		n.IXP = ""
	}
	if (m.City != n.City || m.Country != n.Country) && by != ByCity {
		n.City, n.Country = "", ""
	}
}

// addShares says which part of the flows passes each station: of all flows, or
// in a drawing of routers, of those at its TTL.
func (g *grouper) addShares(d *Drawing) {
	now, before := make(map[int]int), make(map[int]int)
	for i := range g.stations {
		s := &g.stations[i]
		now[s.column], before[s.column] = now[s.column]+s.now, before[s.column]+s.before
	}
	for i := range g.stations {
		s, n := &g.stations[i], &d.Nodes[i]
		n.Share = part(s.now, g.allOr(now[s.column], false))
		past := &Past{Flows: s.before, Share: part(s.before, g.allOr(before[s.column], true))}
		switch {
		case n.Status == Gone:
			n.Flows, n.Share = past.Flows, past.Share
		case g.from.Merged && n.Status == Unchanged:
			n.Before = past
		}
	}
}

// allOr returns of how many flows a share is: of all, or of those at a TTL.
func (g *grouper) allOr(atTTL int, before bool) int {
	switch {
	case g.by == ByRouter:
		return atTTL
	case before:
		return g.before
	}
	return g.now
}

func part(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// addMarks takes over the marks where the station that packets are changed in, or
// behind, is not also the next.
func (g *grouper) addMarks(d *Drawing) {
	for _, m := range g.from.Marks {
		if m.After == "" {
			if g.by == ByRouter {
				d.Marks = append(d.Marks, m)
			}
			continue
		}
		for i := range g.from.Paths {
			p := &g.from.Paths[i]
			j := slices.Index(p.Nodes, m.After)
			if j < 0 || j+1 >= len(p.Nodes) || g.at[i][j] == g.at[i][j+1] {
				continue
			}
			s := &g.stations[g.at[i][j]]
			m.After, m.TTL = s.id, s.column+1
			d.Marks = append(d.Marks, m)
			break
		}
	}
}

// addPipes takes over the tunnels of a drawing of routers; owners have theirs
// inside.
func (g *grouper) addPipes(d *Drawing) {
	for _, p := range g.from.Pipes {
		nodes := p.Nodes
		p.Nodes = nil
		for _, id := range nodes {
			if id = interfaces.ReplaceAllString(id, ""); !slices.Contains(p.Nodes, id) {
				p.Nodes = append(p.Nodes, id)
			}
		}
		d.Pipes = append(d.Pipes, p)
	}
}
