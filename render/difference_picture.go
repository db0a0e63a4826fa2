// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"traceflow"
	"traceflow/internal/diff"
	"traceflow/internal/picture"
	"traceflow/internal/snapshot"
)

// NoTargetError says that a picture of a target was asked for that there is none of.
type NoTargetError struct{ text string }

func (e *NoTargetError) Error() string { return e.text }

// DifferenceSVG writes a drawing of both snapshots of one target, as SVG does: what
// did not change grey, what is gone red and dashed, what is new green. The verdict
// stands above it, and what happened to the target.
func DifferenceSVG(w io.Writer, d *Difference, _ Options) error {
	p, err := d.picture()
	if err != nil {
		return err
	}
	p.drawing.Fold(picture.Dense)
	p.drawing.Place(nil)
	word, line := d.Verdict()
	heading := []string{word + ": " + line + "."}
	for _, e := range p.events {
		heading = append(heading, d.label(e)+": "+e.Title)
	}
	if len(p.events) == 0 {
		heading = append(heading, "Nothing happened to this target.")
	}
	heading = append(heading, "Before: "+d.Before.side(mostCell), "After: "+d.After.side(mostCell))
	return DrawSVG(w, p.drawing, titleOf(p.after), heading)
}

// differencePicture is what pictures of a difference show of a target.
type differencePicture struct {
	target        int              // index of Report.Targets
	before, after *traceflow.Trace // all passes, of the flows that both have
	drawing       *picture.Drawing // of both, with no place for anything yet
	events        []*diff.Event    // that the target shows, worst first
	changes       []*diff.Change   // of the target
	verdict       diff.Severity    // of the target
	sides         [2]*snapshot.Target
}

// mostPictureEvents is how many events stand above a drawing.
const mostPictureEvents = 6

// picture draws the target that was asked for.
func (d *Difference) picture() (*differencePicture, error) {
	at, err := d.pictured()
	if err != nil {
		return nil, err
	}
	p := &differencePicture{target: at, verdict: d.Report.Targets[at].Severity, sides: d.sidesOf(at)}
	before, after := sharedFlows(p.sides)
	for side, flows := range []map[int]int{before, after} {
		if p.sides[side] == nil {
			continue
		}
		*[]**traceflow.Trace{&p.before, &p.after}[side] = p.sides[side].Joined(flows)
	}
	if p.before == nil || p.after == nil {
		return nil, &NoTargetError{fmt.Sprintf("target %s has nothing to draw: the snapshots have no flow in common that was measured", d.Report.Targets[at].Name)}
	}
	for i := range d.Report.Changes {
		if c := &d.Report.Changes[i]; c.Target == at {
			p.changes = append(p.changes, c)
		}
	}
	for i := range d.Report.Events {
		e := &d.Report.Events[i]
		for _, t := range e.Targets {
			if t == at && len(p.events) < mostPictureEvents && (e.Severity > diff.Ignored || d.expected(e)) {
				p.events = append(p.events, e)
			}
		}
	}
	p.drawing = picture.Merge(picture.Of(p.before), picture.Of(p.after))
	p.confirm()
	p.confirmExits()
	return p, nil
}

// pictured returns the target that is asked for, or else the worst of those that both
// snapshots have.
func (d *Difference) pictured() (int, error) {
	worst := -1
	var names []string
	for i := range d.Report.Targets {
		t := &d.Report.Targets[i]
		names = append(names, t.Name)
		switch sides := d.sidesOf(i); {
		case d.Target != "" && (t.Name == d.Target || t.Address.String() == d.Target):
			return i, nil
		case sides[0] == nil || sides[1] == nil:
		case worst < 0 || cmp.Compare(t.Severity, d.Report.Targets[worst].Severity) > 0:
			worst = i
		}
	}
	if d.Target != "" {
		return 0, &NoTargetError{fmt.Sprintf("no target %q in the snapshots: there are %s", d.Target, firstOf(names))}
	}
	if worst < 0 {
		return 0, &NoTargetError{"the snapshots have no target in common to draw"}
	}
	return worst, nil
}

// firstOf lists the first of some names.
func firstOf(names []string) string {
	const most = 6
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// sidesOf returns what both snapshots have of a target. The report has those of the
// first in their order and then those of the second alone; one name may be there
// several times.
func (d *Difference) sidesOf(at int) (sides [2]*snapshot.Target) {
	before, after := d.Before.Snapshot.Targets, d.After.Snapshot.Targets
	if at >= len(before) {
		return sides
	}
	sides[0] = &before[at]
	nth := 0
	for i := range before[:at] {
		if before[i].Name == sides[0].Name {
			nth++
		}
	}
	for i := range after {
		if after[i].Name != sides[0].Name {
			continue
		}
		if nth == 0 {
			sides[1] = &after[i]
			break
		}
		nth--
	}
	return sides
}

// sharedFlows returns the flows that both sides of a target have, by their IDs on
// either side, with the IDs that they have before.
func sharedFlows(sides [2]*snapshot.Target) (before, after map[int]int) {
	ids := make(map[traceflow.Flow]int)
	before, after = make(map[int]int), make(map[int]int)
	for side, t := range sides {
		if t == nil {
			continue
		}
		for _, pass := range t.Passes {
			for _, f := range pass.Flows {
				key := f
				key.ID = 0
				if side == 0 {
					ids[key] = f.ID
				} else if id, ok := ids[key]; ok {
					before[id], after[f.ID] = id, id
				}
			}
		}
	}
	return before, after
}
