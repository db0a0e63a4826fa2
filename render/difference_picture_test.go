// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/internal/diff"
	"traceflow/internal/plan"
	"traceflow/render"
)

// drawnDifference is what a page has of a difference, as far as tests look at it.
type drawnDifference struct {
	Heading struct {
		Difference struct {
			Word, Line, Severity string
			Events               []struct{ Label, Title string }
			More                 int
		}
	}
	Drawing struct {
		Merged bool
		Nodes  []struct {
			ID, Status string
			Flows      int
			Before     *struct{ Flows int }
		}
		Links []struct{ From, To, Status string }
	}
	Flows []struct{ ID int }
	Paths []struct {
		ID                   int
		Status               string
		Flows, Sent, Replies []int
		Nodes, Verdict       []string
		Median               []int `json:"median_us"`
		Before               *struct{ Flows int }
	}
}

func drawnOf(t *testing.T, d *render.Difference) (p drawnDifference) {
	t.Helper()
	page := differenceAs(t, render.DifferenceHTML, d, render.Options{})
	data := dataOfPage.FindStringSubmatch(page)
	if data == nil {
		t.Fatal("the page has no data")
	}
	if err := json.Unmarshal([]byte(data[1]), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// differenceOf compares two targets, of which each line is a flow, in two passes.
func differenceOf(t *testing.T, targets ...sides) *render.Difference {
	t.Helper()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	d := &render.Difference{
		Before: render.Compared{File: "before.tfs", Snapshot: snapshotOf(t, at, targets, func(s sides) []string { return s.before })},
		After:  render.Compared{File: "after.tfs", Snapshot: snapshotOf(t, at.Add(time.Hour), targets, func(s sides) []string { return s.after })},
	}
	var err error
	if d.Report, err = diff.Snapshots(d.Before.Snapshot, d.After.Snapshot, nil, plan.Policy{}); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDifferenceDrawing wants nothing gone or new that the comparison does not call
// so: silence, another hash, and what too few flows would have met.
func TestDifferenceDrawing(t *testing.T) {
	short := strings.NewReplacer("192.0.2.1", "r", "198.51.100.129", "c", "198.51.100.", "", "203.0.113.9", "d")
	wide := func(members ...int) (out []string) {
		for _, m := range members {
			out = append(out, fmt.Sprintf("192.0.2.1 198.51.100.%d 198.51.100.129 203.0.113.9", m))
		}
		return out
	}
	tests := []struct {
		name          string
		before, after []string
		want          []string
		severity      diff.Severity
	}{
		{name: "nothing", before: times(8, memberA, memberB), after: times(8, memberA, memberB)},
		{
			name: "silence", before: times(8, memberA, memberB), after: times(8, memberA, "192.0.2.1 * 198.51.100.129 203.0.113.9"),
		},
		{
			name: "silence before", before: times(8, memberA, "192.0.2.1 * * 203.0.113.9"), after: times(8, memberA, memberB),
		},
		{
			name: "another hash", before: times(8, memberA, memberB), after: times(8, memberB, memberA), severity: diff.Info,
		},
		{
			name:   "another hash over more next hops than flows meet",
			before: wide(1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 7), after: wide(2, 1, 4, 3, 6, 5, 2, 1, 4, 3, 6, 5, 3, 1, 2, 8),
			severity: diff.Inconclusive,
		},
		{
			name: "one flow on a way of its own", before: times(8, memberA, memberB), after: append(times(7, memberA, memberB), memberA, away),
			want:     []string{"new 2/66", "new 3/67", "new 1/r > 2/66", "new 2/66 > 3/67", "new 3/67 > 4/d"},
			severity: diff.Review,
		},
		{
			name: "a next hop gone", before: times(6, memberA, memberB, memberC), after: times(6, memberA, memberB, memberB),
			want:     []string{"gone 2/3", "gone 1/r > 2/3", "gone 2/3 > 3/c"},
			severity: diff.Regression,
		},
		{
			name: "a next hop new", before: times(6, memberA, memberB, memberB), after: times(6, memberA, memberB, memberC),
			want:     []string{"new 2/3", "new 1/r > 2/3", "new 2/3 > 3/c"},
			severity: diff.Review,
		},
		{
			name: "another way", before: times(8, memberA, memberB), after: times(8, away, away2),
			want: []string{
				"gone 2/1", "gone 2/2", "gone 3/c", "gone 1/r > 2/1", "gone 1/r > 2/2", "gone 2/1 > 3/c", "gone 2/2 > 3/c", "gone 3/c > 4/d",
				"new 2/66", "new 2/68", "new 3/67", "new 1/r > 2/66", "new 1/r > 2/68", "new 2/66 > 3/67", "new 2/68 > 3/67", "new 3/67 > 4/d",
			},
			severity: diff.Review,
		},
		{
			name: "the destination lost", before: times(16, memberA), after: times(16, broken),
			want:     []string{"gone 3/c", "gone 4/d", "gone 2/1 > 3/c", "gone 3/c > 4/d"},
			severity: diff.Regression,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := differenceOf(t, sides{"www.example.net", tt.before, tt.after})
			if d.Severity() != tt.severity {
				t.Errorf("%v, want %v:\n%s", d.Severity(), tt.severity, differenceAs(t, render.DifferenceText, d, render.Options{}))
			}
			p := drawnOf(t, d)
			var got []string
			add := func(status, what string) {
				if status != "" {
					got = append(got, short.Replace(status+" "+what))
				}
			}
			for _, n := range p.Drawing.Nodes {
				add(n.Status, n.ID)
			}
			for _, l := range p.Drawing.Links {
				add(l.Status, l.From+" > "+l.To)
			}
			want := slices.Clone(tt.want)
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			pathsHold(t, p, len(tt.want) > 0)
		})
	}
}

// pathsHold wants the figures of every path to be as many as its hops, every flow on
// one path now, and paths that are gone or new only where something is.
func pathsHold(t *testing.T, p drawnDifference, changed bool) {
	t.Helper()
	now := make(map[int]int)
	for _, path := range p.Paths {
		hops := len(path.Nodes) - 1
		if len(path.Sent) != hops || len(path.Replies) != hops || len(path.Median) != hops || len(path.Verdict) != hops {
			t.Errorf("path %d has %d hops, and figures of %d, %d, %d, %d", path.ID, hops, len(path.Sent), len(path.Replies), len(path.Median), len(path.Verdict))
		}
		if path.Status != "" && !changed {
			t.Errorf("path %d is %s", path.ID, path.Status)
		}
		if path.Status != "gone" {
			for _, f := range path.Flows {
				now[f]++
			}
		}
	}
	for _, f := range p.Flows {
		if now[f.ID] != 1 {
			t.Errorf("flow %d is on %d paths now", f.ID, now[f.ID])
		}
	}
	if !p.Drawing.Merged {
		t.Error("the drawing is not of two results")
	}
}

// TestDifferenceDrawingCountsFlows wants flows before and after at an unchanged node.
func TestDifferenceDrawingCountsFlows(t *testing.T) {
	p := drawnOf(t, differenceNamed(t, "width"))
	for _, n := range p.Drawing.Nodes {
		if n.ID == "2/198.51.100.2" && (n.Flows != 12 || n.Before == nil || n.Before.Flows != 6) {
			t.Errorf("%+v, before %+v; want 12 flows, 6 before", n, n.Before)
		}
	}
	if h := p.Heading.Difference; h.Word != "REGRESSION" || h.Severity != "regression" || len(h.Events) != 1 || h.Events[0].Label != "regression" {
		t.Errorf("%+v", h)
	}
}

// TestDifferenceTarget picks the target that pictures show.
func TestDifferenceTarget(t *testing.T) {
	tests := []struct {
		target, event, missing string
		more                   int
	}{
		{"", "c.example.net", "", 1},
		{"c.example.net", "c.example.net", "", 1},
		{"b.example.net", "2 of 3 targets", "", 2},
		{"203.0.113.9", "2 of 3 targets", "", 2}, // the first of that address
		{"d.example.net", "", `no target "d.example.net" in the snapshots: there are a.example.net, b.example.net, c.example.net`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			d := differenceNamed(t, "three")
			d.Target = tt.target
			if tt.missing != "" {
				var none *render.NoTargetError
				if err := render.DifferenceSVG(io.Discard, d, render.Options{}); !errors.As(err, &none) || err.Error() != tt.missing {
					t.Errorf("error %v, want %s", err, tt.missing)
				}
				return
			}
			got := drawnOf(t, d).Heading.Difference
			if len(got.Events) == 0 || !strings.HasPrefix(got.Events[0].Title, tt.event) || got.More != tt.more {
				t.Errorf("%+v; want one of %s, and %d more", got, tt.event, tt.more)
			}
		})
	}
}

// TestDifferenceSVG wants the verdict above the drawing and signs beside colours, and
// text of strangers to be text.
func TestDifferenceSVG(t *testing.T) {
	d := differenceOf(t, sides{evil, times(8, memberA, memberB), times(8, away, away2)})
	for _, s := range d.Before.Snapshot.Targets[0].Passes {
		s.Annotations = append(s.Annotations, traceflow.Annotation{Address: s.Destination.Address, Hostname: traceflow.Hostname{Name: evil}})
	}
	out := differenceAs(t, render.DifferenceSVG, d, render.Options{})
	for _, want := range []string{">CHANGE: ", ">−</text>", ">+</text>", ">gone</text>", ">new</text>", "Before: before.tfs"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s", want)
		}
	}
	decoder := xml.NewDecoder(strings.NewReader(out))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "script" {
			t.Error("a script")
		}
	}
}
