// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"io"
	"net/netip"
	"time"

	"traceflow/internal/diff"
)

// DifferenceSchema names the form of the difference as JSON.
const DifferenceSchema = "traceflow.diff/1"

type jsonDifference struct {
	Schema      string             `json:"schema"`
	Verdict     string             `json:"verdict"` // "ok", "change", "regression", "inconclusive"
	Settled     *bool              `json:"settled"` // null where nobody waited for it
	Before      jsonCompared       `json:"before"`
	After       jsonCompared       `json:"after"`
	Events      []jsonEvent        `json:"events"`
	Changes     []jsonChange       `json:"changes"`
	Targets     []jsonTargetResult `json:"targets"`
	NotCompared []jsonReason       `json:"not_compared"`
	// Names are what near and far are called.
	Names map[netip.Addr]string `json:"names"`
}

type jsonCompared struct {
	File     string    `json:"file"`
	Name     string    `json:"name"`
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended"`
	Passes   int       `json:"passes"`
	Complete bool      `json:"complete"`
}

type jsonEvent struct {
	Kind     diff.Kind `json:"kind"`
	Severity string    `json:"severity"`
	Expected bool      `json:"expected"`
	Title    string    `json:"title"`
	Changes  []int     `json:"changes"` // indices
	Targets  []int     `json:"targets"` // indices
}

type jsonChange struct {
	Kind       diff.Kind   `json:"kind"`
	Severity   string      `json:"severity"`
	Confidence string      `json:"confidence"`
	Expected   bool        `json:"expected"`
	Target     *int        `json:"target"` // index
	P          *float64    `json:"p"`
	Flows      []int       `json:"flows"`
	Of         int         `json:"of"`
	TTL        *uint8      `json:"ttl"`
	Near       *netip.Addr `json:"near"`
	Far        *netip.Addr `json:"far"`
	Before     string      `json:"before"`
	After      string      `json:"after"`
	Cause      *int        `json:"cause"` // index
}

type jsonTargetResult struct {
	Name        string     `json:"name"`
	Address     netip.Addr `json:"address"`
	Severity    string     `json:"severity"`
	Flows       int        `json:"flows"`
	Cells       int        `json:"cells"`
	NoiseBefore float64    `json:"noise_before"`
	NoiseAfter  float64    `json:"noise_after"`
	LossFloor   float64    `json:"loss_floor"`
}

type jsonReason struct {
	Target *string `json:"target"`
	Reason string  `json:"reason"`
}

// DifferenceJSON writes everything that the comparison found, as one document:
// docs/diff.md explains the keys.
func DifferenceJSON(w io.Writer, d *Difference, _ Options) error {
	r := d.Report
	out := jsonDifference{
		Schema: DifferenceSchema, Verdict: verdictWord(d.Severity()), Settled: d.Settled, Before: d.Before.json(), After: d.After.json(),
		Events: []jsonEvent{}, Changes: []jsonChange{}, Targets: []jsonTargetResult{}, NotCompared: []jsonReason{},
		Names: r.Names,
	}
	for i := range r.Events {
		e := &r.Events[i]
		out.Events = append(out.Events, jsonEvent{e.Kind, e.Severity.String(), d.expected(e), e.Title, some(e.Changes), some(e.Targets)})
	}
	for i := range r.Changes {
		c := &r.Changes[i]
		out.Changes = append(out.Changes, jsonChange{
			Kind: c.Kind, Severity: c.Severity.String(), Confidence: string(c.Confidence), Expected: c.Expected,
			Target: orNull(c.Target, c.Target >= 0), P: orNull(c.P, c.P > 0), Flows: some(c.Flows), Of: c.Of,
			TTL: orNull(c.TTL, c.TTL > 0), Near: orNull(c.Near, c.Near.IsValid()), Far: orNull(c.Far, c.Far.IsValid()),
			Before: c.Before, After: c.After, Cause: orNull(c.Cause, c.Cause >= 0),
		})
	}
	for i := range r.Targets {
		t := &r.Targets[i]
		out.Targets = append(out.Targets, jsonTargetResult{t.Name, t.Address, t.Severity.String(), t.Flows, t.Cells, t.NoiseBefore, t.NoiseAfter, t.LossFloor})
	}
	for _, left := range r.Left {
		out.NotCompared = append(out.NotCompared, jsonReason{orNull(left.Target, left.Target != ""), left.What})
	}
	if out.Names == nil {
		out.Names = map[netip.Addr]string{}
	}
	e := newJSONEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// verdictWord is a verdict in one word. What matters little makes none.
func verdictWord(s diff.Severity) string {
	if s < diff.Review {
		return "ok"
	}
	return s.String()
}

func (c *Compared) json() jsonCompared {
	m := &c.Snapshot.Manifest
	return jsonCompared{c.File, m.Name, m.Started.UTC(), m.Ended.UTC(), m.Passes, m.Complete}
}

// orNull is a value that JSON has, or null.
func orNull[T any](v T, yes bool) *T {
	if !yes {
		return nil
	}
	return &v
}

// some is a list that is never null.
func some(list []int) []int {
	if list == nil {
		return []int{}
	}
	return list
}
