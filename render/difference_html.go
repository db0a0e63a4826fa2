// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"encoding/json"
	"io"
	"reflect"
	"slices"

	"traceflow"
	"traceflow/internal/diff"
	"traceflow/internal/page"
	"traceflow/internal/picture"
)

// pageDifference is the verdict of a comparison, and what the drawn target has of it.
type pageDifference struct {
	Word     string      `json:"word"` // of the verdict of all targets
	Line     string      `json:"line"`
	Severity string      `json:"severity"`
	Events   []pageEvent `json:"events"`
	// More is how many events are of other targets only.
	More   int      `json:"more,omitempty"`
	Before string   `json:"before"`
	After  string   `json:"after"`
	Notes  []string `json:"notes"`
}

type pageEvent struct {
	Label    string `json:"label"` // "expected", or the severity
	Severity string `json:"severity"`
	Title    string `json:"title"`
	Evidence string `json:"evidence,omitempty"`
	Follows  string `json:"follows,omitempty"`
	Targets  string `json:"targets,omitempty"` // where there are several
}

// DifferenceHTML writes a page, as HTML does, of both snapshots of one target: the
// verdict and what happened first, and below it the drawing of both.
func DifferenceHTML(w io.Writer, d *Difference, _ Options) error {
	p, err := d.picture()
	if err != nil {
		return err
	}
	shown := d.page(p)
	data, err := json.Marshal(shown)
	if err != nil {
		return err
	}
	return page.Write(w, shown.Title+" · traceflow", data)
}

// page is newPage for both snapshots of a target.
func (d *Difference) page(p *differencePicture) *pageData {
	out := &pageData{Version: pageVersion, Drawing: p.drawing, Flows: []pageFlow{}, Paths: []pagePath{}}
	out.Title = titleOf(p.after)
	out.Heading = headingOf(p.after)
	out.Heading.Ending, out.Heading.Statement = "", []string{} // of one pass, and this is all of them
	out.Heading.Difference = d.pageDifference(p)
	out.Details = detailsOf(p.after, p.drawing)
	for id, x := range detailsOf(p.before, p.drawing) {
		if now := out.Details[id]; now == nil || reflect.DeepEqual(*now, pageDetail{}) {
			out.Details[id] = x
		}
	}
	for i := range p.after.Flows {
		f := &p.after.Flows[i]
		out.Flows = append(out.Flows, pageFlow{ID: f.ID, SourcePort: f.SourcePort, DestinationPort: f.DestinationPort, Label: f.Label, To: toOther(p.after, f)})
	}
	out.addPathsOfBoth(p)
	out.addExits()
	shortNames(p.drawing)
	out.addGroups(nil)
	arrange(p.drawing, nil)
	printableIn(reflect.ValueOf(out))
	return out
}

func (d *Difference) pageDifference(p *differencePicture) *pageDifference {
	out := &pageDifference{
		Severity: verdictWord(d.Severity()), Events: []pageEvent{},
		Before: d.Before.side(mostCell), After: d.After.side(mostCell), Notes: []string{},
	}
	out.Word, out.Line = d.Verdict()
	for _, e := range p.events {
		event := pageEvent{Label: d.label(e), Severity: e.Severity.String(), Title: e.Title, Evidence: d.evidence(e), Follows: d.follows(e)}
		if len(e.Targets) > 1 {
			event.Targets = d.where(e, mostPictureEvents)
		}
		out.Events = append(out.Events, event)
	}
	for i := range d.Report.Events {
		if e := &d.Report.Events[i]; e.Severity > diff.Ignored && !slices.Contains(e.Targets, p.target) {
			out.More++
		}
	}
	for _, note := range d.notes() {
		out.Notes = append(out.Notes, note[0]+": "+note[1])
	}
	for i, left := range d.Report.Left {
		if i == mostLeft {
			break
		}
		out.Notes = append(out.Notes, "left out: "+shorten(left.String(), mostCell))
	}
	return out
}

// addPathsOfBoth adds the paths of a merged drawing with what was measured along
// them: of those that are gone before, and of all others after. It comes before
// anything in the drawing is folded.
func (p *pageData) addPathsOfBoth(of *differencePicture) {
	var sides [2]pageData
	for i, t := range []*traceflow.Trace{of.before, of.after} {
		sides[i].Drawing = picture.Of(t)
		sides[i].addPaths(t)
	}
	for i := range of.drawing.Paths {
		path := &of.drawing.Paths[i]
		side := 1
		if path.Status == picture.Gone || len(path.Flows) == 0 {
			side = 0
		}
		out := pagePath{ID: path.ID, Length: len(path.Nodes) - 1, Reached: path.Reached}
		at := slices.IndexFunc(sides[side].Paths, func(q pagePath) bool { return len(path.Flows) > 0 && slices.Contains(q.Flows, path.Flows[0]) })
		if at >= 0 {
			out = sides[side].Paths[at]
			out.ID = path.ID
		}
		out.Nodes, out.Flows = slices.Clone(path.Nodes), slices.Clone(path.Flows)
		out.Status = string(path.Status)
		if path.Before != nil {
			out.Before = &pagePast{Flows: path.Before.Flows, Median: path.Before.RTT.Median}
		}
		hops := len(out.Nodes) - 1
		out.Sent, out.Replies = ofLength(out.Sent, hops), ofLength(out.Replies, hops)
		out.Median, out.P95 = ofLength(out.Median, hops), ofLength(out.P95, hops)
		out.Verdict = ofLength(out.Verdict, hops)
		if out.Flows == nil {
			out.Flows = []int{}
		}
		p.Paths = append(p.Paths, out)
	}
}

// ofLength cuts a list, or fills it with zeros.
func ofLength[T any](list []T, n int) []T {
	out := make([]T, n)
	copy(out, list)
	return out
}
