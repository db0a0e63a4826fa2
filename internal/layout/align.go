// SPDX-License-Identifier: BSD-3-Clause

package layout

import (
	"math"
	"slices"
)

// align returns the height of each box for the order at hand: that of Brandes
// and Köpf ("Fast and simple horizontal coordinate assignment", GD 2001). Boxes
// in a row are lined up four times, each time with preference for another
// corner of the drawing, and stand at the mean of the two middle ones: forks are
// symmetric then and chains straight.
func (s *sketch) align() []int {
	var four [4][]float64
	for i := range four {
		four[i] = s.alignOnce(i&1 != 0, i&2 != 0)
	}
	s.lineUp(&four)
	out := make([]int, len(s.at))
	for v := range out {
		ys := []float64{four[0][v], four[1][v], four[2][v], four[3][v]}
		slices.Sort(ys)
		out[v] = int(math.Round((ys[1] + ys[2]) / 2))
	}
	s.mend(out)
	s.centre(out)
	return out
}

// mend takes back what rounding took from the distances.
func (s *sketch) mend(y []int) {
	for _, column := range s.columns {
		for i := 1; i < len(column); i++ {
			y[column[i]] = max(y[column[i]], y[column[i-1]]+s.apart(column[i-1], column[i]))
		}
	}
}

// alignOnce lines boxes up from the first column on, or from the last, and packs
// the rows upwards, or downwards.
func (s *sketch) alignOnce(fromLast, downwards bool) []float64 {
	row := s.rows(fromLast, downwards)
	y := s.pack(row, downwards)
	out := make([]float64, len(row))
	for v := range out {
		out[v] = y[row[v]]
	}
	return out
}

// rows joins each box to the middle one of its neighbours in the column gone
// through before, as long as no two such joints cross. It returns the first box
// of the row that each is in.
func (s *sketch) rows(fromLast, downwards bool) []int {
	row, next := make([]int, len(s.at)), make([]bool, len(s.at))
	for v := range row {
		row[v] = v
	}
	for i := range s.columns {
		near := s.before
		if fromLast {
			i, near = len(s.columns)-1-i, s.after
		}
		column := s.columns[i]
		edge := -1 // how far joints have come
		for k := range column {
			if downwards {
				k = len(column) - 1 - k
			}
			v := column[k]
			around := slices.Clone(near[v])
			if len(around) == 0 {
				continue
			}
			slices.SortFunc(around, func(a, b int) int { return s.at[a] - s.at[b] })
			low, high := (len(around)-1)/2, len(around)/2
			middles := []int{around[low], around[high]}
			if downwards {
				middles = []int{around[high], around[low]}
			}
			for _, u := range middles {
				place := s.at[u]
				if downwards {
					place = len(s.at) - place
				}
				if place > edge && !next[u] {
					next[u], row[v], edge = true, row[u], place
					break
				}
			}
		}
	}
	return row
}

// pack stands rows as high as those above allow, then moves each towards those
// below it as far as nothing is pushed: what hangs on a row stays near it.
func (s *sketch) pack(row []int, downwards bool) []float64 {
	type edge struct{ to, apart int }
	below, above := make(map[int][]edge), make(map[int][]edge)
	waits := make(map[int]int)
	for _, column := range s.columns {
		for i := 1; i < len(column); i++ {
			a, b := column[i-1], column[i]
			d := s.apart(a, b)
			if downwards {
				a, b = b, a
			}
			below[row[a]] = append(below[row[a]], edge{row[b], d})
			above[row[b]] = append(above[row[b]], edge{row[a], d})
			waits[row[b]]++
		}
	}
	var ready, order []int
	for v := range row {
		if row[v] == v && waits[v] == 0 {
			ready = append(ready, v)
		}
	}
	y := make([]float64, len(row))
	for len(ready) > 0 {
		v := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		order = append(order, v)
		for _, e := range above[v] {
			y[v] = math.Max(y[v], y[e.to]+float64(e.apart))
		}
		for _, e := range below[v] {
			if waits[e.to]--; waits[e.to] == 0 {
				ready = append(ready, e.to)
			}
		}
	}
	for _, v := range slices.Backward(order) {
		room := math.Inf(1)
		for _, e := range below[v] {
			room = math.Min(room, y[e.to]-float64(e.apart))
		}
		if !math.IsInf(room, 1) {
			y[v] = math.Max(y[v], room)
		}
	}
	if downwards {
		for v := range y {
			y[v] = -y[v]
		}
	}
	return y
}

// lineUp shifts the four drawings so that they share an edge with the lowest of
// them: the upper one where they were packed upwards, else the lower one.
func (s *sketch) lineUp(four *[4][]float64) {
	var tops, bottoms [4]float64
	least := 0
	for i, y := range four {
		tops[i], bottoms[i] = math.Inf(1), math.Inf(-1)
		for v := range y {
			box := &s.graph.Boxes[v]
			tops[i] = math.Min(tops[i], y[v]-float64(box.Above))
			bottoms[i] = math.Max(bottoms[i], y[v]+float64(box.Below))
		}
		if bottoms[i]-tops[i] < bottoms[least]-tops[least] {
			least = i
		}
	}
	top, bottom := tops[least], bottoms[least]
	for i, y := range four {
		shift := top - tops[i]
		if i&2 != 0 {
			shift = bottom - bottoms[i]
		}
		for v := range y {
			y[v] += shift
		}
	}
}
