// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"traceflow/internal/diff"
)

type junitSuite struct {
	XMLName   xml.Name    `xml:"testsuite"`
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Failure *junitProblem `xml:"failure,omitempty"`
	Error   *junitProblem `xml:"error,omitempty"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// DifferenceJUnit writes a test case for each target, and one for the plan where
// it expected what did not come, in the form that CI systems read (that of
// Apache Ant's JUnit task). A regression is a failure, what cannot be judged is an
// error, and everything else passes, with what changed in its output.
func DifferenceJUnit(w io.Writer, d *Difference, _ Options) error {
	r := d.Report
	m := &d.After.Snapshot.Manifest
	s := junitSuite{Name: strings.TrimSpace("traceflow diff " + Printable(shorten(m.Name, mostCell))), Timestamp: m.Started.UTC().Format("2006-01-02T15:04:05")}
	for i := range r.Targets {
		t := &r.Targets[i]
		name := Printable(shorten(t.Name, mostCell))
		if address := t.Address.String(); address != t.Name {
			name += " (" + address + ")"
		}
		s.add(d, i, name, t.Severity)
	}
	plan := diff.Ignored
	for i := range r.Changes {
		if c := &r.Changes[i]; c.Target < 0 {
			plan = max(plan, c.Severity)
		}
	}
	if plan > diff.Ignored {
		s.add(d, -1, "what the plan expects", plan)
	}
	if d.Settled != nil {
		severity := diff.Ignored
		if d.moves() {
			severity = diff.Inconclusive
		}
		s.add(d, notSettled, "the network has settled", severity)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// notSettled stands in place of a target for the network as a whole, which no change
// is of.
const notSettled = -2

// titleFor says in one line what is worst of a target, or of the plan.
func (d *Difference) titleFor(target int, severity diff.Severity) string {
	if target == notSettled {
		return "the last passes do not agree"
	}
	for i := range d.Report.Events {
		e := &d.Report.Events[i]
		if e.Severity == severity && (slices.Contains(e.Targets, target) || target < 0 && len(e.Targets) == 0) {
			return Printable(e.Title)
		}
	}
	return severity.String()
}

// add adds the test case of a target, or of the plan as target -1.
func (s *junitSuite) add(d *Difference, target int, name string, severity diff.Severity) {
	c := junitCase{Name: name, Class: "traceflow"}
	var lines []string
	first := d.titleFor(target, severity)
	for i := range d.Report.Changes {
		x := &d.Report.Changes[i]
		if x.Target != target || x.Severity == diff.Ignored {
			continue
		}
		lines = append(lines, changeLine(x))
	}
	text := strings.Join(lines, "\n")
	switch severity {
	case diff.Regression:
		s.Failures++
		c.Failure = &junitProblem{Message: first, Type: severity.String(), Text: text}
	case diff.Inconclusive:
		s.Errors++
		c.Error = &junitProblem{Message: first, Type: severity.String(), Text: text}
	default:
		c.Out = text
	}
	s.Tests++
	s.Cases = append(s.Cases, c)
}

// changeLine is a change of a target in one line.
func changeLine(c *diff.Change) string {
	text := fmt.Sprintf("%s: %s", c.Severity, c.Kind)
	if c.TTL > 0 {
		text += fmt.Sprintf(" at TTL %d", c.TTL)
	}
	if c.Near.IsValid() {
		text += " behind " + c.Near.String()
	}
	if c.Before != "" || c.After != "" {
		text += fmt.Sprintf(": %s → %s", c.Before, c.After)
	}
	if c.Of > 0 {
		text += fmt.Sprintf("; %d of %s", len(c.Flows), Count(c.Of, "flow"))
	}
	if c.P > 0 {
		text += "; " + chance(c.P)
	}
	if c.Expected {
		text += "; expected"
	}
	return Printable(text)
}
