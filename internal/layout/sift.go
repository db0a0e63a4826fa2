// SPDX-License-Identifier: BSD-3-Clause

package layout

import "slices"

// siftRounds are how often a column is gone through while that helps.
const siftRounds = 4

// siftAll moves every box of every column to its best place.
func (s *sketch) siftAll(forward bool) {
	for i := range s.columns {
		if !forward {
			i = len(s.columns) - 1 - i
		}
		s.sift(i, s.columns[i])
	}
}

// sift takes the boxes of a column in turn out of it and puts each back where
// its links cross the fewest others, on both sides at once (Matuszewski,
// Schönfeld and Molitor, 1999). Crossings only become fewer.
func (s *sketch) sift(column int, moving []int) {
	order := s.columns[column]
	if len(order) < 2 || s.budget <= 0 {
		return
	}
	cost := s.crossNumbers(order)
	slot := s.slot // of each box in cost
	for i, v := range order {
		slot[v] = i
	}
	moving = slices.Clone(moving)
	for range siftRounds {
		moved := false
		for _, v := range moving {
			from, row := s.at[v], cost[slot[v]]
			// gain is how many crossings go away when v moves past others.
			best, most := from, 0
			for to, gain := from+1, 0; to < len(order); to++ {
				u := slot[order[to]]
				if gain += row[u] - cost[u][slot[v]]; gain > most {
					best, most = to, gain
				}
			}
			for to, gain := from-1, 0; to >= 0; to-- {
				u := slot[order[to]]
				if gain += cost[u][slot[v]] - row[u]; gain > most {
					best, most = to, gain
				}
			}
			if best != from {
				copy(order[from:], order[from+1:])
				copy(order[best+1:], order[best:len(order)-1])
				order[best] = v
				s.number(order)
				moved = true
			}
		}
		s.budget -= len(moving) * len(order)
		if !moved {
			return
		}
	}
}

// crossNumbers returns, for each two boxes of a column, how many of their links
// cross when the first stands above the second.
func (s *sketch) crossNumbers(order []int) [][]int {
	n := len(order)
	cells := make([]int, n*n)
	out := make([][]int, n)
	for i := range out {
		out[i] = cells[i*n : (i+1)*n]
	}
	for _, near := range [][][]int{s.before, s.after} {
		places, ends := make([][]int, n), s.ends[:0]
		for i, v := range order {
			from := len(ends)
			for _, u := range near[v] {
				ends = append(ends, s.at[u])
			}
			places[i] = ends[from:]
			slices.Sort(places[i])
		}
		s.ends = ends
		for i := range n {
			for j := range i {
				above, below := inversions(places[i], places[j])
				out[i][j] += above
				out[j][i] += below
				s.budget -= len(places[i]) + len(places[j])
			}
		}
	}
	return out
}

// inversions counts the pairs in which an end of a lies below one of b, and
// those the other way round. Both are sorted.
func inversions(a, b []int) (ab, ba int) {
	under, upTo := 0, 0 // how many of b are less than x; at most x
	for _, x := range a {
		for under < len(b) && b[under] < x {
			under++
		}
		for upTo < len(b) && b[upTo] <= x {
			upTo++
		}
		ab += under
		ba += len(b) - upTo
	}
	return ab, ba
}
