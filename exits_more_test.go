// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exitsOf describes the exits of a trace.
func exitsOf(t *Trace) []string {
	var out []string
	exits := t.Exits()
	for i := range exits {
		out = append(out, describeExit(&exits[i]))
	}
	return out
}

// TestExitStability has what a trace knows beside its paths.
func TestExitStability(t *testing.T) {
	relax := crossroads{"8 A1|A2|B1|B2|D1|D9", "8 A1|A2|C1|C2|D1|D9"}
	ports := crossroads{"8 a1|a2|X11|B1|D1|D9", "8 a1|a2|X21|C1|D1|D9"}
	// again answers flows at the TTL behind the split once more, from an address,
	// or from where they were answered before.
	again := func(t *Trace, flows int, from string) {
		var exchanges []Exchange
		for _, e := range t.Exchanges {
			if e.TTL == 3 && e.Flow <= flows {
				if from != "" {
					e.Reply.Address = crossroads{}.address(from)
				}
				exchanges = append(exchanges, e)
			}
		}
		t.Exchanges = append(t.Exchanges, exchanges...)
		t.rebuild(nil)
	}
	for _, tt := range []struct {
		name  string
		flows crossroads
		edit  func(t *Trace)
		want  string
	}{
		{"packet by packet", relax, func(t *Trace) { again(t, 1, "C1") }, "undetermined per-packet"},
		{"packet by packet, as was found otherwise", relax, func(t *Trace) { t.Graph.Diamonds[0].Balancer = BalancerPerPacket }, "undetermined per-packet"},
		{"a flow moved", relax, func(t *Trace) { t.Changes = []RouteChange{{Flow: 3, TTL: 3}} }, "undetermined route-changed"},
		{"a flow moved far behind", relax, func(t *Trace) { t.Changes = []RouteChange{{Flow: 3, TTL: 5}} }, "relax-border medium"},
		{"sent again", relax, func(t *Trace) { again(t, 5, "") }, "relax-border medium"},
		{"ports, not sent again", ports, func(*Trace) {}, "relax-border medium"},
		{"ports, sent again", ports, func(t *Trace) { again(t, 5, "") }, "relax-border high"},
		{"parallel ports, sent again", crossroads{"8 a1|a2|X11|B1|D1|D9", "8 a1|a2|X12|B1|D1|D9"}, func(t *Trace) { again(t, 5, "") }, "ixp-parallel high"},
		{"parallel ports, packet by packet", crossroads{"8 A1|A2|X11|B1|D1|D9", "8 A1|A2|X12|B1|D1|D9"}, func(t *Trace) { again(t, 1, "X12") }, "undetermined per-packet"},
		{"links to one AS, packet by packet", crossroads{"8 a1|a2|B1|B2|D1|D9", "8 a1|a2|B5|B6|D1|D9"}, func(t *Trace) { again(t, 1, "B5") }, "undetermined per-packet"},
		{"no data at all", relax, func(t *Trace) { t.Annotations = nil }, ""},
		{"no data of the near AS", relax, func(t *Trace) {
			t.Annotations = slices.DeleteFunc(t.Annotations, func(a Annotation) bool { return a.Origin.ASN() == 64500 })
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			trace := tt.flows.trace(t)
			tt.edit(trace)
			got := strings.Join(exitsOf(trace), "\n")
			if before, _, _ := strings.Cut(got, " at "); before != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// toDestinations gives every flow a destination of its own, in the order of the
// last bytes; the first keeps its own.
func toDestinations(t *Trace, last func(flow int) byte) {
	for i := range t.Flows {
		a := t.Destination.Address.As4()
		a[3] = last(i)
		to := netip.AddrFrom4(a)
		for k := range t.Exchanges {
			if e := &t.Exchanges[k]; e.Flow == t.Flows[i].ID && e.Reply.Address == t.Destination.Address {
				e.Reply.Address = to
			}
		}
		t.Flows[i].Destination = to
	}
	t.rebuild(nil)
}

func TestExitsOfDestinations(t *testing.T) {
	ports := crossroads{"8 a1|a2|X11|B1|D1|D9", "8 a1|a2|X21|C1|D1|D9"}
	base := crossroads{}.address("D9").As4()[3]
	tests := []struct {
		name   string
		flows  crossroads
		last   func(flow int) byte
		prefix string // announced
		want   string
	}{
		{"each to another: parts of the prefix may have routes of their own", ports, func(i int) byte { return base + byte(i) }, "198.18.3.0/24", "relax-border low"},
		{"one address by both ways", ports, func(i int) byte { return base + byte(i%8) }, "198.18.3.0/24", "relax-border medium"},
		{"one branch is of another prefix", ports, func(i int) byte { return base + byte(i/8*128+i) }, "198.18.3.0/25", ""},
		{"few addresses, many flows", ports, func(i int) byte { return base + byte(i/8) }, "198.18.3.0/24", "undetermined few-flows"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trace := tt.flows.trace(t)
			for i := range trace.Annotations {
				if a := &trace.Annotations[i]; a.Address == trace.Destination.Address {
					a.Origin.Prefix = netip.MustParsePrefix(tt.prefix)
				}
			}
			toDestinations(trace, tt.last)
			exits := trace.Exits()
			got := strings.Join(exitsOf(trace), "\n")
			if before, _, _ := strings.Cut(got, " at "); before != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if len(exits) > 0 && exits[0].Vary != VaryDestinations {
				t.Error("the destination was varied")
			}
		})
	}
}

// randomRoads makes traces that branch: half of them of hosts of all kinds, half
// of such as leave little doubt, each of another class.
func randomRoads(r *rand.Rand) []string {
	near := []string{"A1|A2", "A1|a2", "A1|E1|A2", "A1|*|A2", "A2", "A1|M2", "A1|A2 mpls=3/250", "A1"}
	inside := []string{"", "", "", "", "A3|", "A4|", "A5|A6|", "A7|A8|", "A9|", "*|"}
	first := []string{
		"B1|B2", "B1|B3", "C1|C2", "E1|E2", "X11|B1", "X12|B1", "X21|C1", "X200|B1|B2", "X201|C1|C2", "N1|B1", "N1|N2", "C1", "U1|C2",
		"C1|C51", "B5|B2|B6", "C5 q=2|C6", "C5 ttl=50|C6",
	}
	rest := []string{"D1", "D1", "D1", "E5|E6|D1", "E7|D1", "*|D1", "U5|D1", "D2|D1"}
	if theme := r.IntN(8); theme < 4 {
		near, inside, rest = near[:2], inside[:1], rest[:1]
		switch theme {
		case 0:
			first = []string{"B1|B2", "C1|C2", "X21|C1"}
		case 1:
			inside, first = []string{"A3|A4|", "A5|A6|", "A7|A8|"}, []string{"B1|B2", "C1|C2"}
		case 2:
			near, first = near[1:], []string{"B1|B2", "B1|B3", "B5|B2"}
		case 3:
			first = []string{"X11|B1", "X12|B1", "X13|B2"}
		}
	}
	pick := func(all []string) string { return all[r.IntN(len(all))] }
	start := pick(near)
	flows := crossroads{}
	for range 2 + r.IntN(3) {
		flows = append(flows, fmt.Sprintf("%d %s|%s%s|%s|D9", 1+r.IntN(9), start, pick(inside), pick(first), pick(rest)))
	}
	return flows.flows()
}

// sceneOf is a trace of flows that are written out.
func sceneOf(t *testing.T, flows []string) *Trace {
	t.Helper()
	c := crossroads{}
	trace := scene{from: c.address("A40").String(), to: c.address("D9").String(), flows: flows}.trace(t)
	trace.annotateAll(c.annotate)
	return trace
}

// silence hides all that some routers, or some flows at some hops, answer.
func silence(r *rand.Rand, flows []string) []string {
	out := slices.Clone(flows)
	if r.IntN(2) == 0 {
		cells := strings.Split(out[r.IntN(len(out))], "|")
		host, _, _ := strings.Cut(cells[r.IntN(len(cells)-1)], " ")
		for i := range out {
			cells := strings.Split(out[i], "|")
			for k := range cells {
				if who, _, _ := strings.Cut(cells[k], " "); who == host {
					cells[k] = "*"
				}
			}
			out[i] = strings.Join(cells, "|")
		}
		return out
	}
	for range 1 + r.IntN(4) {
		i := r.IntN(len(out))
		cells := strings.Split(out[i], "|")
		cells[r.IntN(len(cells))] = "*"
		out[i] = strings.Join(cells, "|")
	}
	return out
}

// TestExitsOfLess hides hops and answers of random traces: what could not be told
// can be told even less, and no class becomes another that is surer.
func TestExitsOfLess(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 4))
	classes := make(map[ExitClass]int)
	reasons := make(map[ExitReason]int)
	kept := 0
	for range 2500 {
		flows := randomRoads(r)
		before := sceneOf(t, flows)
		exits := before.Exits()
		for i := range exits {
			classes[exits[i].Class]++
			reasons[exits[i].Reason]++
		}
		var after *Trace
		less := silence(r, flows)
		if r.IntN(3) == 0 {
			after = before.Mask(1 + r.IntN(4))
		} else {
			after = sceneOf(t, less)
		}
		now := after.Exits()
		for i := range now {
			x := &now[i]
			if x.Class == ExitUndetermined {
				continue
			}
			if !slices.ContainsFunc(exits, func(o Exit) bool { return o.allows(x) }) {
				t.Fatalf("%s\nof %v\nwas %v\nof %v", describeExit(x), less, exitsOf(before), flows)
			}
			kept++
		}
	}
	t.Log(classes, reasons, kept)
	for _, class := range []ExitClass{ExitRelax, ExitMulti, ExitSameAS, ExitIXPPorts, ExitUndetermined} {
		if classes[class] < 50 {
			t.Errorf("only %d of %s", classes[class], class)
		}
	}
	if kept < 300 {
		t.Errorf("only %d classes were kept", kept)
	}
}

// allows reports whether an exit may be another when less is known: the same class
// of the same AS, or another that is no surer, by branches that were there.
func (x *Exit) allows(o *Exit) bool {
	if x.Class == ExitUndetermined || x.Near.ASN != o.Near.ASN {
		return false
	}
	for i := range o.Branches {
		if !slices.ContainsFunc(x.Branches, func(b ExitBranch) bool { return b.Entry.Address == o.Branches[i].Entry.Address }) {
			return false
		}
	}
	return x.Class == o.Class || lowest(x.Confidence, o.Confidence) == o.Confidence
}

// TestExitsOfOtherOrder puts the flows into another order, under other IDs.
func TestExitsOfOtherOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 5))
	for range 400 {
		flows := randomRoads(r)
		want := exitsOf(sceneOf(t, flows))
		if again := exitsOf(sceneOf(t, flows)); !slices.Equal(again, want) {
			t.Fatal(cmp.Diff(want, again))
		}
		r.Shuffle(len(flows), func(i, k int) { flows[i], flows[k] = flows[k], flows[i] })
		trace := sceneOf(t, flows)
		for i := range trace.Flows {
			trace.Flows[i].ID += 1000
		}
		for i := range trace.Exchanges {
			trace.Exchanges[i].Flow += 1000
		}
		trace.rebuild(nil)
		if diff := cmp.Diff(want, exitsOf(trace)); diff != "" {
			t.Fatalf("%v\n%s", flows, diff)
		}
	}
}
