// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"cmp"
	"net/netip"
	"slices"
)

// tuple is what a flow is known by in both results.
type tuple struct {
	source, destination uint16
	label               uint32
	to                  netip.Addr
}

func (f *Flow) tuple() tuple { return tuple{f.SourcePort, f.DestinationPort, f.Label, f.to} }

// side is one of the two results that are merged.
type side struct {
	*Drawing
	nodes  map[string]*Node
	links  map[ends]*Link
	paths  []Path         // copies; some that are lent by the other side
	flows  map[tuple]Flow // by tuple
	tuples map[int]tuple  // by Flow.ID
	taken  map[tuple]int  // path of each flow
	same   []int          // path of the other side that each agrees with; −1 for none
	stays  []bool         // whether no flow of a path was seen elsewhere in the other result
	// ways are the nodes of paths, through who answered in either result; onWay and
	// passed are how many flows each node and link on them has.
	ways   [][]string
	onWay  map[string]int
	passed map[ends]int
	joined map[ends]*Link // links of ways
	order  []ends         // of joined
	// covered and hidden are nodes and links of ways that silence may hide in the
	// other result.
	covered map[string]bool
	hidden  map[ends]bool
	all     int         // flows
	atTTL   map[int]int // flows that pass nodes there
}

func newSide(d *Drawing) *side {
	s := &side{
		Drawing: d, nodes: make(map[string]*Node, len(d.Nodes)), links: make(map[ends]*Link, len(d.Links)),
		flows: make(map[tuple]Flow, len(d.Flows)), tuples: make(map[int]tuple, len(d.Flows)), taken: make(map[tuple]int, len(d.Flows)),
		onWay: make(map[string]int), passed: make(map[ends]int), joined: make(map[ends]*Link),
		covered: make(map[string]bool), hidden: make(map[ends]bool), atTTL: make(map[int]int),
	}
	for i := range d.Nodes {
		s.nodes[d.Nodes[i].ID] = &d.Nodes[i]
		s.atTTL[d.Nodes[i].TTL] += d.Nodes[i].Flows
	}
	for i := range d.Links {
		s.links[ends{d.Links[i].From, d.Links[i].To}] = &d.Links[i]
	}
	for _, f := range d.Flows {
		s.tuples[f.ID], s.flows[f.tuple()] = f.tuple(), f
	}
	for i := range d.Paths {
		p := d.Paths[i]
		p.Flows = slices.Clone(p.Flows)
		s.paths = append(s.paths, p)
		for _, id := range p.Flows {
			s.taken[s.tuples[id]] = i
		}
		s.all += len(p.Flows)
	}
	return s
}

// answers are the nodes of a path, "" for those that are silent.
func (s *side) answers(p *Path) []string {
	out := slices.Clone(p.Nodes)
	for i, id := range out {
		if n := s.nodes[id]; n != nil && n.Kind == Silent {
			out[i] = ""
		}
	}
	return out
}

// reaches reports whether a path leads to the destination.
func (s *side) reaches(p *Path) bool {
	n := s.nodes[p.Nodes[len(p.Nodes)-1]]
	return p.Reached || n != nil && n.Kind == Destination
}

// best returns the path of the other side that agrees with one: the one that is
// the same in all, or else has most flows in common.
func (s *side) best(i int, other *side, agreeing []int, shared map[pathPair]int, pair func(j int) pathPair) int {
	best := -1
	for _, j := range agreeing {
		if best < 0 || cmp.Or(
			compareBool(slices.Equal(s.paths[i].Nodes, other.paths[j].Nodes), slices.Equal(s.paths[i].Nodes, other.paths[best].Nodes)),
			cmp.Compare(shared[pair(j)], shared[pair(best)]),
			slices.Compare(other.paths[best].Nodes, other.paths[j].Nodes),
		) > 0 {
			best = j
		}
	}
	return best
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
