// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"bufio"
	"fmt"
	"io"

	"traceflow/internal/diff"
)

// mostRows is how many events and targets a ticket gets.
const mostRows = 100

// DifferenceMarkdown writes what a ticket needs, for GitHub and GitLab (GFM): the
// verdict, what was compared, and the events, worst first.
func DifferenceMarkdown(w io.Writer, d *Difference, _ Options) error {
	b := bufio.NewWriter(w)
	word, line := d.Verdict()
	fmt.Fprintf(b, "### %s: %s\n\n", word, escape(line))
	fmt.Fprintf(b, "- Before: %s\n- After: %s\n", code(d.Before.side(mostCell)), code(d.After.side(mostCell)))
	flows, before, after := d.flows()
	fmt.Fprintf(b, "- Compared: %s of %s, each with itself; %s of the hops changed of themselves before, %s after\n",
		Count(flows, "flow"), Count(len(d.Report.Targets), "target"), percentage(before), percentage(after))
	for _, note := range d.notes() {
		fmt.Fprintf(b, "- %s\n", escape(note[0]+": "+note[1]))
	}
	for i, left := range d.Report.Left {
		if i == mostRows {
			fmt.Fprintf(b, "- Not compared: %d more\n", len(d.Report.Left)-i)
			break
		}
		fmt.Fprintf(b, "- Not compared: %s\n", escape(left.String()))
	}
	if len(d.Report.Events) == 0 {
		return b.Flush()
	}
	fmt.Fprint(b, "\n| | What | Evidence | With it | Targets |\n| --- | --- | --- | --- | --- |\n")
	for i := range d.Report.Events {
		e := &d.Report.Events[i]
		if i == mostRows {
			fmt.Fprintf(b, "\nand %s that are not listed here.\n", Count(len(d.Report.Events)-i, "event"))
			break
		}
		name := d.label(e)
		if e.Severity >= diff.Inconclusive {
			name = "**" + name + "**"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", name, escape(e.Title), escape(d.evidence(e)), escape(d.follows(e)), escape(d.where(e, 6)))
	}
	return b.Flush()
}
