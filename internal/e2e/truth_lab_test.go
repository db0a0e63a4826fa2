// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"net/netip"
	"slices"
	"testing"

	"traceflow"
	"traceflow/internal/topology"
)

// truth is what one flow meets: for each TTL the nodes that it can be at, one
// unless a router balances per packet.
type truth [][]int

// checkTruth compares every hop of every flow with the truth.
func checkTruth(t *testing.T, network *topology.Topology, trace *traceflow.Trace, all []truth) {
	t.Helper()
	if len(trace.Graph.Walks) != len(all) {
		t.Fatalf("%d flows, want %d", len(trace.Graph.Walks), len(all))
	}
	links := make(map[[2]netip.Addr]bool)
	// On a busy machine a reply may come too late, and a search that does not
	// need it goes on without.
	patience := 0
	if trace.Config.Paths == 0 {
		patience = 1 + len(trace.Exchanges)/100 + trace.Stats.Late
	}
	for i := range trace.Graph.Walks {
		w := &trace.Graph.Walks[i]
		want := make([][]netip.Addr, len(all[i]))
		for j, nodes := range all[i] {
			for _, n := range nodes {
				want[j] = append(want[j], network.Nodes[n].AddressFor(w.Flow.Destination))
			}
			if j > 0 {
				for _, from := range want[j-1] {
					for _, to := range want[j] {
						links[[2]netip.Addr{from, to}] = true
					}
				}
			}
		}
		for j := range w.Hops {
			got := w.Hops[j].Address
			switch {
			case w.Hops[j].Kind == traceflow.NotAsked:
			case !got.IsValid():
				if j < len(want) && slices.ContainsFunc(all[i][j], func(n int) bool { return answersAll(network, n, &w.Flow) }) {
					if patience--; patience >= 0 {
						continue
					}
					t.Errorf("flow %d: no answer at TTL %d, where %v answers everything", w.Flow.ID, j+1, want[j])
				}
			case j >= len(want):
				t.Errorf("flow %d: %v at TTL %d, beyond the path of %d hops", w.Flow.ID, got, j+1, len(want))
			case !slices.Contains(want[j], got):
				t.Errorf("flow %d: %v at TTL %d, want %v", w.Flow.ID, got, j+1, want[j])
			}
		}
		if w.End == traceflow.EndReached && len(w.Hops) != len(want) {
			t.Errorf("flow %d: reached after %d hops, want %d", w.Flow.ID, len(w.Hops), len(want))
		}
	}
	checkLinks(t, &trace.Graph, links)
}

// answersAll reports whether every probe of a flow that ends at a node is
// answered, and the answer can be recognised.
func answersAll(network *topology.Topology, i int, f *traceflow.Flow) bool {
	n := &network.Nodes[i]
	loss := slices.ContainsFunc(network.Nodes, func(n topology.Node) bool { return n.ForwardLoss > 0 })
	return !n.Silent && n.ReplyLoss == 0 && n.Limit.Burst == 0 && !n.Drops(f) && !loss &&
		n.Mangle&^topology.MangleTTL == 0
}

// checkLinks reports links of the graph that no flow crosses in truth.
func checkLinks(t *testing.T, g *traceflow.Graph, truth map[[2]netip.Addr]bool) {
	t.Helper()
	address := make(map[string]netip.Addr)
	for i := range g.Nodes {
		address[g.Nodes[i].ID] = g.Nodes[i].Address
	}
	for _, link := range g.Links {
		from, to := address[link.From], address[link.To]
		if !link.Inferred && !truth[[2]netip.Addr{from, to}] {
			t.Errorf("a link from %v to %v, which no flow crosses", from, to)
		}
	}
}
