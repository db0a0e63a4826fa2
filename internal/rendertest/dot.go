// SPDX-License-Identifier: BSD-3-Clause

package rendertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

// DOT returns what Graphviz makes of each graph of a text.
func DOT(t testing.TB, text string) []Drawing {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(Read(t, text, "dot", "-Tjson0")))
	var out []Drawing
	for {
		var graph struct {
			Subgraphs int `json:"_subgraph_cnt"`
			Objects   []struct{ Name, Label string }
			Edges     []struct{ Style string }
		}
		if err := d.Decode(&graph); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		g := Drawing{Nodes: len(graph.Objects) - graph.Subgraphs, Edges: len(graph.Edges)}
		for _, o := range graph.Objects[graph.Subgraphs:] {
			g.Labels = append(g.Labels, o.Label)
		}
		for _, e := range graph.Edges {
			if strings.Contains(e.Style, "dashed") {
				g.Inferred++
			}
		}
		out = append(out, g)
	}
}
