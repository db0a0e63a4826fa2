// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"cmp"
	"slices"
)

// Past is what a node, a link or a path was in the first of two results, in a
// drawing of both that shows what it is in the second. What nobody measured is 0.
type Past struct {
	Flows   int     `json:"flows"`
	Share   float64 `json:"share"`
	Sent    int     `json:"sent,omitempty"`
	Replies int     `json:"replies,omitempty"`
	RTT     RTT     `json:"rtt_us,omitzero"`    // of a path only its median
	Delta   *int64  `json:"delta_us,omitempty"` // of a link
	Samples int     `json:"samples,omitempty"`
	Lost    float64 `json:"lost,omitempty"`
}

// flowsOf returns how many flows take a path, and how many took it in the first
// of two results.
func (p *Path) flowsOf() (now, before int) {
	switch {
	case p.Status == Gone:
		return 0, len(p.Flows)
	case p.Before != nil:
		return len(p.Flows), p.Before.Flows
	}
	return len(p.Flows), 0
}

// Merge makes one drawing of two results of one measurement: same source, same
// destination, same first TTL. Both are neither folded nor grouped, and stay as
// they are; Group comes after it. What is in both has no Status, and what it was in
// Before; what is in one only is Gone, with the figures it had, or New.
//
// Silence is no change. Where the same flow met the same nodes on both sides of a
// stretch of its path, and within it nobody answered in one result where somebody
// did in the other, that stretch is unchanged, and the path is drawn through who
// answered. The same holds behind the last answer of a path that did not reach the
// destination in either result. A path is unchanged if any path of the other result
// agrees with it so from end to end, whichever flows take it.
//
// That is what may be seen, and no verdict: chance and noise look the same. Who has
// one sets Status of nodes, links and paths after Merge, and before Fold and Place,
// which read it and set that of tracks.
func Merge(before, after *Drawing) *Drawing {
	m := &merger{before: newSide(before), after: newSide(after)}
	m.pair()
	m.before.follow(m.after)
	m.after.follow(m.before)
	m.cover()
	d := &Drawing{Merged: true, Marks: after.Marks, Pipes: after.Pipes}
	m.addFlows(d)
	m.addNodes(d)
	m.addLinks(d)
	m.addPaths(d)
	return d
}

// merger makes one drawing of two.
type merger struct {
	before, after *side
	pairs         []pathPair // that a flow took, first one and then the other
}

type pathPair struct{ before, after int } // indices of paths

// side is one of the two results.
type side struct {
	*Drawing
	nodes map[string]*Node
	links map[ends]*Link
	tuple map[int]Flow // flows without ID, by ID
	taken map[Flow]int // path of each flow
	// shared counts the flows that a path has in common with those of the other
	// side.
	shared []map[int]int
	same   []int // path of the other side that each agrees with; −1 for none
	// ways are the nodes of paths, through who answered in either result.
	ways [][]string
	// onWay and joined are the nodes and links of ways, with their flows; covered
	// are those that silence may hide in the other result.
	onWay   map[string]int
	joined  map[ends]*Link
	order   []ends // of joined
	covered map[string]bool
	hidden  map[ends]bool
}

func newSide(d *Drawing) *side {
	s := &side{
		Drawing: d, nodes: make(map[string]*Node, len(d.Nodes)), links: make(map[ends]*Link, len(d.Links)),
		tuple: make(map[int]Flow, len(d.Flows)), taken: make(map[Flow]int, len(d.Flows)),
		shared: make([]map[int]int, len(d.Paths)), same: make([]int, len(d.Paths)),
		onWay: make(map[string]int), joined: make(map[ends]*Link),
		covered: make(map[string]bool), hidden: make(map[ends]bool),
	}
	for i := range d.Nodes {
		s.nodes[d.Nodes[i].ID] = &d.Nodes[i]
	}
	for i := range d.Links {
		s.links[ends{d.Links[i].From, d.Links[i].To}] = &d.Links[i]
	}
	for _, f := range d.Flows {
		s.tuple[f.ID] = Flow{0, f.SourcePort, f.DestinationPort, f.Label}
	}
	for i := range d.Paths {
		s.shared[i], s.same[i] = make(map[int]int), -1
		for _, id := range d.Paths[i].Flows {
			s.taken[s.tuple[id]] = i
		}
	}
	return s
}

func (s *side) silent(id string) bool { return s.nodes[id].Kind == Silent }

// pair finds out which paths flows took in both results, and which agree.
func (m *merger) pair() {
	for i := range m.before.Paths {
		for _, id := range m.before.Paths[i].Flows {
			j, ok := m.after.taken[m.before.tuple[id]]
			if !ok {
				continue
			}
			if m.before.shared[i][j] == 0 {
				m.pairs = append(m.pairs, pathPair{i, j})
			}
			m.before.shared[i][j]++
			m.after.shared[j][i]++
		}
	}
	agree := make(map[pathPair]bool)
	for i := range m.before.Paths {
		for j := range m.after.Paths {
			if !m.contradict(i, j) {
				_, agree[pathPair{i, j}] = m.compare(i, j)
			}
		}
	}
	for i := range m.before.same {
		m.before.same[i] = m.before.best(i, m.after, func(j int) bool { return agree[pathPair{i, j}] })
	}
	for j := range m.after.same {
		m.after.same[j] = m.after.best(j, m.before, func(i int) bool { return agree[pathPair{i, j}] })
	}
}

// contradict reports whether two nodes that answered at one place of two paths
// are not the same: that is so of most paths, and soon seen.
func (m *merger) contradict(i, j int) bool {
	p, q := m.before.Paths[i].Nodes, m.after.Paths[j].Nodes
	for k := range min(len(p), len(q)) {
		if p[k] != q[k] && !m.before.silent(p[k]) && !m.after.silent(q[k]) {
			return true
		}
	}
	return false
}

// best returns the path of the other side that agrees with one: the one that is
// the same in all, or else has most flows in common.
func (s *side) best(i int, other *side, agrees func(int) bool) int {
	best := -1
	for j := range other.Paths {
		if !agrees(j) {
			continue
		}
		if best < 0 || cmp.Or(
			compareBool(slices.Equal(s.Paths[i].Nodes, other.Paths[j].Nodes), slices.Equal(s.Paths[i].Nodes, other.Paths[best].Nodes)),
			cmp.Compare(s.shared[i][j], s.shared[i][best]),
			slices.Compare(other.Paths[best].Nodes, other.Paths[j].Nodes),
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

// stretch is a part of two paths, from one index of nodes to another.
type stretch struct{ from, to int }

// compare returns where two paths may be the same: the longest stretches between
// nodes that answered in both results, with nothing in between that contradicts.
// whole reports whether they may be so from end to end.
func (m *merger) compare(i, j int) (stretches []stretch, whole bool) {
	p, q := &m.before.Paths[i], &m.after.Paths[j]
	both := min(len(p.Nodes), len(q.Nodes))
	last := -1 // the last node that answered in both and is the same
	whole = true
	for k := range both {
		if m.before.silent(p.Nodes[k]) || m.after.silent(q.Nodes[k]) {
			continue
		}
		if p.Nodes[k] != q.Nodes[k] {
			last, whole = -1, false
			continue
		}
		if n := len(stretches); last >= 0 && n > 0 && stretches[n-1].to == last {
			stretches[n-1].to = k
		} else {
			stretches = append(stretches, stretch{k, k})
		}
		last = k
	}
	if len(p.Nodes) == len(q.Nodes) && last == both-1 {
		return stretches, whole
	}
	if m.before.reaches(p) || m.after.reaches(q) || last < 0 {
		return stretches, false
	}
	stretches[len(stretches)-1].to = max(len(p.Nodes), len(q.Nodes)) - 1
	return stretches, whole
}

// reaches reports whether a path leads to the destination.
func (s *side) reaches(p *Path) bool {
	return p.Reached || s.nodes[p.Nodes[len(p.Nodes)-1]].Kind == Destination
}
