// SPDX-License-Identifier: BSD-3-Clause

package picture_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/internal/picture"
)

// annotated gives addresses of traceOf owners: 1 to 9 and the source are of AS64500, 11
// to 19 of AS64501, 21 to 29 of AS64502, 31 to 39 and the destination of AS64503; 41
// and so on are ports of AS64501 on the peering LAN of EX-IX.
func annotated(t *traceflow.Trace) *traceflow.Trace {
	t.Annotations = traceflow.Annotations{}
	add := func(address string, asn uint32, port bool) {
		a := traceflow.Annotation{Address: netip.MustParseAddr(address)}
		if port {
			a.Port = traceflow.Port{IXP: "EX-IX", Prefix: netip.MustParsePrefix("198.51.100.40/29"), Member: asn}
		} else {
			a.Origin = traceflow.Origin{ASNs: []uint32{asn}, Prefix: netip.PrefixFrom(a.Address, 30), Source: "mine"}
		}
		t.Annotations = append(t.Annotations, a)
	}
	add("192.0.2.10", 64500, false)
	for n := 1; n < 50; n++ {
		add(fmt.Sprintf("198.51.100.%d", n), []uint32{64500, 64501, 64502, 64503, 64501}[n/10], n >= 40)
	}
	add("203.0.113.9", 64503, false)
	slices.SortFunc(t.Annotations, func(a, b traceflow.Annotation) int { return a.Address.Compare(b.Address) })
	t.DataSets = []traceflow.DataSet{{Name: "mine", Kind: traceflow.KindPrefixes}}
	return t
}

// flows repeats what flows met.
func flows(n int, lines ...string) []string {
	var out []string
	for _, line := range lines {
		out = append(out, slices.Repeat([]string{line}, n)...)
	}
	return out
}

// tagsOf lists the tags of a drawing.
func tagsOf(d *picture.Drawing) []string {
	out := []string{}
	for i := range d.Nodes {
		for _, tag := range d.Nodes[i].Tags {
			text := strings.ReplaceAll(d.Nodes[i].ID, "198.51.100.", "") + ": " + tag.Label
			if tag.Status != picture.Unchanged {
				text += ", " + string(tag.Status)
			}
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return out
}

// The ways out that the tests draw.
const (
	left   = "1 2 11 12 31 d"
	right  = "1 2 21 22 31 d"
	port1  = "1 2 41 12 31 d"
	port2  = "1 2 42 12 31 d"
	farA   = "1 3 5 11 12 31 d"
	farB   = "1 4 6 21 22 31 d"
	lost   = "1 2 * 22 31 d"
	second = "1 2 13 14 31 d"
)

func TestTags(t *testing.T) {
	tests := []struct {
		name  string
		flows []string
		want  []string
	}{
		{"relax", flows(8, left, right), []string{"2/2: relax"}},
		{"ports", flows(8, port1, port2), []string{"2/2: 2 ports", "3/41: port 1 of 2", "3/42: port 2 of 2"}},
		{"several exits", flows(8, farA, farB), []string{"1/1: 2 exits"}},
		{"links to one AS", flows(8, left, second), []string{"2/2: 2 links"}},
		{"at the source", flows(8, "2 11 12 31 d", "3 21 22 31 d"), []string{"source: 2 exits"}},
		{"interfaces that share an address", flows(8, "1 2 41#1 12 31 d", "1 2 41#2 12 31 d"), []string{"2/2: 2 ports", "3/41#1: port 1 of 2", "3/41#2: port 2 of 2"}},
		{"relax at one of two exits", flows(8, left, right, farA), []string{"1/1: 2 exits", "2/2: relax"}},
		{"silence", flows(8, left, right, lost), []string{"2/2: exits?"}},
		{"too few flows", append(flows(8, left), right, right), []string{"2/2: relax"}},
		{"one flow alone is not told of", append(flows(8, left), right), []string{}},
		{"one way", flows(8, left), []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := picture.Of(annotated(traceOf(t, tt.flows...)))
			got := tagsOf(d)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			d.Place(nil)
			for i := range d.Nodes {
				n := &d.Nodes[i]
				if len(n.Tags) > 0 && (n.TagTop(0) < 10 || n.TagTop(len(n.Tags)-1)+picture.TagHeight > n.Below) {
					t.Errorf("tags of %s have no room: %d to %d", n.ID, n.TagTop(0), n.Below)
				}
			}
		})
	}
}

// TestTagsOfStations draws exits of owners and of wide columns.
func TestTagsOfStations(t *testing.T) {
	d := picture.Of(annotated(traceOf(t, flows(8, port1, port2)...)))
	if diff := cmp.Diff([]string{"as64500: 2 ports"}, tagsOf(d.Group(picture.ByAS))); diff != "" {
		t.Errorf("by AS (-want +got)\n%s", diff)
	}
	d.Fold(1)
	d.Place(nil)
	if diff := cmp.Diff([]string{"2/2: 2 ports"}, tagsOf(d)); diff != "" {
		t.Errorf("ports in a bar (-want +got)\n%s", diff)
	}
	wide := picture.Of(annotated(traceOf(t, flows(8, left, right, "1 3 * 22 31 d")...)))
	wide.Fold(1)
	wide.Place(nil)
	if diff := cmp.Diff([]string{"1/1: exits?", "2/bar: relax"}, tagsOf(wide)); diff != "" {
		t.Errorf("a border in a bar (-want +got)\n%s", diff)
	}
}

// TestManyExits has more exits than a drawing tells of.
func TestManyExits(t *testing.T) {
	var lines []string
	for k := range 30 {
		first := fmt.Sprintf("%d %d ", 100+3*k, 101+3*k)
		lines = append(lines, flows(6, first+"11 12 31 d", first+"21 22 31 d")...)
	}
	trace := annotated(traceOf(t, lines...))
	for n := 100; n < 190; n++ {
		trace.Annotations = append(trace.Annotations, traceflow.Annotation{
			Address: netip.MustParseAddr(fmt.Sprintf("198.51.100.%d", n)),
			Origin:  traceflow.Origin{ASNs: []uint32{uint32(65000 + (n-100)/3)}, Source: "mine"},
		})
	}
	slices.SortFunc(trace.Annotations, func(a, b traceflow.Annotation) int { return a.Address.Compare(b.Address) })
	d := picture.Of(trace)
	if all := len(trace.Exits()); all < 30 || len(d.Exits) != 24 || len(d.Exits)+d.More > all {
		t.Errorf("%d exits, %d drawn and %d more", all, len(d.Exits), d.More)
	}
	if got := len(tagsOf(d)); got < 20 || got > 24 {
		t.Errorf("%d tags", got)
	}
}

func TestMergedTags(t *testing.T) {
	tests := []struct {
		name          string
		before, after []string
		confirmed     bool
		want          []string
	}{
		{"the same", flows(8, left, right), flows(8, left, right), true, []string{"2/2: relax"}},
		{"turned off", flows(8, left, right), flows(16, left), true, []string{"2/2: relax, gone"}},
		{"turned on", flows(16, left), flows(8, left, right), true, []string{"2/2: relax, new"}},
		{"nobody says that it is off", flows(8, left, right), flows(16, left), false, []string{}},
		{"nobody says that it is on", flows(16, left), flows(8, left, right), false, []string{"2/2: relax"}},
		{"cannot be told after", flows(8, left, right), flows(8, left, right, lost), false, []string{"2/2: exits?"}},
		{"ports for an AS", flows(8, left, right), flows(8, port1, port2), true, []string{"2/2: 2 ports, new", "2/2: relax, gone", "3/41: port 1 of 2, new", "3/42: port 2 of 2, new"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := picture.Merge(picture.Of(annotated(traceOf(t, tt.before...))), picture.Of(annotated(traceOf(t, tt.after...))))
			d.ConfirmExits(func(*picture.Exit) bool { return tt.confirmed })
			if diff := cmp.Diff(tt.want, tagsOf(d)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if by := d.Group(picture.ByAS); by != nil && len(tagsOf(by)) > len(tt.want) {
				t.Errorf("by AS: %v", tagsOf(by))
			}
		})
	}
}
