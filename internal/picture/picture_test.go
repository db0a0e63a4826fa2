// SPDX-License-Identifier: BSD-3-Clause

package picture_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"traceflow"
	"traceflow/internal/picture"
)

func draw(t *traceflow.Trace, before *picture.Drawing) *picture.Drawing {
	d := picture.Of(t)
	d.Fold(picture.Dense)
	d.Place(before)
	return d
}

// many returns n flows through layers of routers, some of which are silent.
func many(n, layers, width int) []string {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	var out []string
	for range n {
		var cells []string
		for ttl := range layers {
			host := 1 + (ttl*width+r.IntN(width))%250
			if cells = append(cells, fmt.Sprint(host)); host%11 == 0 {
				cells[ttl] = "*"
			}
		}
		out = append(out, strings.Join(append(cells, "d"), " "))
	}
	return out
}

var networks = map[string][]string{
	"line":    {"1 2 3 d"},
	"fork":    {"1 2 4 d", "1 3 4 d", "1 * 4 d"},
	"unequal": {"1 2 d", "1 3 4 d", "1 5 6 7 d"},
	"ends":    {"1 2 * * *", "1 3x", "1 4 5 d"},
	"nothing": {"* * *"},
	"wide":    many(300, 3, 80),
	"many":    many(255, 29, 12),
}

func TestNothingOverlaps(t *testing.T) {
	for name, flows := range networks {
		t.Run(name, func(t *testing.T) {
			d := draw(traceOf(t, flows...), nil)
			for i := range d.Nodes {
				a := &d.Nodes[i]
				if a.X < 0 || a.X+a.W > d.Width || a.Y-a.Above < 0 || a.Y+a.Below > d.Height {
					t.Errorf("%s stands outside of %d × %d: %+v", a.ID, d.Width, d.Height, a)
				}
				for j := range i {
					b := &d.Nodes[j]
					if a.X < b.X+b.W && b.X < a.X+a.W && a.Y-a.Above < b.Y+b.Below && b.Y-b.Above < a.Y+a.Below {
						t.Errorf("%s and %s overlap", a.ID, b.ID)
					}
				}
			}
		})
	}
}

// TestRefreshMovesNothing draws a network again with other round trips and
// shares, and wants all at its place.
func TestRefreshMovesNothing(t *testing.T) {
	for name, flows := range networks {
		t.Run(name, func(t *testing.T) {
			first := draw(traceOf(t, flows...), nil)
			later := traceOf(t, slices.Concat(flows, flows[:len(flows)/2])...)
			for i := range later.Exchanges {
				later.Exchanges[i].Reply.RTT *= time.Duration(1 + i%90)
			}
			for _, before := range []*picture.Drawing{nil, first} {
				again := draw(later, before)
				if diff := cmp.Diff(places(first), places(again)); diff != "" {
					t.Errorf("before %v (-want +got)\n%s", before != nil, diff)
				}
				if first.Width != again.Width || first.Height != again.Height {
					t.Errorf("%d × %d, then %d × %d", first.Width, first.Height, again.Width, again.Height)
				}
			}
		})
	}
}

func places(d *picture.Drawing) map[string]string {
	out := make(map[string]string)
	for i := range d.Nodes {
		n := &d.Nodes[i]
		out[n.ID] = fmt.Sprintf("%d %d %d", n.X, n.Y, n.W)
	}
	return out
}

// TestGrowthKeepsOrder adds flows one by one, as a live trace does.
func TestGrowthKeepsOrder(t *testing.T) {
	flows := []string{"1 2 6 d", "1 4 6 d", "1 3 6 d", "1 5 7 d", "1 * 7 d"}
	var before *picture.Drawing
	for n := 1; n <= len(flows); n++ {
		d := draw(traceOf(t, flows[:n]...), before)
		if before != nil {
			was, is := order(before), order(d)
			is = slices.DeleteFunc(is, func(id string) bool { return !slices.Contains(was, id) })
			if diff := cmp.Diff(was, is); diff != "" {
				t.Errorf("with %d flows (-want +got)\n%s", n, diff)
			}
		}
		before = d
	}
}

// order returns the nodes by column and height.
func order(d *picture.Drawing) []string {
	nodes := slices.Clone(d.Nodes)
	slices.SortFunc(nodes, func(a, b picture.Node) int {
		if a.TTL != b.TTL {
			return a.TTL - b.TTL
		}
		return a.Y - b.Y
	})
	var out []string
	for i := range nodes {
		out = append(out, nodes[i].ID)
	}
	return out
}

func find(t *testing.T, d *picture.Drawing, id string) *picture.Node {
	t.Helper()
	for i := range d.Nodes {
		if d.Nodes[i].ID == id {
			return &d.Nodes[i]
		}
	}
	t.Fatalf("no node %s in %v", id, order(d))
	return nil
}

func link(t *testing.T, d *picture.Drawing, from, to string) *picture.Link {
	t.Helper()
	for i := range d.Links {
		if d.Links[i].From == from && d.Links[i].To == to {
			return &d.Links[i]
		}
	}
	t.Fatalf("no link from %s to %s", from, to)
	return nil
}

const a = "198.51.100."

// TestOnlyWhatOneFlowMet wants a link for each two nodes that one flow met one
// after the other, and no others.
func TestOnlyWhatOneFlowMet(t *testing.T) {
	// The first two flows agree as far as they were answered, so they are one path.
	// Nobody met 3 after 2.
	d := draw(traceOf(t, "1 2 * d", "1 * 3 d", "1 4 5 d"), nil)
	for i := range d.Links {
		l := &d.Links[i]
		if strings.HasSuffix(l.From, "/"+a+"2") && strings.HasSuffix(l.To, "/"+a+"3") {
			t.Errorf("link from %s to %s", l.From, l.To)
		}
	}
	if l := link(t, d, "1/"+a+"1", "2/"+a+"4"); l.Inferred || l.Delta == nil || *l.Delta != 2000 {
		t.Errorf("%+v", l)
	}
}

func TestSilentNodes(t *testing.T) {
	trace := traceOf(t, "1 * 3 * d", "1 2 4 5 d")
	own := func(last string, asn uint32) traceflow.Annotation {
		return traceflow.Annotation{Address: netip.MustParseAddr(a + last), Origin: traceflow.Origin{ASNs: []uint32{asn}, Name: "X"}}
	}
	trace.Annotations = traceflow.Annotations{own("1", 64500), own("2", 64500), own("3", 64500), own("5", 64501)}
	d := draw(trace, nil)
	between := find(t, d, "2/*"+a+"1>"+a+"3")
	if between.Kind != picture.Silent || between.ASN != 64500 {
		t.Errorf("between two of one owner: %s of AS%d", between.Kind, between.ASN)
	}
	if other := find(t, d, "4/*"+a+"3>203.0.113.9"); other.ASN != 0 {
		t.Errorf("between two of different owners: AS%d", other.ASN)
	}
	if l := link(t, d, between.ID, "3/"+a+"3"); !l.Inferred || l.Delta != nil || l.Level != -1 {
		t.Errorf("%+v", l)
	}
	var names []string
	for _, b := range d.Bands {
		names = append(names, fmt.Sprintf("AS%d %d", b.ASN, b.Tint))
		for i := range b.Areas {
			if b.Areas[i].W <= 0 || b.Areas[i].H <= 0 {
				t.Errorf("AS%d: %+v", b.ASN, b.Areas[i])
			}
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"AS0 -1", "AS64500 0", "AS64501 1"}, names); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestBandsCover wants every node on the ground of its owner and of no other.
func TestBandsCover(t *testing.T) {
	trace := traceOf(t, networks["many"]...)
	for i := range 250 {
		trace.Annotations = append(trace.Annotations, traceflow.Annotation{
			Address: netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), Origin: traceflow.Origin{ASNs: []uint32{uint32(64500 + i%3)}},
		})
	}
	d := draw(trace, nil)
	for i := range d.Nodes {
		n := &d.Nodes[i]
		for _, b := range d.Bands {
			on := slices.ContainsFunc(b.Areas, func(r picture.Area) bool {
				return r.X <= n.X && n.X+n.W <= r.X+r.W && r.Y <= n.Y-n.Above && n.Y+n.Below <= r.Y+r.H
			})
			if on != (b.ASN == n.ASN) {
				t.Errorf("%s of AS%d, ground of AS%d: %v", n.ID, n.ASN, b.ASN, on)
			}
		}
	}
}

func TestUnreached(t *testing.T) {
	d := draw(traceOf(t, "1 2 * * *", "1 3x"), nil)
	if n := find(t, d, "unreached"); !n.Unreached || n.Kind != picture.Destination {
		t.Errorf("%+v", n)
	}
	for i := range d.Links {
		if d.Links[i].To == "unreached" {
			t.Errorf("link %+v", d.Links[i])
		}
	}
	want := map[string][]picture.End{"2/" + a + "2": {{Reason: "silent", Flows: 1}}, "2/" + a + "3": {{Reason: "unreachable", Flows: 1}}}
	for id, ends := range want {
		if diff := cmp.Diff(ends, find(t, d, id).Ends); diff != "" {
			t.Errorf("%s (-want +got)\n%s", id, diff)
		}
	}
}

func TestFold(t *testing.T) {
	for _, n := range []int{picture.Dense, picture.Dense + 1} {
		var flows []string
		for i := range n {
			flows = append(flows, fmt.Sprintf("200 %d 201 d", i+1))
		}
		d := draw(traceOf(t, flows...), nil)
		bars := 0
		for i := range d.Nodes {
			if d.Nodes[i].Kind == picture.Bar {
				bars++
			}
		}
		if want := n - picture.Dense; bars != want {
			t.Errorf("%d next hops: %d bars, want %d", n, bars, want)
		}
		if bars == 0 {
			continue
		}
		bar := find(t, d, "2/bar")
		if len(bar.Members) != n || bar.Flows != n || bar.Lines[0] != "65 next hops" {
			t.Errorf("%d members, %d flows, %q", len(bar.Members), bar.Flows, bar.Lines)
		}
		if l := link(t, d, bar.ID, "3/"+a+"201"); l.Bundle != n || l.Flows != n || l.Share < 0.999 || l.Share > 1.001 {
			t.Errorf("%+v", l)
		}
		for _, p := range d.Paths {
			if !slices.Contains(p.Nodes, bar.ID) {
				t.Errorf("path %d does not lead through the bar: %v", p.ID, p.Nodes)
			}
		}
	}
}

// TestNegativeDelta wants no figure where the node farther away answered sooner.
func TestNegativeDelta(t *testing.T) {
	trace := traceOf(t, "1 2 d")
	trace.Exchanges[0].Reply.RTT = 50 * time.Millisecond
	d := draw(trace, nil)
	if l := link(t, d, "1/"+a+"1", "2/"+a+"2"); l.Delta != nil || l.Level != -1 || l.Samples != 1 {
		t.Errorf("%+v", l)
	}
}

// TestTwoResults draws what a difference merges: the model has room for it.
func TestTwoResults(t *testing.T) {
	d := picture.Of(traceOf(t, "1 2 4 d", "1 3 4 d"))
	for i := range d.Nodes {
		if d.Nodes[i].ID == "2/"+a+"2" {
			d.Nodes[i].Status = picture.Gone
		}
	}
	d.Fold(picture.Dense)
	before := draw(traceOf(t, "1 2 4 d"), nil)
	d.Place(before)
	if n := find(t, d, "2/"+a+"2"); n.Status != picture.Gone {
		t.Errorf("%+v", n)
	}
}

// TestInferredEnd wants a dashed link to a destination that was found by another
// kind of probe, and no other.
func TestInferredEnd(t *testing.T) {
	trace := traceOf(t, "1 2 4 * *", "1 3 4 * *")
	echo := traceOf(t, "1 2 4 d")
	trace.Finish = &traceflow.Finish{Flows: echo.Flows, Exchanges: echo.Exchanges}
	walks := trace.Graph.Walks
	trace.Finish.End(walks)
	trace.Graph = traceflow.NewGraph(walks, trace.Exchanges)
	d := draw(trace, nil)
	if l := link(t, d, "3/"+a+"4", "4/203.0.113.9"); !l.Inferred || l.Flows != 2 || l.Delta != nil {
		t.Errorf("%+v", l)
	}
	for i := range d.Nodes {
		if len(d.Nodes[i].Ends) > 0 {
			t.Errorf("%s: flows end there: %v", d.Nodes[i].ID, d.Nodes[i].Ends)
		}
	}
}

// TestJSON reads what the page is given.
func TestJSON(t *testing.T) {
	d := draw(traceOf(t, networks["many"]...), nil)
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d nodes, %d links, %d bytes", len(d.Nodes), len(d.Links), len(text))
	var back picture.Drawing
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, &back, cmpopts.IgnoreUnexported(picture.Pipe{}, picture.Path{}), cmpopts.IgnoreFields(picture.Drawing{}, "Flows")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestShorten(t *testing.T) {
	tests := []struct {
		name, text string
		n          int
		want       string
	}{
		{"fits", "abcdef", 6, "abcdef"},
		{"middle", "abcdefgh", 5, "ab…gh"},
		{"letters, not bytes", "ääääääää", 5, "ää…ää"},
		{"too short to shorten", "abcdef", 2, "abcdef"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := picture.Shorten(tt.text, tt.n); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// BenchmarkDraw is what a refresh of the page costs: 255 paths of 30 hops.
func BenchmarkDraw(b *testing.B) {
	trace := traceOf(b, networks["many"]...)
	d := draw(trace, nil)
	b.Logf("%d nodes, %d links", len(d.Nodes), len(d.Links))
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			draw(trace, nil)
		}
	})
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			draw(trace, d)
		}
	})
}
