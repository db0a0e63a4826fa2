// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab && bench

package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestBenchStart measures what the command takes to say its version, and in the
// same run what any program takes that does nothing.
func TestBenchStart(t *testing.T) {
	const times, limit = 50, 20 * time.Millisecond
	binary := filepath.Join(t.TempDir(), "traceflow")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "traceflow/cmd/traceflow")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	fmt.Printf("start of the process to its end, median of %d:\n", times)
	nothing := medianRun(t, times, "/bin/true")
	for _, argument := range []string{"version", "--help"} {
		took := medianRun(t, times, binary, argument)
		reached(t, fmt.Sprintf("traceflow %s (/bin/true: %v)", argument, nothing), took, limit, took <= limit)
	}
}

// medianRun runs a command so many times, one after another.
func medianRun(t *testing.T, times int, name string, args ...string) time.Duration {
	t.Helper()
	all := make([]time.Duration, times)
	for i := range all {
		start := time.Now()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v: %s", name, args, err, out)
		}
		all[i] = time.Since(start)
	}
	slices.Sort(all)
	return all[times/2].Round(100 * time.Microsecond)
}
