// SPDX-License-Identifier: BSD-3-Clause

package layout_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"traceflow/internal/layout"
	"traceflow/internal/rendertest"
)

// point is where the centre of a box stands.
type point struct{ x, y float64 }

// TestFewerCrossingsThanOthers compares straight lines between the centres of
// boxes with those of Graphviz dot, told which nodes share a rank, and of dagre,
// which finds the ranks itself.
func TestFewerCrossingsThanOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("most of it is others' work; make test has it done without the race detector")
	}
	graphs := sampleGraphs(t)
	_, err := os.Stat(filepath.Join("testdata", "dagre", "node_modules"))
	rendertest.Require(t, err == nil, "dagre: make dagre")
	dagre := placeByDagre(t, graphs)
	var own, dots, dagres int
	t.Logf("%-16s %6s %6s  %6s %6s %6s", "graph", "nodes", "links", "own", "dot", "dagre")
	for i, g := range graphs {
		ours, theirs, third := crossings(g.Graph, placeByUs(g.Graph)), crossings(g.Graph, placeByDot(t, g.Graph)), crossings(g.Graph, dagre[i])
		t.Logf("%-16s %6d %6d  %6d %6d %6d", g.name, len(g.Boxes), len(g.Links), ours, theirs, third)
		own, dots, dagres = own+ours, dots+theirs, dagres+third
		if float64(ours) > 1.15*float64(theirs) {
			t.Errorf("%s: %d crossings, of dot %d", g.name, ours, theirs)
		}
		// Where all three have as many there is no better order, as in a full mesh.
		if ours > third || ours == third && ours > theirs {
			t.Errorf("%s: %d crossings, of dagre %d", g.name, ours, third)
		}
	}
	if own >= dagres {
		t.Errorf("%d crossings in all graphs, of dagre %d", own, dagres)
	}
	t.Logf("%-16s %6s %6s  %6d %6d %6d", "all", "", "", own, dots, dagres)
}

func placeByUs(g *layout.Graph) []point {
	out := make([]point, len(g.Boxes))
	for i, y := range layout.Arrange(g, nil) {
		out[i] = point{float64(g.Boxes[i].Column), float64(y)}
	}
	return out
}

func placeByDot(t *testing.T, g *layout.Graph) []point {
	t.Helper()
	var in strings.Builder
	fmt.Fprintln(&in, "digraph {\nrankdir=LR\nnode [shape=box, fixedsize=true, width=0.5, height=0.5]")
	columns := make(map[int][]string)
	for i := range g.Boxes {
		columns[g.Boxes[i].Column] = append(columns[g.Boxes[i].Column], strconv.Itoa(i))
	}
	for c := range len(columns) {
		fmt.Fprintf(&in, "{rank=same; %s}\n", strings.Join(columns[c], "; "))
	}
	for _, l := range g.Links {
		fmt.Fprintf(&in, "%d -> %d\n", l.From, l.To)
	}
	fmt.Fprintln(&in, "}")
	text := rendertest.Read(t, in.String(), "dot", "-Tplain")
	out := make([]point, len(g.Boxes))
	for line := range strings.Lines(string(text)) {
		var i int
		var p point
		if n, _ := fmt.Sscanf(line, "node %d %g %g", &i, &p.x, &p.y); n == 3 {
			out[i] = p
		}
	}
	return out
}

// placeByDagre hands all graphs over at once: starting node takes longer than
// most of them.
func placeByDagre(t *testing.T, graphs []sample) [][]point {
	t.Helper()
	type graph struct {
		Nodes []string    `json:"nodes"`
		Links [][2]string `json:"links"`
	}
	in := make([]graph, len(graphs))
	for i, g := range graphs {
		for j := range g.Boxes {
			in[i].Nodes = append(in[i].Nodes, strconv.Itoa(j))
		}
		for _, l := range g.Links {
			in[i].Links = append(in[i].Links, [2]string{strconv.Itoa(l.From), strconv.Itoa(l.To)})
		}
	}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	text = rendertest.Read(t, string(text), "node", filepath.Join("testdata", "dagre", "place.mjs"))
	var places []map[string][2]float64
	if err := json.Unmarshal(text, &places); err != nil {
		t.Fatal(err)
	}
	out := make([][]point, len(graphs))
	for i := range places {
		out[i] = make([]point, len(graphs[i].Boxes))
		for j := range out[i] {
			p := places[i][strconv.Itoa(j)]
			out[i][j] = point{p[0], p[1]}
		}
	}
	return out
}

// crossings counts the pairs of links whose straight lines cross between their
// ends.
func crossings(g *layout.Graph, at []point) int {
	side := func(a, b, c point) float64 { return (b.x-a.x)*(c.y-a.y) - (b.y-a.y)*(c.x-a.x) }
	n := 0
	for i, l := range g.Links {
		a, b := at[l.From], at[l.To]
		for _, m := range g.Links[:i] {
			c, d := at[m.From], at[m.To]
			if l.From == m.From || l.To == m.To || l.From == m.To || l.To == m.From {
				continue
			}
			if side(a, b, c)*side(a, b, d) < 0 && side(c, d, a)*side(c, d, b) < 0 {
				n++
			}
		}
	}
	return n
}
