// SPDX-License-Identifier: BSD-3-Clause

package picture_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/internal/picture"
)

func TestConfirm(t *testing.T) {
	never := func(string) bool { return false }
	tests := []struct {
		name          string
		before, after []string
		node, link    func(id string) bool // of a link its last end
		want          []string
	}{
		{name: "nothing is called", before: []string{"1 2 4 d", "1 3 4 d"}, after: []string{"1 2 4 d", "1 5 4 d"}, node: never, link: never},
		{
			name: "a node, and so its links and paths", before: []string{"1 2 4 d", "1 3 4 d"}, after: []string{"1 2 4 d", "1 5 4 d"},
			node: func(id string) bool { return id == "2/"+a+"3" }, link: never,
			want: []string{"gone 1/1 → 2/3", "gone 2/3", "gone 2/3 → 3/4", "gone source, 1/1, 2/3, 3/4, 4/d"},
		},
		{
			name: "a link alone", before: []string{"1 2 4 d", "1 3 5 d"}, after: []string{"1 2 5 d", "1 3 4 d"},
			node: never, link: func(to string) bool { return to == "3/"+a+"4" },
			want: []string{
				"gone 2/2 → 3/4", "gone source, 1/1, 2/2, 3/4, 4/d", "new 2/3 → 3/4", "new source, 1/1, 2/3, 3/4, 4/d",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := picture.Merge(picture.Of(traceOf(t, tt.before...)), picture.Of(traceOf(t, tt.after...)))
			d.Confirm(func(n *picture.Node) bool { return tt.node(n.ID) }, func(l *picture.Link) bool { return tt.link(l.To) })
			if diff := cmp.Diff(tt.want, statuses(d)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			for i := range d.Nodes {
				if n := &d.Nodes[i]; n.Status == picture.Unchanged && n.Kind != picture.Source && n.Before == nil {
					t.Errorf("%s is unchanged, and nothing says what it was", n.ID)
				}
			}
			d.Fold(picture.Dense)
			d.Place(nil)
		})
	}
}

// TestConfirmTellsBoth wants what is not called gone or new to be there in the result
// that showed it, and by no flow in the other.
func TestConfirmTellsBoth(t *testing.T) {
	d := picture.Merge(picture.Of(traceOf(t, "1 2 4 d", "1 3 4 d")), picture.Of(traceOf(t, "1 2 4 d", "1 5 4 d")))
	d.Confirm(func(*picture.Node) bool { return false }, func(*picture.Link) bool { return false })
	if n := find(t, d, "2/"+a+"3"); n.Flows != 0 || n.Before.Flows != 1 || n.Replies != 0 || n.Before.Replies != 1 {
		t.Errorf("was gone: %+v, before %+v", n, n.Before)
	}
	if n := find(t, d, "2/"+a+"5"); n.Flows != 1 || n.Before.Flows != 0 {
		t.Errorf("was new: %+v, before %+v", n, n.Before)
	}
}

// TestMergeTellsDestinationsApart merges flows that differ in their destination only.
func TestMergeTellsDestinationsApart(t *testing.T) {
	before, after := traceOf(t, "1 2 4 d", "1 3 4 d"), traceOf(t, "1 2 4 d", "1 3 4 d")
	for _, trace := range []*traceflow.Trace{before, after} {
		to := trace.Destination.Address
		for i := range trace.Flows {
			to = to.Next()
			trace.Flows[i].SourcePort, trace.Flows[i].Destination = 7, to
		}
	}
	d := picture.Merge(picture.Of(before), picture.Of(after))
	if len(d.Flows) != 2 || len(statuses(d)) != 0 {
		t.Errorf("%d flows, %v", len(d.Flows), statuses(d))
	}
}
