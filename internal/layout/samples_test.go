// SPDX-License-Identifier: BSD-3-Clause

package layout_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"traceflow"
	"traceflow/internal/layout"
	"traceflow/internal/topology/topologytest"
)

type sample struct {
	name string
	*layout.Graph
}

// sampleGraphs are graphs as traces have them, some much worse than any.
func sampleGraphs(t testing.TB) []sample {
	var out []sample
	for _, name := range []string{"d", "e", "k", "clos", "tree", "mesh8x8", "f", "weights"} {
		out = append(out, sample{name, traced(t, name)})
	}
	for i, size := range []struct{ columns, nodes, links int }{
		{5, 20, 40},
		{8, 40, 70},
		{10, 60, 120},
		{10, 100, 200},
		{15, 120, 200},
		{30, 200, 350},
		{20, 200, 600},
		{30, 300, 500},
		{12, 300, 900},
		{20, 400, 800},
		{20, 500, 1000},
		{20, 500, 1500},
	} {
		name := fmt.Sprintf("random-%d-%d", size.nodes, size.links)
		out = append(out, sample{name, random(uint64(i), size.columns, size.nodes, size.links)})
	}
	return out
}

// traced is what many flows meet in a topology, with the source before them.
func traced(t testing.TB, name string) *layout.Graph {
	t.Helper()
	network := topologytest.Builtin(t, name)
	g := &layout.Graph{Gap: 10}
	boxes := make(map[string]int)
	box := func(key string, column int) int {
		i, ok := boxes[key]
		if !ok {
			i = len(g.Boxes)
			boxes[key] = i
			g.Boxes = append(g.Boxes, layout.Box{Key: key, Column: column, Above: 20, Below: 10})
		}
		return i
	}
	links := make(map[layout.Link]bool)
	source, destination := network.Nodes[network.Source].Address4, network.Nodes[network.Destination].Address4
	for port := range uint16(4000) {
		at := box("0", 0)
		for i, hop := range network.Truth(traceflow.Flow{
			Protocol: traceflow.ProtocolUDP, Source: source, Destination: destination,
			SourcePort: 20000 + port, DestinationPort: 33434,
		}) {
			to := box(fmt.Sprintf("%03d %d", i+1, hop.Nodes[0]), i+1)
			if l := (layout.Link{From: at, To: to}); !links[l] {
				links[l] = true
				g.Links = append(g.Links, l)
			}
			at = to
		}
	}
	return g
}

// random returns a graph in columns of unlike sizes in which every node but
// those of the first column has a link to it.
func random(seed uint64, columns, nodes, links int) *layout.Graph {
	r := rand.New(rand.NewPCG(seed, 7))
	g := &layout.Graph{Gap: 10}
	members := make([][]int, columns)
	for i := range nodes {
		c := i
		if i >= columns {
			c = 1 + r.IntN(columns-1)
		}
		members[c] = append(members[c], i)
		g.Boxes = append(g.Boxes, layout.Box{Key: fmt.Sprintf("%03d", i), Column: c, Above: 20, Below: 10})
	}
	seen := make(map[layout.Link]bool)
	add := func(c int, to int) {
		l := layout.Link{From: members[c-1][r.IntN(len(members[c-1]))], To: to}
		if !seen[l] {
			seen[l] = true
			g.Links = append(g.Links, l)
		}
	}
	for c := 1; c < columns; c++ {
		for _, v := range members[c] {
			add(c, v)
		}
	}
	for tries := 0; len(g.Links) < links && tries < 100*links; tries++ {
		c := 1 + r.IntN(columns-1)
		add(c, members[c][r.IntN(len(members[c]))])
	}
	return g
}

// drawing returns the graph of links such as "0a1b": box a of column 0 to box b
// of column 1.
func drawing(links string) *layout.Graph {
	g := &layout.Graph{Gap: 10}
	boxes := make(map[string]int)
	box := func(key string) int {
		i, ok := boxes[key]
		if !ok {
			i = len(g.Boxes)
			boxes[key] = i
			g.Boxes = append(g.Boxes, layout.Box{Key: key, Column: int(key[0] - '0'), Above: 5, Below: 5})
		}
		return i
	}
	for l := range strings.FieldsSeq(links) {
		g.Links = append(g.Links, layout.Link{From: box(l[:2]), To: box(l[2:])})
	}
	return g
}
