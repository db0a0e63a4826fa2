// SPDX-License-Identifier: BSD-3-Clause

package picture_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"traceflow"
	"traceflow/internal/picture"
)

// statuses returns all that is gone or new, with short IDs.
func statuses(d *picture.Drawing) []string {
	var out []string
	add := func(status picture.Status, what string) {
		if status != picture.Unchanged {
			out = append(out, fmt.Sprintf("%s %s", status, strings.NewReplacer(a, "", "203.0.113.9", "d").Replace(what)))
		}
	}
	for i := range d.Nodes {
		add(d.Nodes[i].Status, d.Nodes[i].ID)
	}
	for i := range d.Links {
		add(d.Links[i].Status, d.Links[i].From+" → "+d.Links[i].To)
	}
	for i := range d.Paths {
		add(d.Paths[i].Status, strings.Join(d.Paths[i].Nodes, ", "))
	}
	slices.Sort(out)
	return out
}

func TestMerge(t *testing.T) {
	tests := []struct {
		name          string
		before, after []string
		want          []string
		nodes         []string // of the drawing, if they are looked at
	}{
		{name: "nothing", before: []string{"1 2 4 d", "1 3 4 d"}, after: []string{"1 2 4 d", "1 3 4 d"}},
		{
			name: "a member is gone", before: []string{"1 2 4 d", "1 3 4 d"}, after: []string{"1 2 4 d", "1 2 4 d"},
			want: []string{"gone 1/1 → 2/3", "gone 2/3", "gone 2/3 → 3/4", "gone source, 1/1, 2/3, 3/4, 4/d"},
		},
		{
			name: "flows change places", before: []string{"1 2 4 d", "1 3 4 d"}, after: []string{"1 3 4 d", "1 2 4 d"},
		},
		{
			name: "one missed reply", before: []string{"1 2 4 d", "1 3 4 d"}, after: []string{"1 * 4 d", "1 3 4 d"},
			nodes: []string{"source", "1/1", "2/2", "2/3", "3/4", "4/d"},
		},
		{
			name: "one missed reply before", before: []string{"1 * 4 d", "1 3 4 d"}, after: []string{"1 2 4 d", "1 3 4 d"},
			nodes: []string{"source", "1/1", "2/2", "2/3", "3/4", "4/d"},
		},
		{
			name: "misses on either side of each other", before: []string{"1 2 * 4 d"}, after: []string{"1 * 3 4 d"},
			nodes: []string{"source", "1/1", "2/2", "3/3", "4/4", "5/d"},
		},
		{
			name: "a missed reply beside a change", before: []string{"1 2 3 4 5 d"}, after: []string{"1 * 3 6 5 d"},
			want:  []string{"gone 3/3 → 4/4", "gone 4/4", "gone 4/4 → 5/5", "gone source, 1/1, 2/2, 3/3, 4/4, 5/5, 6/d", "new 3/3 → 4/6", "new 4/6", "new 4/6 → 5/5", "new source, 1/1, 2/*1>3, 3/3, 4/6, 5/5, 6/d"},
			nodes: nil,
		},
		{
			name: "silence in place of a change", before: []string{"1 2 3 d"}, after: []string{"1 4 * d"},
			want: []string{
				"gone 1/1 → 2/2", "gone 2/2", "gone 2/2 → 3/3", "gone 3/3", "gone 3/3 → 4/d", "gone source, 1/1, 2/2, 3/3, 4/d",
				"new 1/1 → 2/4", "new 2/4", "new 2/4 → 3/*4>d", "new 3/*4>d", "new 3/*4>d → 4/d", "new source, 1/1, 2/4, 3/*4>d, 4/d",
			},
		},
		{
			name: "the last answer missed of a destination that never answers", before: []string{"1 2 3 * *"}, after: []string{"1 2 * * *"},
		},
		{
			name: "the destination is gone", before: []string{"1 2 d"}, after: []string{"1 2 * *"},
			want: []string{"gone 2/2 → 3/d", "gone 3/d", "gone source, 1/1, 2/2, 3/d", "new source, 1/1, 2/2"},
		},
		{
			name: "a hop more", before: []string{"1 2 d"}, after: []string{"1 2 3 d"},
			want: []string{"gone 2/2 → 3/d", "gone 3/d", "gone source, 1/1, 2/2, 3/d", "new 2/2 → 3/3", "new 3/3", "new 3/3 → 4/d", "new 4/d", "new source, 1/1, 2/2, 3/3, 4/d"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := picture.Merge(picture.Of(traceOf(t, tt.before...)), picture.Of(traceOf(t, tt.after...)))
			if diff := cmp.Diff(tt.want, statuses(d)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			var nodes []string
			for i := range d.Nodes {
				nodes = append(nodes, strings.NewReplacer(a, "", "203.0.113.9", "d").Replace(d.Nodes[i].ID))
			}
			if less := func(a, b string) bool { return a < b }; tt.nodes != nil {
				if diff := cmp.Diff(tt.nodes, nodes, cmpopts.SortSlices(less)); diff != "" {
					t.Errorf("nodes (-want +got)\n%s", diff)
				}
			}
		})
	}
}

// TestMergeTellsBoth wants the figures of both results.
func TestMergeTellsBoth(t *testing.T) {
	before := traceOf(t, "1 2 4 d", "1 3 4 d", "1 3 4 d", "1 3 4 d")
	after := traceOf(t, "1 2 4 d", "1 2 4 d", "1 3 4 d", "1 3 4 d")
	for i := range after.Exchanges {
		after.Exchanges[i].Reply.RTT *= 2
	}
	after.Graph = traceflow.NewGraph(after.Graph.Walks, after.Exchanges)
	d := picture.Merge(picture.Of(before), picture.Of(after))
	n := find(t, d, "2/"+a+"2")
	if n.Share != 0.5 || n.Before.Share != 0.25 || n.Flows != 2 || n.Before.Flows != 1 || n.RTT.Median != 8000 || n.Before.RTT.Median != 4000 {
		t.Errorf("%+v, before %+v", n, n.Before)
	}
	if l := link(t, d, "1/"+a+"1", n.ID); l.Flows != 2 || l.Before.Flows != 1 || *l.Delta != 4000 || *l.Before.Delta != 2000 {
		t.Errorf("%+v, before %+v", l, l.Before)
	}
	if p := &d.Paths[0]; len(p.Flows) != 2 || p.Before.Flows != 1 || p.Before.Share != 0.25 || p.Before.RTT.Median*2 != p.Median {
		t.Errorf("%+v, before %+v", p, p.Before)
	}
}

// again makes another result of a trace's flows: some replies are missed, and some
// flows go elsewhere.
func again(t testing.TB, flows []string, r *rand.Rand, missed, moved int) *traceflow.Trace {
	var out []string
	for _, line := range flows {
		cells := strings.Fields(line)
		for i := range cells {
			switch {
			case cells[i] == "d":
			case r.IntN(100) < moved:
				cells[i] = fmt.Sprint(1 + r.IntN(40))
			case r.IntN(100) < missed:
				cells[i] = "*"
			}
		}
		out = append(out, strings.Join(cells, " "))
	}
	return traceOf(t, out...)
}

// randomFlows are some ways through 40 routers.
func randomFlows(r *rand.Rand) []string {
	var out []string
	for range 2 + r.IntN(20) {
		var cells []string
		for range 2 + r.IntN(6) {
			cells = append(cells, fmt.Sprint(1+r.IntN(40)))
		}
		if r.IntN(5) > 0 {
			cells = append(cells, "d")
		}
		out = append(out, strings.Join(cells, " "))
	}
	return out
}

func TestMergeIsTrue(t *testing.T) {
	for seed := range seeds(150) {
		r := rand.New(rand.NewPCG(seed, 11))
		flows := randomFlows(r)
		one, two := picture.Of(again(t, flows, r, 5, 0)), picture.Of(again(t, flows, r, 5, 8))
		there, back := picture.Merge(one, two), picture.Merge(two, one)
		swapped := statuses(back)
		for i, s := range swapped {
			if rest, ok := strings.CutPrefix(s, "gone "); ok {
				swapped[i] = "new " + rest
			} else {
				swapped[i] = strings.Replace(s, "new ", "gone ", 1)
			}
		}
		slices.Sort(swapped)
		if diff := cmp.Diff(statuses(there), swapped); diff != "" {
			t.Errorf("seed %d: forwards and backwards differ (-want +got)\n%s", seed, diff)
		}
		checkMerged(t, seed, there, one, two)
		there.Fold(picture.Dense)
		there.Place(nil)
	}
}

// checkMerged wants every path to lead over links that are there, and every link
// to be one that a flow of either result passed.
func checkMerged(t *testing.T, seed uint64, d, one, two *picture.Drawing) {
	t.Helper()
	ids, links := make(map[string]bool), make(map[[2]string]bool)
	for i := range d.Nodes {
		if ids[d.Nodes[i].ID] {
			t.Errorf("seed %d: %s is there twice", seed, d.Nodes[i].ID)
		}
		ids[d.Nodes[i].ID] = true
	}
	seen := make(map[[2]string]bool)
	for _, from := range []*picture.Drawing{one, two} {
		for i := range from.Links {
			seen[[2]string{from.Links[i].From, from.Links[i].To}] = !from.Links[i].Inferred
		}
	}
	for i := range d.Links {
		l := &d.Links[i]
		key := [2]string{l.From, l.To}
		if links[key] || !ids[l.From] || !ids[l.To] {
			t.Errorf("seed %d: link %v is there twice, or to nowhere", seed, key)
		}
		links[key] = true
		if !l.Inferred && !seen[key] {
			t.Errorf("seed %d: nobody met %v", seed, key)
		}
	}
	for i := range d.Paths {
		for _, id := range d.Paths[i].Nodes {
			if !ids[id] {
				t.Errorf("seed %d: path %d leads to %s, which is not there", seed, d.Paths[i].ID, id)
			}
		}
	}
}

// TestMergeWithItself wants nothing to be changed.
func TestMergeWithItself(t *testing.T) {
	for seed := range seeds(60) {
		d := picture.Of(randomTrace(t, seed))
		m := picture.Merge(d, d)
		if got := statuses(m); got != nil {
			t.Errorf("seed %d: %q", seed, got)
		}
		for i := range m.Nodes {
			m.Nodes[i].Before = nil
		}
		for i := range m.Paths {
			m.Paths[i].Before = nil
		}
		for i := range m.Links {
			m.Links[i].Before = nil
		}
		m.Merged = false
		options := cmp.Options{
			cmpopts.IgnoreUnexported(picture.Pipe{}, picture.Path{}, picture.Flow{}), cmpopts.IgnoreFields(picture.Link{}, "Label"), cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}),
			cmpopts.SortSlices(func(a, b picture.Link) bool { return a.From+a.To < b.From+b.To }),
		}
		if diff := cmp.Diff(d, m, options); diff != "" {
			t.Errorf("seed %d (-want +got)\n%s", seed, diff)
		}
	}
}

// TestMissedRepliesAreNoChange misses one reply in ten in both results.
func TestMissedRepliesAreNoChange(t *testing.T) {
	flows := []string{"1 2 5 8 d", "1 3 6 8 d", "1 4 7 8 d", "1 2 6 8 d"}
	for seed := range seeds(100) {
		r := rand.New(rand.NewPCG(seed, 13))
		d := picture.Merge(picture.Of(again(t, flows, r, 10, 0)), picture.Of(again(t, flows, r, 10, 0)))
		if got := statuses(d); got != nil {
			t.Errorf("seed %d: %q", seed, got)
		}
	}
}

// TestGroupOfTwo groups a drawing of two results.
func TestGroupOfTwo(t *testing.T) {
	const owners = "1=1 2=1 3=2 4=2 5=3 6=3"
	before := picture.Of(owned(traceOf(t, "1 2 3 4 d", "1 2 3 4 d", "1 2 5 6 d"), owners))
	after := picture.Of(owned(traceOf(t, "1 2 3 4 d", "1 2 3 4 d", "1 2 3 4 d"), owners))
	d := picture.Merge(before, after).Group(picture.ByAS)
	want := []string{"gone as1 → as3", "gone as3", "gone as3 → destination", "gone source, as1, as3, destination"}
	if diff := cmp.Diff(want, statuses(d)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if n := find(t, d, "as2"); n.Flows != 3 || n.Share != 1 || n.Before == nil || n.Before.Flows != 2 {
		t.Errorf("%+v, before %+v", n, n.Before)
	}
	if l := link(t, d, "as1", "as3"); l.Flows != 1 || l.Share < 0.33 || l.Share > 0.34 {
		t.Errorf("%+v", l)
	}
}
