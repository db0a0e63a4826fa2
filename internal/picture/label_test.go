// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLabels tests which links are labelled with their delay.
func TestLabels(t *testing.T) {
	link := func(from, to string, milliseconds int64) Link {
		us := milliseconds * 1000
		return Link{From: from, To: to, Delta: &us}
	}
	quick := []Link{link("s", "a", 1), link("a", "b", 1), link("b", "c", 1), link("c", "d", 1), link("d", "e", 1), link("e", "f", 1), link("f", "g", 1), link("g", "h", 1)}
	tests := []struct {
		name  string
		links []Link
		want  []string
	}{
		{"none stands out", nil, nil},
		{"one", []Link{link("h", "i", 40)}, []string{"h i +40 ms"}},
		{"all into one node", []Link{link("x3", "i", 40), link("x1", "i", 39), link("x2", "i", 41)}, []string{"x1 i +41 ms each"}},
		{"all out of one node", []Link{link("h", "x2", 40), link("h", "x1", 40)}, []string{"h x1 +40 ms each"}},
		{"two that differ", []Link{link("h", "x1", 40), link("h", "x2", 20)}, []string{"h x1 +40 ms", "h x2 +20 ms"}},
		{"two elsewhere", []Link{link("h", "x1", 40), link("k", "x2", 40)}, []string{"h x1 +40 ms", "k x2 +40 ms"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &describer{Drawing: &Drawing{Links: slices.Concat(quick, tt.links)}}
			d.label()
			var got []string
			for _, l := range d.Links {
				if l.Label != "" {
					got = append(got, fmt.Sprintf("%s %s %s", l.From, l.To, l.Label))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWiden tests that a tall drawing gets wider, and no other.
func TestWiden(t *testing.T) {
	tests := []struct {
		name  string
		width int
		want  []int
	}{
		{"wide enough", 300, []int{50, 100, 48}},
		{"a stripe", 600, []int{150, 300, 48}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			channel := []int{50, 100, 48}
			widen(channel, []Column{{W: 50}, {W: 50}, {W: 50}}, tt.width)
			if diff := cmp.Diff(tt.want, channel); diff != "" {
				t.Error(diff)
			}
		})
	}
}
