// SPDX-License-Identifier: BSD-3-Clause

package picture_test

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"traceflow"
)

// traceOf makes a trace of what each flow met, TTL by TTL: the last part of
// 198.51.100.0/24 addresses, "d" for the destination, "*" for silence, "x" after
// an address for a refusal, "#" and a number for the interface that the probe came
// in by.
func traceOf(t testing.TB, flows ...string) *traceflow.Trace {
	t.Helper()
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	out := &traceflow.Trace{
		Destination:  traceflow.Destination{Name: "dst.example.net", Address: netip.MustParseAddr("203.0.113.9")},
		VantagePoint: traceflow.VantagePoint{Hostname: "src", Address: netip.MustParseAddr("192.0.2.10")},
		Config:       traceflow.Config{FirstTTL: 1},
	}
	var walks []traceflow.Walk
	for i, line := range flows {
		flow := traceflow.Flow{
			ID: i + 1, Protocol: traceflow.ProtocolUDP, SourcePort: uint16(20000 + i),
			Source: out.VantagePoint.Address, Destination: out.Destination.Address,
		}
		var own []traceflow.Exchange
		for j, cell := range strings.Fields(line) {
			ttl := uint8(j + 1)
			e := traceflow.Exchange{Flow: flow.ID, TTL: ttl, Attempt: 1, Sent: started.Add(time.Duration(100*i+j) * time.Millisecond)}
			name, refused := strings.CutSuffix(cell, "x")
			switch {
			case cell == "*":
			case cell == "d":
				e.Reply = traceflow.Reply{Kind: traceflow.PortUnreachable, Address: flow.Destination}
			case refused:
				e.Reply = traceflow.Reply{Kind: traceflow.Unreachable, ICMPType: 3, ICMPCode: 13, Address: netip.MustParseAddr("198.51.100." + name)}
			default:
				name, index, told := strings.Cut(name, "#")
				e.Reply = traceflow.Reply{Kind: traceflow.TimeExceeded, Address: netip.MustParseAddr("198.51.100." + name)}
				if i, _ := strconv.Atoi(index); told {
					e.Reply.Interfaces = []traceflow.Interface{{Role: traceflow.IncomingInterface, Index: uint32(i)}}
				}
			}
			if e.Reply.Kind.Answered() {
				e.Reply.RTT = time.Duration(ttl) * 2 * time.Millisecond
			}
			own = append(own, e)
		}
		w := traceflow.NewWalk(flow, 1, own)
		if w.End == traceflow.EndUnknown {
			w.End = traceflow.EndSilent
		}
		out.Flows, walks, out.Exchanges = append(out.Flows, flow), append(walks, w), append(out.Exchanges, own...)
	}
	out.Graph = traceflow.NewGraph(walks, out.Exchanges)
	return out
}
