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

// comparisonOf is what a plan says of a comparison with what was measured before.
func comparisonOf(p *plan.Plan, before *snapshot.Snapshot, stage snapshot.Stage) diff.Comparison {
	p = at(p, stage)
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

// at is the plan with what it expects of a part of the maintenance.
func at(p *plan.Plan, stage snapshot.Stage) *plan.Plan {
	if stage == snapshot.StageEnd {
		return p.AtEnd()
	}
	return p
}

// comparisonByName is comparisonOf for a plan of which the snapshot knows nothing.
func comparisonByName(p *plan.Plan, stage snapshot.Stage) diff.Comparison {
	p = at(p, stage)
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
	for _, stage := range []snapshot.Stage{snapshot.StageCheck, snapshot.StageEnd} {
		if _, err := comparisonByName(p, stage).Snapshots(none, &snapshot.Snapshot{Manifest: none.Manifest}); err != nil {
			return err
		}
	}
	return nil
}
