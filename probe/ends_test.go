// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/simnet"
	"traceflow/internal/topology/topologytest"
)

// TestEnds looks for every path to destinations that answer in their own ways:
// each flow has to reach them, at their true distance, and soon; also on a wire
// that sees no quoted header, and where routers quote little.
func TestEnds(t *testing.T) {
	for _, end := range []struct {
		destination string
		kinds       []string // that are answered; all if nil
		reason      traceflow.EndReason
	}{
		{"udp=closed", nil, traceflow.ReasonAnswered},
		{"udp=open tcp=open", nil, traceflow.ReasonAnswered},
		{"udp=open reply-loss=20%", nil, traceflow.ReasonAnswered},
		{"udp=quic", []string{"quic", "tcp", "icmp"}, traceflow.ReasonAnswered},
		{"udp=quic reply-loss=20%", []string{"quic"}, traceflow.ReasonAnswered},
		{"ttl-expired", nil, traceflow.ReasonTTLExpired},
		{"ttl-expired reply-loss=20%", nil, traceflow.ReasonTTLExpired},
		{"udp=open return-extra=3", []string{"udp"}, traceflow.ReasonAnswered},
	} {
		for _, kind := range kinds {
			if end.kinds != nil && !slices.Contains(end.kinds, kind.name) {
				continue
			}
			for _, wire := range []string{"raw", "nameless", "nameless, short quotes"} {
				if wire != "raw" && kind.protocol != traceflow.ProtocolUDP {
					continue
				}
				for _, v6 := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%s/%s/IPv6=%t", end.destination, kind.name, wire, v6), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							network := topologytest.Parse(t, "default delay=5ms; node d destination "+end.destination+
								"; link s > r1 > a[1..4] > c > e > d")
							caps, w := sees, Wire(simnet.New(network).Open())
							if wire != "raw" {
								caps, w = blind, blindWire{w}
							}
							if wire == "nameless, short quotes" {
								shorten(network, v6, 1)
							}
							first := flowOf(network, 1, v6)
							first.Protocol, first.DestinationPort = kind.protocol, kind.port
							search := discover.Adaptive{
								Flows: discover.Vary(discover.VarySourcePort, first, 1), FirstTTL: 1, MaxTTL: 64, Confidence: 0.95, Retries: 2,
							}
							start := time.Now()
							e := open(t, w, caps, Config{Rate: 500, QUIC: kind.quic})
							r, err := search.Discover(t.Context(), e)
							if err != nil {
								t.Fatal(err)
							}
							took := time.Since(start)
							trace := traceflow.Trace{Exchanges: r.Exchanges, Graph: traceflow.NewGraph(r.Walks, r.Exchanges)}
							if !trace.Reached() || trace.EndReason() != end.reason {
								t.Errorf("reached %t, %s; want %s", trace.Reached(), trace.EndReason(), end.reason)
							}
							// Where replies name no packet, each that is lost costs a
							// whole timeout or two, and some flows remain unfinished.
							lossy, limit := strings.Contains(end.destination, "loss"), 2*time.Second
							switch {
							case lossy && wire != "raw":
								limit = discover.DefaultTimeLimit
							case strings.Contains(end.destination, "return-extra"):
								// The way back misleads the first guess at the distance,
								// and replies to what goes too far name no packet.
								limit = 10 * time.Second
							}
							if took > limit {
								t.Errorf("took %v", took)
							}
							for _, walk := range r.Walks {
								if (walk.Reached() || !lossy) && (walk.Distance() != 5 || !walk.Reached()) {
									t.Errorf("flow %d: %s at %d, want reached at 5", walk.Flow.ID, walk.End, walk.Distance())
								}
							}
							checkWalks(t, network, r.Walks)
							t.Logf("%d flows, %+v, %v", len(r.Walks), e.Stats(), took)
						})
					})
				}
			}
		}
	}
}
