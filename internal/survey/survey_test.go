// SPDX-License-Identifier: BSD-3-Clause

package survey_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/simnet"
	"traceflow/internal/survey"
	"traceflow/internal/topology"
	"traceflow/probe"
)

// core has 12 hops, of the widths of the table in docs/snapshot.md. Its destination
// answers for a whole prefix: those are the targets.
const core = `
-- topology --
seed 7
family 4
default delay=2ms
node src source
node dst destination address=203.0.113.1
link src > a > b > c > d[1..2] > e[1..4] > f[1..4] > g[1..8] > h[1..4] > i[1..2] > j > k > dst
`

// with is the core with more lines.
func with(lines string) string {
	return strings.Replace(core, "node src source\n", lines+"node src source\n", 1)
}

// network parses a topology.
func network(t testing.TB, text string) *topology.Topology {
	t.Helper()
	n, err := topology.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// recorder is an engine, and when what was asked of whom.
type recorder struct {
	*probe.Engine
	mu     sync.Mutex
	answer map[netip.Addr][]time.Time
	sent   []time.Time
}

func record(t testing.TB, n *topology.Topology, config probe.Config) *recorder {
	t.Helper()
	r := &recorder{answer: make(map[netip.Addr][]time.Time)}
	config.Observe = func(e traceflow.Exchange) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sent = append(r.sent, e.Sent)
		if e.Reply.Kind != traceflow.NoReply {
			r.answer[e.Reply.Address] = append(r.answer[e.Reply.Address], e.Sent)
		}
	}
	var err error
	r.Engine, err = probe.NewEngine(simnet.New(n).Open(), probe.Capabilities{Kind: probe.KindSim, QuotedHeader: true}, config)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// targetsOf are so many addresses of the destination's prefix.
func targetsOf(n *topology.Topology, prober discover.Prober, many int) []survey.Target {
	source := n.Nodes[n.Source].Address4
	base := n.Nodes[n.Destination].Address4.As4()
	var all []survey.Target
	for i := range many {
		address := netip.AddrFrom4([4]byte{base[0], base[1], base[2], byte(i + 1)})
		flow := traceflow.Flow{Protocol: traceflow.ProtocolUDP, Source: source, Destination: address, SourcePort: 33452, DestinationPort: 33452}
		all = append(all, survey.Target{
			Prober: prober, Mapper: discover.Vary(discover.VarySourcePort, flow, 1),
			Trace: traceflow.Trace{
				Destination:  traceflow.Destination{Name: fmt.Sprint("h", i+1), Address: address},
				VantagePoint: traceflow.VantagePoint{Address: source},
				Config:       traceflow.Config{Protocol: traceflow.ProtocolUDP, FirstTTL: 1, MaxTTL: 64, Confidence: 0.95},
			},
		})
	}
	return all
}

// collect keeps passes by target.
func collect(to map[int][]*traceflow.Trace) func(survey.Pass) error {
	return func(p survey.Pass) error {
		to[p.Target] = append(to[p.Target], p.Trace)
		return nil
	}
}

// TestHundred is the figure of the issue: 100 targets × 16 flows × 2 passes inside
// 120 s at 500 packets a second, with no router asked more than its part.
func TestHundred(t *testing.T) {
	tests := []struct {
		name, lines string
		answers     int // of one router in a second, at most
		limit       time.Duration
	}{
		{"all answer", "", 65, 120 * time.Second},
		{"two routers silent", "node f2 h3 silent\n", 65, 120 * time.Second},
		{"a tenth of the answers lost", "default delay=2ms reply-loss=0.1\n", 100, 120 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := network(t, with(tt.lines))
				engine := record(t, n, probe.Config{Rate: 500, Retries: 2})
				defer engine.Close()
				targets := targetsOf(n, engine, 100)
				for i := range targets {
					targets[i].Count = 16
				}
				passes := make(map[int][]*traceflow.Trace)
				started := time.Now()
				s := survey.New(survey.Config{Rate: 500, Passes: 2, Budget: tt.limit, Seed: 1}, targets)
				r, err := s.Run(t.Context(), collect(passes))
				took := time.Since(started)
				if err != nil || !r.Complete || r.Passes != 2 || took > tt.limit {
					t.Errorf("%d passes, complete %v, in %v: %v; notes %q", r.Passes, r.Complete, took, err, r.Notes)
				}
				for i, all := range passes {
					if len(all) != 2 || len(all[0].Flows) != 16 || !all[0].Reached() || !all[1].Complete {
						t.Errorf("target %d: %d passes", i, len(all))
					}
				}
				worst := 0
				for _, at := range engine.answer {
					worst = max(worst, mostWithin(at, time.Second))
				}
				perSecond := mostWithin(engine.sent, time.Second)
				t.Logf("%d packets in %v; at most %d sent a second, %d answered by one router", r.Stats.Probes, took.Round(time.Millisecond), perSecond, worst)
				// Retries are the engine's, and come on top.
				if perSecond > 505 || worst > tt.answers {
					t.Errorf("%d packets in one second, %d answers of one router", perSecond, worst)
				}
			})
		})
	}
}

// mostWithin is how many moments lie within so long, at most.
func mostWithin(at []time.Time, long time.Duration) int {
	at = slices.SortedFunc(slices.Values(at), time.Time.Compare)
	most, from := 0, 0
	for to := range at {
		for at[to].Sub(at[from]) >= long {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

// TestPassesInterleave: pass 1 of all before pass 2 of any, whatever a target that
// waits for silence takes.
func TestPassesInterleave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := network(t, core)
		engine := record(t, n, probe.Config{Rate: 500})
		defer engine.Close()
		targets := targetsOf(n, engine, 12)
		// Nobody has this address, so every TTL of it is silent.
		nowhere := targets[3].Trace.Destination
		nowhere.Address = netip.MustParseAddr("192.0.2.1")
		flow := traceflow.Flow{Protocol: traceflow.ProtocolUDP, Source: targets[0].Trace.VantagePoint.Address, Destination: nowhere.Address, SourcePort: 33452, DestinationPort: 33452}
		targets[3].Trace.Destination, targets[3].Mapper = nowhere, discover.RandomPorts(flow, 33452, 1)
		var begun [2]time.Time // the last of pass 1, the first of pass 2
		var silent *traceflow.Trace
		var ended []time.Time // the others
		s := survey.New(survey.Config{Rate: 500, Seed: 3}, targets)
		r, err := s.Run(t.Context(), func(p survey.Pass) error {
			if at := p.Trace.Started; p.Pass == 1 && at.After(begun[0]) {
				begun[0] = at
			} else if p.Pass == 2 && (begun[1].IsZero() || at.Before(begun[1])) {
				begun[1] = at
			}
			if p.Target != 3 {
				ended = append(ended, p.Trace.Ended)
			} else if p.Pass == 1 {
				silent = p.Trace
			}
			return nil
		})
		if err != nil || !r.Complete {
			t.Fatal(err)
		}
		if begun[1].Before(begun[0]) {
			t.Errorf("pass 2 began %v before pass 1 of all had", begun[0].Sub(begun[1]))
		}
		meanwhile := 0
		for _, at := range ended {
			if at.After(silent.Started) && at.Before(silent.Ended) {
				meanwhile++
			}
		}
		if meanwhile < 1 {
			t.Errorf("%d passes ended while the silent one took %v", meanwhile, silent.Ended.Sub(silent.Started))
		}
	})
}

// TestWidthOfAddresses: destinations that differ are no next hops.
func TestWidthOfAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := network(t, "-- topology --\ndefault delay=1ms\nnode src source\nnode dst destination address=203.0.113.1\nlink src > a > b > dst\n")
		engine := record(t, n, probe.Config{Rate: 500})
		defer engine.Close()
		targets := targetsOf(n, engine, 1)
		flow, _ := targets[0].Mapper(0)
		targets[0].Mapper = discover.Vary(discover.VaryDestination, flow, 1)
		r, err := survey.New(survey.Config{}, targets).Run(t.Context(), collect(make(map[int][]*traceflow.Trace)))
		if err != nil {
			t.Fatal(err)
		}
		if o := r.Targets[0]; len(o.Flows) != 16 || o.Width != 1 {
			t.Errorf("%d flows of width %d, want 16 of 1", len(o.Flows), o.Width)
		}
	})
}

// TestWidth: as many flows as the width takes, the same in every pass.
func TestWidth(t *testing.T) {
	tests := []struct {
		name, links  string
		count        int
		flows, width [2]int // between
	}{
		{"one path", "link src > a > b > dst", 0, [2]int{16, 16}, [2]int{1, 1}},
		{"four", "link src > a > b[1..4] > c > dst", 0, [2]int{16, 16}, [2]int{4, 4}},
		{"eight", "link src > a > b[1..8] > c > dst", 0, [2]int{30, 36}, [2]int{7, 8}},
		{"sixteen", "link src > a > b[1..16] > c > dst", 0, [2]int{60, 64}, [2]int{14, 16}},
		{"sixty-four", "link src > a > b[1..64] > c > dst", 0, [2]int{64, 64}, [2]int{17, 64}},
		{"as told", "link src > a > b[1..16] > c > dst", 20, [2]int{20, 20}, [2]int{8, 16}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := network(t, "-- topology --\ndefault delay=1ms\nnode src source\nnode dst destination address=203.0.113.1\n"+tt.links+"\n")
				engine := record(t, n, probe.Config{Rate: 500})
				defer engine.Close()
				targets := targetsOf(n, engine, 1)
				targets[0].Count = tt.count
				passes := make(map[int][]*traceflow.Trace)
				r, err := survey.New(survey.Config{}, targets).Run(t.Context(), collect(passes))
				if err != nil {
					t.Fatal(err)
				}
				o := r.Targets[0]
				if len(o.Flows) < tt.flows[0] || len(o.Flows) > tt.flows[1] || o.Width < tt.width[0] || o.Width > tt.width[1] {
					t.Errorf("%d flows of width %d", len(o.Flows), o.Width)
				}
				for i, p := range passes[0] {
					if !slices.Equal(p.Flows, o.Flows) || len(p.Graph.Walks) != len(o.Flows) {
						t.Errorf("pass %d has %d flows, %d walks", i+1, len(p.Flows), len(p.Graph.Walks))
					}
				}
			})
		})
	}
}

func TestBudget(t *testing.T) {
	tests := []struct {
		name            string
		targets, passes int
		budget          time.Duration
		wantPasses      int
		flows           [2]int
		complete        bool
		note            string
	}{
		{"enough", 10, 3, time.Minute, 3, [2]int{16, 40}, true, ""},
		{"fewer passes", 10, 5, 12 * time.Second, 2, [2]int{16, 40}, true, "2 passes of 5"},
		{"fewer flows", 10, 2, 6 * time.Second, 2, [2]int{6, 40}, true, "9 flows a target, not 16"},
		{"too little", 10, 2, time.Second, 0, [2]int{6, 6}, false, "6 flows a target"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := network(t, core)
				engine := record(t, n, probe.Config{Rate: 500})
				defer engine.Close()
				passes := make(map[int][]*traceflow.Trace)
				started := time.Now()
				s := survey.New(survey.Config{Passes: tt.passes, Budget: tt.budget}, targetsOf(n, engine, tt.targets))
				r, err := s.Run(t.Context(), collect(passes))
				if took := time.Since(started); err != nil || took > tt.budget {
					t.Errorf("took %v of %v: %v", took, tt.budget, err)
				}
				if r.Passes != tt.wantPasses || r.Complete != tt.complete {
					t.Errorf("%d passes, complete %v; notes %q", r.Passes, r.Complete, r.Notes)
				}
				for i, o := range r.Targets {
					if len(o.Flows) < tt.flows[0] || len(o.Flows) > tt.flows[1] {
						t.Errorf("target %d: %d flows", i, len(o.Flows))
					}
				}
				if notes := strings.Join(r.Notes, "; "); !strings.Contains(notes, tt.note) || tt.note == "" && notes != "" {
					t.Errorf("notes %q, want %q", notes, tt.note)
				}
			})
		})
	}
}

// TestInterrupted: what was measured is kept, and it ends at once.
func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := network(t, core)
		engine := record(t, n, probe.Config{Rate: 500, Retries: 2})
		defer engine.Close()
		why := errors.New("interrupted")
		ctx, cancel := context.WithCancelCause(t.Context())
		started := time.Now()
		time.AfterFunc(5*time.Second, func() { cancel(why) })
		whole, cut := 0, 0
		r, err := survey.New(survey.Config{}, targetsOf(n, engine, 50)).Run(ctx, func(p survey.Pass) error {
			if p.Trace.Complete {
				whole++
			} else {
				cut++
			}
			return nil
		})
		if !errors.Is(err, why) || r.Complete || time.Since(started) > 5100*time.Millisecond {
			t.Errorf("complete %v after %v: %v", r.Complete, time.Since(started), err)
		}
		if whole < 5 || cut < 1 {
			t.Errorf("kept %d whole and %d cut", whole, cut)
		}
	})
}

// TestKeepFails: a full disk ends a survey.
func TestKeepFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := network(t, core)
		engine := record(t, n, probe.Config{Rate: 500})
		defer engine.Close()
		full := errors.New("no space left on device")
		calls := 0
		_, err := survey.New(survey.Config{}, targetsOf(n, engine, 20)).Run(t.Context(), func(survey.Pass) error {
			calls++
			if calls >= 3 {
				return full
			}
			return nil
		})
		if !errors.Is(err, full) || calls > 18 {
			t.Errorf("%v after %d calls", err, calls)
		}
	})
}

// TestPinned: the flows of before, and nothing else.
func TestPinned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := network(t, core)
		engine := record(t, n, probe.Config{Rate: 500})
		defer engine.Close()
		targets := targetsOf(n, engine, 1)
		var pinned []traceflow.Flow
		for i := range 5 {
			f, _ := targets[0].Mapper(i * 3)
			f.ID = i + 1
			pinned = append(pinned, f)
		}
		targets[0].Flows = pinned
		passes := make(map[int][]*traceflow.Trace)
		if _, err := survey.New(survey.Config{}, targets).Run(t.Context(), collect(passes)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(passes[0][1].Flows, pinned) {
			t.Errorf("got %v", passes[0][1].Flows)
		}
	})
}
