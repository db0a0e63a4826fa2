// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/internal/enrich/dnstest"
)

// shelf is a Lookup that has everything at hand.
type shelf struct {
	known map[string]traceflow.Annotation
	sets  []traceflow.DataSet
}

func (s shelf) Annotate(a netip.Addr, out *traceflow.Annotation) {
	known := s.known[a.String()]
	if out.Hostname.Name == "" {
		out.Hostname = known.Hostname
	}
	if len(out.Origin.ASNs) == 0 {
		out.Origin = known.Origin
	}
}

func (s shelf) DataSets() []traceflow.DataSet { return s.sets }

func address(text string) netip.Addr { return netip.MustParseAddr(text) }

// seen is a trace that tells of addresses in every way that there is.
func seen() *traceflow.Trace {
	flow := traceflow.Flow{ID: 1, Protocol: traceflow.ProtocolUDP, Source: address("192.168.1.2"), Destination: address("203.0.113.9"), SourcePort: 40001}
	reply := func(text string) traceflow.Reply {
		return traceflow.Reply{Kind: traceflow.TimeExceeded, Address: address(text), HeaderQuoted: true, QuotedTTL: 1}
	}
	exchanges := []traceflow.Exchange{
		{Flow: 1, TTL: 1, Attempt: 1, Reply: reply("192.0.2.1")},
		{Flow: 1, TTL: 2, Attempt: 1},
		{Flow: 1, TTL: 3, Attempt: 1, Reply: reply("192.0.2.3")},
		{Flow: 1, TTL: 4, Attempt: 1, Reply: reply("192.0.2.3")},
	}
	exchanges[2].Reply.Interfaces = []traceflow.Interface{{Role: traceflow.NextHopInterface, Address: address("192.0.2.77")}, {Role: traceflow.OutgoingInterface, Name: "no address"}}
	exchanges[3].Reply.Quote = &traceflow.QuoteChange{Source: netip.MustParseAddrPort("198.51.100.200:7")}
	t := &traceflow.Trace{
		VantagePoint: traceflow.VantagePoint{Address: flow.Source}, Destination: traceflow.Destination{Address: flow.Destination},
		Config: traceflow.Config{FirstTTL: 1, Paths: 1}, Flows: []traceflow.Flow{flow}, Exchanges: exchanges,
		MTUs:    []traceflow.PathMTU{{Limit: address("192.0.2.66")}, {}},
		Changes: []traceflow.RouteChange{{Before: address("192.0.2.55"), After: address("192.0.2.56")}},
		Finish:  &traceflow.Finish{Exchanges: []traceflow.Exchange{{Reply: reply("192.0.2.44")}, {}}},
	}
	t.Graph = traceflow.NewGraph([]traceflow.Walk{traceflow.NewWalk(flow, 1, exchanges)}, exchanges)
	return t
}

func TestAddresses(t *testing.T) {
	want := []string{
		"192.0.2.1", "192.0.2.3", "192.0.2.44", "192.0.2.55", "192.0.2.56", "192.0.2.66", "192.0.2.77",
		"192.168.1.2", "198.51.100.200", "203.0.113.9",
	}
	var got []string
	for _, a := range Addresses(seen()) {
		got = append(got, a.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := Addresses(&traceflow.Trace{}); len(got) > 0 {
		t.Errorf("an empty trace tells of %v", got)
	}
}

func TestAnnotator(t *testing.T) {
	virtual(t, func(t *testing.T) {
		own := shelf{
			known: map[string]traceflow.Annotation{"192.0.2.1": {Hostname: traceflow.Hostname{Name: "mine", Source: "own"}}},
			sets:  []traceflow.DataSet{{Name: "own", Kind: traceflow.KindPrefixes}},
		}
		table := shelf{
			known: map[string]traceflow.Annotation{
				"192.0.2.1": {Hostname: traceflow.Hostname{Name: "not this", Source: "table"}, Origin: traceflow.Origin{ASNs: []uint32{64500}, Source: "table"}},
			},
			sets: []traceflow.DataSet{{Name: "table", Kind: "riswhois"}, {Name: "own", Kind: "the same again"}},
		}
		s := &dnstest.Server{Answer: dnstest.Records(map[string][]string{
			"1.2.0.192.in-addr.arpa. PTR":          {"never.asked.example.net."},
			"3.2.0.192.in-addr.arpa. PTR":          {"three.example.net."},
			"3.2.0.192.origin.asn.cymru.com. TXT":  {"64501 | 192.0.2.0/24 |"},
			"1.2.0.192.origin.asn.cymru.com. TXT":  {"64666 | 192.0.2.0/24 |"},
			"2.1.168.192.in-addr.arpa. PTR":        {"me.home.arpa."},
			"9.113.0.203.origin6.asn.cymru.com. A": nil,
		})}
		start := time.Now()
		a := &Annotator{Offline: []Lookup{own, table}, Names: namesOf(inMemory(s)), Cymru: cymruOf(inMemory(s)), Timeout: DefaultTimeout}
		trace := seen()
		a.Annotate(t.Context(), trace)
		want := traceflow.Annotations{
			{
				Address: address("192.0.2.1"), Hostname: traceflow.Hostname{Name: "mine", Source: "own"},
				Origin: traceflow.Origin{ASNs: []uint32{64500}, Source: "table"},
			},
			{
				Address: address("192.0.2.3"), Hostname: traceflow.Hostname{Name: "three.example.net", Source: "dns"},
				Origin: traceflow.Origin{ASNs: []uint32{64501}, Prefix: netip.MustParsePrefix("192.0.2.0/24"), Source: "cymru"},
			},
			{Address: address("192.168.1.2"), Hostname: traceflow.Hostname{Name: "me.home.arpa", Source: "dns"}},
		}
		if diff := cmp.Diff(want, trace.Annotations, equate); diff != "" {
			t.Errorf("annotations (-want +got)\n%s", diff)
		}
		wantSets := []traceflow.DataSet{
			{Name: "own", Kind: traceflow.KindPrefixes},
			{Name: "table", Kind: "riswhois"},
			{Name: "dns", Kind: "dns", Date: start.UTC()},
			{Name: "cymru", Kind: "cymru", Date: start.UTC()},
		}
		if diff := cmp.Diff(wantSets, trace.DataSets); diff != "" {
			t.Errorf("data sets (-want +got)\n%s", diff)
		}

		// The same again an hour later: what is remembered keeps its date.
		time.Sleep(30 * time.Minute)
		again := seen()
		a.Annotate(t.Context(), again)
		if diff := cmp.Diff(trace.Annotations, again.Annotations, equate); diff != "" {
			t.Errorf("annotations (-first +second)\n%s", diff)
		}
		if diff := cmp.Diff(wantSets, again.DataSets); diff != "" {
			t.Errorf("data sets (-first +second)\n%s", diff)
		}
	})
}

func TestHosts(t *testing.T) {
	h := NewHosts(traceflow.DataSet{Name: "sim", Kind: "sim"}, map[netip.Addr]string{address("192.0.2.1"): "r1"})
	for _, tt := range []struct {
		address, before, want string
		sets                  int
	}{
		{"192.0.2.2", "", "", 0},
		{"192.0.2.1", "known", "known", 0},
		{"192.0.2.1", "", "r1", 1},
	} {
		got := traceflow.Annotation{Hostname: traceflow.Hostname{Name: tt.before}}
		h.Annotate(address(tt.address), &got)
		if got.Hostname.Name != tt.want || len(h.DataSets()) != tt.sets {
			t.Errorf("%s: %+v, data sets %v", tt.address, got.Hostname, h.DataSets())
		}
	}
}

// TestAnnotatorDead has no answers at all: it takes the timeout once, not once
// for each source, and what is on the machine is used.
func TestAnnotatorDead(t *testing.T) {
	virtual(t, func(t *testing.T) {
		table := shelf{known: map[string]traceflow.Annotation{"192.0.2.1": {Origin: traceflow.Origin{ASNs: []uint32{64500}, Source: "table"}}}}
		resolver := inMemory(&dnstest.Server{Delay: -1})
		a := &Annotator{Offline: []Lookup{table}, Names: namesOf(resolver), Cymru: cymruOf(resolver), Timeout: 3 * time.Second}
		trace := seen()
		start := time.Now()
		a.Annotate(t.Context(), trace)
		if took := time.Since(start); took != a.Timeout || len(trace.Annotations) != 1 || len(trace.DataSets) != 0 {
			t.Errorf("%v, %+v, %+v", took, trace.Annotations, trace.DataSets)
		}

		// Interrupted, it is there at once.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		start, trace = time.Now(), seen()
		a.Annotate(ctx, trace)
		if took := time.Since(start); took != 0 || len(trace.Annotations) != 1 {
			t.Errorf("cancelled: %v, %+v", took, trace.Annotations)
		}
	})
}
