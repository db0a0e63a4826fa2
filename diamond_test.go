// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiamonds(t *testing.T) {
	mesh := func(a, b int) (rows [][]int) {
		for i := range a {
			for j := range b {
				rows = append(rows, []int{1, 10 + i, 20 + j, 2, 254})
			}
		}
		return rows
	}
	tests := []struct {
		name string
		rows [][]int
		want []string // divergence-convergence width length
	}{
		{"none", [][]int{{1, 2, 254}}, nil},
		{"b", [][]int{{1, 11, 2, 254}, {1, 12, 2, 254}, {1, 13, 2, 254}, {1, 14, 2, 254}}, []string{"1-2 4 2"}},
		{
			"d: two in a row",
			[][]int{{1, 11, 2, 21, 3, 254}, {1, 12, 2, 22, 3, 254}, {1, 13, 2, 23, 3, 254}, {1, 14, 2, 24, 3, 254}},
			[]string{"1-2 4 2", "2-3 4 2"},
		},
		{"meshed", mesh(3, 4), []string{"1-2 4 3"}},
		{"unequal lengths", [][]int{{1, 11, 2, 254}, {1, 12, 13, 2, 254}}, []string{"1-2 2 3"}},
		{"meets at the destination", [][]int{{1, 11, 254}, {1, 12, 254}}, []string{"1-254 2 2"}},
		{"no convergence", [][]int{{1, 11, 0, 0}, {1, 12, 0, 0}}, []string{"1-? 2 1"}},
		{"one branch ends", [][]int{{1, 11, 2, 254}, {1, 12, 0, 0}}, []string{"1-? 2 3"}},
		{
			"one inside another",
			[][]int{{1, 11, 21, 3, 2, 254}, {1, 11, 22, 3, 2, 254}, {1, 12, 23, 4, 2, 254}},
			[]string{"1-2 3 4"},
		},
		{"through a silent hop", [][]int{{1, 0, 2, 254}, {1, 12, 3, 254}}, []string{"1-254 2 3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			walks, exchanges := network(tt.rows...)
			g := NewGraph(walks, exchanges)
			name := map[string]string{"": "?"}
			for _, n := range g.Nodes {
				name[n.ID] = "*"
				if n.Address.IsValid() {
					name[n.ID] = fmt.Sprint(n.Address.As4()[3])
				}
			}
			var got []string
			for _, d := range g.Diamonds {
				got = append(got, fmt.Sprintf("%s-%s %d %d", name[d.Divergence], name[d.Convergence], d.Width, d.Length))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("diamonds (-want +got)\n%s", diff)
			}
		})
	}
}
