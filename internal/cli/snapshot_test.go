// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"slices"
	"testing"

	"traceflow/internal/diff"
	"traceflow/internal/plan"
	"traceflow/internal/snapshot"
)

// A plan may name every kind of change that there is, and no other.
func TestPlanKnowsTheKindsOfChange(t *testing.T) {
	var want []string
	for _, k := range diff.Kinds() {
		want = append(want, string(k))
	}
	got := plan.ChangeKinds()
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("package diff has %q, package plan %q", want, got)
	}
	p := &plan.Plan{Targets: []plan.Target{{Destination: "a"}}}
	for _, kind := range slices.Concat(got, plan.ExpectationKinds()) {
		e := plan.Expectation{Kind: kind}
		switch kind {
		case "drain":
			e.Values = []string{"AS64500"}
		case "width":
			e.From, e.To = 4, 3
		}
		p.Expect = []plan.Expectation{e}
		unknown := slices.Contains([]string{"unmeasured", "unstable", "expected-missing"}, kind) // nothing to expect
		if err := checkable(p); (err != nil) != unknown {
			t.Errorf("%s: %v", kind, err)
		}
		_, err := plan.ReadPolicy("p.yaml", []byte("expect: ["+kind+"]"))
		if takesNone := kind != "drain" && kind != "width"; takesNone && (err != nil) != unknown {
			t.Errorf("%s: %v", kind, err)
		}
	}
	p.Expect = []plan.Expectation{{Kind: "smoke"}}
	if checkable(p) == nil {
		t.Error("smoke is expected")
	}
}

func TestAgree(t *testing.T) {
	quiet, noisy := snapshot.Noise{Compared: 20000, Flows: 1600}, snapshot.Noise{Compared: 20000, Differing: 1000, Flows: 1600}
	tests := []struct {
		name      string
		n, before snapshot.Noise
		want      bool
	}{
		{"nothing", snapshot.Noise{Compared: 20000, Flows: 1600}, quiet, true},
		{"little", snapshot.Noise{Compared: 20000, Differing: 9, Flows: 1600}, quiet, true},
		{"one target of one", snapshot.Noise{Compared: 192, Differing: 4, Flows: 16}, snapshot.Noise{Compared: 192, Flows: 16}, false},
		{"much", snapshot.Noise{Compared: 20000, Differing: 200, Flows: 1600}, quiet, false},
		{"as much as ever", snapshot.Noise{Compared: 20000, Differing: 1060, Flows: 1600}, noisy, true},
		{"more than ever", snapshot.Noise{Compared: 20000, Differing: 1300, Flows: 1600}, noisy, false},
		{"ends", snapshot.Noise{Compared: 20000, Flows: 1600, Ends: 16}, quiet, false},
		{"silence", snapshot.Noise{}, quiet, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := agree(tt.n, tt.before); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
