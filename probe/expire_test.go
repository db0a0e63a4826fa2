// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"net/netip"
	"testing"
	"time"

	"traceflow"
)

// TestReprieve has the host be too busy to look at replies in time: packets are
// given up a little later, once, so that replies that came meanwhile count.
func TestReprieve(t *testing.T) {
	start := time.Now()
	tests := []struct {
		name string
		// looked is when the owner looks at its timers, after the timeout.
		looked []time.Duration
		want   []bool // whether the packet still waits
	}{
		{"in time", []time.Duration{-ms, 0}, []bool{true, false}},
		{"hardly late", []time.Duration{punctual}, []bool{false}},
		{"late", []time.Duration{200 * ms, 200*ms + reprieve}, []bool{true, false}},
		{"late again", []time.Duration{200 * ms, 900 * ms}, []bool{true, false}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOwner(&Engine{config: Config{Timeout: time.Second}})
			flow := traceflow.Flow{Protocol: traceflow.ProtocolUDP, Destination: netip.MustParseAddr("192.0.2.1")}
			r := &request{open: 1, result: make(chan error, 1)}
			task := &task{request: r, probe: traceflow.Probe{Flow: flow, TTL: 1}, flow: &flowState{packets: make(map[tag]*attempt), open: 1}}
			r.tasks = append(r.tasks, task)
			a := o.newAttempt(task)
			o.sent(a, start)
			deadline := start.Add(o.patience(a))
			for i, after := range tt.looked {
				o.expire(deadline.Add(after))
				if got := a.state == waitingState; got != tt.want[i] {
					t.Errorf("%v after the timeout: waits %t, want %t", after, got, tt.want[i])
				}
			}
		})
	}
}
