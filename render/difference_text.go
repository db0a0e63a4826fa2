// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"traceflow/internal/diff"
)

// Somebody reads the text at night on any terminal: it keeps to the screen that
// all have.
const (
	textLines   = 24
	textColumns = 80
	textLabel   = 14 // room of the words that lines begin with
	leastEvents = 6  // lines, whatever stands around them
)

// DifferenceText writes the verdict first, what happened, worst first, and then what
// was compared, on one screen: what fits no more is counted. Without a width it
// keeps to that of every terminal.
func DifferenceText(w io.Writer, d *Difference, o Options) error {
	if o.Width <= 0 {
		o.Width = textColumns
	}
	b := bufio.NewWriter(w)
	word, line := d.Verdict()
	look := severityStyle(d.Severity())
	if look == dim {
		look = bold
	}
	head := Wrap(o.spell(word+": "+line+"."), o.Width)
	head[0] = o.paint(look, word) + strings.TrimPrefix(head[0], word)
	foot := d.foot(o)
	events := d.eventLines(max(leastEvents, textLines-len(head)-len(foot)-3), o)
	for i, block := range [][]string{head, events, foot} {
		if i > 0 && len(block) > 0 {
			fmt.Fprintln(b)
		}
		for _, line := range block {
			fmt.Fprintln(b, line)
		}
	}
	return b.Flush()
}

// eventLines are the lines of all events, most at most. The worst have what they
// rest on, as long as there is room for a line of each of the others.
func (d *Difference) eventLines(most int, o Options) []string {
	var shown []*diff.Event
	for i := range d.Report.Events {
		if e := &d.Report.Events[i]; e.Severity > diff.Ignored || d.expected(e) {
			shown = append(shown, e)
		}
	}
	var lines []string
	for i, e := range shown {
		after := len(shown) - i - 1
		room := most - len(lines) - min(after, most/2)
		block := d.event(e, o, true)
		if len(block) > room {
			block = d.event(e, o, false)
		}
		if i > 0 && len(lines)+len(block) > most-min(after, 1) {
			return append(lines, fmt.Sprintf("and %s, none worse: --format json has all", Count(after+1, "more event")))
		}
		lines = append(lines, block...)
	}
	return lines
}

// event says what happened and, where it matters and there is room, what that rests
// on and what follows from it.
func (d *Difference) event(e *diff.Event, o Options, whole bool) []string {
	label := d.label(e)
	lines := labelled(label, Printable(e.Title), o)
	lines[0] = o.paint(severityStyle(e.Severity), label) + strings.TrimPrefix(lines[0], label)
	if e.Severity < diff.Review || !whole {
		return lines
	}
	var parts []string
	for _, part := range []string{d.evidence(e), prefixed("with it: ", d.follows(e))} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) > 0 {
		lines = append(lines, labelled("", strings.Join(parts, "; "), o)...)
	}
	if len(e.Targets) > 1 {
		lines = append(lines, labelled("", d.where(e, 4), o)...)
	}
	return lines
}

func prefixed(before, s string) string {
	if s == "" {
		return ""
	}
	return before + s
}

// foot says what was compared, and what could not have been seen.
func (d *Difference) foot(o Options) []string {
	var lines []string
	add := func(label, text string) { lines = append(lines, labelled(label, text, o)...) }
	flows, before, after := d.flows()
	add("compared", fmt.Sprintf("%s of %s, each with itself", Count(flows, "flow"), Count(len(d.Report.Targets), "target")))
	room := o.Width - textLabel
	add("  before", d.Before.side(room))
	add("  after", d.After.side(room))
	add("  noise", fmt.Sprintf("%s of the hops changed of themselves before, %s after", percentage(before), percentage(after)))
	for _, note := range d.notes() {
		add("  "+note[0], note[1])
	}
	for i, left := range d.Report.Left {
		if i == mostLeft && len(d.Report.Left) > mostLeft+1 {
			add("  left out", fmt.Sprintf("%d more", len(d.Report.Left)-i))
			break
		}
		add("  left out", Printable(shorten(left.String(), mostCell)))
	}
	return lines
}

// mostLeft is how many lines there are of what could not be compared.
const mostLeft = 3

// labelled writes text behind a label, in lines that all begin at the same column.
func labelled(label, text string, o Options) []string {
	lines := Wrap(o.spell(text), max(leastName, o.Width-textLabel))
	for i := range lines {
		lines[i] = pad(label, textLabel) + lines[i]
		label = ""
	}
	return lines
}
