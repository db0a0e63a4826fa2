// SPDX-License-Identifier: BSD-3-Clause

package watch_test

import (
	"context"
	"net/netip"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"traceflow"
	"traceflow/internal/watch"
)

// table answers as the trace that is watched says, at 500 packets a second,
// with losses and delays that vary.
type table struct {
	walks map[int]*traceflow.Walk
	turn  uint32
	gate  chan struct{} // one sends at a time
}

func (b *table) Probe(ctx context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error) {
	b.gate <- struct{}{}
	defer func() { <-b.gate }()
	wait := time.NewTimer(time.Duration(len(probes)) * time.Second / 500)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-wait.C:
	}
	out := make([]traceflow.Exchange, len(probes))
	now := time.Now()
	for i, p := range probes {
		out[i] = traceflow.Exchange{Flow: p.Flow.ID, TTL: p.TTL, Attempt: 1, Sent: now}
		b.turn = b.turn*1664525 + 1013904223
		if dice := b.turn >> 16; dice%20 != 0 {
			out[i].Reply = b.walks[p.Flow.ID].Hops[p.TTL-1]
			out[i].Reply.RTT = time.Duration(p.TTL)*ms + time.Duration(dice)*time.Microsecond
		}
	}
	return out, nil
}

// wide is a trace of so many paths, so many hops long, that part after the
// first hop for good: nothing between there and the destination is shared.
func wide(paths, hops int) *traceflow.Trace {
	destination := netip.MustParseAddr("192.0.2.1")
	t := &traceflow.Trace{}
	var walks []traceflow.Walk
	for id := 1; id <= paths; id++ {
		f := traceflow.Flow{ID: id, Protocol: traceflow.ProtocolUDP, SourcePort: uint16(40000 + id), Destination: destination}
		var own []traceflow.Exchange
		for ttl := 1; ttl <= hops; ttl++ {
			e := traceflow.Exchange{Flow: id, TTL: uint8(ttl), Attempt: 1}
			e.Reply = traceflow.Reply{Kind: traceflow.TimeExceeded, Address: netip.AddrFrom4([4]byte{10, byte(ttl), byte(id >> 8), byte(id)})}
			switch ttl {
			case 1:
				e.Reply.Address = netip.MustParseAddr("10.1.0.0")
			case hops:
				e.Reply.Kind, e.Reply.Address = traceflow.PortUnreachable, destination
			}
			own = append(own, e)
		}
		walks = append(walks, traceflow.NewWalk(f, 1, own))
		t.Exchanges = append(t.Exchanges, own...)
	}
	t.Graph = traceflow.NewGraph(walks, t.Exchanges)
	return t
}

// TestMemory watches 255 paths for an hour: the heap may grow by 20 MB.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("an hour of rounds takes a minute under the race detector; make test runs it without")
	}
	const limit, hops = 20 << 20, 12
	synctest.Test(t, func(t *testing.T) {
		trace := wide(255, hops)
		b := &table{walks: make(map[int]*traceflow.Walk), gate: make(chan struct{}, 1)}
		for i := range trace.Graph.Walks {
			b.walks[trace.Graph.Walks[i].Flow.ID] = &trace.Graph.Walks[i]
		}
		if len(trace.Graph.Paths) != 255 {
			t.Fatalf("%d paths", len(trace.Graph.Paths))
		}
		w := watch.New(trace, time.Second, nil)
		before := heap()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var s watch.Snapshot
		_ = w.Run(ctx, b, func(now watch.Snapshot) { s = now }) // ends with ctx
		grown := heap() - before
		end := s.Paths[254].Hops[hops-1]
		t.Logf("%d rounds of %d packets: %.1f MB more; the last hop of the last path: %d packets, %.1f %% lost",
			s.Round, 1+255*(hops-1), float64(grown)/(1<<20), end.Sent, 100*end.Loss())
		if grown > limit {
			t.Errorf("the heap has grown by %d bytes in %d rounds, which may be %d", grown, s.Round, limit)
		}
		if want := 500 * 3600 / (1 + 255*(hops-1)); s.Round < want || end.Sent < want-1 || end.Loss() < 0.02 || end.Loss() > 0.08 {
			t.Errorf("%d rounds and %+v, want %d rounds and 5 %% loss", s.Round, end.RTTStats, want)
		}
		runtime.KeepAlive(w)
		runtime.KeepAlive(s)
	})
}

// heap returns how much is in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
