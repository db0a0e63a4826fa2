// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"traceflow"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
)

// TestTruth compares the network with what topology says that flows meet: for
// every network, both families, all hash families and random flows, hop by
// hop. Chance is turned off, since Truth knows none.
func TestTruth(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 2))
	for _, name := range topology.BuiltinNames() {
		t.Run(name, func(t *testing.T) {
			for hash := topology.Jenkins; hash <= topology.XOR; hash++ {
				top := topologytest.Builtin(t, name)
				for i := range top.Nodes {
					n := &top.Nodes[i]
					n.Hash, n.ReplyLoss, n.ForwardLoss, n.Limit, n.Duplicates = hash, 0, 0, topology.RateLimit{}, 0
					if i%2 == 1 {
						n.Fields |= topology.FieldLabel
					}
				}
				for _, v6 := range []bool{false, true} {
					if v6 && !top.IPv6 || !v6 && !top.IPv4 {
						continue
					}
					for _, protocol := range []traceflow.Protocol{traceflow.ProtocolUDP, traceflow.ProtocolTCP, traceflow.ProtocolICMP} {
						f := flow(top, uint16(1024+random.IntN(60000)), v6)
						f.Protocol, f.DestinationPort = protocol, uint16(1+random.IntN(65535))
						if protocol == traceflow.ProtocolICMP {
							f.DestinationPort = 0
						}
						checkTruth(t, top, top.Truth(f), func(ttl uint8) []byte { return probe(f, ttl, 12) })
					}
				}
			}
		})
	}
}

func checkTruth(t *testing.T, top *topology.Topology, hops []topology.Hop, probe func(ttl uint8) []byte) {
	t.Helper()
	if len(hops) > 60 {
		t.Fatalf("%d hops", len(hops))
	}
	for i, hop := range hops {
		// Twice, for the nodes that forward in turn.
		for _, packets := range [][][]byte{{probe(uint8(i + 1))}, {probe(uint8(i + 1)), probe(uint8(i + 1))}} {
			var got netip.Addr // silence
			if replies := exchange(t, top, packets...); len(replies) > 0 {
				got = replies[len(replies)-1].ip.Source
			}
			if !slices.Contains(hop.Addresses, got) {
				t.Fatalf("TTL %d: answered by %v, want one of %v", i+1, got, hop.Addresses)
			}
		}
	}
}
