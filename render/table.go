// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"bufio"
	"fmt"
	"io"
	"slices"

	"traceflow"
)

// byPath reports whether a table shows paths rather than flows.
func (o Options) byPath(t *traceflow.Trace) bool { return o.Dedup || t.Config.Paths == 0 }

// cellWidth is the seed's: an IPv4 address and two spaces. A table with wider
// cells is as wide as they need.
const cellWidth = 17

// column is one flow or path: its title and a cell for each TTL.
type column struct {
	title string
	note  string // how many flows, and one of their ports
	cells []string
	ended bool // where the cells end, so does the path
}

// columns returns what a table shows, in the order of flow IDs, all of the
// same length: the longest one's.
func columns(t *traceflow.Trace, o Options) []column {
	var out []column
	p := findParallel(&t.Graph)
	longest := 0
	if o.byPath(t) {
		for i := range t.Graph.Paths {
			out = append(out, pathColumn(t, &t.Graph.Paths[i], p))
		}
	} else {
		for i := range t.Graph.Walks {
			w := &t.Graph.Walks[i]
			c := column{title: title(w.Flow.ID), ended: hasEnd(w)}
			for j := range w.Hops {
				c.cells = append(c.cells, p.cell(w, j))
			}
			out = append(out, c)
		}
	}
	for _, c := range out {
		longest = max(longest, len(c.cells))
	}
	for i := range out {
		for len(out[i].cells) < longest {
			filler := unprobedCell
			if out[i].ended {
				filler = beyondCell
			}
			out[i].cells = append(out[i].cells, filler)
		}
	}
	return out
}

func hasEnd(w *traceflow.Walk) bool {
	return w.End == traceflow.EndReached || w.End == traceflow.EndUnreachable || w.End == traceflow.EndInferred
}

func title(flow int) string { return fmt.Sprintf("Path ID %d", flow) }

// pathColumn merges what the flows of a path were answered.
func pathColumn(t *traceflow.Trace, p *traceflow.Path, links parallel) column {
	c := column{title: title(p.Flows[0])}
	if t.Config.Paths == 0 {
		c.title, c.note = title(p.ID), note(t, p)
	}
	for i := range t.Graph.Walks {
		w := &t.Graph.Walks[i]
		if w.Path != p.ID {
			continue
		}
		c.ended = c.ended || hasEnd(w)
		for j := range w.Hops {
			text := links.cell(w, j)
			switch {
			case j == len(c.cells):
				c.cells = append(c.cells, text)
			case c.cells[j] == silentCell || c.cells[j] == unprobedCell && text != silentCell:
				c.cells[j] = text
			}
		}
	}
	if p.Reached || t.Config.Paths == 0 {
		c.cells = c.cells[:min(len(c.cells), len(p.Nodes))]
	}
	return c
}

// note says how many flows took a path, and the source port of one of them.
func note(t *traceflow.Trace, p *traceflow.Path) string {
	i := slices.IndexFunc(t.Flows, func(f traceflow.Flow) bool { return f.ID == p.Flows[0] })
	f := &t.Flows[i]
	// What tells it from the first flow is what to send to follow it.
	switch first := &t.Flows[0]; {
	case f.Destination != first.Destination:
		return fmt.Sprintf("%d, to %s", len(p.Flows), f.Destination)
	case f.Label != 0:
		return fmt.Sprintf("%d, label %d", len(p.Flows), f.Label)
	case f.DestinationPort != first.DestinationPort && f.SourcePort == first.SourcePort:
		return fmt.Sprintf("%d, to port %d", len(p.Flows), f.DestinationPort)
	}
	return fmt.Sprintf("%d, as port %d", len(p.Flows), f.SourcePort)
}

// noteTitle heads the notes.
const noteTitle = "Flows:"

// writeRows pads every cell and closes it with " | ".
func writeRows(w io.Writer, rows [][]string) error {
	width := cellWidth
	for _, row := range rows {
		for _, text := range row {
			width = max(width, len(text))
		}
	}
	b := bufio.NewWriter(w)
	for _, row := range rows {
		for _, text := range row {
			fmt.Fprintf(b, "%-*s | ", width, text)
		}
		fmt.Fprintln(b)
	}
	return b.Flush()
}

// ttls returns the TTL of each cell, as text.
func ttls(t *traceflow.Trace, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint(int(max(1, t.Config.FirstTTL)) + i)
	}
	return out
}
