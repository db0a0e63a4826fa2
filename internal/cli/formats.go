// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"io"
	"maps"
	"slices"

	"traceflow"
	"traceflow/render"
)

// formats are the outputs by their --format name.
var formats = map[string]func(io.Writer, *traceflow.Trace, render.Options) error{
	"text":     render.Text,
	"markdown": render.Markdown,
	"vert":     render.Vert,
	"horiz":    render.Horiz,
	"json":     render.JSON,
	"ndjson":   render.NDJSON,
}

func formatNames() []string { return slices.Sorted(maps.Keys(formats)) }
