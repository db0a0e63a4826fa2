// SPDX-License-Identifier: BSD-3-Clause

package picture

import "slices"

// merger makes one drawing of two.
type merger struct{ before, after *side }

type pathPair struct{ before, after int } // indices of paths

// stretch is a part of two paths, from one index of nodes to another.
type stretch struct{ from, to int }

// compare returns where two paths may be the same, given who answered on each:
// the longest stretches between nodes that answered on both, with nothing in
// between that contradicts. reached says that either leads to the destination.
// whole reports whether they may be so from end to end.
func compare(p, q []string, reached bool) (stretches []stretch, whole bool) {
	last := -1 // the last node that answered on both and is the same
	whole = true
	for k := range min(len(p), len(q)) {
		switch {
		case p[k] == "" || q[k] == "":
			continue
		case p[k] != q[k]:
			last, whole = -1, false
			continue
		case last >= 0:
			stretches[len(stretches)-1].to = k
		default:
			stretches = append(stretches, stretch{k, k})
		}
		last = k
	}
	switch {
	case last >= 0 && len(p) == len(q) && last == len(p)-1:
		return stretches, whole
	case last < 0 || reached && len(p) != len(q):
		return stretches, false
	}
	// Silence to the end of both.
	stretches[len(stretches)-1].to = max(len(p), len(q)) - 1
	return stretches, whole
}

// contradict reports whether two nodes that answered at one place are not the
// same: that is so of most paths, and soon seen.
func contradict(p, q []string) bool {
	for k := range min(len(p), len(q)) {
		if p[k] != q[k] && p[k] != "" && q[k] != "" {
			return true
		}
	}
	return false
}

// lend keeps flows on their path where they were answered less than in the other
// result: among flows that were, the path of one that was not is a guess.
func (m *merger) lend() {
	lentBefore, lentAfter := make(map[int]int), make(map[int]int)
	before, after := len(m.before.paths), len(m.after.paths)
	for i := range before {
		for _, id := range slices.Clone(m.before.paths[i].Flows) {
			flow := m.before.tuples[id]
			j, ok := m.after.taken[flow]
			if !ok || j >= after {
				continue
			}
			p, q := &m.before.paths[i], &m.after.paths[j]
			then, now := m.before.flows[flow].met, m.after.flows[flow].met
			if _, same := compare(then, now, m.before.reaches(p) || m.after.reaches(q)); !same {
				continue
			}
			guessedThen, guessedNow := contradict(now, m.before.answers(p)), contradict(then, m.after.answers(q))
			switch {
			case guessedNow && !guessedThen:
				m.after.borrow(lentAfter, i, j, m.after.flows[flow].ID, p)
			case guessedThen && !guessedNow:
				m.before.borrow(lentBefore, j, i, id, q)
			}
		}
	}
}

// borrow moves a flow from one of the side's paths to one of the other's.
func (s *side) borrow(lent map[int]int, theirs, ours, flow int, p *Path) {
	k, ok := lent[theirs]
	if !ok {
		k = len(s.paths)
		lent[theirs] = k
		s.paths = append(s.paths, Path{Nodes: slices.Clone(p.Nodes), Reached: p.Reached})
	}
	from := &s.paths[ours]
	from.Flows = slices.DeleteFunc(from.Flows, func(id int) bool { return id == flow })
	s.paths[k].Flows = append(s.paths[k].Flows, flow)
	s.taken[s.tuples[flow]] = k
}

// pair finds out which paths agree.
func (m *merger) pair() {
	for _, s := range []*side{m.before, m.after} {
		s.dropEmpty()
	}
	shared := make(map[pathPair]int)
	for i := range m.before.paths {
		for _, id := range m.before.paths[i].Flows {
			if j, ok := m.after.taken[m.before.tuples[id]]; ok {
				shared[pathPair{i, j}]++
			}
		}
	}
	theirs := make([][]string, len(m.after.paths))
	for j := range theirs {
		theirs[j] = m.after.seen(m.before, &m.after.paths[j])
	}
	agreeing := make([][]int, len(theirs))
	for i := range m.before.paths {
		p := m.before.seen(m.after, &m.before.paths[i])
		var with []int
		for j := range theirs {
			if contradict(p, theirs[j]) {
				continue
			}
			if _, whole := compare(p, theirs[j], m.reach(i, j)); whole {
				with, agreeing[j] = append(with, j), append(agreeing[j], i)
			}
		}
		m.before.same = append(m.before.same, m.before.best(i, m.after, with, shared, func(j int) pathPair { return pathPair{i, j} }))
	}
	for j := range theirs {
		m.after.same = append(m.after.same, m.after.best(j, m.before, agreeing[j], shared, func(i int) pathPair { return pathPair{i, j} }))
	}
}

// stay finds the paths that only guesses make differ from those of the other
// result: each of their flows may have gone the same way in both.
func (m *merger) stay() {
	m.before.stays, m.after.stays = allTrue(len(m.before.paths)), allTrue(len(m.after.paths))
	for i := range m.before.paths {
		for _, id := range m.before.paths[i].Flows {
			flow := m.before.tuples[id]
			j, ok := m.after.taken[flow]
			same := false
			if ok {
				_, same = compare(m.before.flows[flow].met, m.after.flows[flow].met, m.reach(i, j))
				m.after.stays[j] = m.after.stays[j] && same
			}
			m.before.stays[i] = m.before.stays[i] && same
		}
	}
	for j := range m.after.paths {
		for _, id := range m.after.paths[j].Flows {
			_, ok := m.before.taken[m.after.tuples[id]]
			m.after.stays[j] = m.after.stays[j] && ok
		}
	}
}

func allTrue(n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = true
	}
	return out
}

func (m *merger) reach(i, j int) bool {
	return m.before.reaches(&m.before.paths[i]) || m.after.reaches(&m.after.paths[j])
}

// seen is answers for a path that may be lent, so that its nodes are the other's.
func (s *side) seen(other *side, p *Path) []string {
	if p.ID == 0 {
		return other.answers(p)
	}
	return s.answers(p)
}

// dropEmpty leaves out paths whose flows have all gone back to theirs.
func (s *side) dropEmpty() {
	s.paths = slices.DeleteFunc(s.paths, func(p Path) bool { return len(p.Flows) == 0 })
	clear(s.taken)
	for i := range s.paths {
		for _, id := range s.paths[i].Flows {
			s.taken[s.tuples[id]] = i
		}
	}
}
