// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"traceflow"
)

// DOT writes the graph for Graphviz: a column for each TTL, a frame around the
// nodes of each AS that is known, and links as wide as the share of the flows
// whose paths take them. A hop that does not answer is a hollow node of its own; what
// is inferred is dashed. The vantage point is the node "source"; the other names
// are the Node.IDs.
//
// Several results on one stream are several graphs: dot draws each, one after
// the other.
func DOT(w io.Writer, t *traceflow.Trace, _ Options) error {
	n := newNodes(t)
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "digraph traceflow {")
	fmt.Fprintf(b, "  graph [rankdir=LR, newrank=true, label=%s, labelloc=t, fontname=\"sans-serif\"];\n", quoteDOT(graphTitle(t)))
	fmt.Fprintln(b, "  node [shape=box, fontname=\"sans-serif\", fontsize=10];")
	fmt.Fprintln(b, "  edge [fontname=\"sans-serif\", fontsize=9, arrowsize=0.6];")
	fmt.Fprintf(b, "  source [label=%s, style=rounded];\n", quoteDOT(vantage(t)...))
	byAS := make(map[uint32][]*nodeText)
	for i := range n.all {
		as, _ := n.all[i].note.Owner()
		byAS[as] = append(byAS[as], &n.all[i])
	}
	for _, as := range slices.Sorted(maps.Keys(byAS)) {
		indent := "  "
		if as != 0 {
			fmt.Fprintf(b, "  subgraph cluster_as%d {\n    graph [label=%s, color=gray60, style=rounded];\n", as, quoteDOT(byAS[as][0].owner()))
			indent = "    "
		}
		for _, x := range byAS[as] {
			fmt.Fprintf(b, "%s%s [label=%s%s, tooltip=%s];\n", indent, x.ID, quoteDOT(x.lines()...), dotShapes[x.kind], quoteDOT(through(x.flows)))
		}
		if as != 0 {
			fmt.Fprintln(b, "  }")
		}
	}
	for i := 0; i < len(n.all); {
		fmt.Fprint(b, "  { rank=same;")
		for ttl := n.all[i].TTL; i < len(n.all) && n.all[i].TTL == ttl; i++ {
			fmt.Fprintf(b, " %s;", n.all[i].ID)
		}
		fmt.Fprintln(b, " }")
	}
	for _, c := range n.arrows(t) {
		from := c.from
		if from == "" {
			from = "source"
		}
		fmt.Fprintf(b, "  %s -> %s [penwidth=%.2f, tooltip=%s", from, c.to, 1+4*c.share, quoteDOT(through(c.flows)))
		if c.share < wholeShare {
			fmt.Fprintf(b, ", label=%s", quoteDOT(percentage(c.share)))
		}
		if c.inferred {
			fmt.Fprint(b, ", style=dashed")
		}
		fmt.Fprintln(b, "];")
	}
	fmt.Fprintln(b, "}")
	return b.Flush()
}

// wholeShare is the share from which on a link is not worth a figure.
const wholeShare = 0.9995

// dotShapes are what nodes look like.
var dotShapes = map[nodeKind]string{
	kindRouter:      "",
	kindExchange:    ", shape=diamond",
	kindSilent:      ", shape=ellipse, style=dashed, color=gray40, fontcolor=gray40",
	kindDestination: ", peripheries=2",
}

// quoteDOT makes a string of lines that Graphviz shows as they are: quotes and
// backslashes would end it, or stand for something else, and & would begin an
// entity.
func quoteDOT(lines ...string) string {
	for i, line := range lines {
		lines[i] = dotEscapes.Replace(Printable(line))
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}

var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;")

// graphTitle heads a drawing.
func graphTitle(t *traceflow.Trace) string {
	return fmt.Sprintf("%s, %s, %s", end(t.Destination.Name, t.Destination.Address),
		strings.ToUpper(t.Config.Protocol.String()), Count(len(t.Graph.Paths), "path"))
}

// vantage is the label of the vantage point.
func vantage(t *traceflow.Trace) []string {
	switch v := &t.VantagePoint; {
	case v.Address.IsUnspecified():
		return []string{hiddenHost}
	case v.Hostname == "":
		return []string{v.Address.String()}
	}
	return []string{stranger(t.VantagePoint.Hostname), t.VantagePoint.Address.String()}
}

// through says which flows pass.
func through(flows []int) string {
	if len(flows) == 0 {
		return "on no path"
	}
	return fmt.Sprintf("%s: %s", Count(len(flows), "flow"), ranges(flows))
}
