// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/internal/rendertest"
	"traceflow/render"
)

// written is a trace in a format.
func written(t *testing.T, format string, trace *traceflow.Trace, o render.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := writers[format](&b, trace, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// drawing is what a reader has to make of a trace: its graph, the vantage point,
// and a link from there to each node that a path begins with.
func drawing(t *traceflow.Trace) rendertest.Drawing {
	g := &t.Graph
	d := rendertest.Drawing{Nodes: len(g.Nodes) + 1, Edges: len(g.Links)}
	nodes := make(map[string]*traceflow.Node)
	for i := range g.Nodes {
		nodes[g.Nodes[i].ID] = &g.Nodes[i]
	}
	first := make(map[string]bool)
	for _, p := range g.Paths {
		if len(p.Nodes) > 0 {
			first[p.Nodes[0]] = true
		}
	}
	for id := range first {
		d.Edges++
		if !nodes[id].IsValid() || nodes[id].TTL > 1 {
			d.Inferred++
		}
	}
	for _, l := range g.Links {
		if l.Inferred {
			d.Inferred++
		}
	}
	return d
}

// TestGraphsAreRead has Graphviz and Mermaid's parser read every golden trace,
// all of them as one stream too.
func TestGraphsAreRead(t *testing.T) {
	var want []rendertest.Drawing
	var dots, charts []string
	for i, tt := range traces {
		trace := tt.trace(t)
		want = append(want, drawing(trace))
		dots = append(dots, written(t, "dot", trace, render.Options{Continued: i > 0}))
		charts = append(charts, written(t, "mermaid", trace, render.Options{Continued: i > 0}))
	}
	check := func(t *testing.T, got []rendertest.Drawing) {
		t.Helper()
		for i := range got {
			if len(got[i].Labels) != got[i].Nodes {
				t.Errorf("%s: %d labels of %d nodes", traces[i].name, len(got[i].Labels), got[i].Nodes)
			}
			got[i].Labels = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	t.Run("dot", func(t *testing.T) { check(t, rendertest.DOT(t, strings.Join(dots, ""))) })
	t.Run("mermaid", func(t *testing.T) {
		stream := strings.Split(strings.Join(charts, ""), "\n\nflowchart ")
		for i := 1; i < len(stream); i++ {
			stream[i] = "flowchart " + stream[i]
		}
		check(t, rendertest.Mermaid(t, stream...))
	})
}

// TestCSVIsRead has Python's reader read what Go's does, and looks at the cells.
func TestCSVIsRead(t *testing.T) {
	var text strings.Builder
	rows := 0
	for i, tt := range traces {
		trace := tt.trace(t)
		text.WriteString(written(t, "csv", trace, render.Options{Continued: i > 0}))
		for _, p := range trace.Graph.Paths {
			rows += len(p.Nodes)
		}
	}
	want, err := csv.NewReader(strings.NewReader(text.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(want) != rows+1 {
		t.Errorf("%d lines, want a header and %d hops", len(want), rows)
	}
	for _, row := range want[1:] {
		for i, cell := range row {
			name := want[0][i]
			_, err := strconv.ParseFloat(cell, 64)
			figure := strings.HasSuffix(name, "_us") || strings.HasSuffix(name, "port") || strings.HasSuffix(name, "asn") ||
				name == "ttl" || name == "sent" || name == "replies" || name == "loss" || name == "share"
			if figure && cell != "" && err != nil {
				t.Errorf("%s is %q", name, cell)
			}
		}
	}
	t.Run("python", func(t *testing.T) {
		const program = "import csv, json, sys; json.dump(list(csv.reader(sys.stdin, strict=True)), sys.stdout)"
		var got [][]string
		if err := json.Unmarshal(rendertest.Read(t, text.String(), "python3", "-X", "utf8", "-c", program), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-Go +Python)\n%s", diff)
		}
	})
	t.Run("mlr", func(t *testing.T) {
		var got []map[string]any
		if err := json.Unmarshal(rendertest.Read(t, text.String(), "mlr", "--icsv", "--ojson", "cat"), &got); err != nil {
			t.Fatal(err)
		}
		if len(got) != rows {
			t.Errorf("%d records, want %d", len(got), rows)
		}
	})
}

// TestJSONIsRead has jq read both forms of the document.
func TestJSONIsRead(t *testing.T) {
	for _, format := range []string{"json", "ndjson"} {
		var stream strings.Builder
		want := ""
		for _, tt := range traces {
			trace := tt.trace(t)
			stream.WriteString(written(t, format, trace, render.Options{}))
			want += strconv.Itoa(len(trace.Graph.Nodes)) + "\n"
		}
		if got := string(rendertest.Read(t, stream.String(), "jq", `select(.schema == "traceflow.trace/1") | .nodes | length`)); got != want {
			t.Errorf("%s: jq counts\n%swant\n%s", format, got, want)
		}
	}
}
