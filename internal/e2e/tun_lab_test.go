// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"traceflow"
	"traceflow/internal/cli"
	"traceflow/internal/netlab"
	"traceflow/internal/simnet"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
)

// openTUN puts a built-in network behind a TUN device of the test's own
// network namespace, which TestMain made.
func openTUN(t testing.TB, name string) *topology.Topology {
	t.Helper()
	netlab.Require(t)
	network := topologytest.Builtin(t, name)
	device, err := simnet.OpenTUN(simnet.New(network), "")
	if errors.Is(err, os.ErrPermission) && os.Getenv("TRACEFLOW_LAB") != "require" {
		t.Skipf("needs the right to open /dev/net/tun: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := device.Close(); err != nil {
			t.Error(err)
		}
	})
	return network
}

// runHere runs the command in this process, without giving up privileges.
func runHere(t testing.TB, args ...string) *outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	env := cli.Env{Out: &stdout, Err: &stderr, DropPrivileges: func() error { return nil }}
	code := cli.Run(t.Context(), env, append([]string{"-n"}, args...))
	return &outcome{code: code, stdout: stdout.String(), stderr: stderr.String()}
}

// TestTUNTruth runs every built-in network behind a TUN device, so with real
// sockets, and compares every hop with the truth.
func TestTUNTruth(t *testing.T) {
	for _, name := range topology.BuiltinNames() {
		t.Run(name, func(t *testing.T) {
			network := openTUN(t, name)
			for _, family := range []string{"-4", "-6"} {
				destination := network.Nodes[network.Destination].Address4
				if family == "-6" {
					destination = network.Nodes[network.Destination].Address6
				}
				if !destination.IsValid() {
					continue
				}
				for i, wire := range []string{"raw", "sockets"} {
					t.Run(family+"/"+wire, func(t *testing.T) {
						t.Parallel() // it waits for answers that do not come
						o := runHere(t, "-j", "--rate", "0", "-w", "1.5", family, "--wire", wire, "--paths", "8",
							"--srcport", fmt.Sprint(40000+100*i), destination.String())
						trace := o.trace(t)
						seen := network
						if wire == "sockets" {
							seen = seenBySockets(network)
						}
						checkTruth(t, seen, trace, truthOf(network, trace))
						t.Logf("%+v, %v", trace.Stats, trace.Ended.Sub(trace.Started))
					})
				}
			}
		})
	}
}

// seenBySockets is a network as sockets see it: the kernel knows no socket for
// quotes in which a NAT has left its own address, so it drops them, and routers
// need not show.
func seenBySockets(network *topology.Topology) *topology.Topology {
	if !slices.ContainsFunc(network.Nodes, func(n topology.Node) bool { return n.NAT == topology.NATKeepAll || n.NAT == topology.NATKeepPort }) {
		return network
	}
	seen := *network
	seen.Nodes = slices.Clone(network.Nodes)
	for i := range seen.Nodes {
		seen.Nodes[i].Silent = i != network.Destination
	}
	return &seen
}

// TestTUNMPLS checks that label stacks come through both wires, whatever the
// layout.
func TestTUNMPLS(t *testing.T) {
	network := openTUN(t, "mpls")
	destination := network.Nodes[network.Destination].Address4.String()
	for _, wire := range []string{"raw", "sockets"} {
		trace := runHere(t, "-j", "--wire", wire, "--paths", "8", destination).trace(t)
		for i := range trace.Exchanges {
			e := &trace.Exchanges[i]
			if e.Reply.Kind == traceflow.NoReply {
				continue
			}
			for j := range network.Nodes {
				n := &network.Nodes[j]
				if n.Address4 != e.Reply.Address || wire == "sockets" && n.MPLSLegacy {
					// The kernel hands over RFC 4884 extensions only.
					continue
				}
				if got, want := len(e.Reply.MPLS), len(n.MPLS); got != want {
					t.Errorf("%s: %d labels from %s, want %d", wire, got, n.Name, want)
				}
				for k, l := range e.Reply.MPLS {
					if l.Label != n.MPLS[k].Label || l.TTL != n.MPLS[k].TTL || l.Bottom != (k == len(n.MPLS)-1) {
						t.Errorf("%s: label %+v from %s, want %+v", wire, l, n.Name, n.MPLS[k])
					}
				}
			}
		}
	}
}

// TestTUNRoundTrips checks that no hop seems nearer than it is, and that the
// hops come in order. How close the figures are to the configured delays
// depends on the machine's load: TestBenchRoundTrips measures that.
func TestTUNRoundTrips(t *testing.T) {
	network := openTUN(t, "far")
	for _, wire := range []string{"raw", "sockets"} {
		for _, hop := range roundTrips(t, network, wire) {
			if hop.measured < hop.configured {
				t.Errorf("%s: TTL %d: median round trip %v, less than the delay of %v", wire, hop.ttl, hop.measured, hop.configured)
			}
		}
	}
}

// roundTrip is one hop of a line: what the network was told to take, and the
// median of what was measured.
type roundTrip struct {
	ttl                  uint8
	configured, measured time.Duration
}

// roundTrips measures a network that is a line and behind a TUN device.
func roundTrips(t testing.TB, network *topology.Topology, wire string) []roundTrip {
	t.Helper()
	destination := network.Nodes[network.Destination].Address4.String()
	trace := runHere(t, "-j", "--wire", wire, "--paths", "16", "-q", "3", destination).trace(t)
	var out []roundTrip
	var there time.Duration
	at := network.Source
	for i := range trace.Graph.Nodes {
		n := &trace.Graph.Nodes[i]
		e := slices.IndexFunc(network.Edges, func(e topology.Edge) bool { return e.From == at })
		there += network.Edges[e].Delay
		at = network.Edges[e].To
		out = append(out, roundTrip{n.TTL, 2 * there, n.RTT.Median})
	}
	return out
}
