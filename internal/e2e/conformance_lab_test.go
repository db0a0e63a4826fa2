// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"os"
	"testing"

	"traceflow"
	"traceflow/internal/topology"
)

// protocols are the flags of every kind of probe.
var protocols = []string{"--udp", "--quic", "--tcp", "--icmp"}

// allowPing lets every group open ping sockets in the test's own network
// namespace.
func allowPing(t *testing.T) {
	t.Helper()
	const file = "/proc/sys/net/ipv4/ping_group_range"
	if err := os.WriteFile(file, []byte("0 2147483647"), 0); err != nil {
		t.Fatal(err)
	}
}

// TestTUNConformance runs every kind of probe over both families and both
// wires through networks behind a TUN device: each flow's hops have to be the
// true ones, and in a network that answers, the whole map has to be found.
func TestTUNConformance(t *testing.T) {
	for _, tt := range []struct {
		name string
		code int // of UDP
	}{
		{"d", 0}, {"e", 0}, {"tree", 0}, {"mpls", 0}, {"prohibited", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			network := openTUN(t, tt.name)
			allowPing(t)
			for _, protocol := range protocols {
				for _, family := range []string{"-4", "-6"} {
					for _, wire := range []string{"raw", "sockets"} {
						t.Run(protocol[2:]+"/"+family+"/"+wire, func(t *testing.T) {
							destination := network.Nodes[network.Destination].Address4
							if family == "-6" {
								destination = network.Nodes[network.Destination].Address6
							}
							o := runHere(t, "-j", "--rate", "0", "--seed", "1", family, "--wire", wire, protocol, destination.String())
							trace := o.trace(t)
							if o.code != tt.code {
								t.Errorf("exit code %d, want %d; standard error:\n%s", o.code, tt.code, o.stderr)
							}
							checkTruth(t, network, trace, truthOf(network, trace))
							if tt.code == 0 {
								checkComplete(t, network, trace, 0)
							}
							t.Logf("%d flows, %+v, %v", len(trace.Flows), trace.Stats, trace.Ended.Sub(trace.Started))
						})
					}
				}
			}
		})
	}
}

// truthOf is what the topology file says about every flow of a trace.
func truthOf(network *topology.Topology, trace *traceflow.Trace) []truth {
	all := make([]truth, len(trace.Flows))
	for i, f := range trace.Flows {
		for _, hop := range network.Truth(f) {
			all[i] = append(all[i], hop.Nodes)
		}
	}
	return all
}
