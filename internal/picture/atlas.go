// SPDX-License-Identifier: BSD-3-Clause

package picture

import "fmt"

// atlas finds stations for runs so that links never lead backwards.
type atlas struct {
	*grouper
	named map[string][]int // stations by ID of the first of them
	after []map[int]bool   // stations that follow each
	loops map[[2]int]bool  // pairs of which the second leads to the first
	// seen and visit are scratch for the search.
	seen  []int
	visit int
}

func newAtlas(g *grouper) *atlas {
	return &atlas{grouper: g, named: make(map[string][]int), loops: make(map[[2]int]bool)}
}

// lead returns a station for each run: of those that the owner has, the first
// that does not lead to what is before it on the path, or else a new one.
func (a *atlas) lead(runs []run) []int {
	var out []int
	for i := range runs {
		at := -1
		for _, s := range a.named[runs[i].id] {
			if i == 0 || a.mayFollow(out[i-1], s) {
				at = s
				break
			}
		}
		if at < 0 {
			at = a.begin(&runs[i])
		}
		if i > 0 {
			a.after[out[i-1]][at] = true
		}
		out = append(out, at)
	}
	return out
}

func (a *atlas) begin(r *run) int {
	id := r.id
	if n := len(a.named[r.id]); n > 0 {
		id = fmt.Sprintf("%s:%d", r.id, n+1)
	}
	s := a.station(id, r.holder)
	a.named[r.id] = append(a.named[r.id], s)
	a.after, a.seen = append(a.after, make(map[int]bool)), append(a.seen, 0)
	return s
}

func (a *atlas) mayFollow(from, to int) bool {
	switch pair := [2]int{from, to}; {
	case a.after[from][to]:
		return true
	case a.loops[pair]:
		return false
	default:
		a.visit++
		a.loops[pair] = a.leads(to, from)
		return !a.loops[pair]
	}
}

// leads reports whether packets may get from one station to another.
func (a *atlas) leads(from, to int) bool {
	if from == to {
		return true
	}
	a.seen[from] = a.visit
	for next := range a.after[from] {
		if a.seen[next] != a.visit && a.leads(next, to) {
			return true
		}
	}
	return false
}

// columns puts every station behind all that lead to it, and a destination that
// was not reached behind everything.
func (a *atlas) columns() {
	into := make([]int, len(a.after))
	for _, next := range a.after {
		for s := range next {
			into[s]++
		}
	}
	var free []int
	for s := range into {
		if into[s] == 0 {
			free = append(free, s)
		}
	}
	last := 0
	for len(free) > 0 {
		s := free[0]
		free = free[1:]
		last = max(last, a.stations[s].column)
		for next := range a.after[s] {
			n := &a.stations[next]
			n.column = max(n.column, a.stations[s].column+1)
			if into[next]--; into[next] == 0 {
				free = append(free, next)
			}
		}
	}
	if s, ok := a.byID[unreachedID]; ok {
		a.stations[s].column = last + 1
	}
}
