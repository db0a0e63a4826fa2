// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"

	"traceflow"
	"traceflow/internal/simnet"
	"traceflow/internal/topology/topologytest"
)

// TestManyDestinations has flows to several destinations in flight at once that
// differ in nothing else, ports and echo IDs included, and wants each to have its
// own replies: with whole quotes, and with the 8 bytes that tell least.
func TestManyDestinations(t *testing.T) {
	const destinations, flows, hops = 20, 4, 4
	for _, protocol := range []traceflow.Protocol{traceflow.ProtocolUDP, traceflow.ProtocolTCP, traceflow.ProtocolICMP} {
		for _, v6 := range []bool{false, true} {
			for _, keys := range []string{"delay=1ms", "delay=1ms quote=28"} {
				if v6 && keys != "delay=1ms" {
					continue // its quotes are as long as fits
				}
				t.Run(fmt.Sprint(protocol, " ", v6, " ", keys), func(t *testing.T) {
					network := topologytest.Parse(t, "default "+keys+"; node s source; node d destination address=203.0.113.1 address6=2001:db8:1::1; link s > a > b[1..4] > c > d")
					synctest.Test(t, func(t *testing.T) {
						e := open(t, simnet.New(network).Open(), sees, Config{Rate: 5000})
						var wait sync.WaitGroup
						for i := range destinations {
							wait.Go(func() {
								var probes []traceflow.Probe
								for id := range flows {
									f := flowOf(network, id+1, v6)
									f.Protocol = protocol
									if protocol == traceflow.ProtocolICMP {
										f.DestinationPort = 0
									}
									bytes := f.Destination.AsSlice()
									bytes[len(bytes)-1] = byte(i + 10)
									f.Destination, _ = netip.AddrFromSlice(bytes)
									probes = append(probes, probesTo(f, hops)...)
								}
								got, err := e.Probe(t.Context(), probes)
								if err != nil || len(got) != len(probes) {
									t.Errorf("%d exchanges of %d, %v", len(got), len(probes), err)
								}
								for _, x := range got {
									to := probes[0].Flow.Destination
									if x.Reply.Kind == traceflow.NoReply || (x.Reply.Address == to) != (x.TTL == hops) {
										t.Errorf("to %s at TTL %d: %s from %s", to, x.TTL, x.Reply.Kind, x.Reply.Address)
									}
								}
							})
						}
						wait.Wait()
						if s := e.Stats(); s.Unmatched+s.Late+s.Duplicates+s.Malformed > 0 {
							t.Errorf("%+v", s)
						}
					})
				})
			}
		}
	}
}
