// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"traceflow"
	"traceflow/internal/picture"
)

// SVG writes a drawing of all paths: one file that needs no other, with no
// script in it, in light and in dark colours as the viewer prefers.
func SVG(w io.Writer, t *traceflow.Trace, _ Options) error {
	d := picture.Of(t)
	d.Fold(picture.Dense)
	d.Place(nil)
	return DrawSVG(w, d, titleOf(t), headingLines(t))
}

// DrawSVG writes a drawing in which everything has its place, as SVG does, with
// lines of text above it, which are wrapped. One that is too large is an error, and
// nothing is written.
func DrawSVG(w io.Writer, d *picture.Drawing, title string, heading []string) error {
	if d.TooLarge != "" {
		return errors.New(d.TooLarge + "; --format html has tables of it, csv and json have all")
	}
	s := &svg{Writer: bufio.NewWriter(w), d: d, nodes: make(map[string]*picture.Node, len(d.Nodes))}
	for i := range d.Nodes {
		s.nodes[d.Nodes[i].ID] = &d.Nodes[i]
	}
	s.document(title, heading)
	return s.Flush()
}

// svg writes a drawing. Every text goes through text or label.
type svg struct {
	*bufio.Writer
	d     *picture.Drawing
	nodes map[string]*picture.Node // by ID
	// left is where the drawing begins: it stands in the middle where its heading
	// is wider.
	left int
}

const (
	svgMargin  = 16
	leastWidth = 760
	rulerRoom  = 34
	headLine   = 17
)

// text makes what comes from elsewhere text of XML, and nothing else.
func text(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(Printable(s))) // a Builder takes all
	return b.String()
}

func (s *svg) printf(format string, args ...any) { fmt.Fprintf(s, format, args...) }

func (s *svg) document(title string, heading []string) {
	width := max(s.d.Width, leastWidth)
	s.left = (width - s.d.Width) / 2
	var head []string
	for _, line := range heading {
		head = append(head, Wrap(line, (width-2*svgMargin)*10/64)...)
	}
	legend := s.legend(width)
	top := 34 + headLine*len(head) + rulerRoom
	bottom := top + s.d.Height
	height := bottom + legendLine*(legend.rows+1)
	s.printf("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tf\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n", width, height, width, height)
	s.printf("<title>%s</title>\n<desc>%s</desc>\n", text(title), text(strings.Join(head, " ")))
	s.printf("<style>%s</style>\n", svgStyle)
	s.printf("<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", width, height)
	s.printf("<text class=\"title\" x=\"%d\" y=\"28\">%s</text>\n", svgMargin, text(picture.Shorten(title, (width-2*svgMargin)/11)))
	for i, line := range head {
		s.printf("<text class=\"head\" x=\"%d\" y=\"%d\">%s</text>\n", svgMargin, 32+headLine*(i+1), text(line))
	}
	s.printf("<g transform=\"translate(%d %d)\">\n", s.left, top)
	s.drawing()
	s.printf("</g>\n<g class=\"legend\" transform=\"translate(%d %d)\">\n%s</g>\n</svg>\n", svgMargin, bottom+legendLine/2, legend.String())
}

// titleOf says from whom to whom.
func titleOf(t *traceflow.Trace) string {
	to := fullName(t.Destination.Name)
	if address := t.Destination.Address.String(); to != address {
		to += " (" + address + ")"
	}
	return sourceOf(t) + " → " + to
}

// sourceOf names the vantage point, unless it is hidden.
func sourceOf(t *traceflow.Trace) string {
	from := fullName(t.VantagePoint.Hostname)
	switch {
	case t.Config.Masked > 0:
		return Count(t.Config.Masked, "hidden hop")
	case from == "" && t.VantagePoint.Address.IsValid():
		return t.VantagePoint.Address.String()
	}
	return from
}

// fullName is as much of a name as a tooltip holds: no host's is longer
// (RFC 1035, section 2.3.4).
func fullName(s string) string { return picture.Shorten(s, 253) }

// headingLines say when, how, what was found and how sure that is.
func headingLines(t *traceflow.Trace) []string {
	first := fmt.Sprintf("%s · %s · %s", t.Started.UTC().Format("2006-01-02 15:04:05 UTC"), probesOf(t), flowsOf(t))
	lines := []string{first, shape(t)}
	if why := ending(t); why != "" {
		lines = append(lines, why)
	}
	if !t.Complete {
		lines = append(lines, "The measurement was cut short.")
	}
	lines = append(lines, statement(t)[0])
	found, _ := exits(t)
	return append(lines, found...)
}
