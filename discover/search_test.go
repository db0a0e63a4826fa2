// SPDX-License-Identifier: BSD-3-Clause

package discover_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/simnet"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
	"traceflow/probe"
)

// simulate opens an engine on a network in memory.
func simulate(t *testing.T, network *topology.Topology, config probe.Config) *probe.Engine {
	t.Helper()
	engine, err := probe.NewEngine(simnet.New(network).Open(),
		probe.Capabilities{Kind: probe.KindSim, QuotedHeader: true}, config)
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// search is what the command does with --paths auto.
func search(network *topology.Topology, seed uint64) discover.Adaptive {
	return discover.Adaptive{
		Flows: discover.RandomPorts(flows(network, 4, 1)[0], 33452, seed), FirstTTL: 1, MaxTTL: 64,
		Confidence: 0.95, Retries: 2,
	}
}

// TestAdaptiveLimits has routers that answer six times and then once a second.
// The map is complete all the same, no limit passes for a silent router, and
// nothing is waited for in vain.
func TestAdaptiveLimits(t *testing.T) {
	for _, name := range []string{"rl-b", "rl-c", "rl-d"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := topologytest.Builtin(t, name)
				engine := simulate(t, network, probe.Config{})
				defer engine.Close()
				start := time.Now()
				r, err := search(network, 1).Discover(t.Context(), engine)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took > 30*time.Second {
					t.Errorf("took %v, want at most 30 s", took)
				}
				if r.StopReason != traceflow.StopConfident || len(r.Guarantee.RateLimited) == 0 || len(r.Guarantee.Short) > 0 {
					t.Errorf("stopped because %s, limited %v, short %v; want confident, some, none",
						r.StopReason, r.Guarantee.RateLimited, r.Guarantee.Short)
				}
				g := traceflow.NewGraph(r.Walks, r.Exchanges)
				if size := network.Size(); len(g.Nodes) != size.Interfaces || len(g.Links) != size.Links {
					t.Errorf("%d nodes and %d links, want %d and %d", len(g.Nodes), len(g.Links), size.Interfaces, size.Links)
				}
			})
		})
	}
}

// TestAdaptiveCutShort ends a search by its budget, its time and its context.
func TestAdaptiveCutShort(t *testing.T) {
	tests := []struct {
		name, network string
		set           func(*discover.Adaptive)
		cancel        time.Duration
		stop          traceflow.StopReason
	}{
		{"budget", "d", func(a *discover.Adaptive) { a.MaxProbes = 40 }, 0, traceflow.StopProbeBudget},
		{"time", "rl-d", func(a *discover.Adaptive) { a.TimeLimit = time.Second }, 0, traceflow.StopTimeLimit},
		{"context", "d", func(*discover.Adaptive) {}, 20 * time.Millisecond, traceflow.StopCancelled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := topologytest.Builtin(t, tt.network)
				engine := simulate(t, network, probe.Config{})
				defer engine.Close()
				a := search(network, 1)
				tt.set(&a)
				ctx := t.Context()
				if tt.cancel > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.cancel)
					defer cancel()
				}
				r, err := a.Discover(ctx, engine)
				if cut := errors.Is(err, context.DeadlineExceeded); cut != (tt.cancel > 0) || err != nil && !cut {
					t.Fatalf("error %v", err)
				}
				if r.StopReason != tt.stop || r.Complete == (tt.cancel > 0) {
					t.Errorf("stopped because %s, complete %v, want %s", r.StopReason, r.Complete, tt.stop)
				}
				if len(r.Walks) == 0 || r.Walks[0].LastAnswered() == 0 {
					t.Error("what was measured is lost")
				}
				if sent := engine.Stats().Probes; a.MaxProbes > 0 && sent > a.MaxProbes+3 {
					t.Errorf("%d packets, want at most %d and the scout", sent, a.MaxProbes)
				}
				if r.Guarantee.Alpha <= 0.05 && len(r.Guarantee.Short) == 0 {
					t.Errorf("cut short, but the statement is whole: %+v", r.Guarantee)
				}
				for i := range r.Walks {
					checkWalk(t, network, &r.Walks[i])
				}
			})
		})
	}
}

// TestBalancers tells the kinds of balancers apart.
func TestBalancers(t *testing.T) {
	tests := []struct {
		network string
		axis    discover.Axis
		want    traceflow.Balancer
	}{
		{"b", discover.VarySourcePort, traceflow.BalancerPerFlow},
		{"b", discover.VaryDestinationPort, traceflow.BalancerPerFlow},
		{"b", discover.VaryBothPorts, traceflow.BalancerPerFlow},
		{"b", discover.VaryDestination, traceflow.BalancerPerFlow},
		{"perpacket", discover.VarySourcePort, traceflow.BalancerPerPacket},
		{"perdest", discover.VaryDestination, traceflow.BalancerPerDestination},
	}
	for _, tt := range tests {
		t.Run(tt.network+"/"+string(tt.axis), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := topologytest.Builtin(t, tt.network)
				engine := simulate(t, network, probe.Config{})
				defer engine.Close()
				a := search(network, 1)
				flow := flows(network, 4, 1)[0]
				flow.SourcePort = 33452
				a.Axis, a.Flows = tt.axis, discover.Vary(tt.axis, flow, 1)
				r, err := a.Discover(t.Context(), engine)
				if err != nil {
					t.Fatal(err)
				}
				g := traceflow.NewGraph(r.Walks, r.Exchanges)
				r.Classify(&g)
				if len(g.Diamonds) == 0 || g.Diamonds[0].Balancer != tt.want {
					t.Errorf("diamonds %+v, want the first %s", g.Diamonds, tt.want)
				}
			})
		})
	}
}

// changing is a network whose routes change for good when a flow is sent again.
type changing struct {
	before, after discover.Prober
	mu            sync.Mutex // the scout probes beside the rounds
	changed       bool
}

func (c *changing) Probe(ctx context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error) {
	c.mu.Lock()
	for i := 1; i < len(probes); i++ {
		c.changed = c.changed || probes[i] == probes[i-1]
	}
	to := c.before
	if c.changed {
		to = c.after
	}
	c.mu.Unlock()
	return to.Probe(ctx, probes)
}

// TestRouteChange has every flow move to another next hop during the run, for
// good: that is no balancing packet by packet, and it is reported.
func TestRouteChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var networks []*topology.Topology
		for _, seed := range []string{"1", "5"} {
			networks = append(networks, topologytest.Parse(t, "node src source\nnode dst destination\n"+
				"node r1 hash-seed="+seed+"\nlink src > r1 > a[1..2] > c > dst"))
		}
		found := false
		for seed := range uint64(8) {
			before, after := simulate(t, networks[0], probe.Config{}), simulate(t, networks[1], probe.Config{})
			r, err := search(networks[0], seed).Discover(t.Context(), &changing{before: before, after: after})
			if err != nil {
				t.Fatal(err)
			}
			for _, kind := range r.Balancers {
				if kind == traceflow.BalancerPerPacket {
					t.Errorf("seed %d: a route that changed passes for balancing per packet", seed)
				}
			}
			for _, c := range r.Changes {
				found = true
				if c.Before == c.After || c.TTL != 2 {
					t.Errorf("seed %d: change %+v, want one between two addresses at TTL 2", seed, c)
				}
			}
			before.Close()
			after.Close()
		}
		if !found {
			t.Error("no change was reported, of 8 runs in which half of the flows moved")
		}
	})
}

// TestPerNode makes the statement hold for each node.
func TestPerNode(t *testing.T) {
	for _, name := range []string{"b", "d", "k", "e", "tree", "clos", "wide16"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := topologytest.Builtin(t, name)
				engine := simulate(t, network, probe.Config{})
				defer engine.Close()
				a := search(network, 1)
				a.PerNode = true
				r, err := a.Discover(t.Context(), engine)
				if err != nil {
					t.Fatal(err)
				}
				if r.StopReason != traceflow.StopConfident || r.Guarantee.Alpha > 0.05 || len(r.Guarantee.Short) > 0 {
					t.Errorf("stopped because %s, %+v", r.StopReason, r.Guarantee)
				}
				addresses := make(map[string]bool)
				g := traceflow.NewGraph(r.Walks, r.Exchanges)
				for i := range g.Nodes {
					addresses[g.Nodes[i].Address.String()] = true
				}
				if got, want := len(addresses), network.Size().Interfaces; got != want {
					t.Errorf("%d interfaces, want %d", got, want)
				}
				for i := range r.Walks {
					checkWalk(t, network, &r.Walks[i])
				}
				t.Logf("%d packets", engine.Stats().Probes)
			})
		})
	}
}
