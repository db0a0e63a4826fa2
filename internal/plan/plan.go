// SPDX-License-Identifier: BSD-3-Clause

// Package plan is what a maintenance is measured by: destinations, how each is
// probed, what to expect of it, and what counts as a regression. A plan is a YAML
// file that people write; Read says line and column of what is wrong in it.
//
// It resolves no name and sends nothing. To add a key: a field here, its line in
// the tables of read.go, target.go or policy.go, its row in docs/snapshot.md.
package plan

import (
	"slices"
	"time"
)

// Plan is a file. Zero values are what the file does not say; Read fills in what
// targets inherit.
type Plan struct {
	Name    string        `json:"name,omitempty"`
	Targets []Target      `json:"targets"`
	Expect  []Expectation `json:"expect,omitempty"` // of all targets
	// ExpectEnd is what a maintenance leaves behind, where that is not what is
	// expected while it goes on: no-change of one that puts all back.
	ExpectEnd []Expectation `json:"expect_end,omitempty"`
	Policy    Policy        `json:"policy"`
	// Budget is how long one snapshot may take, Rate how many packets a second are
	// sent at most, Passes how often each target is measured.
	Budget time.Duration `json:"budget_ns,omitempty"`
	Rate   float64       `json:"rate_pps,omitempty"`
	Passes int           `json:"passes,omitempty"`
}

// AtEnd returns the plan with what it expects when the maintenance is over.
func (p *Plan) AtEnd() *Plan {
	if len(p.ExpectEnd) == 0 {
		return p
	}
	out := *p
	out.Expect, out.ExpectEnd, out.Targets = p.ExpectEnd, nil, slices.Clone(p.Targets)
	for i := range out.Targets {
		out.Targets[i].Expect = nil
	}
	return &out
}

// Target is one destination.
type Target struct {
	Destination string `json:"destination"` // name or address
	// Flows is how many flows are pinned; 0 is as many as the width found takes.
	Flows    int    `json:"flows,omitempty"`
	Protocol string `json:"protocol,omitempty"` // "udp", "tcp", "icmp"; "" is udp
	Port     int    `json:"port,omitempty"`     // destination port; 0 is the protocol's usual one
	Family   int    `json:"family,omitempty"`   // 4 or 6; 0 leaves it to the resolver
	Vary     string `json:"vary,omitempty"`     // "srcport", "dst"; "" is srcport
	// Ends is how many packets each flow sends to the destination in each pass, for its
	// loss; 0 is 1.
	Ends   int               `json:"ends,omitempty"`
	MTU    bool              `json:"mtu,omitempty"` // measure the MTU of every path, too
	Labels map[string]string `json:"labels,omitempty"`
	Expect []Expectation     `json:"expect,omitempty"`
	Line   int               `json:"line,omitempty"` // in the file
}

// Expectation is a change that is meant to happen: what matches it is no
// regression, and its absence is told.
type Expectation struct {
	// Kind is one of ExpectationKinds, or of ChangeKinds.
	Kind string `json:"kind"`
	// Values are addresses, prefixes, ASes or names, as the kind takes them.
	Values []string `json:"values,omitempty"`
	From   int      `json:"from,omitempty"` // of a width
	To     int      `json:"to,omitempty"`
	Line   int      `json:"line,omitempty"` // in the file, for what is said about it
}

// Policy says what of a difference is a regression. What is 0 is left to package
// diff.
type Policy struct {
	// Severity overrides the built-in one of a kind of change, one of ChangeKinds:
	// "ignore", "info", "change" or "regression".
	Severity map[string]string `json:"severity,omitempty"`
	// Latency is a rise that counts, as both: at least this much, and this part of
	// what it was.
	Latency     time.Duration `json:"latency_ns,omitempty"`
	LatencyPart float64       `json:"latency_part,omitempty"`
	Loss        float64       `json:"loss,omitempty"` // 0 to 1
	// Alpha is the chance, over all tests of a target, that chance alone is called
	// a change.
	Alpha float64 `json:"alpha,omitempty"`
}

// ExpectationKinds are those that are more than a change of one kind: traffic is
// taken off what Values name, a width goes From … To, paths are shared out over
// several neighbouring ASes, nothing changes.
func ExpectationKinds() []string { return []string{"drain", "width", "relax", "no-change"} }

// ChangeKinds are the kinds of change that package diff tells apart.
func ChangeKinds() []string {
	return []string{
		"lost", "partial-blackhole", "loss-up", "filtered", "width-down", "mtu-down",
		"as-path-changed", "ixp-left", "ixp-entered", "relax-off", "relax-on",
		"latency-up", "latency-moved", "link-gone", "link-new", "rerouted", "rehashed",
		"width-up", "mpls-changed", "nat-changed", "remarked", "return-path",
		"recovered", "loss-down", "latency-down", "mtu-up", "address-changed",
		"unstable", "unmeasured", "expected-missing",
	}
}

// severities are the values of a policy's severity.
var severities = []string{"ignore", "info", "change", "regression"}
