// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"testing"
	"testing/synctest"

	"traceflow"
	"traceflow/internal/simnet"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
	"traceflow/probe"
)

// TestFinish looks for destinations that answer no UDP: each walk has to end at
// the flow's own true distance if anything else is answered, and nowhere if
// nothing is.
func TestFinish(t *testing.T) {
	for _, tt := range []struct {
		name, topology string
		want           traceflow.EndReason
		by             traceflow.Protocol
	}{
		{"echo", "node d destination drop-udp; link s > r1 > a[1..3] > c > d", traceflow.ReasonOtherwise, traceflow.ProtocolICMP},
		{"TCP", "node d destination drop-udp drop-icmp tcp=open; link s > r1 > a[1..3] > c > d", traceflow.ReasonOtherwise, traceflow.ProtocolTCP},
		{"reset", "node d destination drop-udp drop-icmp; link s > r1 > a[1..3] > c > d", traceflow.ReasonOtherwise, traceflow.ProtocolTCP},
		{"nothing", "node d destination drop-udp drop-icmp drop-tcp; link s > r1 > a[1..3] > c > d", traceflow.ReasonSilent, 0},
		{"unequal lengths", "node d destination drop-udp; link s > r1 > a > c > e > d; link r1 > b > e", traceflow.ReasonOtherwise, traceflow.ProtocolICMP},
		{
			"another last router", "node d destination drop-udp; link s > r1 > a1 > e1 > d; link r1 > b1 > b2 > b3 > e2 > d",
			traceflow.ReasonOtherwise, traceflow.ProtocolICMP,
		},
		{"silent last router", "node d destination drop-udp; node e silent; link s > r1 > a[1..2] > c > e > d", traceflow.ReasonOtherwise, traceflow.ProtocolICMP},
		{"answers", "link s > r1 > a[1..3] > c > d", traceflow.ReasonAnswered, 0},
		{"TTL expired", "node d destination ttl-expired; link s > r1 > c > d", traceflow.ReasonTTLExpired, 0},
		{"refused", "node c unreachable=prohibited; link s > r1 > c > d", traceflow.ReasonProhibited, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := topologytest.Parse(t, tt.topology)
				e, err := probe.NewEngine(simnet.New(network).Open(), probe.Capabilities{Kind: probe.KindSim, QuotedHeader: true}, probe.Config{})
				if err != nil {
					t.Fatal(err)
				}
				defer e.Close()
				flow := traceflow.Flow{
					Protocol: traceflow.ProtocolUDP, SourcePort: 40000, DestinationPort: 33452,
					Source: network.Nodes[network.Source].Address4, Destination: network.Nodes[network.Destination].Address4,
				}
				r, err := Adaptive{Flows: RandomPorts(flow, 40000, 1), MaxTTL: 20, Confidence: 0.95, Retries: 2}.Discover(t.Context(), e)
				if err != nil {
					t.Fatal(err)
				}
				trace := traceflow.Trace{Config: traceflow.Config{FirstTTL: 1}}
				if NeedsFinish(&r) {
					f := Finish{FirstTTL: 1, MaxTTL: 20}
					for _, kind := range []traceflow.Protocol{traceflow.ProtocolICMP, traceflow.ProtocolTCP} {
						other := flow
						if other.Protocol = kind; kind == traceflow.ProtocolICMP {
							other.DestinationPort = 0
						}
						f.Flows = append(f.Flows, other)
					}
					if trace.Finish, err = f.Discover(t.Context(), e); err != nil {
						t.Fatal(err)
					}
					trace.Finish.End(r.Walks)
				}
				trace.Graph = traceflow.NewGraph(r.Walks, r.Exchanges)
				if got := trace.EndReason(); got != tt.want {
					t.Errorf("ends because of %s, want %s", got, tt.want)
				}
				by, found := trace.Finish.Walk(1)
				if found != (tt.by != 0) || by.Flow.Protocol != tt.by {
					t.Errorf("found by %v (%v), want %v", by.Flow.Protocol, found, tt.by)
				}
				checkEnds(t, r.Walks, network.Truth, tt.want)
			})
		})
	}
}

// checkEnds compares where walks end with where their flows do.
func checkEnds(t *testing.T, walks []traceflow.Walk, truth func(traceflow.Flow) []topology.Hop, why traceflow.EndReason) {
	t.Helper()
	reached := 0
	defer func() {
		if why != traceflow.ReasonSilent && why != traceflow.ReasonProhibited && reached == 0 {
			t.Error("no flow is known to have reached the destination")
		}
	}()
	for i := range walks {
		w := &walks[i]
		switch why {
		case traceflow.ReasonAnswered, traceflow.ReasonOtherwise, traceflow.ReasonTTLExpired:
			// One that was not asked where paths differ, or that met another router
			// last than what found the destination, has no end that is known.
			want := len(truth(w.Flow))
			if w.Reached() {
				reached++
			}
			if w.End != traceflow.EndUnknown && (!w.Reached() || w.Distance() != want) {
				t.Errorf("flow %d: %v at TTL %d, want reached at %d", w.Flow.ID, w.End, w.Distance(), want)
			}
		default:
			if w.Reached() {
				t.Errorf("flow %d is said to have reached the destination at TTL %d", w.Flow.ID, w.Distance())
			}
		}
	}
}
