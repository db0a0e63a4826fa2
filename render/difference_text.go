// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"traceflow/internal/diff"
)

// mostEvents is how many events fit on one screen with what stands around them.
const mostEvents = 12

// DifferenceText writes the verdict first, what was compared, and then what
// happened, worst first, on one screen. Of expected changes and those that matter
// little there is one line each.
func DifferenceText(w io.Writer, d *Difference, o Options) error {
	b := bufio.NewWriter(w)
	word, line := d.Verdict()
	look := severityStyle(d.Severity())
	if look == dim {
		look = bold
	}
	fmt.Fprintf(b, "%s: %s.\n\n", o.paint(look, word), line)
	fmt.Fprintf(b, "  before  %s\n", d.Before.side())
	fmt.Fprintf(b, "  after   %s\n", d.After.side())
	flows, before, after := d.flows()
	fmt.Fprintf(b, "  %s of %s compared with themselves; hops restless without a change: %s before, %s after\n",
		Count(flows, "flow"), Count(len(d.Report.Targets), "target"), percent(before), percent(after))
	for i, left := range d.Report.Left {
		if i == mostReasonsShown {
			fmt.Fprintf(b, "  not compared: %d more\n", len(d.Report.Left)-i)
			break
		}
		writeWrapped(b, "  not compared: ", Printable(left.String()), o)
	}
	shown := 0
	for i := range d.Report.Events {
		e := &d.Report.Events[i]
		if e.Severity == diff.Ignored && !d.expected(e) {
			continue
		}
		if shown++; shown > mostEvents {
			continue
		}
		d.event(b, e, o)
	}
	if shown > mostEvents {
		fmt.Fprintf(b, "\nand %s that matter less: --format json has all.\n", Count(shown-mostEvents, "event"))
	}
	return b.Flush()
}

// mostReasonsShown is how many lines there are of what could not be compared.
const mostReasonsShown = 4

// event writes what happened and, where it matters, what that rests on.
func (d *Difference) event(b *bufio.Writer, e *diff.Event, o Options) {
	const column = 14
	lead := strings.Repeat(" ", column)
	if e.Severity >= diff.Review {
		fmt.Fprintln(b)
	}
	label := d.label(e)
	title := Wrap(Printable(e.Title), max(0, o.Width-column))
	fmt.Fprintf(b, "%s%s\n", o.paint(severityStyle(e.Severity), pad(label, column)), title[0])
	for _, more := range title[1:] {
		fmt.Fprintln(b, lead+more)
	}
	if e.Severity < diff.Review {
		return
	}
	if text := d.evidence(e); text != "" {
		writeWrapped(b, lead, text, o)
	}
	if text := d.follows(e); text != "" {
		writeWrapped(b, lead, "with it: "+text, o)
	}
	if len(e.Targets) > 1 {
		writeWrapped(b, lead, d.where(e, 6), o)
	}
}

// writeWrapped writes text in lines that all begin with as much room as the lead
// takes.
func writeWrapped(b *bufio.Writer, lead, text string, o Options) {
	room := 0
	if o.Width > 0 {
		room = max(leastName, o.Width-displayWidth(lead))
	}
	for i, line := range Wrap(text, room) {
		if i > 0 {
			lead = strings.Repeat(" ", displayWidth(lead))
		}
		fmt.Fprintln(b, lead+line)
	}
}
