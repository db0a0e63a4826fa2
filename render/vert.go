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
	if len(flows) > 0 && flows[0].note != "" {
		rows[0] = append(rows[0], noteTitle)
	}
	if len(flows) > 0 {
		rows[0] = append(rows[0], ttls(t, len(flows[0].cells))...)
	}
	for _, f := range flows {
		row := []string{f.title}
		if f.note != "" {
			row = append(row, f.note)
		}
		rows = append(rows, append(row, f.cells...))
	}
	return writeRows(w, rows)
}
