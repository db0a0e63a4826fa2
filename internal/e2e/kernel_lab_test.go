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
	"traceflow/internal/topology"
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
	{"h", 16, 0},
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
			onEveryWire(t, tt.name, func(t *testing.T, l *lab, family, wire, destination string) {
				o := l.run(t, wire == "sockets", "-j", "--rate", "0", family, "--wire", wire,
					"--paths", fmt.Sprint(tt.flows), destination)
				trace := o.trace(t)
				if o.code != tt.code {
					t.Errorf("exit code %d, want %d; standard error:\n%s", o.code, tt.code, describeStderr(o.stderr))
				}
				checkTruth(t, l.Topology(), trace, kernelTruth(t, l, trace))
				t.Logf("%d paths, %d nodes, %d links, %+v, %v", len(trace.Graph.Paths), len(trace.Graph.Nodes),
					len(trace.Graph.Links), trace.Stats, trace.Ended.Sub(trace.Started))
			})
		})
	}
}

// TestKernelEveryPath lets the command decide how many flows it takes, and
// compares the whole graph with the network, and every hop of every flow with
// the way that the kernels were seen to forward it.
func TestKernelEveryPath(t *testing.T) {
	for _, tt := range []struct {
		name   string
		missed int    // interfaces that nothing answers from
		stop   string // how it has to end
		packet int    // most packets, on the raw wire; 0 is not checked
	}{
		{"b", 0, "confident", 0},
		{"c", 0, "confident", 0},
		{"d", 0, "confident", 120},
		{"k", 0, "confident", 0},
		{"f", 0, "confident", 0},
		{"e", 0, "confident", 0},
		{"e2", 0, "confident", 0},
		{"g", 0, "confident", 0},
		{"h", 1, "confident", 0},
		{"i", 1, "", 0},
		{"j", 0, "confident", 0},
		{"rl-b", 0, "confident", 0},
		{"rl-c", 0, "", 0},
		{"rl-d", 0, "", 0},
		{"unreachable", 1, "confident", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onEveryWire(t, tt.name, func(t *testing.T, l *lab, family, wire, destination string) {
				// The same flows in every run: what one run finds, all do.
				o := l.run(t, wire == "sockets", "-j", "--rate", "0", "--seed", "1", family, "--wire", wire, destination)
				trace := o.trace(t)
				g := &trace.Guarantee
				t.Logf("%d paths, %s, alpha %.3f, short %v, limited %v, %d packets, %v", len(trace.Graph.Paths), trace.StopReason,
					g.Alpha, g.Short, g.RateLimited, trace.Stats.Probes, trace.Ended.Sub(trace.Started))
				checkTruth(t, l.Topology(), trace, kernelTruth(t, l, trace))
				checkComplete(t, l.Topology(), trace, tt.missed)
				if tt.stop != "" && string(trace.StopReason) != tt.stop {
					t.Errorf("stopped because %s, want %s", trace.StopReason, tt.stop)
				}
				if trace.StopReason != "confident" && len(g.Short) == 0 {
					t.Errorf("stopped because %s, but no hop is named that fell short", trace.StopReason)
				}
				if tt.packet > 0 && wire == "raw" && trace.Stats.Probes > tt.packet {
					t.Errorf("%d packets, want at most %d", trace.Stats.Probes, tt.packet)
				}
			})
		})
	}
}

// onEveryWire runs a test on the kernels of a built-in topology, for both
// families and both wires, the unprivileged one without any capability.
func onEveryWire(t *testing.T, name string, run func(t *testing.T, l *lab, family, wire, destination string)) {
	t.Helper()
	shared := build(t, name)
	for _, family := range []string{"-4", "-6"} {
		for _, wire := range []string{"raw", "sockets"} {
			t.Run(family+"/"+wire, func(t *testing.T) {
				l := shared
				if strings.HasPrefix(name, "rl-") {
					// The answers that a router still owes are used up.
					l = build(t, name)
				}
				destination := l.Destination4()
				if family == "-6" {
					destination = l.Destination6()
				}
				if !destination.IsValid() {
					t.Fatalf("%s has no such family", name)
				}
				run(t, l, family, wire, destination.String())
			})
		}
	}
}

// checkComplete compares the addresses and links of a graph with all that
// there are, but for those of nodes that do not answer.
func checkComplete(t *testing.T, network *topology.Topology, trace *traceflow.Trace, missed int) {
	t.Helper()
	if trace.StopReason != "confident" {
		return
	}
	address := make(map[string]netip.Addr)
	found := make(map[netip.Addr]bool)
	for i := range trace.Graph.Nodes {
		n := &trace.Graph.Nodes[i]
		address[n.ID] = n.Address
		if n.Replies > 0 { // not where it was only inferred
			found[n.Address] = true
		}
	}
	links := make(map[[2]netip.Addr]bool)
	for _, l := range trace.Graph.Links {
		if from, to := address[l.From], address[l.To]; !l.Inferred && from != to {
			links[[2]netip.Addr{from, to}] = true
		}
	}
	want := network.Size()
	if got := len(found); got != want.Interfaces-missed {
		t.Errorf("%d interfaces, want %d", got, want.Interfaces-missed)
	}
	if got := len(links); missed == 0 && got != want.Links {
		t.Errorf("%d links, want %d", got, want.Links)
	}
}

// kernelTruth returns what the flows of a trace should meet, by what the lab
// observes of the very same flows.
func kernelTruth(t *testing.T, l *lab, trace *traceflow.Trace) []truth {
	t.Helper()
	paths, err := l.Paths(trace.Flows)
	if err != nil {
		t.Fatal(err)
	}
	network := l.Topology()
	all := make([]truth, len(paths))
	for i, path := range paths {
		if refuser := path[len(path)-1]; refuser != network.Destination {
			// It answers twice: as a router, and for the packet that it refuses.
			path = append(path, refuser)
		}
		for _, node := range path {
			all[i] = append(all[i], []int{node})
		}
	}
	return all
}

// TestKernelWires checks that the best wire that works is taken, that what it
// cannot see is said once, and that no capability is left while it is used.
func TestKernelWires(t *testing.T) {
	l := build(t, "b")
	for _, tt := range []struct {
		unprivileged bool
		want         string
	}{{false, "raw"}, {true, "sockets"}} {
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
