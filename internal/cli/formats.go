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
	"atlas":   render.Atlas,
	"horiz":   render.Horiz,
	"json":    render.JSON,
	"ndjson":  render.NDJSON,
	"scamper": render.Scamper,
	"vert":    render.Vert,
}

func formatNames() []string { return slices.Sorted(maps.Keys(formats)) }
