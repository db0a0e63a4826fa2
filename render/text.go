// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"traceflow"
)

// Text writes all paths as one tree for people, what its signs mean, and the
// summary.
//
// To keep to Options.Width it shortens names first, then moves labels, and then
// names and owners too, to a line of their own below the address, and last
// leaves out the column of losses and that of round trips. It never shortens an
// address or a figure.
func Text(w io.Writer, t *traceflow.Trace, o Options) error {
	b := bufio.NewWriter(w)
	paragraph := func(s style, lines ...string) {
		for _, line := range lines {
			for _, part := range Wrap(line, o.Width) {
				fmt.Fprintln(b, o.paint(s, part))
			}
		}
	}
	paragraph(plain, heading(t, o))
	d := newDrawing(t, o)
	if lines := table(d.rows(), o); len(lines) > 0 {
		fmt.Fprintln(b)
		for _, line := range lines {
			fmt.Fprintln(b, line)
		}
	}
	lines := d.legend()
	if len(t.Graph.Paths) > 1 && len(mtus(t)) > 0 {
		lines = append(lines, "Which path has which number: --format report.")
	}
	if len(lines) > 0 {
		fmt.Fprintln(b)
		paragraph(dim, lines...)
	}
	fmt.Fprintln(b)
	if !t.Complete {
		paragraph(yellow, cutShort)
	}
	summary, err := summaryLines(t)
	if err != nil {
		return err
	}
	for _, line := range summary {
		paragraph(plain, o.spell(line))
	}
	return b.Flush()
}

// cutShort stands above what a measurement says that was interrupted.
const cutShort = "Cut short: this is what was known by then."

func summaryLines(t *traceflow.Trace) ([]string, error) {
	var b bytes.Buffer
	if err := Summary(&b, t); err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimRight(b.String(), "\n"), "\n"), nil
}

// drawing is all paths laid out.
type drawing struct {
	*routes
	options Options
	lines   []line
}

func newDrawing(t *traceflow.Trace, o Options) *drawing {
	r := newRoutes(t)
	l := layout{glyphs: o.glyphs()}
	l.draw(r.vertices, prefix{}, false)
	return &drawing{routes: r, options: o, lines: l.lines}
}

// legend explains the signs that are in the tree, and says what is not in it.
func (d *drawing) legend() []string {
	var out []string
	say := func(when bool, format string, args ...any) {
		if when {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	some := func(is func(v *vertex) bool) bool { return slices.ContainsFunc(d.vertices, is) }
	step := func(e evidence) bool {
		return some(func(v *vertex) bool {
			return slices.ContainsFunc(v.next, func(s step) bool { return s.evidence == e && !v.silent && !s.silent })
		})
	}
	say(some(func(v *vertex) bool { return v.meshed }),
		"%s names the nodes that one leads to; all: every one of the next TTL.", d.options.glyphs().to)
	say(some(func(v *vertex) bool { return v.silent && v.asked }),
		"* did not answer; links to it and from it are inferred.")
	say(some(func(v *vertex) bool { return v.silent && !v.asked }), "? was not probed; links to it and from it are inferred.")
	say(step(linkInferred), "inferred, ~: flows were answered by several nodes in turn; which leads to which is not certain.")
	say(step(linkUnseen), "not seen: no flow was answered at both ends of that link.")
	var marks []string
	for _, m := range markNames {
		if some(func(v *vertex) bool { return slices.Contains(v.marks, m.mark) }) {
			marks = append(marks, m.mark+" "+m.name)
		}
	}
	say(len(marks) > 0, "%s.", strings.Join(marks, ", "))
	all := d.trace.Config.Paths > 0
	say(d.unanswered > 0 && len(d.lines) > 0, "%s answered nowhere.", was(d.unanswered))
	say(d.unsent > 0, "%s not sent.", was(d.unsent))
	say(all && d.ambiguous > 0, "%s not answered where paths differ, and not counted there.", was(d.ambiguous))
	if what, from := sources(d.trace, d.options); from != "" {
		say(true, "%s are from %s.", what, from)
	}
	return out
}

func was(flows int) string {
	if flows == 1 {
		return "1 flow was"
	}
	return Count(flows, "flow") + " were"
}
