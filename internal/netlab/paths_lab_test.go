// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package netlab_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"traceflow"
	"traceflow/internal/netlab"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
)

// size counts what a set of paths shows of a network.
func size(all [][]int) topology.Size {
	nodes, links, ways := map[int]bool{}, map[[2]int]bool{}, map[string]bool{}
	for _, path := range all {
		ways[fmt.Sprint(path)] = true
		for i, node := range path {
			nodes[node] = true
			if i > 0 {
				links[[2]int{path[i-1], node}] = true
			}
		}
	}
	return topology.Size{Interfaces: len(nodes), Links: len(links), Paths: uint64(len(ways))}
}

func TestPathsReachEverything(t *testing.T) {
	for name, want := range map[string]topology.Size{
		"b": {Interfaces: 7, Links: 9, Paths: 4},
		"d": {Interfaces: 12, Links: 17, Paths: 16},
		"k": {Interfaces: 11, Links: 25, Paths: 16},
		"f": {Interfaces: 67, Links: 129, Paths: 64},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			l := build(t, topologytest.Builtin(t, name))
			t.Logf("built in %v", time.Since(start))
			families(t, l, func(t *testing.T, l *netlab.Lab, first traceflow.Flow) {
				start := time.Now()
				all := paths(t, l, flows(first, 600))
				t.Logf("600 flows observed in %v", time.Since(start))
				if got := size(all); got != want {
					t.Errorf("600 flows show %+v, want %+v", got, want)
				}
				again := flows(first, 600)
				slices.Reverse(again)
				repeated := paths(t, l, again)
				slices.Reverse(repeated)
				for i := range all {
					if !slices.Equal(all[i], repeated[i]) {
						t.Fatalf("flow %d took %v, then %v", i, all[i], repeated[i])
					}
				}
			})
		})
	}
}

// TestPathsRepeat wants the same choice of the same network built again: seeds
// come from the topology, so a failure can be looked at twice.
func TestPathsRepeat(t *testing.T) {
	first := build(t, topologytest.Builtin(t, "d"))
	second := build(t, topologytest.Builtin(t, "d"))
	families(t, first, func(t *testing.T, _ *netlab.Lab, flow traceflow.Flow) {
		a, b := paths(t, first, flows(flow, 64)), paths(t, second, flows(flow, 64))
		for i := range a {
			if !slices.Equal(a[i], b[i]) {
				t.Errorf("flow %d takes %v in one lab, %v in another", i, a[i], b[i])
			}
		}
	})
}

func TestBalance(t *testing.T) {
	for _, tt := range []struct {
		name      string
		network   string
		wantPaths uint64
	}{
		{"equal seeds polarise", "polarised", 4},
		{"destination alone", "perdest", 1},
		{"fields without ports", "label", 4}, // r2 reads ports, r1 does not
	} {
		t.Run(tt.name, func(t *testing.T) {
			families(t, build(t, topologytest.Builtin(t, tt.network)), func(t *testing.T, l *netlab.Lab, first traceflow.Flow) {
				if got := size(paths(t, l, flows(first, 400))).Paths; got != tt.wantPaths {
					t.Errorf("%d paths, want %d", got, tt.wantPaths)
				}
			})
		})
	}
}

func TestBalanceByLabel(t *testing.T) {
	families(t, build(t, topologytest.Builtin(t, "label")), func(t *testing.T, l *netlab.Lab, first traceflow.Flow) {
		labelled := flows(first, 200)
		for i := range labelled {
			labelled[i].SourcePort = first.SourcePort
			labelled[i].Label = uint32(i + 1)
		}
		if got := size(paths(t, l, labelled)).Paths; got != 16 {
			t.Errorf("%d paths, want 16", got)
		}
	})
}

func TestWeights(t *testing.T) {
	network := topologytest.Builtin(t, "weights")
	families(t, build(t, network), func(t *testing.T, l *netlab.Lab, first traceflow.Flow) {
		const n = 1600
		share := map[string]int{}
		for _, path := range paths(t, l, flows(first, n)) {
			share[network.Nodes[path[1]].Name]++
		}
		// Of 8 parts; the tolerance is more than five standard deviations.
		for name, parts := range map[string]int{"a1": 1, "a2": 2, "a3": 5} {
			if got, want := share[name], n*parts/8; got < want-100 || got > want+100 {
				t.Errorf("%s got %d of %d flows, want about %d", name, got, n, want)
			}
		}
	})
}

// TestBuiltin wants every network of the program either built or refused for
// the reason that is known here.
func TestBuiltin(t *testing.T) {
	netlab.Require(t)
	for _, name := range topology.BuiltinNames() {
		t.Run(name, func(t *testing.T) {
			l, err := netlab.Build(topologytest.Builtin(t, name), netlab.Options{IgnoreTiming: true})
			if unsupported := refused[name]; unsupported != "" {
				wantUnsupported(t, err, unsupported)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
