// SPDX-License-Identifier: BSD-3-Clause

package discover_test

import (
	"context"
	"errors"
	"math"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"traceflow"
	"traceflow/discover"
)

func router(n int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}) }

var destination = router(254)

// table is a Prober on a table: flow i has distance[i-1] hops, router (10 × i
// + TTL) at each, with what the fields take away.
type table struct {
	distance []int
	silent   func(flow int, ttl int) bool // no reply to any attempt
	quote    func(ttl, left int) int      // the quoted TTL, of the one sent and the one left
	refuses  int                          // the TTL from which on a router refuses, or 0
	back     int                          // how many hops the destination's way back is shorter
	fail     error

	mu     sync.Mutex
	probes int
	rounds int
}

func (p *table) Probe(ctx context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error) {
	p.mu.Lock()
	p.probes += len(probes)
	p.rounds++
	p.mu.Unlock()
	var out []traceflow.Exchange
	wait := time.Duration(0)
	for _, probe := range probes {
		x := traceflow.Exchange{Flow: probe.Flow.ID, TTL: probe.TTL, Attempt: 1, Sent: time.Now()}
		ttl, d := int(probe.TTL), p.distance[probe.Flow.ID-1]
		took := time.Duration(min(ttl, d)) * 2 * time.Millisecond
		if p.silent == nil || !p.silent(probe.Flow.ID, ttl) {
			x.Reply = traceflow.Reply{Kind: traceflow.TimeExceeded, Address: router(10*probe.Flow.ID + ttl), HeaderQuoted: true, QuotedTTL: 1, RTT: took, TTL: uint8(64 - ttl + 1)}
			left := 1
			switch {
			case p.refuses > 0 && ttl > p.refuses:
				left = ttl - p.refuses
				x.Reply.Kind, x.Reply.Address = traceflow.Unreachable, router(10*probe.Flow.ID+p.refuses)
			case ttl >= d:
				left = ttl - d + 1
				x.Reply.Kind, x.Reply.Address, x.Reply.TTL = traceflow.PortUnreachable, destination, uint8(64-d+1+p.back)
			}
			x.Reply.QuotedTTL = uint8(left)
			if p.quote != nil {
				x.Reply.QuotedTTL = uint8(p.quote(ttl, left))
			}
		} else if took = 150 * time.Millisecond; probe.Patient {
			took = 3 * time.Second
		}
		wait = max(wait, took)
		out = append(out, x)
	}
	select {
	case <-time.After(wait):
		return out, p.fail
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func tableFlows(n int) []traceflow.Flow {
	out := make([]traceflow.Flow, n)
	for i := range out {
		out[i] = traceflow.Flow{
			ID: i + 1, Protocol: traceflow.ProtocolUDP, Source: router(1), Destination: destination,
			SourcePort: uint16(33453 + i), DestinationPort: 33452,
		}
	}
	return out
}

func is(flow, ttl int) func(int, int) bool {
	return func(f, t int) bool { return f == flow && t == ttl }
}

// TestFixedTable follows flows on tables that have each trouble on its own.
func TestFixedTable(t *testing.T) {
	exactly := func(n int) []int { return []int{n, n, n, n} }
	reached, silent := traceflow.EndReached, traceflow.EndSilent
	tests := []struct {
		name    string
		table   *table
		fixed   discover.Fixed
		end     traceflow.End
		hops    []int // of each flow; nil: the true distances
		probes  int   // exactly; 0: not asserted
		rounds  int   // exactly, the scout's included; 0: not asserted
		stopped traceflow.StopReason
	}{
		{name: "plain", table: &table{distance: exactly(10)}, probes: 41, rounds: 3},
		{name: "three hops", table: &table{distance: exactly(3)}, probes: 13},
		{name: "unequal", table: &table{distance: []int{8, 9, 10, 11}}},
		{name: "shorter than the scout's", table: &table{distance: []int{11, 10, 9, 8}}},
		{name: "last reply lost, quotes tell", table: &table{distance: []int{8, 9, 10, 11}, silent: func(f, ttl int) bool { return ttl == 7+f }}},
		{name: "scout lost", table: &table{distance: exactly(9), silent: is(1, 64)}},
		{name: "scout lost, long paths", table: &table{distance: exactly(30), silent: is(1, 64)}},
		{
			name: "destination silent", table: &table{distance: exactly(6), silent: func(_, ttl int) bool { return ttl >= 6 }},
			end: silent, hops: nil,
		},
		{name: "all silent", table: &table{distance: exactly(20), silent: func(int, int) bool { return true }}, end: silent, stopped: traceflow.StopNoReply},
		{name: "refused by a router", table: &table{distance: exactly(20), refuses: 5}, end: traceflow.EndUnreachable, hops: exactly(6)},
		{name: "quotes say 1", table: &table{distance: []int{8, 9, 10, 11}, quote: func(int, int) int { return 1 }}},
		{name: "quotes say 0", table: &table{distance: []int{8, 9, 10, 11}, quote: func(int, int) int { return 0 }}},
		{name: "quotes say more than was sent", table: &table{distance: []int{8, 9, 10, 11}, quote: func(ttl, _ int) int { return min(255, ttl+100) }}},
		{name: "quotes say what was sent", table: &table{distance: []int{8, 9, 10, 11}, quote: func(ttl, _ int) int { return ttl }}},
		{name: "first TTL 4", table: &table{distance: exactly(10)}, fixed: discover.Fixed{FirstTTL: 4}, probes: 29},
		{name: "max TTL too low", table: &table{distance: exactly(20)}, fixed: discover.Fixed{MaxTTL: 12}, end: traceflow.EndMaxTTL, hops: exactly(12)},
		{name: "max TTL 1", table: &table{distance: exactly(20)}, fixed: discover.Fixed{MaxTTL: 1}, end: traceflow.EndMaxTTL, hops: exactly(1)},
		{name: "max TTL is the distance", table: &table{distance: exactly(12)}, fixed: discover.Fixed{MaxTTL: 12}},
		{name: "five packets to the end", table: &table{distance: exactly(10)}, fixed: discover.Fixed{Ends: 5}, probes: 57},
		{name: "three queries", table: &table{distance: exactly(10)}, fixed: discover.Fixed{Repeats: 3}, probes: 121},
		{name: "four silent hops", table: &table{distance: exactly(12), silent: func(_, ttl int) bool { return ttl > 4 && ttl < 9 }}},
		{name: "ten silent hops, quotes tell", table: &table{distance: exactly(16), silent: func(_, ttl int) bool { return ttl > 4 && ttl < 15 }}},
		{
			// Neither the quote nor the reply's own TTL tells how far it is.
			name: "ten silent hops, nothing tells", end: reached,
			table: &table{distance: exactly(16), back: 3, silent: func(_, ttl int) bool { return ttl > 4 && ttl < 16 }, quote: func(int, int) int { return 1 }},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fixed := tt.fixed
				fixed.Flows = tableFlows(4)
				if fixed.MaxTTL == 0 {
					fixed.MaxTTL = 64
				}
				r, err := fixed.Discover(t.Context(), tt.table)
				if err != nil || !r.Complete {
					t.Fatalf("complete %v, error %v", r.Complete, err)
				}
				want := tt.end
				if want == traceflow.EndUnknown {
					want = reached
				}
				stopped := tt.stopped
				if stopped == "" {
					stopped = traceflow.StopFlowsExhausted
				}
				if r.StopReason != stopped {
					t.Errorf("stop reason %s, want %s", r.StopReason, stopped)
				}
				for i := range r.Walks {
					w := &r.Walks[i]
					if w.End != want {
						t.Errorf("flow %d: end %v, want %v", i+1, w.End, want)
					}
					hops := tt.table.distance[i]
					if tt.hops != nil {
						hops = tt.hops[i]
					}
					if want != silent && w.Distance() != hops {
						t.Errorf("flow %d: distance %d, want %d", i+1, w.Distance(), hops)
					}
					checkHops(t, w, tt.table)
				}
				if tt.probes > 0 && tt.table.probes != tt.probes {
					t.Errorf("%d probes, want %d", tt.table.probes, tt.probes)
				}
				if tt.rounds > 0 && tt.table.rounds != tt.rounds {
					t.Errorf("%d rounds, want %d", tt.table.rounds, tt.rounds)
				}
			})
		})
	}
}

func checkHops(t *testing.T, w *traceflow.Walk, p *table) {
	t.Helper()
	for i, hop := range w.Hops {
		ttl := int(w.First) + i
		want := router(10*w.Flow.ID + ttl)
		switch {
		case hop.Kind == traceflow.NoReply:
			continue
		case p.refuses > 0 && ttl > p.refuses:
			want = router(10*w.Flow.ID + p.refuses)
		case ttl >= p.distance[w.Flow.ID-1]:
			want = destination
		}
		if hop.Address != want {
			t.Errorf("flow %d TTL %d: %v, want %v", w.Flow.ID, ttl, hop.Address, want)
		}
	}
}

// lossy loses the first so many replies to probes of one TTL of each flow.
type lossy struct {
	*table
	ttl  func(flow int) int
	left map[int]int
	lose int
}

func (p *lossy) Probe(ctx context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error) {
	out, err := p.table.Probe(ctx, probes)
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range out {
		if f := out[i].Flow; int(out[i].TTL) == p.ttl(f) && p.left[f] < p.lose {
			p.left[f]++
			out[i].Reply = traceflow.Reply{}
		}
	}
	return out, err
}

// TestFixedLostEnd loses the destination's reply at exactly the true distance,
// where quotes tell nothing: the walk must not become longer by it.
func TestFixedLostEnd(t *testing.T) {
	for name, quote := range map[string]func(ttl, left int) int{
		"intact": nil,
		"0":      func(int, int) int { return 0 },
		"1":      func(int, int) int { return 1 },
		"sent":   func(ttl, _ int) int { return ttl },
		"more":   func(ttl, _ int) int { return min(255, ttl+9) },
	} {
		for _, lose := range []int{1, 2} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					distance := []int{8, 9, 10, 11}
					p := &lossy{
						table: &table{distance: distance, quote: quote},
						ttl:   func(flow int) int { return distance[flow-1] }, left: make(map[int]int), lose: lose,
					}
					r, err := discover.Fixed{Flows: tableFlows(4), MaxTTL: 64}.Discover(t.Context(), p)
					if err != nil {
						t.Fatal(err)
					}
					for i := range r.Walks {
						if got := r.Walks[i].Distance(); r.Walks[i].End != traceflow.EndReached || got != distance[i] {
							t.Errorf("flow %d, %d lost: %v after %d hops, want %d", i+1, lose, r.Walks[i].End, got, distance[i])
						}
					}
				})
			})
		}
	}
}

// TestFixedError returns what was seen with the prober's error.
func TestFixedError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		r, err := discover.Fixed{Flows: tableFlows(2), MaxTTL: 30}.Discover(t.Context(), &table{distance: []int{9, 9}, fail: broken})
		if !errors.Is(err, broken) || r.Complete || r.StopReason != traceflow.StopCancelled || len(r.Exchanges) < 6 || len(r.Walks) != 2 {
			t.Errorf("%v %+v", err, r)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("enough")
		time.AfterFunc(100*time.Millisecond, func() { cancel(cause) })
		silent := &table{distance: []int{9, 9}, silent: func(int, int) bool { return true }}
		_, err = discover.Fixed{Flows: tableFlows(2), MaxTTL: 30}.Discover(ctx, silent)
		if !errors.Is(err, cause) || !discover.IsCancelled(ctx, err) || discover.IsCancelled(t.Context(), err) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

func TestStoppingPoint(t *testing.T) {
	want := []int{6, 11, 16, 21, 27, 33, 39, 45, 51, 57, 63, 70, 77, 83, 90, 97}
	for i, n := range want {
		if got := discover.StoppingPoint(i+2, 0.05); got != n {
			t.Errorf("StoppingPoint(%d, 0.05) = %d, want %d", i+2, got, n)
		}
	}
}

// walkOf is a walk by the numbers of its routers; 0 is silence.
func walkOf(id int, end traceflow.End, hops ...int) traceflow.Walk {
	w := traceflow.Walk{Flow: traceflow.Flow{ID: id, Destination: destination}, First: 1, End: end}
	for _, n := range hops {
		var r traceflow.Reply
		if n > 0 {
			r = traceflow.Reply{Kind: traceflow.TimeExceeded, Address: router(n)}
		}
		w.Hops = append(w.Hops, r)
	}
	return w
}

// TestFixedGuarantee compares with values computed by hand.
func TestFixedGuarantee(t *testing.T) {
	many := func(n int, hops ...int) (walks []traceflow.Walk) {
		for i := range n {
			walks = append(walks, walkOf(i+1, traceflow.EndReached, hops...))
		}
		return walks
	}
	tests := []struct {
		name     string
		walks    []traceflow.Walk
		alpha    float64
		minShare float64
		limited  []uint8
	}{
		{"nothing", nil, 1, 1, nil},
		// One link seen by 6 flows: 2 × (1/2)^6; the share w with 2 × (1−w)^6 = .05.
		{"one hop", many(6, 1), 2.0 / 64, 1 - math.Pow(0.05/2, 1.0/6), nil},
		// Two pairs: the sum; each has .025.
		{"two hops", many(10, 1, 2), 2 * 2.0 / 1024, 1 - math.Pow(0.025/2, 1.0/10), nil},
		// Two links by 12 flows behind one: 3 × (2/3)^12, and 2 × (1/2)^12.
		{"two links", append(many(6, 1, 2), many(6, 1, 3)...), 2*math.Pow(0.5, 12) + 3*math.Pow(2.0/3, 12), -1, nil},
		// A silent hop does not count its flows.
		{
			"silence", append(many(8, 1, 2, 3), many(2, 1, 0, 3)...),
			2*2*math.Pow(0.5, 10) + 2*math.Pow(0.5, 8), 1 - math.Pow(0.05/3/2, 1.0/8),
			[]uint8{2},
		},
		// Two nodes at each of two TTLs, and no flow that was answered at both.
		{
			"no link", slices.Concat(many(9, 1, 0), many(9, 2, 0), many(9, 0, 3), many(9, 0, 4)),
			1, 1,
			[]uint8{1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := discover.Guarantee(tt.walks, 0.95)
			if !(math.Abs(got.Alpha-tt.alpha) <= 1e-9) { // nor NaN
				t.Errorf("alpha %v, want %v", got.Alpha, tt.alpha)
			}
			if tt.minShare >= 0 && math.Abs(got.MinShare-tt.minShare) > 1e-9 {
				t.Errorf("smallest share %v, want %v", got.MinShare, tt.minShare)
			}
			if string(got.LimitedHops) != string(tt.limited) {
				t.Errorf("limited hops %v, want %v", got.LimitedHops, tt.limited)
			}
		})
	}
}
