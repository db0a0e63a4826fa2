// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab && bench

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"traceflow/internal/netlab"
	"traceflow/internal/topology/topologytest"
)

// core has 12 hops, of the widths of the table in docs/diff.md.
const core = "family 4\nnode s source\nnode d destination\n" +
	"link s > a > b > c > d[1..2] > e[1..4] > f[1..4] > g[1..8] > h[1..4] > i[1..2] > j[1..2] > k > d\n"

// TestBenchMaintenance measures 100 destinations behind kernels twice, and what it
// takes to compare the two files.
func TestBenchMaintenance(t *testing.T) {
	netlab.Require(t)
	needTool(t, "ip", "iproute2")
	const targets = 100
	l := buildNetwork(t, topologytest.Parse(t, core))
	addTargets(t, l)
	folder := t.TempDir()
	before, after := filepath.Join(folder, "before.tfs"), filepath.Join(folder, "after.tfs")
	var all []string
	for i := range targets {
		all = append(all, fmt.Sprintf("203.0.113.%d", i+1))
	}
	fmt.Printf("%d destinations behind kernels, 12 hops, 16 flows, 2 passes, 500 packets/s:\n", targets)
	began := time.Now()
	o := l.runCommand(t, false, append([]string{"snapshot", "--quiet", "--wire", "raw", "-P", "16", "--data", "none", "-o", before}, all...)...)
	took := time.Since(began).Round(100 * time.Millisecond)
	if o.code != 0 {
		t.Fatalf("exit code %d: %s%s", o.code, o.stdout, o.stderr)
	}
	reached(t, "snapshot, wall time", took, 120*time.Second, took <= 120*time.Second)
	summary, _, _ := strings.Cut(o.stdout, "\n")
	fmt.Printf("  %s\n", summary)
	// How fast the second one is measured changes nothing for the comparison.
	if o := l.runCommand(t, false, "snapshot", "--quiet", "--rate", "3000", "--data", "none", "--like", before, "-o", after); o.code != 0 {
		t.Fatalf("exit code %d: %s%s", o.code, o.stdout, o.stderr)
	}
	compareFiles(t, before, after)
}

// addTargets gives the destination a prefix, and every node on the way to it the
// ways that it has to the destination.
func addTargets(t *testing.T, l *lab) {
	t.Helper()
	const prefix = "203.0.113.0/24"
	network := l.Topology()
	for i := range network.Nodes {
		route := []string{"route", "add", prefix}
		for _, e := range network.Edges {
			if e.From == i {
				device, _ := l.Device(e.From, e.To)
				route = append(route, "nexthop", "via", network.Nodes[e.To].Address4.String(), "dev", device, "onlink")
			}
		}
		if i == network.Destination {
			route = []string{"route", "add", "local", prefix, "dev", "lo"}
		}
		err := l.DoAt(i, func() error {
			out, err := exec.Command("ip", route...).CombinedOutput()
			if err != nil {
				return fmt.Errorf("ip %v: %w: %s", route, err, out)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// compareFiles measures the command proper: a test binary is twice as large.
func compareFiles(t *testing.T, before, after string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "traceflow")
	if out, err := exec.Command("go", "build", "-o", binary, "traceflow/cmd/traceflow").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	info, err := os.Stat(before)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("the two compared, reading included, %.1f MB each, best of 5 and most memory:\n", float64(info.Size())/1e6)
	for _, format := range []string{"text", "json", "html"} {
		const limit, memoryLimit = time.Second, 200
		fastest, largest, processor := time.Hour, 0.0, time.Hour
		for range 5 {
			cmd := exec.Command(binary, "diff", before, after, "--format", format)
			began := time.Now()
			if out, err := cmd.Output(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			s := cmd.ProcessState
			fastest, processor = min(fastest, time.Since(began)), min(processor, s.UserTime()+s.SystemTime())
			largest = max(largest, float64(s.SysUsage().(*syscall.Rusage).Maxrss*1024)/1e6)
		}
		reached(t, "diff, "+format+": wall time", fastest.Round(time.Millisecond), limit, fastest <= limit)
		reached(t, "diff, "+format+": MB", fmt.Sprintf("%.0f", largest), memoryLimit, largest <= memoryLimit)
		fmt.Printf("  %v of processor time\n", processor.Round(time.Millisecond))
	}
}
