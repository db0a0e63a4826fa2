// SPDX-License-Identifier: BSD-3-Clause

package diff_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/diff"
	"traceflow/internal/enrich"
	"traceflow/internal/plan"
	"traceflow/internal/simnet"
	"traceflow/internal/snapshot"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
	"traceflow/probe"
)

// how is the way a snapshot is taken; the zero value is 16 flows in two passes.
type how struct {
	flows, passes, retries, repeats int
	ipv6                            bool
	short                           bool // a wire that sees no quoted header
	mtu                             bool
	tos                             uint8
	rate                            float64
	// luck is what chance in the network is drawn from: two snapshots of one
	// network differ in it.
	luck uint64
	// between is done to the answers on their way, as routers with several
	// addresses do.
	between func([]traceflow.Exchange)
	// fresh, if not 0, draws other flows than those that everybody pins.
	fresh uint64
}

func (h how) withDefaults() how {
	if h.flows == 0 {
		h.flows = 16
	}
	if h.passes == 0 {
		h.passes = 2
	}
	return h
}

// altered is a Prober that does something to what another brings.
type altered struct {
	discover.Prober
	alter func([]traceflow.Exchange)
}

func (a altered) Probe(ctx context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error) {
	exchanges, err := a.Prober.Probe(ctx, probes)
	a.alter(exchanges)
	return exchanges, err
}

// parse makes a network of a topology section, and maybe of one with prefixes.
func parse(t testing.TB, text string) *topology.Topology {
	t.Helper()
	lines, prefixes, ok := strings.Cut(text, "-- prefixes --\n")
	network := topologytest.Parse(t, lines)
	if ok {
		network.Prefixes = []byte(prefixes)
	}
	return network
}

// take measures a network with the engine and discover.Fixed, in virtual time. It
// has to be called in a synctest bubble.
func take(t *testing.T, network *topology.Topology, h how) *snapshot.Snapshot {
	t.Helper()
	h = h.withDefaults()
	network.Seed = h.luck + 1
	engine, err := probe.NewEngine(simnet.New(network).Open(), probe.Capabilities{Kind: probe.KindSim, QuotedHeader: !h.short},
		probe.Config{Retries: h.retries, Rate: h.rate, Key: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	flows := pinned(network, &h)
	target := snapshot.Target{TargetHead: snapshot.TargetHead{
		Name: "target", Address: flows[0].Destination.String(), Source: flows[0].Source.String(), Flows: len(flows),
	}}
	for pass := range h.passes {
		if pass > 0 {
			time.Sleep(10 * time.Second)
		}
		target.Passes = append(target.Passes, trace(t, engine, flows, &h))
	}
	annotate(t, network, &target)
	return &snapshot.Snapshot{
		Manifest: snapshot.Manifest{Schema: snapshot.Schema, Passes: h.passes, Wire: "sim"},
		Targets:  []snapshot.Target{target},
	}
}

// trace is one pass.
func trace(t *testing.T, engine *probe.Engine, flows []traceflow.Flow, h *how) *traceflow.Trace {
	t.Helper()
	var prober discover.Prober = engine
	if h.between != nil {
		prober = altered{engine, h.between}
	}
	r, err := discover.Fixed{Flows: flows, MaxTTL: 40, Repeats: h.repeats}.Discover(t.Context(), prober)
	if err != nil {
		t.Fatal(err)
	}
	out := &traceflow.Trace{
		Destination: traceflow.Destination{Name: "target", Address: flows[0].Destination},
		Config:      traceflow.Config{Protocol: flows[0].Protocol, Paths: len(flows), MaxTTL: 40, FirstTTL: 1},
		Flows:       flows, Exchanges: r.Exchanges, Complete: r.Complete, StopReason: r.StopReason, Guarantee: r.Guarantee, Changes: r.Changes,
	}
	out.VantagePoint.Address = flows[0].Source
	out.Graph = traceflow.NewGraph(r.Walks, r.Exchanges)
	r.Classify(&out.Graph)
	if h.mtu {
		m := discover.MTU{Walks: out.Graph.Walks[:1], Largest: 1500, Smallest: 28}
		if out.MTUs, err = m.Discover(t.Context(), engine); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// pinned are the flows of a snapshot: the same every time.
func pinned(network *topology.Topology, h *how) []traceflow.Flow {
	source, destination := network.Nodes[network.Source].Address4, network.Nodes[network.Destination].Address4
	if h.ipv6 {
		source, destination = network.Nodes[network.Source].Address6, network.Nodes[network.Destination].Address6
	}
	random := rand.New(rand.NewPCG(h.fresh, 77))
	ports := random.Perm(20000)
	out := make([]traceflow.Flow, h.flows)
	for i := range out {
		out[i] = traceflow.Flow{
			ID: i + 1, Protocol: traceflow.ProtocolUDP, Source: source, Destination: destination,
			SourcePort: uint16(33000 + ports[i]), DestinationPort: 33452, TOS: h.tos,
		}
	}
	return out
}

// annotate says whose the addresses are, as the network's own section does.
func annotate(t *testing.T, network *topology.Topology, target *snapshot.Target) {
	t.Helper()
	if network.Prefixes == nil {
		return
	}
	table, err := enrich.ParsePrefixes(bytes.NewReader(network.Prefixes), "prefixes")
	if err != nil {
		t.Fatal(err)
	}
	store := &enrich.Store{}
	store.AddTable(traceflow.DataSet{Name: "sim", Kind: "sim"}, table)
	annotator := enrich.Annotator{Offline: []enrich.Lookup{store}}
	for _, pass := range target.Passes {
		annotator.Annotate(t.Context(), pass)
	}
}

// compare is the difference of two snapshots by the default policy.
func compare(t testing.TB, before, after *snapshot.Snapshot) *diff.Report {
	t.Helper()
	r, err := diff.Snapshots(before, after, nil, plan.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// both measures two networks and compares them.
func both(t *testing.T, before, after *topology.Topology, b, a how) (r *diff.Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := take(t, before, b)
		y := take(t, after, a)
		r = compare(t, x, y)
	})
	return r
}

// show writes a report for people who look at a failed test.
func show(r *diff.Report) string {
	var b strings.Builder
	for _, e := range r.Events {
		fmt.Fprintf(&b, "%s %s: %s\n", e.Severity, e.Kind, e.Title)
		for _, i := range e.Changes {
			c := &r.Changes[i]
			fmt.Fprintf(&b, "   [%d] %s %s p=%.2g %s flows %d of %d ttl %d %v>%v (%s → %s) cause %d\n",
				i, c.Severity, c.Kind, c.P, c.Confidence, len(c.Flows), c.Of, c.TTL, c.Near, c.Far, c.Before, c.After, c.Cause)
		}
	}
	return b.String()
}

func addr(t testing.TB, network *topology.Topology, name string) netip.Addr {
	t.Helper()
	for i := range network.Nodes {
		if network.Nodes[i].Name == name {
			return network.Nodes[i].Address4
		}
	}
	t.Fatalf("no node %s", name)
	return netip.Addr{}
}
