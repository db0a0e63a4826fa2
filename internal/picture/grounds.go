// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// owned reports whether nodes stand on the grounds of their owners: one is known,
// and stations are not cities.
func (p *placer) owned() bool {
	return p.By != ByCity && slices.ContainsFunc(p.Nodes, func(n Node) bool { return n.ASN != 0 })
}

// bands lays a ground behind the nodes of each owner. In every column it is cut
// between nodes of two owners; columns meet halfway between them.
func (p *placer) bands() {
	p.Bands = nil
	if !p.owned() {
		return
	}
	cuts := p.cuts()
	at := make(map[uint32]int)
	tint := 0
	for c, members := range p.members {
		for first := 0; first < len(members); {
			n := &p.Nodes[members[first]]
			last := first
			for last+1 < len(members) && p.Nodes[members[last+1]].ASN == n.ASN {
				last++
			}
			i, ok := at[n.ASN]
			if !ok {
				i = len(p.Bands)
				at[n.ASN] = i
				b := Band{ASN: n.ASN, Name: owner(n), Tint: -1}
				if n.ASN != 0 {
					b.Tint = tint
					tint++
				}
				p.Bands = append(p.Bands, b)
			}
			p.Bands[i].Areas = joinArea(p.Bands[i].Areas, p.area(c, first, last, cuts))
			first = last + 1
		}
	}
	for i := range p.Bands {
		nameOnce(p.Bands[i].Areas)
	}
}

// cuts returns the height at which the ground changes below each node that is
// the last of its owner: the same in neighbouring columns where the same two
// owners meet, as far as nodes leave room. The name of the lower owner stands
// under it.
func (p *placer) cuts() map[int]int {
	type border struct{ upper, lower uint32 }
	type run struct {
		low, high int
		nodes     []int
	}
	out := make(map[int]int)
	set := func(r *run) {
		for _, v := range r.nodes {
			if out[v] = r.low + (r.high-r.low)/2; p.byOwner() {
				out[v] = r.high // links may pass above it, where the name would stand
			}
		}
	}
	open := make(map[border]*run)
	for _, members := range p.members {
		here := make(map[border]*run)
		for k := 1; k < len(members); k++ {
			a, b := &p.Nodes[members[k-1]], &p.Nodes[members[k]]
			if a.ASN == b.ASN {
				continue
			}
			low, high := a.Y+a.Below, b.Y-b.Above-bandHead+4
			high = max(low, high)
			key := border{a.ASN, b.ASN}
			r := open[key]
			if r == nil || here[key] != nil || max(low, r.low) > min(high, r.high) {
				r = &run{low: low, high: high}
			}
			r.low, r.high = max(low, r.low), min(high, r.high)
			r.nodes = append(r.nodes, members[k-1])
			here[key] = r
			set(r)
		}
		open = here
	}
	return out
}

// owner names the owner of a node.
func owner(n *Node) string {
	if n.ASN == 0 {
		return "owner not known"
	}
	return strings.TrimSpace(fmt.Sprintf("AS%d %s", n.ASN, n.ASName))
}

// area is the ground behind some neighbours in a column.
func (p *placer) area(c, first, last int, cuts map[int]int) Area {
	left, right := 0, p.Width
	if c > 0 {
		left = (p.Columns[c-1].X + p.Columns[c-1].W + p.Columns[c].X) / 2
	}
	if c+1 < len(p.Columns) {
		right = (p.Columns[c].X + p.Columns[c].W + p.Columns[c+1].X) / 2
	}
	members := p.members[c]
	top, bottom := 0, p.Height
	if first > 0 {
		top = cuts[members[first-1]]
	}
	if last+1 < len(members) {
		bottom = cuts[members[last]]
	}
	return Area{X: left, Y: top, W: right - left, H: bottom - top}
}

// nameOnce chooses the widest of the areas that touch each other for the name.
func nameOnce(areas []Area) {
	group := make([]int, len(areas))
	for i := range areas {
		group[i] = i
	}
	for i := range areas {
		for j := range areas[:i] {
			if areas[i].touches(areas[j]) && group[i] != group[j] {
				from, to := group[i], group[j]
				for k := range group {
					if group[k] == from {
						group[k] = to
					}
				}
			}
		}
	}
	best := make(map[int]int)
	for i := range areas {
		if b, ok := best[group[i]]; !ok || areas[i].W > areas[b].W {
			best[group[i]] = i
		}
	}
	for _, i := range best {
		areas[i].Named = true
	}
}

// touches reports whether two areas share a part of an upright edge.
func (a Area) touches(b Area) bool {
	return (a.X+a.W == b.X || b.X+b.W == a.X) && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

// joinArea adds an area, to one it goes on if there is one.
func joinArea(areas []Area, a Area) []Area {
	for i := range areas {
		if b := &areas[i]; b.X+b.W == a.X && b.Y == a.Y && b.H == a.H {
			b.W += a.W
			return areas
		}
	}
	return append(areas, a)
}

// marks puts each mark between its columns: beside the node that makes the
// change, or from top to bottom where that is not known or stands alone.
func (p *placer) marks() {
	for i := range p.Marks {
		m := &p.Marks[i]
		c := p.column(m.TTL)
		if c <= 0 || c >= len(p.Columns) {
			c = min(max(c, 1), len(p.Columns)-1)
		}
		if c < 1 {
			continue
		}
		m.X = (p.Columns[c-1].X + p.Columns[c-1].W + p.Columns[c].X) / 2
		m.Top, m.Bottom = 0, p.Height
		if j, ok := p.index[m.After]; ok && len(p.members[c-1]) > 1 {
			n := &p.Nodes[j]
			m.X = n.X + n.W
			m.Top, m.Bottom = n.Y-n.Above, n.Y+n.Below+LineHeight
		}
	}
}

// pipes leads tunnels along the links between their nodes; where routers are
// hidden, along those that lead to it.
func (p *placer) pipes() {
	for i := range p.Pipes {
		t := &p.Pipes[i]
		slices.SortFunc(t.Nodes, func(a, b string) int {
			return cmp.Or(p.node(a).TTL-p.node(b).TTL, p.node(a).Y-p.node(b).Y)
		})
		t.Strokes = nil
		inside := make(map[string]bool)
		for _, id := range t.Nodes {
			inside[id] = true
			n := p.node(id)
			t.Strokes = append(t.Strokes, Stroke{n.X + 4, n.Y, n.X + n.W - 4, n.Y})
		}
		for j := range p.Links {
			l := &p.Links[j]
			if from, to := p.node(l.From), p.node(l.To); inside[l.To] && (inside[l.From] || t.Hidden > 0 && to.TTL == t.from) {
				t.Strokes = append(t.Strokes, Stroke{from.X + from.W - 4, from.Y, from.X + from.W, from.Y, to.X, to.Y})
			}
		}
		n := p.node(t.Nodes[0])
		t.X, t.Y = n.X+4, n.Y+reach+LineHeight
	}
}
