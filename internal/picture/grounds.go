// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// owned reports whether an owner of any node is known.
func (p *placer) owned() bool {
	return slices.ContainsFunc(p.Nodes, func(n Node) bool { return n.ASN != 0 })
}

// bands lays a ground behind the nodes of each owner. In every column it is cut
// halfway between nodes of two owners; columns meet halfway between them.
func (p *placer) bands() {
	p.Bands = nil
	if !p.owned() {
		return
	}
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
			p.Bands[i].Areas = joinArea(p.Bands[i].Areas, p.area(c, first, last))
			first = last + 1
		}
	}
}

// owner names the owner of a node.
func owner(n *Node) string {
	if n.ASN == 0 {
		return "owner not known"
	}
	return strings.TrimSpace(fmt.Sprintf("AS%d %s", n.ASN, n.ASName))
}

// area is the ground behind some neighbours in a column.
func (p *placer) area(c, first, last int) Area {
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
		top = p.cut(members[first-1], members[first])
	}
	if last+1 < len(members) {
		bottom = p.cut(members[last], members[last+1])
	}
	return Area{left, top, right - left, bottom - top}
}

// cut is where the ground changes between two nodes: nearer to the upper one,
// since the name of the lower one's owner stands above that.
func (p *placer) cut(upper, lower int) int {
	low := p.Nodes[upper].Y + p.Nodes[upper].Below
	high := p.Nodes[lower].Y - p.Nodes[lower].Above
	return low + min((high-low)/2, (high-low-bandHead+4))
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
		var b strings.Builder
		inside := make(map[string]bool)
		for _, id := range t.Nodes {
			inside[id] = true
			n := p.node(id)
			fmt.Fprintf(&b, "M%d %dH%d", n.X+4, n.Y, n.X+n.W-4)
		}
		for j := range p.Links {
			l := &p.Links[j]
			if from, to := p.node(l.From), p.node(l.To); inside[l.To] && (inside[l.From] || t.Hidden > 0 && to.TTL == t.from) {
				fmt.Fprintf(&b, "M%d %dH%d%s", from.X+from.W-4, from.Y, from.X+from.W, bend(from.X+from.W, from.Y, to.X, to.Y))
			}
		}
		n := p.node(t.Nodes[0])
		t.Stroke, t.X, t.Y = b.String(), n.X+4, n.Y+reach+LineHeight
	}
}
