// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"traceflow"
	"traceflow/internal/rendertest"
)

// TestSeveralResults writes three traces on one stream, as for three
// destinations.
func TestSeveralResults(t *testing.T) {
	var trace traceflow.Trace
	if err := json.Unmarshal([]byte(traceSim(t, "--sim", "b", "--json", "--quiet").out), &trace); err != nil {
		t.Fatal(err)
	}
	stream := func(format string) string {
		var out bytes.Buffer
		o := outputOptions{format: format}
		for range 3 {
			if err := o.write(Env{Out: &out}, &trace, nil, true); err != nil {
				t.Fatal(err)
			}
		}
		return out.String()
	}
	t.Run("csv", func(t *testing.T) {
		rows, err := csv.NewReader(strings.NewReader(stream("csv"))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		headers := 0
		for _, row := range rows {
			if row[0] == "destination" {
				headers++
			}
		}
		if headers != 1 || len(rows)%3 != 1 {
			t.Errorf("%d headers in %d lines", headers, len(rows))
		}
	})
	t.Run("json", func(t *testing.T) {
		if got := strings.Count(stream("json"), "\n"); got != 3 {
			t.Errorf("%d lines", got)
		}
	})
	t.Run("mermaid", func(t *testing.T) {
		charts := strings.Split(stream("mermaid"), "\n\n")
		if got := rendertest.Mermaid(t, charts...); len(got) != 3 || got[2].Nodes != len(trace.Graph.Nodes)+1 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("dot", func(t *testing.T) {
		if got := rendertest.DOT(t, stream("dot")); len(got) != 3 || got[2].Nodes != len(trace.Graph.Nodes)+1 {
			t.Errorf("got %+v", got)
		}
	})
}
