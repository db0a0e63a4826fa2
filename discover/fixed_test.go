// SPDX-License-Identifier: BSD-3-Clause

package discover_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
	"traceflow/probe"
)

// flows returns n flows of a topology in the seed's way: source port base + i.
func flows(t *topology.Topology, family, n int) []traceflow.Flow {
	source, destination := t.Nodes[t.Source].Address4, t.Nodes[t.Destination].Address4
	if family == 6 {
		source, destination = t.Nodes[t.Source].Address6, t.Nodes[t.Destination].Address6
	}
	out := make([]traceflow.Flow, n)
	for i := range out {
		out[i] = traceflow.Flow{
			ID: i + 1, Protocol: traceflow.ProtocolUDP, Source: source, Destination: destination,
			SourcePort: uint16(33452 + i + 1), DestinationPort: 33452,
		}
	}
	return out
}

// TestFixedTruth compares, for every built-in network and both families, every
// hop of every flow with the truth.
func TestFixedTruth(t *testing.T) {
	for _, name := range topology.BuiltinNames() {
		for _, family := range []int{4, 6} {
			t.Run(name+"/"+map[int]string{4: "IPv4", 6: "IPv6"}[family], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					network := topologytest.Builtin(t, name)
					set := flows(network, family, 16)
					if !set[0].Destination.IsValid() {
						t.Skip("no such family")
					}
					engine := simulate(t, network, probe.Config{Retries: 2})
					defer engine.Close()
					start := time.Now()
					fixed := discover.Fixed{Flows: set, FirstTTL: 1, MaxTTL: 64}
					result, err := fixed.Discover(t.Context(), engine)
					if err != nil {
						t.Fatal(err)
					}
					g := traceflow.NewGraph(result.Walks, result.Exchanges)
					t.Logf("%v %+v paths %d nodes %d links %d %s", time.Since(start), engine.Stats(), len(g.Paths), len(g.Nodes), len(g.Links), result.StopReason)
					for i := range result.Walks {
						checkWalk(t, network, &result.Walks[i])
					}
				})
			})
		}
	}
}

func checkWalk(t *testing.T, network *topology.Topology, w *traceflow.Walk) {
	t.Helper()
	truth := network.Truth(w.Flow)
	for i, hop := range w.Hops {
		if hop.Kind == traceflow.NoReply || hop.Kind == traceflow.NotAsked {
			continue
		}
		if i >= len(truth) {
			t.Errorf("flow %d: TTL %d is %v, beyond the true path of %d hops", w.Flow.ID, i+1, hop.Address, len(truth))
			continue
		}
		if !slices.Contains(truth[i].Addresses, hop.Address) {
			t.Errorf("flow %d: TTL %d is %v, want one of %v", w.Flow.ID, i+1, hop.Address, truth[i].Addresses)
		}
	}
	if w.End == traceflow.EndReached && len(w.Hops) != len(truth) {
		t.Errorf("flow %d: %d hops, want %d", w.Flow.ID, len(w.Hops), len(truth))
	}
}
