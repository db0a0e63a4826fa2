// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package netlab_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"traceflow"
	"traceflow/internal/netlab"
	"traceflow/internal/topology/topologytest"
)

// held counts what the process holds of the kernel's.
type held struct {
	files, namespaces, goroutines, named int
}

func holding(t *testing.T) held {
	t.Helper()
	var h held
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	h.files = len(files)
	// The namespaces that a thread is in or a file keeps.
	threads, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	namespaces := map[string]bool{}
	for _, file := range append(files, threads...) {
		target, err := os.Readlink(file)
		if ok, _ := filepath.Match("net:*", target); err == nil && ok {
			namespaces[target] = true
		}
	}
	h.namespaces = len(namespaces)
	h.goroutines = runtime.NumGoroutine()
	named, err := filepath.Glob("/run/netns/*")
	if err != nil {
		t.Fatal(err)
	}
	h.named = len(named)
	return h
}

// wantHolding wants no more held than before. It waits for what is on its way
// out: a thread that has ended for Go ends for the kernel a little later.
func wantHolding(t *testing.T, before held) {
	t.Helper()
	var got held
	for range 1000 {
		got = holding(t)
		if got.files <= before.files && got.namespaces <= before.namespaces &&
			got.goroutines <= before.goroutines && got.named <= before.named {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("holds %+v after, %+v before", got, before)
}

func threads(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestNothingLeft(t *testing.T) {
	netlab.Require(t)
	network := topologytest.Builtin(t, "g")
	cycle := func() {
		l, err := netlab.Build(network, netlab.Options{IgnoreTiming: true})
		if err != nil {
			t.Fatal(err)
		}
		first := traceflow.Flow{
			Protocol: traceflow.ProtocolUDP, SourcePort: 33000, DestinationPort: 33434,
			Source: l.Source4(), Destination: l.Destination4(),
		}
		paths(t, l, flows(first, 10))
		cmd := l.Command(t.Context(), "true")
		if err := l.RunUnprivileged(cmd); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cycle() // the runtime's own files and threads
	before, threadsBefore := holding(t), threads(t)
	const cycles = 20
	for range cycles {
		cycle()
	}
	wantHolding(t, before)
	// The runtime keeps idle threads, some more or less, but not one a lab.
	if after := threads(t); after >= threadsBefore+cycles {
		t.Errorf("%d threads after, %d before", after, threadsBefore)
	}
}

// TestFailedBuildLeavesNothing builds what fails half way.
func TestFailedBuildLeavesNothing(t *testing.T) {
	netlab.Require(t)
	network := topologytest.Builtin(t, "g")
	t.Setenv("PATH", t.TempDir()) // no nft
	fail := func() {
		if _, err := netlab.Build(network, netlab.Options{IgnoreTiming: true}); err == nil {
			t.Fatal("built a source NAT without nft")
		}
	}
	fail()
	before := holding(t)
	fail()
	wantHolding(t, before)
}
