// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"

	"traceflow"
)

// Mermaid writes the graph as a flowchart that GitHub and others draw in
// Markdown, in a code block of the language "mermaid". A hop that does not answer
// is a dashed node of its own, an exchange point a hexagon, the destination has
// double sides; what is inferred is dotted. The vantage point is the node
// "source"; the other names are the Node.IDs.
//
// A code block holds one chart. Several results on one stream have an empty line
// between them, and each begins with the line "flowchart LR".
func Mermaid(w io.Writer, t *traceflow.Trace, o Options) error {
	n := newNodes(t)
	b := bufio.NewWriter(w)
	if o.Continued {
		fmt.Fprintln(b)
	}
	links := n.arrows(t)
	fmt.Fprintln(b, "flowchart LR")
	fmt.Fprintf(b, "  %%%% %s\n", commentMermaid(graphTitle(t)))
	if len(links) > mermaidLinks {
		fmt.Fprintf(b, "  %%%% %d links: drawn only where maxEdges is raised from %d\n", len(links), mermaidLinks)
	}
	fmt.Fprintf(b, "  source([%s])\n", quoteMermaid(vantage(t)...))
	silent := false
	for i := range n.all {
		x := &n.all[i]
		shape := mermaidShapes[x.kind]
		fmt.Fprintf(b, "  %s%s%s%s\n", x.ID, shape.open, quoteMermaid(x.lines()...), shape.close)
		silent = silent || x.kind == kindSilent
	}
	for _, c := range links {
		from, arrow := c.from, "-->"
		if from == "" {
			from = "source"
		}
		if c.inferred {
			arrow = "-.->"
		}
		if c.share < wholeShare {
			arrow += "|" + quoteMermaid(percentage(c.share)) + "|"
		}
		fmt.Fprintf(b, "  %s %s %s\n", from, arrow, c.to)
	}
	if silent {
		fmt.Fprintln(b, "  classDef silent fill:none,stroke-dasharray:4")
	}
	return b.Flush()
}

// mermaidLinks are drawn at most, unless whoever draws allows more.
const mermaidLinks = 500

// mermaidShapes are what nodes look like: what stands around the label.
var mermaidShapes = map[nodeKind]struct{ open, close string }{
	kindRouter:      {"[", "]"},
	kindExchange:    {"{{", "}}"},
	kindSilent:      {"(", "):::silent"},
	kindDestination: {"[[", "]]"},
}

// quoteMermaid makes a label of lines. All but letters, digits and a few signs
// that mean nothing to Mermaid, Markdown or HTML are written as entities.
func quoteMermaid(lines ...string) string {
	out := make([]string, len(lines))
	for i, line := range lines {
		var b strings.Builder
		for _, r := range Printable(line) {
			if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" .,:-/%()", r) {
				b.WriteRune(r)
			} else {
				fmt.Fprintf(&b, "#%d;", r)
			}
		}
		out[i] = b.String()
	}
	return `"` + strings.Join(out, "<br/>") + `"`
}

// commentMermaid leaves out of a comment what could be a directive.
func commentMermaid(s string) string {
	return strings.NewReplacer("{", "(", "}", ")").Replace(Printable(s))
}
