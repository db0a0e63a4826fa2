// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"traceflow"
	"traceflow/render"
)

const (
	wayA   = "192.0.2.1 198.51.100.1 198.51.100.129 203.0.113.9"
	wayB   = "192.0.2.1 198.51.100.2 198.51.100.129 203.0.113.9"
	longer = "192.0.2.1 198.51.100.2 198.51.100.3 198.51.100.129 203.0.113.9"
	mute   = "192.0.2.1 * 198.51.100.129 203.0.113.9"
)

// summaries are traces in auto mode, each with what it has that others lack.
var summaries = []struct {
	name  string
	flows []string
	edit  func(*traceflow.Trace)
}{
	{name: "confident", flows: []string{wayA, wayB}},
	{name: "one-flow", flows: []string{"203.0.113.9"}, edit: func(t *traceflow.Trace) { t.Stats.Probes = 1 }},
	{name: "unequal-shares", flows: []string{wayA, wayB}, edit: func(t *traceflow.Trace) { t.Guarantee.EqualShares = false }},
	{name: "surer", flows: []string{wayA, wayB}, edit: func(t *traceflow.Trace) {
		t.Guarantee.Confidence, t.Guarantee.Alpha, t.Guarantee.MinShare = 0.9999, 0.00008, 0.0951
	}},
	{name: "unequal-lengths", flows: []string{wayA, longer}},
	{name: "fewer-than-allowed", flows: []string{
		"192.0.2.1 198.51.100.1 198.51.100.129 198.51.100.131 203.0.113.9",
		"192.0.2.1 198.51.100.2 198.51.100.129 198.51.100.132 203.0.113.9",
	}},
	{name: "per-packet", flows: []string{wayA, wayB}, edit: func(t *traceflow.Trace) {
		t.Graph.Diamonds[0].Balancer = traceflow.BalancerPerPacket
		t.Graph.Diamonds = append(t.Graph.Diamonds, traceflow.Diamond{Balancer: traceflow.BalancerPerDestination}, traceflow.Diamond{Balancer: traceflow.BalancerUnknown})
	}},
	{name: "route-change", flows: []string{wayA, wayB}, edit: func(t *traceflow.Trace) {
		t.Changes = []traceflow.RouteChange{{Flow: 2, TTL: 2, Before: netip.MustParseAddr("198.51.100.2"), After: netip.MustParseAddr("198.51.100.1")}}
	}},
	{name: "silent-ttls", flows: []string{
		"* 198.51.100.1 * * 198.51.100.129 203.0.113.9",
		"* 198.51.100.2 * * 198.51.100.129 203.0.113.9",
	}},
	{name: "mute-hop", flows: []string{wayA, wayB, mute, mute}, edit: func(t *traceflow.Trace) {
		for i := range t.Graph.Walks {
			if h := &t.Graph.Walks[i].Hops[1]; h.Kind == traceflow.NoReply {
				h.Kind = traceflow.Mute
			}
		}
	}},
	{name: "short-limit", flows: []string{wayA, wayB}, edit: func(t *traceflow.Trace) {
		t.StopReason, t.Guarantee.Alpha, t.Guarantee.RateLimited = traceflow.StopLimited, 0.14, []uint8{2}
		shorten(t, 0.62, 2)
	}},
	{name: "short-limit-and-few", flows: []string{wayA, wayB}, edit: func(t *traceflow.Trace) {
		t.StopReason, t.Guarantee.Alpha, t.Guarantee.RateLimited = traceflow.StopLimited, 0.6, []uint8{2}
		shorten(t, 0.62, 2, 3)
		t.Guarantee.Short[1].MinShare = 0.54
	}},
	{name: "short-budget", flows: []string{wayA, wayB}, edit: func(t *traceflow.Trace) {
		t.StopReason, t.Guarantee.Alpha = traceflow.StopProbeBudget, 1
		shorten(t, 0.78, 2, 3, 4)
	}},
	{name: "short-time", flows: []string{wayA, wayB}, edit: func(t *traceflow.Trace) {
		t.StopReason, t.Guarantee.Alpha = traceflow.StopTimeLimit, 1
		shorten(t, 0.995, 3, 4)
		t.Ended = t.Started.Add(31 * time.Second)
	}},
	{name: "short-few-answers", flows: []string{wayA, wayB}, edit: func(t *traceflow.Trace) {
		t.StopReason, t.Guarantee.Alpha = traceflow.StopLimited, 0.08
		shorten(t, 0.53, 2)
	}},
	{name: "short-everywhere", flows: []string{wayA, wayB}, edit: func(t *traceflow.Trace) {
		t.StopReason, t.Guarantee.Alpha = traceflow.StopProbeBudget, 1
		shorten(t, 0.78, 1, 2, 3, 4)
	}},
	{name: "interrupted", flows: []string{"192.0.2.1 198.51.100.1", "192.0.2.1"}, edit: func(t *traceflow.Trace) {
		t.Complete, t.StopReason, t.Guarantee.Alpha = false, traceflow.StopCancelled, 1
		t.Guarantee.Hops = t.Guarantee.Hops[:2]
		shorten(t, 1, 1, 2)
	}},
	{name: "not-sent-to", flows: []string{wayA, wayB}, edit: func(t *traceflow.Trace) {
		t.Exchanges = slices.DeleteFunc(t.Exchanges, func(e traceflow.Exchange) bool { return e.TTL == 2 })
		var walks []traceflow.Walk
		for _, f := range t.Flows {
			var own []traceflow.Exchange
			for _, e := range t.Exchanges {
				if e.Flow == f.ID {
					own = append(own, e)
				}
			}
			walks = append(walks, traceflow.NewWalk(f, 1, own))
		}
		t.Graph = traceflow.NewGraph(walks, t.Exchanges)
	}},
	{name: "not-reached", flows: []string{"192.0.2.1 198.51.100.1 * * *", "192.0.2.1 198.51.100.2 * * *"}},
	{name: "nothing-answered", flows: []string{"* * *", "* * *"}, edit: func(t *traceflow.Trace) {
		t.StopReason, t.Guarantee = traceflow.StopNoReply, traceflow.Guarantee{Confidence: 0.95, Alpha: 1, MinShare: 1, EqualShares: true}
	}},
	{name: "nearer-than-first-ttl", flows: []string{"203.0.113.9"}, edit: func(t *traceflow.Trace) {
		t.Config.FirstTTL = 3
		t.Exchanges[0].TTL, t.Exchanges[0].Reply.QuotedTTL = 3, 2
		t.Graph = traceflow.NewGraph([]traceflow.Walk{traceflow.NewWalk(t.Flows[0], 3, t.Exchanges)}, t.Exchanges)
		t.Guarantee = traceflow.Guarantee{Confidence: 0.95, Alpha: 1, MinShare: 1, EqualShares: true}
	}},
	{name: "link-changed", flows: []string{wayA, wayB}, edit: func(t *traceflow.Trace) {
		router := netip.MustParseAddr("198.51.100.1")
		t.Changes = []traceflow.RouteChange{{Flow: 1, TTL: 2, Before: router, After: router}}
	}},
	{name: "fixed-paths", flows: []string{wayA, wayB}, edit: func(t *traceflow.Trace) {
		t.Config.Paths, t.StopReason, t.Guarantee.Alpha = 2, traceflow.StopFlowsExhausted, 1
		shorten(t, 0.99, 1, 2, 3, 4)
	}},
	{name: "borders", flows: []string{
		"192.0.2.1 192.0.2.2 * 198.51.100.1 198.51.100.2 203.0.113.130 203.0.113.140 203.0.113.9",
	}, edit: func(t *traceflow.Trace) {
		annotate(t, "192.0.2.0/24", 64500, "EXAMPLE")
		annotate(t, "198.51.100.0/24", 64501, "<b>HOSTILE</b>\x1b[31m \u202e and very long, as names of registries are")
		annotate(t, "203.0.113.0/24", 64502, "")
		lan(t, "203.0.113.130", 64502)
		lan(t, "203.0.113.140", 0)
	}},
	{name: "borders-unknown", flows: []string{"10.0.0.1 203.0.113.140 * *"}, edit: func(t *traceflow.Trace) {
		annotate(t, "10.0.0.0/8", 64500, "PRIVATE IN A PUBLIC TABLE")
		lan(t, "203.0.113.140", 0)
	}},
	{name: "borders-first", flows: []string{"198.51.100.1 * 203.0.113.9"}, edit: func(t *traceflow.Trace) {
		annotate(t, "192.0.2.0/24", 64500, "")
		annotate(t, "198.51.100.0/24", 64501, "")
		annotate(t, "203.0.113.0/24", 64502, "")
	}},
	{name: "borders-behind-silence", flows: []string{"* * 198.51.100.1 203.0.113.9"}, edit: func(t *traceflow.Trace) {
		annotate(t, "192.0.2.0/24", 64500, "")
		annotate(t, "198.51.100.0/24", 64501, "")
	}},
	{name: "borders-parallel", flows: []string{
		"192.0.2.1 192.0.2.21 198.51.100.1 198.51.100.129 203.0.113.9", "192.0.2.1 192.0.2.22 198.51.100.2 198.51.100.129 203.0.113.9",
		"192.0.2.1 192.0.2.23 198.51.100.3 198.51.100.129 203.0.113.9", "192.0.2.1 192.0.2.24 203.0.113.1 203.0.113.2 203.0.113.9",
		"192.0.2.1 192.0.2.24 * 198.51.100.129 203.0.113.9",
	}, edit: func(t *traceflow.Trace) {
		annotate(t, "192.0.2.0/24", 64500, "EXAMPLE")
		annotate(t, "198.51.100.0/24", 64501, "TRANSIT")
		annotate(t, "203.0.113.0/24", 64502, "CONTENT")
	}},
	{name: "borders-behind-silence-parallel", flows: []string{"* * 198.51.100.1 203.0.113.9", "* * 198.51.100.2 203.0.113.9"}, edit: func(t *traceflow.Trace) {
		annotate(t, "192.0.2.0/24", 64500, "")
		annotate(t, "198.51.100.0/24", 64501, "")
	}},
	{name: "borders-masked", flows: []string{
		"192.0.2.1 192.0.2.2 203.0.113.140 203.0.113.9", "192.0.2.1 192.0.2.2 203.0.113.141 203.0.113.9",
	}, edit: func(t *traceflow.Trace) {
		annotate(t, "192.0.2.0/24", 64500, "HIDDEN")
		lan(t, "203.0.113.140", 0)
		lan(t, "203.0.113.141", 0)
		*t = *t.Mask(2)
	}},
	{name: "borders-many", flows: []string{strings.Join(hops(30), " ")}, edit: func(t *traceflow.Trace) {
		for i, a := range hops(30) {
			annotate(t, a+"/32", uint32(64500+i), fmt.Sprintf("NET%d", i))
		}
	}},
}

// hops are so many addresses in a row.
func hops(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("198.51.100.%d", i+1))
	}
	return out
}

// annotate says that an AS announces a prefix.
func annotate(t *traceflow.Trace, prefix string, asn uint32, name string) {
	p := netip.MustParsePrefix(prefix)
	addresses := []netip.Addr{t.VantagePoint.Address}
	for i := range t.Graph.Nodes {
		addresses = append(addresses, t.Graph.Nodes[i].Address)
	}
	for _, a := range addresses {
		known := func(x traceflow.Annotation) bool { return x.Address == a }
		if p.Contains(a) && !slices.ContainsFunc(t.Annotations, known) {
			t.Annotations = append(t.Annotations, traceflow.Annotation{
				Address: a, Origin: traceflow.Origin{ASNs: []uint32{asn}, Name: name, Prefix: p, Source: "table"},
			})
			slices.SortFunc(t.Annotations, func(a, b traceflow.Annotation) int { return a.Address.Compare(b.Address) })
		}
	}
}

// lan says that an address is on a peering LAN, and whose port it is.
func lan(t *traceflow.Trace, address string, member uint32) {
	a := netip.MustParseAddr(address)
	port := traceflow.Port{IXP: "EX-IX \x07", Prefix: netip.MustParsePrefix("203.0.113.128/25"), Member: member, Source: "ixps"}
	t.Annotations = slices.DeleteFunc(t.Annotations, func(x traceflow.Annotation) bool { return x.Address == a })
	t.Annotations = append(t.Annotations, traceflow.Annotation{Address: a, Port: port})
	slices.SortFunc(t.Annotations, func(a, b traceflow.Annotation) int { return a.Address.Compare(b.Address) })
}

// shorten makes TTLs fall short.
func shorten(t *traceflow.Trace, minShare float64, ttls ...uint8) {
	t.Guarantee.MinShare = minShare
	for _, ttl := range ttls {
		t.Guarantee.Hops[ttl-1].MinShare = minShare
		t.Guarantee.Short = append(t.Guarantee.Short, traceflow.HopShare{TTL: ttl, MinShare: minShare})
	}
}

func TestSummary(t *testing.T) {
	var names []string
	for _, tt := range summaries {
		names = append(names, tt.name+".txt")
		t.Run(tt.name, func(t *testing.T) {
			trace := (&golden{name: tt.name, ends: ipv4, flows: tt.flows}).trace(t)
			trace.Config.Paths, trace.StopReason = 0, traceflow.StopConfident
			trace.Guarantee = traceflow.Guarantee{Confidence: 0.95, Alpha: 0.03, MinShare: 0.47, EqualShares: true}
			for ttl := range uint8(4) {
				trace.Guarantee.Hops = append(trace.Guarantee.Hops, traceflow.HopShare{TTL: ttl + 1, MinShare: 0.47})
			}
			for i := range trace.Graph.Diamonds {
				trace.Graph.Diamonds[i].Balancer = traceflow.BalancerPerFlow
			}
			if tt.edit != nil {
				tt.edit(trace)
			}
			var b bytes.Buffer
			if err := render.Summary(&b, trace); err != nil {
				t.Fatal(err)
			}
			checkGolden(t, filepath.Join("testdata", "summary", tt.name+".txt"), b.String())
			if n := strings.Count(b.String(), "\n"); n > 8 && !strings.HasPrefix(tt.name, "borders") || n > 15 {
				t.Errorf("%d lines are more than a few", n)
			}
		})
	}
	files, err := os.ReadDir("testdata/summary")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !slices.Contains(names, file.Name()) {
			t.Errorf("testdata/summary/%s belongs to no trace", file.Name())
		}
	}
	if err := render.Summary(brokenWriter{}, traces[0].trace(t)); err == nil {
		t.Error("no error from a writer that is closed")
	}
}
