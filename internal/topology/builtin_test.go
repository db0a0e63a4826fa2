// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBuiltin(t *testing.T) {
	want := map[string]Size{
		"b":       {7, 9, 4},
		"c":       {11, 17, 8},
		"d":       {12, 17, 16},
		"k":       {11, 25, 16},
		"f":       {67, 129, 64},
		"e":       {9, 10, 3},
		"e2":      {10, 12, 4},
		"g":       {9, 11, 4},
		"h":       {7, 9, 4},
		"i":       {7, 9, 4},
		"j":       {7, 9, 4},
		"line":    {12, 11, 1},
		"wide255": {257, 510, 255},
		"mesh8x8": {19, 81, 64},
		"tree":    {23, 29, 8},
		"clos":    {27, 41, 16},
		"hashes":  {27, 41, 1024},
	}
	for _, name := range BuiltinNames() {
		got, err := Builtin(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if got.Name != name || got.Comment == "" {
			t.Errorf("%s: name %q, comment %q", name, got.Name, got.Comment)
		}
		for _, e := range got.Edges {
			if e.Delay == 0 {
				t.Errorf("%s: a link without delay", name)
			}
		}
		if size, ok := want[name]; ok {
			if diff := cmp.Diff(size, got.Size()); diff != "" {
				t.Errorf("%s (-want +got)\n%s", name, diff)
			}
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s is not built in", name)
	}
}

// TestSizeIsBounded counts more paths than a number holds.
func TestSizeIsBounded(t *testing.T) {
	text := "-- topology --\nnode s source\nnode d destination\nlink s > a1"
	for _, layer := range "bcdefghijklmnopqrstuvwxyz" {
		text += " > " + string(layer) + "[1..32]"
	}
	got, err := Parse("t", []byte(text+" > d\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Size().Paths != ^uint64(0) {
		t.Errorf("%d paths", got.Size().Paths)
	}
}
