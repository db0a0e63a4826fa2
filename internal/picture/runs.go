// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"fmt"
	"strings"
)

// Stations of a drawing by owners that are no owner's.
const (
	destinationID = "destination"
	unreachedID   = "unreached"
	unknownID     = "unknown/" // and the owner before it
	silentID      = "silent/"  // and the stations around it
)

// run is a part of a path that is one station.
type run struct {
	id     string // of its first station
	holder holder
	upTo   int // index of the node behind it
}

// takeOwners gives every node of every path a station.
func (g *grouper) takeOwners() {
	a := newAtlas(g)
	known := make(map[string][]int) // stations of paths by what they have in common
	for i := range g.from.Paths {
		p := &g.from.Paths[i]
		runs := g.runs(p)
		var names strings.Builder
		for _, r := range runs {
			names.WriteString(r.id)
			names.WriteByte('\n')
		}
		way, ok := known[names.String()]
		if !ok {
			way = a.lead(runs)
			known[names.String()] = way
		}
		j := 0
		for k, r := range runs {
			for ; j < r.upTo; j++ {
				g.stations[way[k]].add(g.nodes[p.Nodes[j]])
				g.at[i] = append(g.at[i], way[k])
			}
		}
		g.count(p, way)
	}
	g.takeRest()
	a.columns()
}

// takeRest adds nodes that are on no path: a destination that answered nothing,
// and routers that one packet met, which go to their owner if there is a station
// of his.
func (g *grouper) takeRest() {
	on := make(map[*Node]bool, len(g.nodes))
	for i := range g.stations {
		for _, n := range g.stations[i].members {
			on[n] = true
		}
	}
	for i := range g.from.Nodes {
		n := &g.from.Nodes[i]
		switch h := holderOf(n, g.by); {
		case on[n]:
		case n.Unreached:
			g.stations[g.station(unreachedID, holder{})].add(n)
		case n.Kind == Source:
			g.stations[g.station(sourceID, holder{})].add(n)
		case n.Kind == Destination:
			g.stations[g.station(destinationID, holder{})].add(n)
		default:
			if s, ok := g.byID[h.id]; ok {
				g.stations[s].add(n)
			}
		}
	}
}

// runs cuts a path where the owner changes. Hops of nobody known that answered are
// one station behind each owner; silent ones stay one for each pair of neighbours.
func (g *grouper) runs(p *Path) []run {
	nodes := make([]*Node, len(p.Nodes))
	for i, id := range p.Nodes {
		nodes[i] = g.nodes[id]
	}
	of := holders(nodes, g.by)
	var out []run
	for i, n := range nodes {
		r := run{id: of[i].id, holder: of[i], upTo: i + 1}
		switch n.Kind {
		case Source:
			r = run{id: sourceID, upTo: i + 1}
		case Destination:
			r = run{id: destinationID, upTo: i + 1}
		case Router, Exchange, Silent, Bar, Group:
			if r.holder == (holder{}) && n.Kind == Silent {
				r.id = silentID
			} else if r.holder == (holder{}) {
				r.id = unknownID
			}
		}
		if last := len(out) - 1; last >= 0 && out[last].id == r.id {
			out[last].upTo = i + 1
			continue
		}
		out = append(out, r)
	}
	behind := ""
	for i := range out {
		switch out[i].id {
		case silentID:
		case unknownID:
			out[i].id += behind
		default:
			behind = out[i].id
		}
	}
	for i := range out {
		if out[i].id == silentID {
			out[i].id += fmt.Sprintf("%s>%s", around(out, i-1), around(out, i+1))
		}
	}
	return out
}

// around names a neighbour of silent hops.
func around(runs []run, i int) string {
	if i < 0 || i >= len(runs) {
		return ""
	}
	return runs[i].id
}
