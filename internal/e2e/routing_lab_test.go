// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"traceflow/internal/diff"
	"traceflow/internal/netlab"
	"traceflow/internal/netlab/routing"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
)

// routed is a network of kernels and of OSPF that is measured.
type routed struct {
	compared
	*routing.Network
}

// route starts the daemons in a network, and ends them with the test.
func route(t *testing.T, lines string) *routed {
	t.Helper()
	routing.Require(t)
	network := topologytest.Parse(t, "family 4\nnode s source\nnode d destination\n"+lines)
	l := buildWith(t, network, netlab.Options{IgnoreTiming: true, NoRoutes: true})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	n, err := routing.Start(ctx, l.Lab)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return &routed{compared{lab: l, folder: t.TempDir(), more: []string{"--data", "none"}}, n}
}

// settle waits for the network after a change.
func (r *routed) settle(t *testing.T, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	began := time.Now()
	if err := errors.Join(err, r.Settle(ctx)); err != nil {
		t.Fatal(err)
	}
	t.Logf("settled %v later", time.Since(began))
}

// cost sets both directions of links, each written as "from>to".
func (r *routed) cost(cost int, links ...string) error {
	var err error
	for _, x := range links {
		a, b, _ := strings.Cut(x, ">")
		err = errors.Join(err, r.Cost(a, b, cost), r.Cost(b, a, cost))
	}
	return err
}

// expect compares as the plan of a maintenance would have it.
func (r *routed) expect(t *testing.T, file, expectation string) *report {
	t.Helper()
	plan := filepath.Join(r.folder, "plan.yaml")
	if err := os.WriteFile(plan, []byte("expect: "+expectation+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return r.since(t, file, "--policy", plan)
}

// TestRouting takes a network that OSPF runs through what is done in a maintenance,
// step by step; daemons and kernels find their way, and the command says what
// became of it. Each step is mended before the next.
func TestRouting(t *testing.T) {
	r := route(t, "link s > r > a[1..4] > c > x > d\nlink r > z1 > z2 > c\nlink c > y > d")
	r.flags = []string{"-P", "32"}
	const usual = 10
	r.settle(t, r.cost(2*usual, "c>y")) // the other way out is worse
	r.snapshot(t)
	r.wantSame(t, "before")
	nodes := r.Topology().Nodes
	a2 := nodes[slices.IndexFunc(nodes, func(n topology.Node) bool { return n.Name == "a2" })].Address4.String()

	t.Run("cost out", func(t *testing.T) {
		r.settle(t, r.cost(1000, "r>a2", "a2>c"))
		file := r.snapshot(t)
		r.since(t, file).wantClass(t, diff.WidthDown, diff.Regression)
		for expectation, want := range map[string]int{
			"{drain: [" + a2 + "], width: 4->3}": 0,
			"{width: 4->3}":                      0,
			"{width: 4->2}":                      2,
			"no-change":                          2,
		} {
			if got := r.expect(t, file, expectation); got.code != want {
				t.Errorf("expected %s: exit code %d, want %d:\n%s", expectation, got.code, want, got.text)
			}
		}
		r.settle(t, r.cost(usual, "r>a2", "a2>c"))
		file = r.snapshot(t)
		if got := r.since(t, file); got.code != 0 || len(got.Changes) > 0 {
			t.Errorf("mended, but:\n%s", got.text)
		}
		got := r.expect(t, file, "{drain: ["+a2+"]}")
		if got.code != 1 || !strings.Contains(got.text, "drain did not take effect") {
			t.Errorf("a drain that did not come: exit code %d, want 1:\n%s", got.code, got.text)
		}
	})
	t.Run("link down", func(t *testing.T) {
		r.settle(t, r.SetLink("r", "a3", false))
		r.since(t, r.snapshot(t)).wantClass(t, diff.WidthDown, diff.Regression)
		r.settle(t, r.SetLink("r", "a3", true))
		r.wantSame(t, "mended")
	})
	t.Run("reroute", func(t *testing.T) {
		r.settle(t, r.SetLink("c", "x", false))
		r.since(t, r.snapshot(t)).wantClass(t, diff.Rerouted, diff.Review)
		r.settle(t, r.SetLink("c", "x", true))
		r.wantSame(t, "mended")
	})
	t.Run("return path", func(t *testing.T) {
		back := func(cost int) (err error) {
			for _, a := range []string{"a1", "a2", "a3", "a4"} {
				err = errors.Join(err, r.Cost("c", a, cost))
			}
			return err
		}
		r.settle(t, back(1000))
		r.since(t, r.snapshot(t)).wantClass(t, diff.ReturnPath, diff.Info)
		r.settle(t, back(usual))
		r.wantSame(t, "mended")
	})
}
