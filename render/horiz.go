// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"io"

	"traceflow"
)

// Horiz writes the seed's horizontal table: one column a flow, one row a TTL.
func Horiz(w io.Writer, t *traceflow.Trace, o Options) error {
	flows := columns(t, o)
	head := []string{"TTL:"}
	for _, f := range flows {
		head = append(head, f.title)
	}
	rows := [][]string{head}
	if len(flows) > 0 && flows[0].note != "" {
		notes := []string{noteTitle}
		for _, f := range flows {
			notes = append(notes, f.note)
		}
		rows = append(rows, notes)
	}
	if len(flows) > 0 {
		for i, ttl := range ttls(t, len(flows[0].cells)) {
			row := []string{ttl}
			for _, f := range flows {
				row = append(row, f.cells[i])
			}
			rows = append(rows, row)
		}
	}
	return writeRows(w, rows)
}
