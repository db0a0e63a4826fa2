// SPDX-License-Identifier: BSD-3-Clause

package diff_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"traceflow"
	"traceflow/internal/snapshot"
	"traceflow/internal/topology/topologytest"
)

// TestNaive compares unchanged networks in the ways that tools do it, and in ours:
// the table of docs/diff.md.
func TestNaive(t *testing.T) {
	if testing.Short() {
		t.Skip("so few pairs as are fast under the race detector tell methods apart by luck; make test takes all without")
	}
	const pairs = 150
	const lines = "default delay=1ms\nnode s source\nnode d destination\n" +
		"link s > a1 > b1 > c1 > e[1..2] > f[1..4] > g[1..4] > h[1..8] > i[1..4] > j[1..2] > k[1..2] > l1 > d\n"
	methods := []string{
		"one trace each, new source port",
		"one pinned flow, hash of the path with its `*`",
		"16 fresh flows, set of addresses per TTL",
		"16 pinned flows, set of addresses per TTL",
		"16 pinned flows, paired by flow and TTL, two passes: ours",
	}
	table := make([][3]float64, len(methods))
	t.Run("columns", func(t *testing.T) {
		for column, silence := range []float64{0, 0.02, 0.06} {
			t.Run(fmt.Sprint(silence), func(t *testing.T) {
				t.Parallel()
				var changed [5]int
				for pair := range pairs {
					network := topologytest.Parse(t, fmt.Sprintf("seed %d\n%s", pair+1, lines))
					for i := range network.Nodes {
						network.Nodes[i].ReplyLoss = silence
					}
					synctest.Test(t, func(t *testing.T) {
						luck := uint64(pair) * 10
						b, a := take(t, network, how{luck: luck}), take(t, network, how{luck: luck + 1})
						x := take(t, network, how{luck: luck + 2, fresh: luck + 100, passes: 1})
						y := take(t, network, how{luck: luck + 3, fresh: luck + 101, passes: 1})
						for i, differs := range []bool{
							path(x) != path(y), path(b) != path(a), sets(x) != sets(y), sets(b) != sets(a),
							len(compare(t, b, a).Changes) > 0,
						} {
							if differs {
								changed[i]++
							}
						}
					})
				}
				for i, n := range changed {
					table[i][column] = 100 * float64(n) / float64(pairs)
				}
			})
		}
	})
	var b strings.Builder
	fmt.Fprintf(&b, "| method | 0 %% unanswered | 2 %% | 6 %% |\n|---|---|---|---|\n")
	for i, name := range methods {
		fmt.Fprintf(&b, "| %s | %.1f %% | %.1f %% | %.1f %% |\n", name, table[i][0], table[i][1], table[i][2])
	}
	t.Logf("%d pairs a column\n%s", pairs, b.String())
	for column := range 3 {
		single, pinned, fresh, set, ours := table[0][column], table[1][column], table[2][column], table[3][column], table[4][column]
		if ours != 0 {
			t.Errorf("column %d: ours calls %.1f %% changed", column, ours)
		}
		// Fresh flows differ always, pinned ones as soon as anything is silent.
		if min(single, fresh) < 50 || column > 0 && min(pinned, set) == 0 {
			t.Errorf("column %d: the others call too few changed: %v", column, table)
		}
	}
}

// path is what one flow of the first pass met, silence and all.
func path(s *snapshot.Snapshot) string {
	var words []string
	w := &s.Targets[0].Passes[0].Graph.Walks[0]
	for i := range w.Hops {
		words = append(words, word(&w.Hops[i]))
	}
	return strings.Join(words, " ")
}

func word(r *traceflow.Reply) string {
	if !r.Kind.Answered() {
		return "*"
	}
	return r.Address.String()
}

// sets is who answered at each TTL of the first pass.
func sets(s *snapshot.Snapshot) string {
	var seen []string
	for _, w := range s.Targets[0].Passes[0].Graph.Walks {
		for i := range w.Hops {
			if at := fmt.Sprint(int(w.First)+i, word(&w.Hops[i])); w.Hops[i].Kind.Answered() && !slices.Contains(seen, at) {
				seen = append(seen, at)
			}
		}
	}
	slices.Sort(seen)
	return strings.Join(seen, " ")
}
