// SPDX-License-Identifier: BSD-3-Clause

package discover_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
	"traceflow/probe"
)

// nodesAt counts the nodes at a TTL.
func nodesAt(g *traceflow.Graph, ttl uint8) int {
	n := 0
	for i := range g.Nodes {
		if g.Nodes[i].TTL == ttl {
			n++
		}
	}
	return n
}

// TestParallelLinks finds two links behind one address, as often as it says: it
// is sure of them as of two nodes, which takes more flows than one.
func TestParallelLinks(t *testing.T) {
	const runs = 100
	network := topologytest.Builtin(t, "interfaces")
	missed := 0
	for seed := range uint64(runs) {
		synctest.Test(t, func(t *testing.T) {
			engine := simulate(t, network, probe.Config{})
			defer engine.Close()
			r, err := search(network, seed).Discover(t.Context(), engine)
			if err != nil {
				t.Fatal(err)
			}
			g := traceflow.NewGraph(r.Walks, r.Exchanges)
			if r.StopReason != traceflow.StopConfident || len(r.Guarantee.Short) > 0 || nodesAt(&g, 3) != 1 {
				t.Errorf("seed %d: stopped because %s, short at %v, %d nodes at TTL 3", seed, r.StopReason, r.Guarantee.Short, nodesAt(&g, 3))
			}
			if nodesAt(&g, 2) == 1 {
				missed++
				return
			}
			if nodesAt(&g, 2) != 2 || len(g.Paths) != 2 || len(g.Links) != 5 {
				t.Fatalf("seed %d: nodes %+v, want 2 at TTL 2, and 2 paths of 5 links", seed, g.Nodes)
			}
			share := make(map[uint8]float64)
			for _, h := range r.Guarantee.Hops {
				share[h.TTL] = h.MinShare
			}
			if share[2] >= share[1] {
				t.Errorf("seed %d: as sure of links with %.2f at TTL 2 as of those with %.2f at TTL 1, where there is one", seed, share[2], share[1])
			}
			r.Classify(&g)
			if len(g.Diamonds) != 1 || g.Diamonds[0].Width != 2 || g.Diamonds[0].Balancer != traceflow.BalancerPerFlow {
				t.Errorf("seed %d: diamonds %+v, want one 2 wide that balances per flow", seed, g.Diamonds)
			}
		})
	}
	if missed > 10 { // 5 expected at most; more than 10 have a chance of 1 %
		t.Errorf("a link was missed in %d of %d runs", missed, runs)
	}
}

// edited changes replies on their way.
type edited struct {
	discover.Prober
	edit func(n int, r *traceflow.Reply) // n counts the replies of routers

	mu sync.Mutex // the scout probes beside the rounds
	n  int
}

func (p *edited) Probe(ctx context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error) {
	exchanges, err := p.Prober.Probe(ctx, probes)
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range exchanges {
		if r := &exchanges[i].Reply; r.Kind == traceflow.TimeExceeded {
			p.edit(p.n, r)
			p.n++
		}
	}
	return exchanges, err
}

// TestInterfaceNotAlwaysTold has routers that name their interfaces in some
// replies only: they are as many as ever, and take as many probes.
func TestInterfaceNotAlwaysTold(t *testing.T) {
	network := topologytest.Parse(t, `node src source
node r interface=3
node a[1..3] interface=7
node c interface=9
node dst destination
link src > r > a[1..3] > c > dst`)
	run := func(t *testing.T, seed uint64, tells func(n int) bool) (discover.Result, traceflow.Graph) {
		engine := simulate(t, network, probe.Config{})
		defer engine.Close()
		r, err := search(network, seed).Discover(t.Context(), &edited{Prober: engine, edit: func(n int, r *traceflow.Reply) {
			if !tells(n) {
				r.Interfaces = nil
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		return r, traceflow.NewGraph(r.Walks, r.Exchanges)
	}
	tests := []struct {
		name  string
		tells func(n int) bool
	}{
		{"every third", func(n int) bool { return n%3 == 0 }},
		{"every third not", func(n int) bool { return n%3 > 0 }},
		{"only at first", func(n int) bool { return n < 12 }},
		{"only later", func(n int) bool { return n > 12 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(5) {
				synctest.Test(t, func(t *testing.T) {
					always, want := run(t, seed, func(int) bool { return true })
					r, g := run(t, seed, tt.tells)
					if len(g.Nodes) != len(want.Nodes) || len(g.Links) != len(want.Links) || len(g.Paths) != len(want.Paths) {
						t.Errorf("seed %d: got %+v, want %+v", seed, g.Nodes, want.Nodes)
					}
					if len(r.Walks) != len(always.Walks) || !slices.Equal(r.Guarantee.Hops, always.Guarantee.Hops) {
						t.Errorf("seed %d: %d flows and %v, want %d and %v", seed, len(r.Walks), r.Guarantee.Hops, len(always.Walks), always.Guarantee.Hops)
					}
				})
			}
		})
	}
}

// TestInterfaceBecomesSeveral has the second of two parallel links told when
// replies without one were taken for those of the first.
func TestInterfaceBecomesSeveral(t *testing.T) {
	network := topologytest.Builtin(t, "interfaces")
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			engine := simulate(t, network, probe.Config{})
			defer engine.Close()
			told := 0
			r, err := search(network, seed).Discover(t.Context(), &edited{Prober: engine, edit: func(_ int, r *traceflow.Reply) {
				if r.IncomingIndex() == 0 {
					return
				}
				if told++; told == 2 || told == 3 {
					r.Interfaces = nil
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			g := traceflow.NewGraph(r.Walks, r.Exchanges)
			want := discover.Guarantee(r.Walks, 0.95)
			if n := nodesAt(&g, 2); n != 3 || !slices.Equal(r.Guarantee.Hops, want.Hops) {
				t.Errorf("seed %d: %d nodes at TTL 2, %v; want 3 and %v", seed, n, r.Guarantee.Hops, want.Hops)
			}
		})
	}
}

// TestLinkBalancers tells what spreads packets over parallel links.
func TestLinkBalancers(t *testing.T) {
	linked := func(r1 string) *topology.Topology {
		return topologytest.Parse(t, "node src source\nnode r1 "+r1+"\nnode x[1..3] keep-ttl\n"+
			"node c interface=7 interface-per-link\nnode dst destination\nlink src > r1 > x[1..3] > c > dst")
	}
	find := func(t *testing.T, seed uint64, network *topology.Topology, prober discover.Prober) discover.Result {
		r, err := search(network, seed).Discover(t.Context(), prober)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	t.Run("packets", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			network := linked("balance=packet")
			engine := simulate(t, network, probe.Config{})
			defer engine.Close()
			r := find(t, 1, network, engine)
			g := traceflow.NewGraph(r.Walks, r.Exchanges)
			r.Classify(&g)
			if len(g.Diamonds) != 1 || g.Diamonds[0].Balancer != traceflow.BalancerPerPacket {
				t.Errorf("diamonds %+v, want one that balances per packet", g.Diamonds)
			}
		})
	})
	t.Run("a change", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			found := false
			for seed := range uint64(8) {
				networks := []*topology.Topology{linked("hash-seed=1"), linked("hash-seed=5")}
				before, after := simulate(t, networks[0], probe.Config{}), simulate(t, networks[1], probe.Config{})
				r := find(t, seed, networks[0], &changing{before: before, after: after})
				for _, c := range r.Changes {
					found = true
					if c.Before != c.After || c.TTL != 2 {
						t.Errorf("seed %d: change %+v, want one between links to one address at TTL 2", seed, c)
					}
				}
				before.Close()
				after.Close()
			}
			if !found {
				t.Error("no change was reported, of 8 runs in which half of the flows moved")
			}
		})
	})
}

// TestInterfaceLies has a router that names another interface in each reply:
// the search ends when it has sent what it may, and no flow's route changed.
func TestInterfaceLies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Parse(t, "node src source\nnode r interface=3\nnode dst destination\nlink src > r > a > dst")
		engine := simulate(t, network, probe.Config{})
		defer engine.Close()
		a := search(network, 1)
		a.MaxProbes = 500
		r, err := a.Discover(t.Context(), &edited{Prober: engine, edit: func(n int, r *traceflow.Reply) {
			for i := range r.Interfaces {
				r.Interfaces[i].Index = uint32(n + 1)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		g := traceflow.NewGraph(r.Walks, r.Exchanges)
		if r.StopReason != traceflow.StopProbeBudget || len(g.Nodes) > len(r.Exchanges) || len(r.Changes) > 0 {
			t.Errorf("stopped because %s with %d nodes of %d packets and %d changes", r.StopReason, len(g.Nodes), len(r.Exchanges), len(r.Changes))
		}
		if r.Guarantee.Short == nil {
			t.Errorf("guarantee %+v, want one that fell short", r.Guarantee)
		}
	})
}
