// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"traceflow/internal/diff"
	"traceflow/internal/snapshot"
)

// Difference is what changed between two snapshots, and what was compared.
type Difference struct {
	Before, After Compared
	Report        *diff.Report
	// Settled is whether the last passes agreed, where somebody waited for that; nil
	// where nobody did. What has not settled cannot be judged.
	Settled *bool
	// Target is the name or address of the target that pictures show; "" for the
	// one that is worst.
	Target string
}

// Compared is one side of a difference.
type Compared struct {
	File     string // as given
	Snapshot *snapshot.Snapshot
}

// Severity is the worst of what changed. Where the network has not settled, nothing
// but a regression is sure.
func (d *Difference) Severity() diff.Severity {
	if d.moves() {
		return max(d.Report.Severity, diff.Inconclusive)
	}
	return d.Report.Severity
}

// moves reports whether routes are known to move still.
func (d *Difference) moves() bool { return d.Settled != nil && !*d.Settled }

// Verdict is the answer in one word and in one line.
func (d *Difference) Verdict() (word, line string) {
	r := d.Report
	worst := 0
	for i := range r.Targets {
		if r.Targets[i].Severity == r.Severity {
			worst++
		}
	}
	hit := fmt.Sprintf("%d of %s", worst, Count(len(r.Targets), "target"))
	switch {
	case worst == 0:
		hit = "the plan" // what was expected of no target in particular
	case len(r.Targets) == 1:
		hit = Printable(shorten(r.Targets[0].Name, mostCell))
	}
	switch s := d.Severity(); {
	case s == diff.Regression:
		return "REGRESSION", hit + " got worse"
	case s == diff.Inconclusive && d.moves():
		return "INCONCLUSIVE", "the network has not settled; nobody knows whether all is well"
	case s == diff.Inconclusive:
		return "INCONCLUSIVE", hit + " cannot be judged; nobody knows whether all is well"
	case s == diff.Review && d.asBefore():
		return "CHANGE", "what was expected has not come, and nothing else that matters"
	case s == diff.Review:
		return "CHANGE", hit + " changed; the policy calls none of it worse"
	}
	for i := range r.Changes {
		if r.Changes[i].Expected {
			return "OK", "what was expected has come, and nothing else that matters"
		}
	}
	if len(r.Events) > 0 {
		return "OK", "nothing changed that matters"
	}
	return "OK", "no change: every flow that answered is where it was before"
}

// asBefore reports whether all there is to look at is what did not come.
func (d *Difference) asBefore() bool {
	return !slices.ContainsFunc(d.Report.Events, func(e diff.Event) bool { return e.Severity == diff.Review && e.Kind != diff.NotSeen })
}

// severityStyle is how the word of a severity looks.
func severityStyle(s diff.Severity) style {
	switch s {
	case diff.Regression:
		return red
	case diff.Inconclusive, diff.Review:
		return yellow
	default:
		return dim
	}
}

// label is the word in front of an event.
func (d *Difference) label(e *diff.Event) string {
	if e.Severity <= diff.Info && d.expected(e) {
		return "expected"
	}
	return e.Severity.String()
}

func (d *Difference) expected(e *diff.Event) bool {
	for _, i := range e.Changes {
		if d.Report.Changes[i].Expected {
			return true
		}
	}
	return false
}

// evidence says in one line what the worst change of an event rests on, where its
// title does not.
func (d *Difference) evidence(e *diff.Event) string {
	r := d.Report
	worst := &r.Changes[e.Changes[0]]
	var parts []string
	if k := worst.Kind; k == diff.LinkGone || k == diff.LinkNew {
		parts = append(parts, Printable(worst.Before)+", now "+Printable(worst.After))
	}
	flows, of := 0, 0
	for _, i := range e.Changes {
		if c := &r.Changes[i]; c.Kind == worst.Kind {
			flows, of = flows+len(c.Flows), of+c.Of
		}
	}
	if of > 0 && len(e.Targets) > 1 {
		parts = append(parts, fmt.Sprintf("%d of %s", flows, Count(of, "flow")))
	}
	if worst.P > 0 {
		parts = append(parts, chance(worst.P))
	}
	if worst.Confidence != "" && worst.Kind != diff.NotSeen {
		parts = append(parts, "confidence "+string(worst.Confidence))
	}
	return strings.Join(parts, ", ")
}

// chance writes how likely it is that chance alone shows as much.
func chance(p float64) string {
	switch {
	case p < 0.001:
		return "p < 0.001"
	case p >= 0.1:
		return fmt.Sprintf("p = %.1f", p)
	}
	return fmt.Sprintf("p = %.*f", int(math.Ceil(-math.Log10(p)))+1, p)
}

// where names the targets of an event: so many, and how many more there are.
func (d *Difference) where(e *diff.Event, most int) string {
	var names []string
	for i, t := range e.Targets {
		if i == most {
			names = append(names, fmt.Sprintf("and %d more", len(e.Targets)-most))
			break
		}
		names = append(names, Printable(shorten(d.Report.Targets[t].Name, mostCell)))
	}
	return strings.Join(names, ", ")
}

// follows says in one line what else happened because of it.
func (d *Difference) follows(e *diff.Event) string {
	r := d.Report
	worst := r.Changes[e.Changes[0]].Kind
	counts := make(map[diff.Kind]int)
	var order []diff.Kind
	for _, i := range e.Changes {
		k := r.Changes[i].Kind
		if k == worst {
			continue
		}
		if counts[k] == 0 {
			order = append(order, k)
		}
		counts[k]++
	}
	var parts []string
	for _, k := range order {
		text := string(k)
		if counts[k] > 1 {
			text += fmt.Sprintf(" ×%d", counts[k])
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// flows returns how many flows were compared, and the largest noise of either
// side.
func (d *Difference) flows() (flows int, before, after float64) {
	for i := range d.Report.Targets {
		t := &d.Report.Targets[i]
		flows += t.Flows
		before, after = max(before, t.NoiseBefore), max(after, t.NoiseAfter)
	}
	return flows, before, after
}

// notes are what is to be known of the comparison itself: a word and a sentence each.
func (d *Difference) notes() (notes [][2]string) {
	if floor := d.lossFloor(); floor >= 1 {
		notes = append(notes, [2]string{"loss", "too few packets to see any rise of it"})
	} else if floor > 0 {
		notes = append(notes, [2]string{"loss", "a rise of less than " + percentage(floor) + " may not have been seen"})
	}
	if d.swapped() {
		notes = append(notes, [2]string{"order", "the first file was measured last: what is new here was before"})
	}
	return notes
}

// lossFloor is the largest of the smallest rises of loss that would have been found;
// 0 where there is no target.
func (d *Difference) lossFloor() (floor float64) {
	for i := range d.Report.Targets {
		floor = max(floor, d.Report.Targets[i].LossFloor)
	}
	return floor
}

// swapped reports whether the second snapshot was over before the first began.
func (d *Difference) swapped() bool {
	return d.After.Snapshot.Manifest.Ended.Before(d.Before.Snapshot.Manifest.Started)
}

// side says what a snapshot is, in one line; its name in so many columns.
func (c *Compared) side(room int) string {
	m := &c.Snapshot.Manifest
	text := fmt.Sprintf("%s, %s, %s", Printable(shortenMiddle(c.File, "…", max(leastName, room))), m.Started.UTC().Format("2006-01-02 15:04 MST"), Count(m.Passes, "pass"))
	if !m.Complete {
		text += ", cut short"
	}
	return text
}
