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

	"traceflow"
	"traceflow/internal/picture"
)

// owned gives addresses of a trace owners: "1=64500 2=64500 9=ix" by their last
// part. The destination is "d".
func owned(t *traceflow.Trace, table string) *traceflow.Trace {
	for row := range strings.FieldsSeq(table) {
		last, who, _ := strings.Cut(row, "=")
		an := traceflow.Annotation{Address: t.Destination.Address}
		if last != "d" {
			an.Address = netip.MustParseAddr(a + last)
		}
		var asn uint32
		if _, err := fmt.Sscan(who, &asn); err == nil {
			an.Origin = traceflow.Origin{ASNs: []uint32{asn}, Name: "OWNER"}
			an.Place = traceflow.Place{City: fmt.Sprintf("Town %d", asn%10), Country: "DE"}
		} else {
			an.Port = traceflow.Port{IXP: "IX " + who}
		}
		t.Annotations = append(t.Annotations, an)
	}
	slices.SortFunc(t.Annotations, func(x, y traceflow.Annotation) int { return x.Address.Compare(y.Address) })
	return t
}

// ways returns the distinct ways of a drawing's paths.
func ways(d *picture.Drawing) []string {
	var out []string
	for i := range d.Paths {
		if way := strings.Join(d.Paths[i].Nodes, " "); !slices.Contains(out, way) {
			out = append(out, way)
		}
	}
	return out
}

func linksOf(d *picture.Drawing) []string {
	var out []string
	for i := range d.Links {
		l := &d.Links[i]
		text := fmt.Sprintf("%s-%s %d", l.From, l.To, l.Flows)
		if l.Inferred {
			text += " inferred"
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

func TestGroupByAS(t *testing.T) {
	tests := []struct {
		name   string
		flows  []string
		owners string
		ways   []string
		links  []string // if they are looked at
	}{
		{
			name: "owners follow each other", flows: []string{"1 2 3 4 d", "1 2 3 5 d"}, owners: "1=1 2=1 3=2 4=2 5=2 d=3",
			ways:  []string{"source as1 as2 destination"},
			links: []string{"as1-as2 2", "as2-destination 2", "source-as1 2"},
		},
		{
			name: "silence within an owner is the owner's", flows: []string{"1 * 2 3 d"}, owners: "1=1 2=1 3=2",
			ways: []string{"source as1 as2 destination"},
		},
		{
			name: "so is an address in no table", flows: []string{"1 9 2 3 d"}, owners: "1=1 2=1 3=2",
			ways: []string{"source as1 as2 destination"},
		},
		{
			name: "silence between owners is nobody's", flows: []string{"1 2 * 3 d", "1 4 * 3 d"}, owners: "1=1 2=1 3=2 4=1",
			ways:  []string{"source as1 silent/as1>as2 as2 destination"},
			links: []string{"as1-silent/as1>as2 2 inferred", "as2-destination 2", "silent/as1>as2-as2 2 inferred", "source-as1 2"},
		},
		{
			name: "addresses in no table are one station behind an owner", flows: []string{"8 1 2 d", "8 9 3 4 d", "8 * 3 d"}, owners: "1=1 2=1 3=2 4=2",
			ways: []string{
				"source unknown/source as1 destination", "source unknown/source as2 destination",
				"source unknown/source silent/unknown/source>as2 as2 destination",
			},
		},
		{
			name: "a third party is no border", flows: []string{"1 2 9 3 4 d"}, owners: "1=1 2=1 9=7 3=1 4=2",
			ways: []string{"source as1 as2 destination"},
		},
		{
			name: "an owner met again is another station", flows: []string{"1 2 3 4 5 6 d"}, owners: "1=1 2=1 3=2 4=2 5=1 6=1",
			ways: []string{"source as1 as2 as1:2 destination"},
		},
		{
			name: "paths of unequal length end together", flows: []string{"1 2 3 d", "1 4 5 6 d"}, owners: "1=1 2=2 3=2 4=3 5=2 6=2",
			ways: []string{"source as1 as2 destination", "source as1 as3 as2 destination"},
		},
		{
			name: "owners in another order", flows: []string{"1 2 3 d", "1 3 2 d", "1 1 2 d"}, owners: "1=1 2=2 3=3",
			ways: []string{"source as1 as2 as3 destination", "source as1 as3 as2:2 destination", "source as1 as2 destination"},
		},
		{
			name: "the exchange point where the member is not known", flows: []string{"1 2 9 3 d"}, owners: "1=1 2=1 9=x 3=2",
			ways: []string{"source as1 ix-f8ee60df5afb as2 destination"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := picture.Of(owned(traceOf(t, tt.flows...), tt.owners)).Group(picture.ByAS)
			if d == nil {
				t.Fatal("nothing to group")
			}
			if diff := cmp.Diff(tt.ways, ways(d)); diff != "" {
				t.Errorf("ways (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(tt.links, linksOf(d)); tt.links != nil && diff != "" {
				t.Errorf("links (-want +got)\n%s", diff)
			}
		})
	}
}

func TestGroupOfNothingKnown(t *testing.T) {
	for name, flows := range networks {
		for _, by := range picture.Groupings {
			if d := picture.Of(traceOf(t, flows...)).Group(by); d != nil {
				t.Errorf("%s by %s: %d stations", name, by, len(d.Nodes))
			}
		}
	}
}

// TestGroupFigures wants of a station what its members measured.
func TestGroupFigures(t *testing.T) {
	trace := owned(traceOf(t, "1 2 3 4 d", "1 2 3 5 d", "1 2 * 5 d"), "1=1 2=1 3=2 4=2 5=2")
	d := picture.Of(trace).Group(picture.ByAS)
	d.Place(nil)
	n := find(t, d, "as2")
	want := picture.RTT{Min: 6000, Median: 8000, P95: 8000, Max: 8000}
	if n.Kind != picture.Group || n.RTT != want || n.Flows != 3 || n.Addresses != 3 || n.ASN != 2 {
		t.Errorf("%+v", n)
	}
	if diff := cmp.Diff([]string{"AS2 OWNER", "3 addresses", "6.0–8.0 ms"}, n.Lines); diff != "" {
		t.Errorf("lines (-want +got)\n%s", diff)
	}
	if l := link(t, d, "as1", "as2"); l.Delta == nil || *l.Delta != 2000 || l.Inferred || l.Share != 1 {
		t.Errorf("%+v", l)
	}
}

// randomTrace has paths through random routers of random owners, some of whom are
// not known.
func randomTrace(t testing.TB, seed uint64) *traceflow.Trace {
	r := rand.New(rand.NewPCG(seed, 7))
	var flows []string
	for range 2 + r.IntN(30) {
		var cells []string
		for range 2 + r.IntN(9) {
			switch host := 1 + r.IntN(40); {
			case r.IntN(6) == 0:
				cells = append(cells, "*")
			case host%10 == 0:
				cells = append(cells, fmt.Sprintf("%d#%d", host, 1+r.IntN(3)))
			default:
				cells = append(cells, fmt.Sprint(host))
			}
		}
		if r.IntN(5) > 0 {
			cells = append(cells, "d")
		}
		flows = append(flows, strings.Join(cells, " "))
	}
	var table []string
	for i := 1; i <= 40; i++ {
		switch r.IntN(8) {
		case 0:
		case 1:
			table = append(table, fmt.Sprintf("%d=x%d", i, i%3))
		default:
			table = append(table, fmt.Sprintf("%d=%d", i, 1+i/8))
		}
	}
	return owned(traceOf(t, flows...), strings.Join(table, " "))
}

// TestGroupsAreTrue checks what may be said of every grouped drawing.
func TestGroupsAreTrue(t *testing.T) {
	for seed := range uint64(25) {
		from := picture.Of(randomTrace(t, seed))
		for _, by := range picture.Groupings {
			d := from.Group(by)
			if d == nil {
				continue
			}
			name := fmt.Sprintf("seed %d by %s", seed, by)
			checkGroup(t, name, from, d)
			d.Fold(picture.Dense)
			d.Place(nil)
			checkStations(t, name, d)
		}
	}
}

func checkGroup(t *testing.T, name string, from, d *picture.Drawing) {
	t.Helper()
	members, column, ids := make(map[string][]string), make(map[string]int), make(map[string]bool)
	for i := range d.Nodes {
		n := &d.Nodes[i]
		if ids[n.ID] {
			t.Errorf("%s: two stations %s", name, n.ID)
		}
		ids[n.ID] = true
		members[n.ID], column[n.ID] = n.Stations, n.TTL
	}
	single := make(map[[2]string]*picture.Link)
	for i := range from.Links {
		single[[2]string{from.Links[i].From, from.Links[i].To}] = &from.Links[i]
	}
	grouped := make(map[[2]string]*picture.Link)
	for i := range d.Links {
		l := &d.Links[i]
		grouped[[2]string{l.From, l.To}] = l
		met, seen := false, false
		for _, x := range members[l.From] {
			for _, y := range members[l.To] {
				if s := single[[2]string{x, y}]; s != nil {
					met, seen = true, seen || !s.Inferred
				}
			}
		}
		if !met || !l.Inferred && !seen {
			t.Errorf("%s: link from %s to %s: members met %v, seen %v", name, l.From, l.To, met, seen)
		}
		if column[l.From] >= column[l.To] {
			t.Errorf("%s: link from %s in column %d to %s in %d", name, l.From, column[l.From], l.To, column[l.To])
		}
	}
	for i := range d.Paths {
		if d.Paths[i].ID != from.Paths[i].ID {
			t.Fatalf("%s: path %d is %d", name, from.Paths[i].ID, d.Paths[i].ID)
		}
		checkWalk(t, name, from.Paths[i].Nodes, d.Paths[i].Nodes, members, single, grouped)
	}
}

// checkWalk wants each node of a path in a station, so that these are met in the
// order of the grouped path, and a link between two of them wherever there is one
// between the nodes. A node may be in several of them.
func checkWalk(t *testing.T, name string, nodes, stations []string, members map[string][]string, single, grouped map[[2]string]*picture.Link) {
	t.Helper()
	at := map[int]bool{0: true} // where the walk may be
	for j, id := range nodes {
		next := make(map[int]bool)
		for k := range at {
			if slices.Contains(members[stations[k]], id) {
				next[k] = true
			}
			if k+1 == len(stations) || j == 0 || !slices.Contains(members[stations[k+1]], id) {
				continue
			}
			if single[[2]string{nodes[j-1], id}] == nil || grouped[[2]string{stations[k], stations[k+1]}] != nil {
				next[k+1] = true
			}
		}
		at = next
	}
	if !at[len(stations)-1] {
		t.Errorf("%s: %v is no walk along %v", name, nodes, stations)
	}
}

// checkStations wants no two stations over each other, and links that pass between
// them.
func checkStations(t *testing.T, name string, d *picture.Drawing) {
	t.Helper()
	for i := range d.Nodes {
		x := &d.Nodes[i]
		for j := range i {
			y := &d.Nodes[j]
			if x.X < y.X+y.W && y.X < x.X+x.W && x.Y-x.Above < y.Y+y.Below && y.Y-y.Above < x.Y+x.Below {
				t.Errorf("%s: %s and %s overlap", name, x.ID, y.ID)
			}
		}
	}
	for i := range d.Links {
		l := &d.Links[i]
		from := find(t, d, l.From).TTL
		if want := find(t, d, l.To).TTL - from - 1; len(l.Via) != want {
			t.Errorf("%s: %s to %s passes %d columns, want %d", name, l.From, l.To, len(l.Via), want)
		}
		for j, y := range l.Via {
			for k := range d.Nodes {
				if n := &d.Nodes[k]; n.TTL == from+1+j && n.Y-n.Above < y && y < n.Y+n.Below {
					t.Errorf("%s: %s to %s runs through %s", name, l.From, l.To, n.ID)
				}
			}
		}
	}
}

// TestGroupRefreshMovesNothing draws groups again with other shares.
func TestGroupRefreshMovesNothing(t *testing.T) {
	for seed := range uint64(15) {
		trace := randomTrace(t, seed)
		for _, by := range picture.Groupings {
			first, again := picture.Of(trace).Group(by), picture.Of(trace).Group(by)
			if first == nil {
				continue
			}
			first.Place(nil)
			again.Place(first)
			if diff := cmp.Diff(places(first), places(again)); diff != "" {
				t.Errorf("seed %d by %s (-want +got)\n%s", seed, by, diff)
			}
		}
	}
}

func TestGroupByRouter(t *testing.T) {
	d := picture.Of(traceOf(t, "1 2#11 3 d", "1 2#12 4 d", "1 5 3 d"))
	find(t, d, "2/"+a+"2#11")
	find(t, d, "2/"+a+"2#12")
	g := d.Group(picture.ByRouter)
	n := find(t, g, "2/"+a+"2")
	if diff := cmp.Diff([]string{"2/" + a + "2#11", "2/" + a + "2#12"}, n.Stations); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if n.Kind != picture.Router || n.Flows != 2 || n.TTL != 2 || len(g.Nodes) != len(d.Nodes)-1 {
		t.Errorf("%+v, %d of %d nodes", n, len(g.Nodes), len(d.Nodes))
	}
	if l := link(t, g, "1/"+a+"1", n.ID); l.Flows != 2 || l.Share < 0.66 || l.Share > 0.67 {
		t.Errorf("%+v", l)
	}
}
