// SPDX-License-Identifier: BSD-3-Clause

package discover_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
	"traceflow/probe"
)

// randomTopology draws a network of layers, of which some links skip one, with
// some nodes silent, lossy, slow or damaging quotes.
func randomTopology(t *testing.T, random *rand.Rand) *topology.Topology {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d\ndefault delay=%dms jitter=%dms hash=%s\nnode s source\nnode d destination\n",
		random.IntN(1000), random.IntN(20), random.IntN(3), []string{"jenkins", "crc16", "crc32", "toeplitz", "xor"}[random.IntN(5)])
	troubles := []string{"", "", "", "", "silent", "reply-loss=30%", "answer-delay=30ms", "mangle=ttl", "mangle=checksum", "quote=48", "duplicates=1", "mpls=16004/0/1", "limit=6/1s"}
	layers := [][]string{{"s"}}
	for layer := range 2 + random.IntN(7) {
		var names []string
		for i := range 1 + random.IntN(5) {
			name := fmt.Sprintf("r%dx%d", layer, i)
			names = append(names, name)
			if trouble := troubles[random.IntN(len(troubles))]; trouble != "" {
				fmt.Fprintf(&b, "node %s %s\n", name, trouble)
			}
		}
		layers = append(layers, names)
	}
	layers = append(layers, []string{"d"})
	for i := 1; i < len(layers); i++ {
		// Every node has one before it and one behind it.
		linked := make(map[string]bool)
		link := func(from, to string) {
			if !linked[from+" > "+to] {
				linked[from+" > "+to] = true
				fmt.Fprintf(&b, "link %s > %s\n", from, to)
			}
		}
		for _, to := range layers[i] {
			link(layers[i-1][random.IntN(len(layers[i-1]))], to)
		}
		for _, from := range layers[i-1] {
			link(from, layers[i][random.IntN(len(layers[i]))])
			if i+1 < len(layers) && i > 1 && random.IntN(4) == 0 {
				link(from, layers[i+1][random.IntN(len(layers[i+1]))])
			}
		}
	}
	return topologytest.Parse(t, b.String())
}

// TestRandom discovers random networks: whatever is in the graph is in the
// network, and no flow is on two paths.
func TestRandom(t *testing.T) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 1))
				network := randomTopology(t, random)
				set := flows(network, []int{4, 6}[random.IntN(2)], 1+random.IntN(24))
				engine := simulate(t, network, probe.Config{Retries: random.IntN(3), Rate: []float64{0, 500}[random.IntN(2)]})
				defer engine.Close()
				r, err := discover.Fixed{Flows: set, MaxTTL: 40, Repeats: 1 + random.IntN(2)}.Discover(t.Context(), engine)
				if err != nil {
					t.Fatal(err)
				}
				for i := range r.Walks {
					checkWalk(t, network, &r.Walks[i])
				}
				g := traceflow.NewGraph(r.Walks, r.Exchanges)
				checkSubgraph(t, network, set, &g)
				on := make(map[int]bool)
				for _, p := range g.Paths {
					for _, f := range p.Flows {
						if on[f] {
							t.Errorf("flow %d is on two paths", f)
						}
						on[f] = true
					}
				}
				if len(on) != len(set) {
					t.Errorf("%d flows are on paths, want %d", len(on), len(set))
				}
			})
		})
	}
}

// checkSubgraph wants each node at a TTL where a flow can meet it, and each
// link that is not inferred to be one of the network's.
func checkSubgraph(t *testing.T, network *topology.Topology, set []traceflow.Flow, g *traceflow.Graph) {
	t.Helper()
	at := func(f traceflow.Flow, ttl uint8) []netip.Addr {
		truth := network.Truth(f)
		if int(ttl) > len(truth) {
			return nil
		}
		return truth[ttl-1].Addresses
	}
	nodes := make(map[string]*traceflow.Node)
	for i := range g.Nodes {
		n := &g.Nodes[i]
		nodes[n.ID] = n
		if n.Address.IsValid() && !slices.ContainsFunc(set, func(f traceflow.Flow) bool { return slices.Contains(at(f, n.TTL), n.Address) }) {
			t.Errorf("no flow meets %v at TTL %d", n.Address, n.TTL)
		}
	}
	owner := make(map[netip.Addr]int)
	for i := range network.Nodes {
		owner[network.Nodes[i].Address4], owner[network.Nodes[i].Address6] = i, i
	}
	for _, l := range g.Links {
		from, to := nodes[l.From], nodes[l.To]
		if !l.Inferred && !slices.ContainsFunc(network.Edges, func(e topology.Edge) bool {
			return e.From == owner[from.Address] && e.To == owner[to.Address]
		}) {
			t.Errorf("no link joins %v and %v", from.Address, to.Address)
		}
	}
}
