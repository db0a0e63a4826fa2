// SPDX-License-Identifier: BSD-3-Clause

package picture

import "slices"

// follow leads paths through those who answered in the other result where they
// were silent in this one, if nobody contradicts; and collects nodes and links.
func (s *side) follow(other *side) {
	for i := range s.paths {
		p := &s.paths[i]
		way := slices.Clone(p.Nodes)
		if j := s.same[i]; j >= 0 {
			s.fill(way, other, other.paths[j].Nodes)
		}
		s.ways = append(s.ways, way)
		for k, id := range way {
			s.onWay[id] += len(p.Flows)
			if k > 0 {
				s.passed[ends{way[k-1], id}] += len(p.Flows)
				s.join(p, k, way)
			}
		}
	}
}

// fill replaces silent hops by who answered there. Of two silent hops the same one
// is taken whichever result comes first.
func (s *side) fill(way []string, other *side, nodes []string) {
	for k, id := range way {
		if k < len(nodes) && s.silent(other, id) && (!s.silent(other, nodes[k]) || nodes[k] < id) {
			way[k] = nodes[k]
		}
	}
}

// silent reports whether a node of either side is silent.
func (s *side) silent(other *side, id string) bool {
	n := s.nodes[id]
	if n == nil {
		n = other.nodes[id]
	}
	return n.Kind == Silent
}

// join adds the link to the k-th node of a path, if there is one. One that led to
// a silent hop may lead to another now, with all flows of the path: so many did.
func (s *side) join(p *Path, k int, way []string) {
	l := s.links[ends{p.Nodes[k-1], p.Nodes[k]}]
	if l == nil {
		return
	}
	key := ends{way[k-1], way[k]}
	led := key != ends{l.From, l.To}
	known := s.joined[key]
	switch {
	case known == nil:
		known = new(Link)
		*known = *l
		known.From, known.To = key.from, key.to
		if led {
			known.Flows = 0
		}
		s.joined[key] = known
		s.order = append(s.order, key)
	case !led && known.Inferred && !l.Inferred:
		flows := known.Flows
		*known = *l
		known.Flows += flows
	}
	if led {
		known.Flows += len(p.Flows)
		known.Share = part(known.Flows, s.all)
	}
}

// cover marks what lies on stretches that were the same in both results, as far as
// anybody answered: of flows, and of paths that agree.
func (m *merger) cover() {
	for i := range m.before.paths {
		for _, id := range m.before.paths[i].Flows {
			flow := m.before.tuples[id]
			if j, ok := m.after.taken[flow]; ok {
				m.coverPair(i, j, m.before.flows[flow].met, m.after.flows[flow].met)
			}
		}
		if j := m.before.same[i]; j >= 0 {
			m.coverPair(i, j, m.before.seen(m.after, &m.before.paths[i]), m.after.seen(m.before, &m.after.paths[j]))
		}
	}
	for j, i := range m.after.same {
		if i >= 0 {
			m.coverPair(i, j, m.before.seen(m.after, &m.before.paths[i]), m.after.seen(m.before, &m.after.paths[j]))
		}
	}
}

func (m *merger) coverPair(i, j int, then, now []string) {
	stretches, _ := compare(then, now, m.reach(i, j))
	for _, x := range stretches {
		m.before.coverWay(m.after, m.before.ways[i], x, then)
		m.after.coverWay(m.before, m.after.ways[j], x, now)
	}
}

// coverWay marks the part of a way that is known from those who answered, and what
// is silent there.
func (s *side) coverWay(other *side, way []string, x stretch, answered []string) {
	before := ""
	for k := x.from; k <= x.to && k < len(way); k++ {
		if k >= len(answered) || answered[k] != way[k] && !s.silent(other, way[k]) {
			before = ""
			continue
		}
		s.covered[way[k]] = true
		if before != "" {
			s.hidden[ends{before, way[k]}] = true
		}
		before = way[k]
	}
}
