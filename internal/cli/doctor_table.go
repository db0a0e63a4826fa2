// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"fmt"
	"io"
	"strings"

	"traceflow/internal/doctor"
	"traceflow/render"
)

// Columns of the doctor's table, in characters.
const (
	tableWidth    = 80
	verdictColumn = 9
	subjectColumn = 16
)

// writeCheckTable writes one check after the other in 80 columns, and what it
// comes to. Lines to type are not broken, so that they can be copied; one that
// mends several checks in a row follows the last of them.
func writeCheckTable(w io.Writer, checks []doctor.Check, summary string) error {
	var b strings.Builder
	for i, c := range checks {
		lead := fmt.Sprintf("%-*s%-*s", verdictColumn, c.Verdict, subjectColumn, c.Subject)
		for _, line := range render.Wrap(c.Finding, tableWidth-verdictColumn-subjectColumn) {
			fmt.Fprintf(&b, "%s%s\n", lead, line)
			lead = strings.Repeat(" ", verdictColumn+subjectColumn)
		}
		if c.Mend != "" && (i+1 == len(checks) || checks[i+1].Mend != c.Mend) {
			fmt.Fprintf(&b, "%*s%s\n", verdictColumn, "mend:    ", c.Mend)
		}
	}
	if len(checks) > 0 {
		b.WriteByte('\n')
	}
	for _, line := range render.Wrap(summary, tableWidth) {
		fmt.Fprintln(&b, line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
