// SPDX-License-Identifier: BSD-3-Clause

package layout

import (
	"cmp"
	"math"
	"slices"
)

// keepOrder orders the boxes that were there before as they were, and puts each
// new one where it crosses the least. It reports whether any was there.
func (s *sketch) keepOrder(before map[string]int) bool {
	kept := false
	for i, column := range s.columns {
		var stay, add []int
		for _, v := range column {
			if _, ok := before[s.graph.Boxes[v].Key]; ok {
				stay = append(stay, v)
			} else {
				add = append(add, v)
			}
		}
		kept = kept || len(stay) > 0
		slices.SortStableFunc(stay, func(a, b int) int {
			return cmp.Compare(before[s.graph.Boxes[a].Key], before[s.graph.Boxes[b].Key])
		})
		copy(column, stay)
		copy(column[len(stay):], add)
		s.number(column)
		if len(stay) > 0 {
			s.sift(i, add)
		}
	}
	if !kept {
		return false
	}
	// Once more, now that the new ones of other columns have a place too.
	for i, column := range s.columns {
		var add []int
		for _, v := range column {
			if _, ok := before[s.graph.Boxes[v].Key]; !ok {
				add = append(add, v)
			}
		}
		s.sift(i, add)
	}
	return true
}

// unchanged reports whether all boxes were there before. Links may be new.
func (s *sketch) unchanged(before map[string]int) bool {
	for i := range s.graph.Boxes {
		if _, ok := before[s.graph.Boxes[i].Key]; !ok {
			return false
		}
	}
	return true
}

// How strongly a box is held where it was, against how strongly a new one is
// drawn to its neighbours.
const (
	held  = 1000.0
	drawn = 1.0
)

// keepHeights returns heights near those of before: new boxes stand near what
// they are linked to, and push others no further than they have to. fresh are
// the heights without regard to before.
func (s *sketch) keepHeights(fresh []int, before map[string]int) []int {
	want, weight := make([]float64, len(fresh)), make([]float64, len(fresh))
	shift, stayed := 0.0, 0
	for v := range fresh {
		if y, ok := before[s.graph.Boxes[v].Key]; ok {
			want[v], weight[v] = float64(y), held
			shift += float64(y - fresh[v])
			stayed++
		}
	}
	shift /= math.Max(1, float64(stayed))
	for v := range fresh {
		if weight[v] == 0 {
			want[v], weight[v] = float64(fresh[v])+shift, drawn
		}
	}
	out := make([]int, len(fresh))
	for _, column := range s.columns {
		s.settle(column, want, weight, out)
	}
	// New ones follow their neighbours, which have their places now.
	for range 2 {
		for _, column := range s.columns {
			for _, v := range column {
				if around := slices.Concat(s.before[v], s.after[v]); weight[v] == drawn && len(around) > 0 {
					sum := 0
					for _, u := range around {
						sum += out[u]
					}
					want[v] = float64(sum) / float64(len(around))
				}
			}
			s.settle(column, want, weight, out)
		}
	}
	return out
}

// settle sets the heights of a column to those nearest to want, by weighted
// least squares, that keep order and distances: pool adjacent violators.
func (s *sketch) settle(column []int, want, weight []float64, out []int) {
	type pool struct {
		first, last int
		y, weight   float64 // of the first box, less the distances before it
	}
	offset := make([]float64, len(column))
	var pools []pool
	for i, v := range column {
		if i > 0 {
			offset[i] = offset[i-1] + float64(s.apart(column[i-1], v))
		}
		p := pool{i, i, want[v] - offset[i], weight[v]}
		for len(pools) > 0 && pools[len(pools)-1].y >= p.y {
			q := pools[len(pools)-1]
			pools = pools[:len(pools)-1]
			total := p.weight + q.weight
			p = pool{q.first, p.last, (p.y*p.weight + q.y*q.weight) / total, total}
		}
		pools = append(pools, p)
	}
	for _, p := range pools {
		for i := p.first; i <= p.last; i++ {
			out[column[i]] = int(math.Round(p.y + offset[i]))
		}
	}
}
