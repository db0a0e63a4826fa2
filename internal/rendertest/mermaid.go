// SPDX-License-Identifier: BSD-3-Clause

package rendertest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Mermaid returns what Mermaid's parser makes of each chart.
func Mermaid(t testing.TB, charts ...string) []Drawing {
	t.Helper()
	folder := filepath.Join(module(t), "internal", "rendertest", "testdata", "mermaid")
	_, err := os.Stat(filepath.Join(folder, "node_modules", "mermaid"))
	Require(t, err == nil, "Mermaid: make mermaid")
	input, err := json.Marshal(charts)
	if err != nil {
		t.Fatal(err)
	}
	var graphs []struct {
		Nodes, Edges, Dotted int
		Labels               []string
		Error                string
	}
	if err := json.Unmarshal(Read(t, string(input), "node", filepath.Join(folder, "parse.mjs")), &graphs); err != nil {
		t.Fatal(err)
	}
	var out []Drawing
	for i, g := range graphs {
		if g.Error != "" {
			t.Errorf("Mermaid: %s\n%s", g.Error, charts[i])
		}
		out = append(out, Drawing{Nodes: g.Nodes, Edges: g.Edges, Inferred: g.Dotted, Labels: g.Labels})
	}
	return out
}

// module is the folder of go.mod, above that in which a test runs.
func module(t testing.TB) string {
	t.Helper()
	for folder := "."; ; folder = filepath.Join("..", folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		if absolute, err := filepath.Abs(folder); err != nil || absolute == filepath.Dir(absolute) {
			t.Fatal("no go.mod above this folder")
		}
	}
}
