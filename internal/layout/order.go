// SPDX-License-Identifier: BSD-3-Clause

package layout

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

const (
	// starts are how many orders are tried to begin with. The first follow from
	// the graph, the others are shuffled, always in the same way.
	starts = 40
	// sweeps are how often each is gone through, and patience how often without
	// getting better.
	sweeps, patience = 24, 4
)

// minimise looks for an order with few crossings: from several starts, sweeps
// through the columns that put each box at the middle of its neighbours
// (Sugiyama, Tagawa and Toda, 1981), with sifting after each.
func (s *sketch) minimise() {
	best, fewest := s.order(), s.crossings()
	random := rand.New(rand.NewPCG(1, 2))
	for start := range starts {
		if fewest == 0 || s.budget <= 0 {
			break
		}
		switch start {
		case 0:
		case 1:
			s.setOrder(s.deep())
		default:
			for _, column := range s.columns {
				random.Shuffle(len(column), func(i, j int) { column[i], column[j] = column[j], column[i] })
				s.number(column)
			}
		}
		order, n := s.sweep(start%2 == 1)
		if n < fewest {
			best, fewest = order, n
		}
	}
	s.setOrder(best)
}

// sweep improves the order at hand and returns the best it met.
func (s *sketch) sweep(backward bool) (best [][]int, fewest int) {
	best, fewest = s.order(), s.crossings()
	for i, idle := 0, 0; i < sweeps && idle < patience && fewest > 0 && s.budget > 0; i++ {
		forward := (i%2 == 0) != backward
		s.toMiddles(forward, i%4 >= 2)
		s.siftAll(forward)
		if n := s.crossings(); n < fewest {
			best, fewest, idle = s.order(), n, 0
		} else {
			idle++
		}
	}
	return best, fewest
}

// toMiddles sorts each column by where the neighbours of its boxes stand, in
// the column gone through before. Boxes without one stay at their place. Those
// at one height keep their order, or are turned round, to get out of a dead end.
func (s *sketch) toMiddles(forward, turn bool) {
	for i := range s.columns {
		near := s.before
		if !forward {
			i, near = len(s.columns)-1-i, s.after
		}
		column := s.columns[i]
		middle := s.middle
		var moving, holes []int
		for j, v := range column {
			if len(near[v]) == 0 {
				continue
			}
			sum := 0
			for _, u := range near[v] {
				sum += s.at[u]
			}
			middle[v] = float64(sum) / float64(len(near[v]))
			moving, holes = append(moving, v), append(holes, j)
			s.budget -= len(near[v])
		}
		if turn {
			slices.Reverse(moving)
		}
		slices.SortStableFunc(moving, func(a, b int) int { return cmp.Compare(middle[a], middle[b]) })
		for j, v := range moving {
			column[holes[j]] = v
		}
		s.number(column)
	}
}

// deep returns an order in which what hangs together stands together: that of
// a walk into the depth from the first column.
func (s *sketch) deep() [][]int {
	out := make([][]int, len(s.columns))
	seen := make([]bool, len(s.at))
	var visit func(v int)
	visit = func(v int) {
		if seen[v] {
			return
		}
		seen[v] = true
		c := s.graph.Boxes[v].Column
		out[c] = append(out[c], v)
		for _, u := range s.after[v] {
			visit(u)
		}
	}
	for _, column := range s.columns {
		for _, v := range column {
			visit(v)
		}
	}
	return out
}

// crossings counts the pairs of links that cross.
func (s *sketch) crossings() int {
	total := 0
	var ends, tree []int
	for i := 1; i < len(s.columns); i++ {
		ends = ends[:0]
		for _, v := range s.columns[i-1] {
			from := len(ends)
			for _, u := range s.after[v] {
				ends = append(ends, s.at[u])
			}
			slices.Sort(ends[from:])
		}
		// How many ends so far lie below each one: a Fenwick tree over places.
		tree = append(tree[:0], make([]int, len(s.columns[i])+1)...)
		for done, end := range ends {
			above := 0 // or at the same box
			for k := end + 1; k > 0; k -= k & -k {
				above += tree[k]
			}
			total += done - above
			for k := end + 1; k < len(tree); k += k & -k {
				tree[k]++
			}
		}
		s.budget -= 8 * len(ends)
	}
	return total
}
