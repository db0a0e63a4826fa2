// SPDX-License-Identifier: BSD-3-Clause

package layout_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"traceflow/internal/layout"
)

// smallGraphs are those that are arranged fast: with -short, as under the race
// detector, fewer.
func smallGraphs(t testing.TB) []sample {
	most := 200
	if testing.Short() {
		most = 70
	}
	return slices.DeleteFunc(sampleGraphs(t), func(g sample) bool { return len(g.Boxes) > most })
}

// heights returns where Arrange puts each box, by key.
func heights(g *layout.Graph, before map[string]int) map[string]int {
	out := make(map[string]int, len(g.Boxes))
	for i, y := range layout.Arrange(g, before) {
		out[g.Boxes[i].Key] = y
	}
	return out
}

// shuffled returns the same graph with its parts in another order.
func shuffled(g *layout.Graph, seed uint64) *layout.Graph {
	r := rand.New(rand.NewPCG(seed, 1))
	out := &layout.Graph{Gap: g.Gap, GroupGap: g.GroupGap, Boxes: make([]layout.Box, len(g.Boxes))}
	to := r.Perm(len(g.Boxes))
	for i, b := range g.Boxes {
		out.Boxes[to[i]] = b
	}
	for _, i := range r.Perm(len(g.Links)) {
		l := g.Links[i]
		out.Links = append(out.Links, layout.Link{From: to[l.From], To: to[l.To]})
	}
	return out
}

// without returns the graph less the boxes whose key drop says so of.
func without(g *layout.Graph, drop func(key string) bool) *layout.Graph {
	out := &layout.Graph{Gap: g.Gap, GroupGap: g.GroupGap}
	to := make(map[int]int)
	for i, b := range g.Boxes {
		if !drop(b.Key) {
			to[i] = len(out.Boxes)
			out.Boxes = append(out.Boxes, b)
		}
	}
	for _, l := range g.Links {
		from, ok := to[l.From]
		end, also := to[l.To]
		if ok && also {
			out.Links = append(out.Links, layout.Link{From: from, To: end})
		}
	}
	return out
}

// checkApart finds boxes of one column that overlap, or are nearer than they may.
func checkApart(t *testing.T, g *layout.Graph, y map[string]int) {
	t.Helper()
	columns := make(map[int][]layout.Box)
	for _, b := range g.Boxes {
		columns[b.Column] = append(columns[b.Column], b)
	}
	for _, column := range columns {
		slices.SortFunc(column, func(a, b layout.Box) int { return y[a.Key] - y[b.Key] })
		for i := 1; i < len(column); i++ {
			a, b := column[i-1], column[i]
			gap := g.Gap
			if a.Group != b.Group {
				gap += g.GroupGap
			}
			if free := y[b.Key] - b.Above - y[a.Key] - a.Below; free < gap {
				t.Errorf("column %d: %s and %s are %d apart, want %d", a.Column, a.Key, b.Key, free, gap)
			}
		}
	}
}

func TestNoOverlaps(t *testing.T) {
	for _, g := range smallGraphs(t) {
		t.Run(g.name, func(t *testing.T) {
			for i := range g.Boxes {
				g.Boxes[i].Above += i % 7
				g.Boxes[i].Group = fmt.Sprint(i % 3)
			}
			g.GroupGap = 15
			y := heights(g.Graph, nil)
			checkApart(t, g.Graph, y)
			fewer := without(g.Graph, func(key string) bool { return key[len(key)-1] == '4' })
			checkApart(t, g.Graph, heights(g.Graph, heights(fewer, nil)))
		})
	}
}

func TestSameGraphSamePlaces(t *testing.T) {
	for _, g := range smallGraphs(t) {
		t.Run(g.name, func(t *testing.T) {
			want := heights(g.Graph, nil)
			if diff := cmp.Diff(want, heights(shuffled(g.Graph, 5), nil)); diff != "" {
				t.Errorf("parts in another order (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(want, heights(g.Graph, want)); diff != "" {
				t.Errorf("drawn again (-want +got)\n%s", diff)
			}
		})
	}
}

// TestKeepsPlaces grows graphs: what was there stays in order, and moves no
// further than new boxes need.
func TestKeepsPlaces(t *testing.T) {
	for _, g := range smallGraphs(t) {
		t.Run(g.name, func(t *testing.T) {
			last := g.Boxes[len(g.Boxes)/2].Key
			before := heights(without(g.Graph, func(key string) bool { return key == last }), nil)
			after := heights(g.Graph, before)
			room := 0
			column := 0
			for _, b := range g.Boxes {
				if b.Key == last {
					room, column = 2*(b.Above+b.Below+g.Gap), b.Column
				}
			}
			for i, a := range g.Boxes {
				if old, ok := before[a.Key]; ok {
					if moved := after[a.Key] - old; a.Column != column && moved != 0 || moved > room || moved < -room {
						t.Errorf("%s moved by %d", a.Key, moved)
					}
				}
				for _, b := range g.Boxes[:i] {
					if a.Column == b.Column && a.Key != last && b.Key != last && (before[a.Key] < before[b.Key]) != (after[a.Key] < after[b.Key]) {
						t.Errorf("%s and %s changed places", a.Key, b.Key)
					}
				}
			}
		})
	}
}

// TestBeginsAgain grows a graph from two columns to twenty: places are given up
// before the drawing is a tangle.
func TestBeginsAgain(t *testing.T) {
	g := random(3, 8, 80, 200)
	var before map[string]int
	for n := 10; n <= len(g.Boxes); n += 10 {
		part := without(g, func(key string) bool { return key >= fmt.Sprintf("%03d", n) })
		before = heights(part, before)
	}
	grown := make([]point, len(g.Boxes))
	for i, b := range g.Boxes {
		grown[i] = point{float64(b.Column), float64(before[b.Key])}
	}
	if got, fresh := crossings(g, grown), crossings(g, placeByUs(g)); got > 2*fresh+12 {
		t.Errorf("%d crossings, drawn afresh %d", got, fresh)
	}
}

func TestStraight(t *testing.T) {
	tests := []struct {
		name  string
		links string // of boxes that are named by column and letter
		same  []string
	}{
		{name: "chain", links: "0a1a 1a2a 2a3a", same: []string{"0a 1a 2a 3a"}},
		{name: "fork and join", links: "0a1a 0a1b 1a2a 1b2b 2a3a 2b3a", same: []string{"1a 2a", "1b 2b", "0a 3a"}},
		{name: "odd fork", links: "0a1a 0a1b 0a1c 1a2a 1b2a 1c2a", same: []string{"0a 1b 2a"}},
		{name: "two ends", links: "0a1a 1a2a 1a2b 2a3a", same: []string{"0a 1a", "2a 3a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			y := heights(drawing(tt.links), nil)
			for _, row := range tt.same {
				var a, b string
				for key := range strings.FieldsSeq(row) {
					if a, b = b, key; a != "" && y[a] != y[b] {
						t.Errorf("%s is at %d, %s at %d", a, y[a], b, y[b])
					}
				}
			}
		})
	}
	y := heights(drawing("0a1a 0a1b 0a1c 0a1d"), nil)
	got := []int{y["1a"], y["1b"], y["1c"], y["1d"]}
	slices.Sort(got)
	if mid := (got[1] + got[2]) / 2; got[1]-got[0] != got[2]-got[1] || got[3]-got[2] != got[1]-got[0] || mid-y["0a"] > 1 || y["0a"]-mid > 1 {
		t.Errorf("a fork of four at %v from %d is not even", got, y["0a"])
	}
}

func TestNothingToArrange(t *testing.T) {
	if got := layout.Arrange(&layout.Graph{}, nil); len(got) != 0 {
		t.Errorf("%v", got)
	}
	// A link that skips a column, one that stays in it, and one there twice.
	g := &layout.Graph{
		Boxes: []layout.Box{{Key: "a"}, {Key: "b"}, {Key: "c", Column: 2}},
		Links: []layout.Link{{From: 0, To: 1}, {From: 0, To: 2}, {From: 0, To: 2}},
	}
	if got := layout.Arrange(g, nil); len(got) != 3 {
		t.Errorf("%v", got)
	}
}

func BenchmarkArrange(b *testing.B) {
	for _, g := range sampleGraphs(b) {
		if len(g.Boxes) < 300 {
			continue
		}
		b.Run(g.name, func(b *testing.B) {
			for b.Loop() {
				layout.Arrange(g.Graph, nil)
			}
		})
	}
}
