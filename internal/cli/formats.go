// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"io"
	"maps"
	"slices"

	"traceflow"
	"traceflow/render"
)

// formats are the outputs by their --format name: those that are written. There is
// viz besides.
var formats = map[string]func(io.Writer, *traceflow.Trace, render.Options) error{
	"atlas":    render.Atlas,
	"csv":      render.CSV,
	"dot":      render.DOT,
	"horiz":    render.Horiz,
	"html":     render.HTML,
	"json":     render.JSON,
	"markdown": render.Markdown,
	"mermaid":  render.Mermaid,
	"ndjson":   render.NDJSON,
	"report":   render.Report,
	"scamper":  render.Scamper,
	"svg":      render.SVG,
	"text":     render.Text,
	"vert":     render.Vert,
}

// writtenFormats are the names of those.
func writtenFormats() []string { return slices.Sorted(maps.Keys(formats)) }

// formatNames are all values of --format.
func formatNames() []string {
	names := append(writtenFormats(), viz)
	slices.Sort(names)
	return names
}
