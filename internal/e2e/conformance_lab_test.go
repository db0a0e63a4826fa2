// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

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

// TestKernelEnds sends UDP and TCP to destinations that answer neither, one or
// both: whether each is reached, why, how far away and how it was found.
func TestKernelEnds(t *testing.T) {
	for _, tt := range []struct {
		name, protocol string
		code           int
		reason         traceflow.EndReason
		distance       int // of the destination, 0 if nothing finds it
	}{
		{"h", "--udp", 0, traceflow.ReasonOtherwise, 4},
		{"h", "--tcp", 0, traceflow.ReasonAnswered, 4},
		{"echo-only", "--udp", 0, traceflow.ReasonOtherwise, 4},
		{"echo-only", "--tcp", 0, traceflow.ReasonOtherwise, 4},
		{"tcp-open", "--udp", 0, traceflow.ReasonOtherwise, 4},
		{"tcp-open", "--tcp", 0, traceflow.ReasonAnswered, 4},
		{"drop-all", "--udp", 3, traceflow.ReasonSilent, 0},
		{"drop-all", "--tcp", 3, traceflow.ReasonSilent, 0},
		{"prohibited", "--udp", 3, traceflow.ReasonProhibited, 0},
		{"prohibited", "--tcp", 3, traceflow.ReasonProhibited, 0},
	} {
		t.Run(tt.name+"/"+tt.protocol[2:], func(t *testing.T) {
			onEveryWire(t, tt.name, func(t *testing.T, l *lab, family, wire, destination string) {
				if err := l.Do(allowPing); err != nil {
					t.Fatal(err)
				}
				o := l.run(t, wire == "sockets", "-j", "--seed", "1", family, "--wire", wire, tt.protocol, destination)
				trace := o.trace(t)
				if o.code != tt.code {
					t.Errorf("exit code %d, want %d; standard error:\n%s", o.code, tt.code, describeStderr(o.stderr))
				}
				var document struct {
					Reached   bool
					EndReason traceflow.EndReason `json:"end_reason"`
					Finish    *struct{ Flows []json.RawMessage }
				}
				if err := json.Unmarshal([]byte(o.stdout), &document); err != nil {
					t.Fatal(err)
				}
				if document.Reached != (tt.distance > 0) || document.EndReason != tt.reason {
					t.Errorf("reached %t, %s; want %t, %s", document.Reached, document.EndReason, tt.distance > 0, tt.reason)
				}
				searched := tt.reason == traceflow.ReasonOtherwise || tt.reason == traceflow.ReasonSilent
				if got := document.Finish != nil && len(document.Finish.Flows) > 0; got != searched {
					t.Errorf("looked for otherwise: %t, want %t", got, searched)
				}
				for i := range trace.Graph.Walks {
					w := &trace.Graph.Walks[i]
					if tt.distance > 0 && (!w.Reached() || w.Distance() != tt.distance) {
						t.Errorf("flow %d: %s at %d, want reached at %d", w.Flow.ID, w.End, w.Distance(), tt.distance)
					}
				}
				took := trace.Ended.Sub(trace.Started)
				// It takes 4 seconds; one packet in flight a flow, 12.
				limit := 15 * time.Second
				if wire == "sockets" && tt.protocol == "--tcp" {
					limit = 40 * time.Second
				}
				if took > limit {
					t.Errorf("took %v", took)
				}
				t.Logf("%s %s %s %s: %v, %d flows, %+v", tt.name, tt.protocol, family, wire, took, len(trace.Flows), trace.Stats)
			})
		})
	}
}

// TestKernelNothingHalfOpen traces open ports, and wants no connection of ours to
// be left at the destination, made or half made.
func TestKernelNothingHalfOpen(t *testing.T) {
	onEveryWire(t, "tcp-open", func(t *testing.T, l *lab, family, wire, destination string) {
		trace := l.run(t, wire == "sockets", "-j", "--rate", "0", family, "--wire", wire, "--tcp", "--paths", "64", destination).trace(t)
		answers := 0
		for i := range trace.Exchanges {
			if trace.Exchanges[i].Reply.Kind == traceflow.SynAck {
				answers++
			}
		}
		if answers < 64 {
			t.Fatalf("%d SYN-ACKs, want 64: nothing was opened", answers)
		}
		// The resets may still be on their way when the command has ended.
		var left []string
		for range 50 {
			if left = connections(t, l); len(left) == 0 {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("%d connections are left, the first of them %s", len(left), left[0])
	})
}

// connections lists the sockets of the destination but for those that listen.
func connections(t *testing.T, l *lab) []string {
	t.Helper()
	const listening = "0A" // TCP_LISTEN (include/net/tcp_states.h)
	var out []string
	err := l.DoAt(l.Topology().Destination, func() error {
		listeners := 0
		for _, file := range []string{"/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"} {
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(data)) {
				switch fields := strings.Fields(line); {
				case len(fields) < 4 || fields[0] == "sl":
				case fields[3] == listening:
					listeners++
				default:
					out = append(out, fmt.Sprintf("%s to %s in state %s", fields[1], fields[2], fields[3]))
				}
			}
		}
		if listeners == 0 {
			return errors.New("nothing listens at the destination: this is not its namespace")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
