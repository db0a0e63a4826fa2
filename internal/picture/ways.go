// SPDX-License-Identifier: BSD-3-Clause

package picture

// follow leads paths through those who answered in the other result where they
// were silent in this one, if nobody contradicts; and collects nodes and links.
func (s *side) follow(other *side) {
	for i := range s.Paths {
		p := &s.Paths[i]
		way := append([]string(nil), p.Nodes...)
		if j := s.same[i]; j >= 0 {
			s.fill(way, other, other.Paths[j].Nodes)
		}
		s.ways = append(s.ways, way)
		for k, id := range way {
			s.onWay[id] += len(p.Flows)
			if k > 0 {
				s.join(p, k, way)
			}
		}
	}
}

// fill replaces silent hops by who answered there. Of two silent hops the same one
// is taken whichever result comes first.
func (s *side) fill(way []string, other *side, nodes []string) {
	for k, id := range way {
		if k >= len(nodes) || !s.silent(id) {
			continue
		}
		if theirs := nodes[k]; !other.silent(theirs) || theirs < id {
			way[k] = theirs
		}
	}
}

// join adds the link to the k-th node of a path, if there is one. Links beside
// silent hops have all flows of their paths; no other is ever led elsewhere.
func (s *side) join(p *Path, k int, way []string) {
	l := s.links[ends{p.Nodes[k-1], p.Nodes[k]}]
	if l == nil {
		return
	}
	key := ends{way[k-1], way[k]}
	led := key != ends{l.From, l.To}
	known := s.joined[key]
	if known == nil {
		copied := *l
		known = &copied
		known.From, known.To = key.from, key.to
		if led {
			known.Flows = len(p.Flows)
			known.Share = part(known.Flows, s.flows())
		}
		s.joined[key] = known
		s.order = append(s.order, key)
		return
	}
	if led {
		known.Flows += len(p.Flows)
		known.Share = part(known.Flows, s.flows())
	} else if known.Inferred && !l.Inferred {
		flows := known.Flows
		*known = *l
		known.Flows += flows
		known.Share = part(known.Flows, s.flows())
	}
}

// flows returns how many flows take any path.
func (s *side) flows() int {
	n := 0
	for i := range s.Paths {
		n += len(s.Paths[i].Flows)
	}
	return n
}

// cover marks what lies on stretches that were the same in both results, as far as
// anybody answered.
func (m *merger) cover() {
	pairs := m.pairs
	for i, j := range m.before.same {
		if j >= 0 {
			pairs = append(pairs, pathPair{i, j})
		}
	}
	for j, i := range m.after.same {
		if i >= 0 {
			pairs = append(pairs, pathPair{i, j})
		}
	}
	for _, x := range pairs {
		stretches, _ := m.compare(x.before, x.after)
		for _, s := range stretches {
			m.before.coverWay(x.before, s)
			m.after.coverWay(x.after, s)
		}
	}
}

func (s *side) coverWay(path int, x stretch) {
	way := s.ways[path]
	for k := x.from; k <= x.to && k < len(way); k++ {
		s.covered[way[k]] = true
		if k > x.from {
			s.hidden[ends{way[k-1], way[k]}] = true
		}
	}
}
