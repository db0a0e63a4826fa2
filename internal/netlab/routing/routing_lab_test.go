// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package routing_test

import (
	"context"
	"os"
	"testing"
	"time"

	"traceflow"
	"traceflow/internal/netlab"
	"traceflow/internal/netlab/routing"
	"traceflow/internal/topology/topologytest"
)

func TestMain(m *testing.M) { os.Exit(netlab.Main(m)) }

// TestNetwork costs a member of four out, cuts the link to another, and mends both:
// the flows go by those that are left.
func TestNetwork(t *testing.T) {
	netlab.Require(t)
	routing.Require(t)
	network := topologytest.Parse(t, "family 4\nnode s source\nnode d destination\nlink s > r > a[1..4] > c > d")
	lab, err := netlab.Build(network, netlab.Options{IgnoreTiming: true, NoRoutes: true})
	if err != nil {
		t.Fatal(err)
	}
	defer lab.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // it takes a second or two
	defer cancel()
	n, err := routing.Start(ctx, lab)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	width := func() int {
		t.Helper()
		var flows []traceflow.Flow
		for i := range 64 {
			flows = append(flows, traceflow.Flow{
				ID: i + 1, Protocol: traceflow.ProtocolUDP, Source: lab.Source4(), Destination: lab.Destination4(),
				SourcePort: uint16(33000 + i), DestinationPort: 33434,
			})
		}
		paths, err := lab.Paths(flows)
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[int]bool)
		for _, path := range paths {
			seen[path[1]] = true
		}
		return len(seen)
	}
	for _, step := range []struct {
		name string
		do   func() error
		want int
	}{
		{"nothing", func() error { return nil }, 4},
		{"cost out", func() error { return n.Cost("r", "a2", 1000) }, 3},
		{"link down", func() error { return n.SetLink("r", "a4", false) }, 2},
		{"link up", func() error { return n.SetLink("r", "a4", true) }, 3},
		{"cost in", func() error { return n.Cost("r", "a2", 10) }, 4},
	} {
		began := time.Now()
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if err := n.Settle(ctx); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: settled in %v", step.name, time.Since(began))
		if got := width(); got != step.want {
			t.Errorf("%s: %d ways, want %d", step.name, got, step.want)
		}
	}
}
