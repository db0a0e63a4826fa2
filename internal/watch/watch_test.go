// SPDX-License-Identifier: BSD-3-Clause

package watch_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/simnet"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
	"traceflow/internal/watch"
	"traceflow/probe"
)

const ms = time.Millisecond

// engineOf opens an engine on a network in memory.
func engineOf(t testing.TB, network *topology.Topology, config probe.Config) *probe.Engine {
	t.Helper()
	engine, err := probe.NewEngine(simnet.New(network).Open(), probe.Capabilities{Kind: probe.KindSim, QuotedHeader: true}, config)
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// traceOf finds the paths of a network.
func traceOf(t testing.TB, network *topology.Topology, prober discover.Prober) *traceflow.Trace {
	t.Helper()
	from, to := &network.Nodes[network.Source], &network.Nodes[network.Destination]
	flow := traceflow.Flow{
		Protocol: traceflow.ProtocolUDP, Source: from.Address4, Destination: to.Address4,
		SourcePort: 40000, DestinationPort: 33434,
	}
	search := discover.Adaptive{
		Flows: discover.RandomPorts(flow, 40000, 1), FirstTTL: 1, MaxTTL: 64, Confidence: 0.95, Retries: 2,
	}
	r, err := search.Discover(t.Context(), prober)
	if err != nil {
		t.Fatal(err)
	}
	trace := &traceflow.Trace{Exchanges: r.Exchanges, Graph: traceflow.NewGraph(r.Walks, r.Exchanges)}
	r.Classify(&trace.Graph)
	return trace
}

// run watches for so long and returns every snapshot.
func run(t testing.TB, w *watch.Watch, prober watch.Prober, long time.Duration) []watch.Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	var all []watch.Snapshot
	err := w.Run(ctx, prober, func(s watch.Snapshot) { all = append(all, s) })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Run: %v", err)
	}
	return all
}

func last(all []watch.Snapshot) *watch.Snapshot { return &all[len(all)-1] }

// address is that of a node of a network.
func address(t testing.TB, network *topology.Topology, name string) netip.Addr {
	t.Helper()
	for i := range network.Nodes {
		if network.Nodes[i].Name == name {
			return network.Nodes[i].Address4
		}
	}
	t.Fatalf("no node %s", name)
	return netip.Addr{}
}

// through returns the paths that cross a node.
func through(s *watch.Snapshot, node netip.Addr) (crossing, others []traceflow.PathStats) {
	for _, p := range s.Paths {
		crosses := false
		for _, h := range p.Hops {
			crosses = crosses || h.Address == node
		}
		if crosses {
			crossing = append(crossing, p)
		} else {
			others = append(others, p)
		}
	}
	return crossing, others
}

// TestRounds asks every way once a round, and no retry.
func TestRounds(t *testing.T) {
	tests := []struct {
		name  string
		ways  int // to a TTL that differ
		hops  int
		far   int // how many links away the last is
		paths int
	}{
		{"wide4", 1 + 4 + 4, 3, 3, 4},
		{"d", 1 + 4 + 4 + 3*11, 6, 6, 11}, // of 16 paths; every link is on one of these
		{"unreachable", 1 + 3*4, 4, 3, 4},
		{"perpacket", 0, 0, 0, 0}, // whatever paths it shows
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := topologytest.Builtin(t, tt.name)
				engine := engineOf(t, network, probe.Config{Rate: 500, Retries: 2})
				defer engine.Close()
				trace := traceOf(t, network, engine)
				before := engine.Stats()
				stats := func() traceflow.Stats { return engine.Stats().Since(before) }
				const rounds = 10
				s := last(run(t, watch.New(trace, time.Second, stats), engine, rounds*time.Second-ms))
				if s.Round != rounds || s.Elapsed != rounds*time.Second-ms {
					t.Errorf("round %d after %v, want %d", s.Round, s.Elapsed, rounds)
				}
				if len(s.Events) > 0 {
					t.Errorf("events %+v", s.Events)
				}
				if tt.paths == 0 {
					return
				}
				if got, want := s.Stats.Probes, rounds*tt.ways; got != want {
					t.Errorf("%d packets, want %d", got, want)
				}
				if len(s.Paths) != tt.paths {
					t.Fatalf("%d paths, want %d", len(s.Paths), tt.paths)
				}
				for i, p := range s.Paths {
					if len(p.Hops) != tt.hops || s.States[i] != watch.Alive {
						t.Fatalf("path %d: %d hops, want %d; state %v", p.Path, len(p.Hops), tt.hops, s.States[i])
					}
					for j, h := range p.Hops {
						if want := time.Duration(min(j+1, tt.far)) * 2 * ms; h.Sent != rounds || h.Replies != rounds ||
							h.Last != want || h.Best != want || h.Median != want || h.Jitter != 0 || len(h.Recent) != rounds {
							t.Errorf("path %d, TTL %d: %+v, want %d answered after %v", p.Path, h.TTL, h.RTTStats, rounds, want)
						}
					}
				}
			})
		})
	}
}

// TestLossOfOnePath has one of four next hops drop half of what it forwards:
// only the path through it may show loss, from the hop after it on.
func TestLossOfOnePath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Parse(t, "node a2 forward-loss=50%; link s > r > a[1..4] > c > e > d")
		engine := engineOf(t, network, probe.Config{})
		defer engine.Close()
		trace := traceOf(t, network, engine)
		s := last(run(t, watch.New(trace, time.Second, nil), engine, 200*time.Second))
		lossy, others := through(s, address(t, network, "a2"))
		if len(lossy) != 1 || len(others) != 3 {
			t.Fatalf("%d paths through a2, %d others", len(lossy), len(others))
		}
		for _, h := range lossy[0].Hops {
			if lost := h.Loss(); lost > 0 != (h.TTL > 2) || h.TTL > 2 && (lost < 0.35 || lost > 0.65) {
				t.Errorf("TTL %d loses %.0f %%", h.TTL, 100*lost)
			}
		}
		for _, p := range others {
			for _, h := range p.Hops {
				if h.Replies != h.Sent {
					t.Errorf("path %d loses at TTL %d: %+v", p.Path, h.TTL, h.RTTStats)
				}
			}
		}
	})
}

// switched is a network that becomes another one at a time.
type switched struct {
	before, after watch.Prober
	at, until     time.Time
}

func (s *switched) Probe(ctx context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error) {
	if now := time.Now(); now.After(s.at) && now.Before(s.until) {
		return s.after.Probe(ctx, probes)
	}
	return s.before.Probe(ctx, probes)
}

// TestChange has the network change after 20 s and be as before after 60 s.
func TestChange(t *testing.T) {
	tests := []struct {
		name, before, after string
		state               watch.State // after 59 s
		from, to            int         // paths in that state
		first, back         watch.EventKind
	}{
		{
			"one path dies", "node a2 unreachable=no; link s > r > a[1..4] > c > d", "node a2 unreachable=net; link s > r > a[1..4] > c > d",
			watch.Dead, 1, 1, watch.Died, watch.CameBack,
		},
		{
			"all die", "node r forward-loss=0%; link s > r > a[1..4] > c > d", "node r forward-loss=100%; link s > r > a[1..4] > c > d",
			watch.Dead, 4, 4, watch.Died, watch.CameBack,
		},
		{
			"flows move at the fork", "node r hash-seed=1; link s > r > a[1..2] > c > d", "node r hash-seed=5; link s > r > a[1..2] > c > d",
			watch.Left, 0, 2, watch.RouteChanged, watch.RouteBack,
		},
		{
			"another router before the fork", "node r address=192.0.2.2; link s > r > a[1..4] > c > d", "node r address=192.0.2.3; link s > r > a[1..4] > c > d",
			watch.Left, 4, 4, watch.RouteChanged, watch.RouteBack,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				networks := []*topology.Topology{topologytest.Parse(t, tt.before), topologytest.Parse(t, tt.after)}
				before, after := engineOf(t, networks[0], probe.Config{}), engineOf(t, networks[1], probe.Config{})
				defer before.Close()
				defer after.Close()
				trace := traceOf(t, networks[0], before)
				p := &switched{before, after, time.Now().Add(20500 * ms), time.Now().Add(60500 * ms)}
				all := run(t, watch.New(trace, time.Second, nil), p, 100*time.Second)
				kinds := make(map[watch.EventKind]int)
				for _, e := range last(all).Events {
					kinds[e.Kind]++
				}
				if len(last(all).Events) == 0 || last(all).Events[0].Kind != tt.first {
					t.Fatalf("events %+v, want %v first", last(all).Events, tt.first)
				}
				if kinds[tt.first] != kinds[tt.back] || kinds[tt.first] > len(trace.Graph.Paths) {
					t.Errorf("events %v", kinds)
				}
				for _, s := range all {
					n := 0
					for _, state := range s.States {
						if state == tt.state {
							n++
						}
					}
					switch {
					case s.Elapsed < 20*time.Second || s.Elapsed > 90*time.Second:
						if n > 0 {
							t.Fatalf("%d paths are in state %d after %v", n, tt.state, s.Elapsed)
						}
					case s.Elapsed > 58*time.Second && s.Elapsed < 60*time.Second:
						if n < tt.from || n > tt.to {
							t.Errorf("%d paths are in state %d after %v, want %d to %d", n, tt.state, s.Elapsed, tt.from, tt.to)
						}
					}
				}
				// What strangers answer is nobody's sample.
				for _, path := range last(all).Paths {
					for _, h := range path.Hops {
						if tt.state == watch.Left && h.Replies != h.Sent {
							t.Errorf("path %d lost at TTL %d: %+v", path.Path, h.TTL, h.RTTStats)
						}
					}
				}
			})
		})
	}
}

// TestSlower has every path become 20 times as slow: that is delay, not loss.
func TestSlower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := engineOf(t, topologytest.Parse(t, "link s > r > a[1..2] > d delay=2ms"), probe.Config{})
		slow := topologytest.Parse(t, "link s > r > a[1..2] > d delay=40ms")
		defer before.Close()
		trace := traceOf(t, slow, before)
		wire := simnet.New(slow).Open()
		after, err := probe.NewEngine(wire, probe.Capabilities{Kind: probe.KindSim, QuotedHeader: true}, probe.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer after.Close()
		s := last(run(t, watch.New(trace, time.Second, nil), after, 30*time.Second))
		for _, p := range s.Paths {
			if end := p.Hops[len(p.Hops)-1]; end.Median != 240*ms || end.Loss() > 0.1 {
				t.Errorf("path %d: %+v, want 240ms and hardly any loss", p.Path, end.RTTStats)
			}
		}
	})
}

// TestReset begins anew.
func TestReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Builtin(t, "wide4")
		engine := engineOf(t, network, probe.Config{})
		defer engine.Close()
		w := watch.New(traceOf(t, network, engine), time.Second, nil)
		time.AfterFunc(10500*ms, w.Reset)
		s := last(run(t, w, engine, 20*time.Second-ms))
		if s.Round != 9 || s.Paths[0].Hops[0].Sent != 9 || s.Elapsed >= 10*time.Second {
			t.Errorf("round %d after %v, %d packets to the first hop; want 9", s.Round, s.Elapsed, s.Paths[0].Hops[0].Sent)
		}
	})
}

// TestSnapshotsStay wants nothing in a snapshot to change later.
func TestSnapshotsStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Builtin(t, "wide4")
		engine := engineOf(t, network, probe.Config{})
		defer engine.Close()
		all := run(t, watch.New(traceOf(t, network, engine), time.Second, nil), engine, 10*time.Second-ms)
		for i, s := range all[:len(all)-1] { // the first is of no round
			if got := s.Paths[0].Hops[0]; got.Sent != i || len(got.Recent) != i {
				t.Errorf("snapshot %d: %d packets, %d round trips", i, got.Sent, len(got.Recent))
			}
		}
	})
}

// TestBroken ends with the prober's error, and tells what was measured.
func TestBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Builtin(t, "wide4")
		engine := engineOf(t, network, probe.Config{})
		w := watch.New(traceOf(t, network, engine), time.Second, nil)
		time.AfterFunc(4500*ms, func() { engine.Close() })
		var s watch.Snapshot
		err := w.Run(t.Context(), engine, func(now watch.Snapshot) { s = now })
		if err == nil || s.Paths[0].Hops[2].Replies != 5 {
			t.Errorf("%v after %+v, want an error after 5 rounds", err, s.Paths[0].Hops[2].RTTStats)
		}
	})
}

// TestNothing watches paths that have no hop.
func TestNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Builtin(t, "drop-all")
		engine := engineOf(t, network, probe.Config{})
		defer engine.Close()
		trace := traceOf(t, network, engine)
		trace.Exchanges = nil
		for i := range trace.Graph.Paths {
			trace.Graph.Paths[i].Nodes = nil
		}
		run(t, watch.New(trace, time.Second, nil), engine, time.Minute)
	})
}
