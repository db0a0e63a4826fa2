// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"io"

	"traceflow"
)

// Vert writes the seed's vertical table: one row a flow, one column a TTL.
func Vert(w io.Writer, t *traceflow.Trace, o Options) error {
	flows := columns(t, o)
	rows := [][]string{{"TTL:"}}
	if len(flows) > 0 {
		rows[0] = append(rows[0], ttls(t, len(flows[0].cells))...)
	}
	for _, f := range flows {
		rows = append(rows, append([]string{f.title}, f.cells...))
	}
	return writeRows(w, rows)
}
