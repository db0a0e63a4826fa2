// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"encoding/json"
	"io"

	"traceflow"
)

// JSON writes the result document, indented.
func JSON(w io.Writer, t *traceflow.Trace, _ Options) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(t)
}

// NDJSON writes the result document on one line.
func NDJSON(w io.Writer, t *traceflow.Trace, _ Options) error {
	return json.NewEncoder(w).Encode(t)
}
