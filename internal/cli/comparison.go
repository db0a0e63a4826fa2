// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"encoding/json"

	"traceflow/internal/diff"
	"traceflow/internal/plan"
	"traceflow/internal/snapshot"
)

// planIn returns the plan that a snapshot was made by; an empty one if it has none.
func planIn(m *snapshot.Manifest) *plan.Plan {
	p := &plan.Plan{}
	if json.Unmarshal(m.Plan, p) != nil {
		return &plan.Plan{}
	}
	return p
}

// comparisonOf is what a plan says of a comparison.
func comparisonOf(p *plan.Plan, before *snapshot.Snapshot) diff.Comparison {
	c := diff.Comparison{Expect: p.Expect, Policy: p.Policy, ExpectOf: make(map[string][]plan.Expectation)}
	for i := range p.Targets {
		// The targets of a snapshot are those of its plan, in their order.
		if e := p.Targets[i].Expect; len(e) > 0 && i < len(before.Targets) {
			name := before.Targets[i].Name
			c.ExpectOf[name] = append(c.ExpectOf[name], e...)
		}
	}
	return c
}

// comparisonByName is comparisonOf for a plan of which the snapshot knows nothing.
func comparisonByName(p *plan.Plan) diff.Comparison {
	c := diff.Comparison{Expect: p.Expect, Policy: p.Policy, ExpectOf: make(map[string][]plan.Expectation)}
	for i := range p.Targets {
		name := p.Targets[i].Destination
		c.ExpectOf[name] = append(c.ExpectOf[name], p.Targets[i].Expect...)
	}
	return c
}

// checkable says what is wrong with the expectations and the policy of a plan,
// before anything is measured.
func checkable(p *plan.Plan) error {
	none := &snapshot.Snapshot{Manifest: snapshot.Manifest{Schema: snapshot.Schema, Targets: []snapshot.TargetHead{}}}
	_, err := comparisonByName(p).Snapshots(none, &snapshot.Snapshot{Manifest: none.Manifest})
	return err
}
