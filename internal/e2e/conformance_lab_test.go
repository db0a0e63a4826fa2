// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"testing"

	"traceflow"
	"traceflow/internal/topology"
)

// protocols are the flags of every kind of probe.
var protocols = []string{"--udp", "--quic", "--tcp", "--icmp"}

// allowPing lets the groups that a test may run as open ping sockets in the
// network namespace of the calling thread.
func allowPing() error {
	const file = "/proc/sys/net/ipv4/ping_group_range"
	if os.WriteFile(file, []byte("0 2147483647"), 0) == nil {
		return nil
	}
	// A user namespace may have but one group.
	return os.WriteFile(file, fmt.Appendf(nil, "%[1]d %[1]d", os.Getgid()), 0)
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
			if err := allowPing(); err != nil {
				t.Fatal(err)
			}
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

// TestKernelConformance sends UDP and TCP over both families and both wires, the
// unprivileged one without any capability, through kernels: each flow's hops have
// to be those that the kernels were seen to forward it by, and the whole map has
// to be found.
func TestKernelConformance(t *testing.T) {
	for _, name := range []string{"d", "e", "e2", "k", "g", "tcp-open"} {
		t.Run(name, func(t *testing.T) {
			onEveryWire(t, name, func(t *testing.T, l *lab, family, wire, destination string) {
				for _, protocol := range []string{"--udp", "--tcp"} {
					t.Run(protocol[2:], func(t *testing.T) {
						// So sure that a miss is no bad luck.
						o := l.run(t, wire == "sockets", "-j", "--seed", "1", "--confidence", "0.999",
							family, "--wire", wire, protocol, destination)
						trace := o.trace(t)
						t.Logf("%d flows, %d paths, %s, %+v, %v", len(trace.Flows), len(trace.Graph.Paths), trace.StopReason,
							trace.Stats, trace.Ended.Sub(trace.Started))
						if o.code != 0 {
							t.Errorf("exit code %d, want 0; standard error:\n%s", o.code, describeStderr(o.stderr))
						}
						checkReached(t, trace, l.Topology())
						if err := l.SocketsHashed(); err != nil && protocol == "--tcp" && wire == "sockets" {
							// Its packets go ways of their own, whatever their headers.
							checkHops(t, l.Topology(), trace)
							return
						}
						checkTruth(t, l.Topology(), trace, kernelTruth(t, l, trace))
						if trace.StopReason != traceflow.StopConfident {
							t.Errorf("stopped because %s, want confident", trace.StopReason)
						}
						missed := 0
						if l.Topology().Nodes[l.Topology().Destination].Drops(&trace.Flows[0]) {
							missed = 1 // the destination, which other probes find
						}
						checkComplete(t, l.Topology(), trace, missed)
					})
				}
			})
		})
	}
}

// checkReached wants the destination to be found, for the reason that its kind
// of answer is.
func checkReached(t *testing.T, trace *traceflow.Trace, network *topology.Topology) {
	t.Helper()
	want := traceflow.ReasonAnswered
	if network.Nodes[network.Destination].Drops(&trace.Flows[0]) {
		want = traceflow.ReasonOtherwise
	}
	if !trace.Reached() || trace.EndReason() != want {
		t.Errorf("reached %t, %s; want %s", trace.Reached(), trace.EndReason(), want)
	}
}

// checkHops wants every answer to come from a node that is that far away.
func checkHops(t *testing.T, network *topology.Topology, trace *traceflow.Trace) {
	t.Helper()
	at := make([]map[netip.Addr]bool, 1)
	here := map[int]bool{network.Source: true}
	for len(here) > 0 {
		there, addresses := make(map[int]bool), make(map[netip.Addr]bool)
		for _, e := range network.Edges {
			if here[e.From] {
				there[e.To] = true
				addresses[network.Nodes[e.To].AddressFor(trace.Destination.Address)] = true
			}
		}
		at = append(at, addresses)
		here = there
	}
	for i := range trace.Exchanges {
		e := &trace.Exchanges[i]
		switch from := e.Reply.Address; {
		case !e.Reply.Kind.Answered():
		case from == trace.Destination.Address: // it answers whatever the TTL
		case int(e.TTL) >= len(at) || !at[e.TTL][from]:
			t.Errorf("flow %d: %v at TTL %d, where it is not", e.Flow, from, e.TTL)
		}
	}
}

// TestKernelConformanceICMP does the same with echo requests, which Linux does
// not hash: all of them go one way.
func TestKernelConformanceICMP(t *testing.T) {
	for _, name := range []string{"d", "e", "e2", "k", "g", "tcp-open", "h"} {
		t.Run(name, func(t *testing.T) {
			onEveryWire(t, name, func(t *testing.T, l *lab, family, wire, destination string) {
				if err := l.Do(allowPing); err != nil {
					t.Fatal(err)
				}
				o := l.run(t, wire == "sockets", "-j", "--rate", "0", family, "--wire", wire, "--icmp", "--paths", "8", destination)
				trace := o.trace(t)
				if o.code != 0 {
					t.Errorf("exit code %d, want 0; standard error:\n%s", o.code, describeStderr(o.stderr))
				}
				checkReached(t, trace, l.Topology())
				checkTruth(t, l.Topology(), trace, kernelTruth(t, l, trace))
				if got := len(trace.Graph.Paths); got != 1 {
					t.Errorf("%d paths, want 1", got)
				}
			})
		})
	}
}
