// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"testing"
	"testing/synctest"
	"time"

	"traceflow"
	"traceflow/internal/simnet"
	"traceflow/internal/topology/topologytest"
)

// TestPace wants no window of time to hold more packets than the rate allows,
// with the burst that makes up for late timers, however long the engine was
// idle before.
func TestPace(t *testing.T) {
	for _, rate := range []float64{3, 50, 500, 777, 20000} {
		synctest.Test(t, func(t *testing.T) {
			network := topologytest.Parse(t, "default reply-loss=30%; link s > r1 > r2 > r3 > d")
			w := &tap{Wire: simnet.New(network).Open()}
			e := open(t, w, sees, Config{Rate: rate, Retries: 2})
			flows := max(2, int(rate/20))
			for range 2 {
				var probes []traceflow.Probe
				for id := range flows {
					probes = append(probes, probesTo(flowOf(network, id+1, false), 4)...)
				}
				mustProbe(t, e, probes)
				time.Sleep(time.Minute)
			}
			sent := w.packets()
			for i := range sent {
				// Windows that begin with packet i; more than 2000 packets are
				// looked at in steps.
				for j := i + 1; j < len(sent); j += 1 + len(sent)/2000 {
					window := sent[j].at.Sub(sent[i].at)
					if allowed := 1 + (window+maxBurst).Seconds()*rate; float64(j-i+1) > allowed+1e-3 {
						t.Fatalf("rate %v: %d packets in %v, allowed are %v", rate, j-i+1, window, allowed)
					}
				}
			}
			// Nor much fewer, while there is something to send.
			n := flows * 4
			if took, want := sent[n-1].at.Sub(sent[0].at).Seconds(), float64(n-1)/rate; took > want*1.01+0.001 {
				t.Errorf("rate %v: %d packets took %.3f s, want %.3f s", rate, n, took, want)
			}
		})
	}
}

// TestInterleave wants the TTLs of a batch spread, however they were asked.
func TestInterleave(t *testing.T) {
	var tasks []*task
	for flow := range 10 {
		for ttl := range 8 {
			tasks = append(tasks, &task{probe: traceflow.Probe{Flow: traceflow.Flow{ID: flow}, TTL: uint8(ttl + 1)}})
		}
	}
	tasks = append(tasks, &task{probe: traceflow.Probe{TTL: 255}}, &task{probe: traceflow.Probe{TTL: 0}})
	got := interleave(tasks)
	if len(got) != len(tasks) {
		t.Fatalf("%d tasks, want %d", len(got), len(tasks))
	}
	last := make(map[uint8]int)
	seen := make(map[*task]bool)
	for i, x := range got {
		if seen[x] {
			t.Fatalf("task %d twice", i)
		}
		seen[x] = true
		if at, ok := last[x.probe.TTL]; ok && i-at < 8 {
			t.Errorf("TTL %d at %d and %d", x.probe.TTL, at, i)
		}
		last[x.probe.TTL] = i
	}
}
