// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"slices"
)

// layout draws routes as a tree of lines, one for each vertex.
//
// What stands below a line at the same depth is its next hop. Where ways part,
// each is a branch of its own, indented; where they meet again, the drawing
// returns to the left, and every branch that does not say otherwise leads there.
// Where ways cross, that cannot be drawn: there the vertices stand TTL by TTL,
// each has a name, and those above say which of them they lead to.
//
// A part of the routes is a slice of vertices in the order of drawing. The first
// TTL of a part has its entries, which everything else in it is reached from;
// steps into it from outside lead to entries only, and all come from one vertex.
type layout struct {
	glyphs  *glyphs
	lines   []line
	regions int
	refs    [256]int // names given, by TTL
}

// line is one vertex and the drawing in front of it.
type line struct {
	*vertex
	tree string
}

// prefix is what stands in front of the first line of a part, and in front of
// the others.
type prefix struct{ first, rest string }

func (p prefix) next() prefix { return prefix{p.rest, p.rest} }

// draw draws a part. joined says that what its ends lead to stands below, on the
// left.
func (l *layout) draw(part []*vertex, p prefix, joined bool) {
	for len(part) > 0 {
		id := l.enter(part)
		if entries(part) == 1 {
			l.line(part[0], p.first)
			part, p = part[1:], p.next()
			continue
		}
		branches := components(part, id)
		before, meet, after := converge(part, id, trunk(branches))
		switch {
		case meet != nil:
		case len(branches) > 1:
			l.fork(branches, p, joined)
			return
		default:
			l.mesh(part, id, p, joined)
			return
		}
		l.draw(before, p, true)
		l.line(meet, p.rest)
		part, p = after, p.next()
	}
}

// enter makes a part the one that is laid out, and returns its mark.
func (l *layout) enter(part []*vertex) int {
	l.regions++
	for _, v := range part {
		v.region = l.regions
	}
	return l.regions
}

func (l *layout) line(v *vertex, tree string) { l.lines = append(l.lines, line{v, tree}) }

// fork draws branches below each other.
func (l *layout) fork(branches [][]*vertex, p prefix, joined bool) {
	for i, b := range branches {
		l.draw(b, l.branch(p, i == 0, i == len(branches)-1 && !joined), joined)
	}
}

// branch returns the prefix of a branch of a part whose prefix is p. The first
// branch shares its line with that of the part's. One that nothing follows on
// the left is the last.
func (l *layout) branch(p prefix, first, last bool) prefix {
	b := prefix{p.rest + l.glyphs.branch, p.rest + l.glyphs.down}
	if last {
		b = prefix{p.rest + l.glyphs.last, p.rest + l.glyphs.nothing}
	}
	if first && p.first != p.rest {
		b.first = p.first[:len(p.first)-1] + l.glyphs.fork
	}
	return b
}

// mesh draws a part that is all of a piece, whose ways do not meet in one vertex.
// From the TTL on at which what is left falls apart into pieces that have one
// entry each, these are branches.
func (l *layout) mesh(part []*vertex, id int, p prefix, joined bool) {
	from := splits(part, id)
	first := true
	for from > 0 {
		n := entries(part)
		for i, v := range part[:n] {
			l.name(v)
			v.meshed = true
			for _, s := range v.next {
				if s.region != id { // where the ways meet below
					l.name(s.vertex)
				}
			}
			l.line(v, l.branch(p, first && i == 0, false).first)
		}
		part, from, first = part[n:], from-n, false
	}
	for i := 0; i < len(part) && part[i].TTL == part[0].TTL; i++ {
		l.name(part[i])
	}
	l.fork(components(part, l.enter(part)), p.next(), joined)
}

// name gives a vertex a name, unless it has one: its TTL and a letter.
func (l *layout) name(v *vertex) {
	if v.ref != "" {
		return
	}
	n := l.refs[v.TTL]
	l.refs[v.TTL]++
	letters := string(rune('a' + n%26))
	for n = n/26 - 1; n >= 0; n = n/26 - 1 {
		letters = string(rune('a'+n%26)) + letters
	}
	v.ref = fmt.Sprintf("%d%s", v.TTL, letters)
}

// components returns the parts of a part that no step joins.
func components(part []*vertex, id int) [][]*vertex {
	sets := newSets(part)
	for _, v := range part {
		for _, s := range v.next {
			if s.region == id {
				sets.join(v.place, s.place)
			}
		}
	}
	var out [][]*vertex
	index := make(map[int]int)
	for _, v := range part {
		root := sets.root(v.place)
		i, ok := index[root]
		if !ok {
			i = len(out)
			index[root] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], v)
	}
	return out
}

// entries returns how many vertices of a part are at its first TTL.
func entries(part []*vertex) int {
	n := 0
	for n < len(part) && part[n].TTL == part[0].TTL {
		n++
	}
	return n
}

// trunk returns the component that the ways through a part go on by, if they do
// so together: the only one, or the only one to reach the destination, while the
// others end before.
func trunk(branches [][]*vertex) []*vertex {
	if len(branches) == 1 {
		return branches[0]
	}
	var out []*vertex
	for _, b := range branches {
		if !slices.ContainsFunc(b, func(v *vertex) bool { return v.final }) {
			continue
		}
		if out != nil {
			return nil
		}
		out = b
	}
	if entries(out) < 2 {
		return nil
	}
	return out
}

// converge looks for the first vertex of a part's trunk where ways meet and are
// together from then on. Everything that can be reached from it is reached only
// through it, and what leads to it leads nowhere else; ways that end before may
// have others.
func converge(part []*vertex, id int, trunk []*vertex) (before []*vertex, meet *vertex, after []*vertex) {
	for _, v := range trunk[entries(trunk):] {
		below, ok := dominated(v, id)
		if !ok {
			continue
		}
		before, after = nil, nil
		for _, u := range part {
			switch {
			case u == v:
			case below[u]:
				after = append(after, u)
			default:
				before = append(before, u)
			}
		}
		// What leads out of the part cannot stand above the vertex on its left.
		if !slices.ContainsFunc(before, func(u *vertex) bool { return leaves(u, id) }) {
			return before, v, after
		}
	}
	return nil, nil, nil
}

// leaves reports whether a vertex leads out of its part.
func leaves(v *vertex, id int) bool {
	return slices.ContainsFunc(v.next, func(s step) bool { return s.region != id })
}

// dominated returns what is reached from a vertex within a part, and whether all
// of it is reached only through it, and the vertex itself from several that lead
// nowhere else.
func dominated(v *vertex, id int) (map[*vertex]bool, bool) {
	ways := 0
	for _, s := range v.prev {
		if s.region == id && len(s.next) > 1 {
			return nil, false
		}
		if s.region == id {
			ways++
		}
	}
	if ways < 2 {
		return nil, false
	}
	below := make(map[*vertex]bool)
	for at := []*vertex{v}; len(at) > 0; {
		// One TTL after the other, so that all that may lead to the next is known.
		var next []*vertex
		for _, u := range at {
			for _, s := range u.next {
				if s.region == id && !below[s.vertex] {
					below[s.vertex] = true
					next = append(next, s.vertex)
				}
			}
		}
		for _, u := range next {
			if slices.ContainsFunc(u.prev, func(s step) bool { return s.region == id && s.vertex != v && !below[s.vertex] }) {
				return nil, false
			}
		}
		at = next
	}
	return below, true
}

// splits returns the lowest number of first vertices, whole TTLs, without which
// a part falls apart into pieces with one entry each.
func splits(part []*vertex, id int) int {
	sets := newSets(part)
	best := len(part)
	for end := len(part); end > 0; {
		start := end
		for start > 0 && part[start-1].TTL == part[end-1].TTL {
			start--
		}
		alone := true
		for _, v := range part[start:end] {
			for _, s := range v.next {
				// Two of a TTL that lead to one piece, or to two that are one.
				if s.region == id {
					sets.join(v.place, s.place)
				}
			}
		}
		seen := make(map[int]bool, end-start)
		for _, v := range part[start:end] {
			root := sets.root(v.place)
			alone = alone && !seen[root]
			seen[root] = true
		}
		if alone {
			best = start
		}
		end = start
	}
	return best
}

// sets are disjoint sets of numbers (union by path halving).
type sets map[int]int

func newSets(part []*vertex) sets {
	s := make(sets, len(part))
	for _, v := range part {
		s[v.place] = v.place
	}
	return s
}

func (s sets) root(n int) int {
	for s[n] != n {
		s[n] = s[s[n]]
		n = s[n]
	}
	return n
}

func (s sets) join(a, b int) { s[s.root(b)] = s.root(a) }
