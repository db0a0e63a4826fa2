// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package routing_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"traceflow"
	"traceflow/internal/netlab"
	"traceflow/internal/netlab/routing"
	"traceflow/internal/topology/topologytest"
)

func TestMain(m *testing.M) { os.Exit(netlab.Main(m)) }

// build makes a network of kernels that nobody has told any route.
func build(t *testing.T) *netlab.Lab {
	t.Helper()
	netlab.Require(t)
	routing.Require(t)
	network := topologytest.Parse(t, "family 4\nnode s source\nnode d destination\nlink s > r > a[1..4] > c > d")
	lab, err := netlab.Build(network, netlab.Options{IgnoreTiming: true, NoRoutes: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	})
	return lab
}

// TestNetwork costs a member of four out, cuts the link to another, and mends both:
// the flows go by those that are left.
func TestNetwork(t *testing.T) {
	lab := build(t)
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

// TestNothingLeft looks for files and processes after a network that was closed, and
// after one that did not settle.
func TestNothingLeft(t *testing.T) {
	lab := build(t)
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	wantNothing := func() {
		t.Helper()
		if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
			t.Errorf("left behind: %v, %v", files, err)
		}
		for _, name := range processesIn(t, folder) {
			t.Errorf("still runs: %s", name)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	n, err := routing.Start(ctx, lab)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(processesIn(t, folder)); got < 3*len(lab.Topology().Nodes) {
		t.Errorf("%d processes, want zebra, ospfd and a shell in each of %d nodes", got, len(lab.Topology().Nodes))
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	wantNothing()

	cancel()
	if _, err := routing.Start(ctx, build(t)); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "route of ") {
		t.Errorf("got error %v, want one that says what is not settled", err)
	}
	wantNothing()
}

// processesIn returns those that work in a folder.
func processesIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, process := range all {
		in, err := os.Readlink(filepath.Join(process, "cwd"))
		if err != nil || !strings.HasPrefix(in, folder) { // it is gone, or not ours
			continue
		}
		name, _ := os.ReadFile(filepath.Join(process, "comm"))
		names = append(names, strings.TrimSpace(string(name)))
	}
	return names
}

// TestWithoutFRR says what to install.
func TestWithoutFRR(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := routing.Start(t.Context(), nil)
	if !errors.Is(err, exec.ErrNotFound) || !strings.Contains(err.Error(), "package frr") {
		t.Errorf("got error %v, want one that names the package", err)
	}
}
