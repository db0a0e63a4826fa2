// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"traceflow"
)

// kernelNetworks are those of the topologies that kernels can be, with the
// number of flows followed through each.
var kernelNetworks = []struct {
	name  string
	flows int
	code  int
}{
	{"b", 16, 0},
	{"c", 32, 0},
	{"d", 64, 0},
	{"e", 16, 0},
	{"e2", 16, 0},
	{"f", 255, 0},
	{"g", 16, 0},
	{"h", 16, 3},
	{"i", 16, 0},
	{"j", 16, 0},
	{"k", 64, 0},
	{"rl-b", 4, 0},
	{"rl-c", 16, 0},
	{"rl-d", 16, 0},
	{"line", 4, 0},
	{"tree", 32, 0},
	{"unreachable", 4, 3},
	{"prohibited", 4, 3},
}

// TestKernelTruth compares every hop of every flow with the way that the
// kernels were seen to forward it, for both families and both wires, the
// unprivileged one without any capability.
func TestKernelTruth(t *testing.T) {
	for _, tt := range kernelNetworks {
		t.Run(tt.name, func(t *testing.T) {
			shared := build(t, tt.name)
			for _, family := range []string{"-4", "-6"} {
				for _, wire := range []string{"raw", "udp"} {
					t.Run(family+"/"+wire, func(t *testing.T) {
						l := shared
						if strings.HasPrefix(tt.name, "rl-") {
							// The answers that a router still owes are used up.
							l = build(t, tt.name)
						}
						destination := l.Destination4()
						if family == "-6" {
							destination = l.Destination6()
						}
						if !destination.IsValid() {
							t.Skipf("%s has no such family", tt.name)
						}
						o := l.run(t, wire == "udp", "-j", "--rate", "0", family, "--wire", wire,
							"--paths", fmt.Sprint(tt.flows), destination.String())
						trace := o.trace(t)
						if o.code != tt.code {
							t.Errorf("exit code %d, want %d; standard error:\n%s", o.code, tt.code, describeStderr(o.stderr))
						}
						checkTruth(t, l, trace)
						t.Logf("%d paths, %d nodes, %d links, %+v, %v", len(trace.Graph.Paths), len(trace.Graph.Nodes),
							len(trace.Graph.Links), trace.Stats, trace.Ended.Sub(trace.Started))
					})
				}
			}
		})
	}
}

// checkTruth compares a trace with the paths that the lab observes for the
// very same flows.
func checkTruth(t *testing.T, l *lab, trace *traceflow.Trace) {
	t.Helper()
	truth, err := l.Paths(trace.Flows)
	if err != nil {
		t.Fatal(err)
	}
	nodes := l.Topology().Nodes
	limited := false
	for i := range nodes {
		limited = limited || nodes[i].Limit.Burst > 0
	}
	if len(trace.Graph.Walks) != len(truth) {
		t.Fatalf("%d flows, want %d", len(trace.Graph.Walks), len(truth))
	}
	links := make(map[[2]netip.Addr]bool)
	for i := range trace.Graph.Walks {
		w := &trace.Graph.Walks[i]
		want := make([]netip.Addr, len(truth[i]))
		for j, n := range truth[i] {
			want[j] = nodes[n].AddressFor(w.Flow.Destination)
			if j > 0 {
				links[[2]netip.Addr{want[j-1], want[j]}] = true
			}
		}
		if refuser := truth[i][len(truth[i])-1]; refuser != l.Topology().Destination {
			// It answers twice: as a router, and for the packet that it refuses.
			want = append(want, want[len(want)-1])
		}
		for j := range w.Hops {
			got := w.Hops[j].Address
			switch {
			case !got.IsValid():
				mayBeSilent := limited || j >= len(want) || nodes[truth[i][min(j, len(truth[i])-1)]].Silent ||
					nodes[truth[i][min(j, len(truth[i])-1)]].ReplyLoss > 0 || nodes[truth[i][min(j, len(truth[i])-1)]].DropUDP
				if !mayBeSilent {
					t.Errorf("flow %d: no answer at TTL %d, where %v answers everything", w.Flow.ID, j+1, want[j])
				}
			case j >= len(want):
				t.Errorf("flow %d: %v at TTL %d, beyond the path of %d hops", w.Flow.ID, got, j+1, len(want))
			case got != want[j]:
				t.Errorf("flow %d: %v at TTL %d, want %v", w.Flow.ID, got, j+1, want[j])
			}
		}
		if w.End == traceflow.EndReached && len(w.Hops) != len(want) {
			t.Errorf("flow %d: reached after %d hops, want %d", w.Flow.ID, len(w.Hops), len(want))
		}
	}
	checkLinks(t, &trace.Graph, links)
}

// checkLinks reports links of the graph that no flow crosses in truth.
func checkLinks(t *testing.T, g *traceflow.Graph, truth map[[2]netip.Addr]bool) {
	t.Helper()
	address := make(map[string]netip.Addr)
	for i := range g.Nodes {
		address[g.Nodes[i].ID] = g.Nodes[i].Address
	}
	for _, link := range g.Links {
		from, to := address[link.From], address[link.To]
		if !link.Inferred && from != to && !truth[[2]netip.Addr{from, to}] {
			t.Errorf("a link from %v to %v, which no flow crosses", from, to)
		}
	}
}

// TestKernelWires checks that the best wire that works is taken, that what it
// cannot see is said once, and that no capability is left while it is used.
func TestKernelWires(t *testing.T) {
	l := build(t, "b")
	for _, tt := range []struct {
		unprivileged bool
		want         string
	}{{false, "raw"}, {true, "udp"}} {
		o := l.run(t, tt.unprivileged, "-j", l.Destination4().String())
		if got := o.trace(t).Config.Wire; got != tt.want {
			t.Errorf("unprivileged %v: wire %s, want %s", tt.unprivileged, got, tt.want)
		}
		notes := describeStderr(o.stderr)
		if said := notes != ""; said != tt.unprivileged {
			t.Errorf("unprivileged %v: standard error %q", tt.unprivileged, notes)
		}
	}
	o := l.run(t, true, "--wire", "raw", l.Destination4().String())
	if o.code != 4 || o.stdout != "" {
		t.Errorf("raw wire without the right: exit code %d, standard output %q, want 4 and nothing", o.code, o.stdout)
	}
}

// TestKernelNoRoute has a destination that no route leads to.
func TestKernelNoRoute(t *testing.T) {
	l := build(t, "b")
	o := l.run(t, false, "203.0.113.1")
	if o.code != 1 || o.stdout != "" {
		t.Errorf("exit code %d, standard output %q, want 1 and nothing; standard error: %s", o.code, o.stdout, o.stderr)
	}
	if lines := slices.Collect(strings.Lines(o.stderr)); len(lines) != 1 {
		t.Errorf("%d lines on standard error, want 1: %q", len(lines), lines)
	}
}
