// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"regexp"
	"slices"
)

// Grouping is what nodes have in common that are one station.
type Grouping string

// The groupings.
const (
	// ByAS makes one station of what follows each other on a path and is of one
	// AS: the path of owners.
	ByAS Grouping = "as"
	// ByCity does so with what is said to be in one city.
	ByCity Grouping = "city"
	// ByRouter makes one node of the interfaces of one address at one TTL, and
	// nothing else: that two addresses are of one router nobody has measured.
	ByRouter Grouping = "router"
)

// Groupings are all of them.
var Groupings = []Grouping{ByAS, ByCity, ByRouter}

// Group returns a drawing in which nodes that belong together are one station,
// or nil where none do, as far as is known. The drawing that it is made of is
// neither folded nor grouped, and stays as it is; paths have the same IDs in both.
//
// By AS and by city, columns are no TTLs: a station stands as many columns behind
// the source as there are stations before it on the longest path. Whom packets
// come back to, having left, is another station there; so is whom two paths meet
// in another order than each other. Hops of nobody known between two owners are one
// station behind each owner, silent ones one for each pair of neighbours. Source and destination stay what they are.
//
// There is a link between two stations where there is one between nodes of theirs
// on one path, and it is inferred if all of those are. Its delay is the median of
// theirs. Round trips of a station are the least minimum, the middle one of the
// medians, and the largest of the rest; packets are those to nodes that answered.
func (d *Drawing) Group(by Grouping) *Drawing {
	g := newGrouper(d, by)
	if by == ByRouter {
		g.takeRouters()
	} else {
		g.takeOwners()
	}
	if !g.together() {
		return nil
	}
	return g.draw()
}

// grouper makes stations of the nodes of a drawing.
type grouper struct {
	from     *Drawing
	by       Grouping
	nodes    map[string]*Node
	stations []station
	byID     map[string]int // index in stations
	at       [][]int        // station of each node of each path
	// now and before are all flows, before those of the first of two results.
	now, before int
}

// station is what is known of one while it is put together.
type station struct {
	id      string
	column  int
	holder  holder
	members []*Node // each once
	has     map[*Node]bool
	now     int // flows that pass
	before  int // flows that passed before, in a drawing of two results
}

func newGrouper(d *Drawing, by Grouping) *grouper {
	g := &grouper{
		from: d, by: by, byID: make(map[string]int), at: make([][]int, len(d.Paths)),
		nodes: make(map[string]*Node, len(d.Nodes)),
	}
	for i := range d.Nodes {
		g.nodes[d.Nodes[i].ID] = &d.Nodes[i]
	}
	for i := range d.Paths {
		now, before := d.Paths[i].flowsOf()
		g.now, g.before = g.now+now, g.before+before
	}
	return g
}

// station returns the one of an ID, which it adds if it is not there.
func (g *grouper) station(id string, h holder) int {
	i, ok := g.byID[id]
	if !ok {
		i = len(g.stations)
		g.byID[id] = i
		g.stations = append(g.stations, station{id: id, holder: h})
	}
	return i
}

func (s *station) add(n *Node) {
	if s.has[n] {
		return
	}
	if s.has == nil {
		s.has = make(map[*Node]bool)
	}
	s.has[n] = true
	s.members = append(s.members, n)
}

// together reports whether any two nodes are one station now.
func (g *grouper) together() bool {
	return slices.ContainsFunc(g.stations, func(s station) bool {
		return len(s.members) > 1 && (s.holder != (holder{}) || g.by == ByRouter)
	})
}

// interfaces are the parts of an ID that tell interfaces of one address apart.
var interfaces = regexp.MustCompile(`#\d+`)

// takeRouters gives every node a station that is named by what is left of its
// ID. Silent hops between two such nodes are one then, too.
func (g *grouper) takeRouters() {
	of := make(map[string]int, len(g.nodes))
	for i := range g.from.Nodes {
		n := &g.from.Nodes[i]
		s := g.station(interfaces.ReplaceAllString(n.ID, ""), holder{})
		g.stations[s].column = n.TTL
		g.stations[s].members = append(g.stations[s].members, n)
		of[n.ID] = s
	}
	for i := range g.from.Paths {
		p := &g.from.Paths[i]
		for _, id := range p.Nodes {
			g.at[i] = append(g.at[i], of[id])
		}
		g.count(p, g.at[i])
	}
}

// count adds the flows of a path to its stations.
func (g *grouper) count(p *Path, stations []int) {
	now, before := p.flowsOf()
	last := -1
	for _, s := range stations {
		if s != last {
			g.stations[s].now += now
			g.stations[s].before += before
		}
		last = s
	}
}
