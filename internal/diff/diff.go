// SPDX-License-Identifier: BSD-3-Clause

// Package diff says what changed between two snapshots, how sure that is, and
// whether it matters. It measures nothing, reads no clock and gives the same
// answer for the same two snapshots every time.
//
// Flows are compared with themselves: the same 5-tuple before and after, TTL by
// TTL, with silence as a wildcard. What differs between the passes of one
// snapshot is the network's own noise, and only what goes beyond it is a change.
// docs/diff.md has the rules, the tests and the figures.
//
// To add a class of change: its Kind and its place in the order here, a file
// that finds it in a pair, a row in policy.go and one in docs/diff.md.
package diff

import (
	"net/netip"

	"traceflow"
	"traceflow/internal/plan"
	"traceflow/internal/snapshot"
)

// Kind is a class of change.
type Kind string

// The classes, worst first.
const (
	Lost             Kind = "lost"              // no flow reaches the destination any more
	PartialBlackHole Kind = "partial-blackhole" // some flows no longer reach it
	LossUp           Kind = "loss-up"           // loss at the destination
	Filtered         Kind = "filtered"          // a router refuses that did not
	WidthDown        Kind = "width-down"        // fewer next hops
	MTUDown          Kind = "mtu-down"          // smaller packets get through
	LatencyUp        Kind = "latency-up"        // on the same path
	RelaxOff         Kind = "relax-off"         // paths of several ASes are no longer used side by side
	RelaxOn          Kind = "relax-on"          // they are now
	ASPathChanged    Kind = "as-path-changed"   // another AS behind one that was passed before
	IXPLeft          Kind = "ixp-left"          // an exchange point is no longer crossed
	IXPEntered       Kind = "ixp-entered"       // an exchange point is crossed that was not
	LatencyMoved     Kind = "latency-moved"     // because flows moved
	Rerouted         Kind = "rerouted"          // flows moved, links came and went
	LinkGone         Kind = "link-gone"         // nobody takes it any more
	LinkNew          Kind = "link-new"          // nobody took it
	WidthUp          Kind = "width-up"          // more next hops
	MPLSChanged      Kind = "mpls-changed"      // presence, depth or propagation; never label values
	NATChanged       Kind = "nat-changed"       // another translation
	AddressChanged   Kind = "address-changed"   // the name resolves to another address
	NotSeen          Kind = "expected-missing"  // an expected change did not come
	Unstable         Kind = "unstable"          // too much noise of its own to tell
	Unmeasured       Kind = "unmeasured"        // too few answers to tell
	Rehashed         Kind = "rehashed"          // the same links, other flows on them
	Remarked         Kind = "remarked"          // TOS as quoted
	ReturnPath       Kind = "return-path"       // replies of the same router come another way
	Recovered        Kind = "recovered"         // flows reach the destination that did not
	LossDown         Kind = "loss-down"         // less loss at the destination
	LatencyDown      Kind = "latency-down"      // less latency
	MTUUp            Kind = "mtu-up"            // larger packets get through
)

// kinds has every class in order, the worst first.
var kinds = []Kind{
	Lost, PartialBlackHole, LossUp, Filtered, WidthDown, MTUDown, LatencyUp, RelaxOff, RelaxOn,
	ASPathChanged, IXPLeft, IXPEntered, LatencyMoved, Rerouted, LinkGone, LinkNew, WidthUp, MPLSChanged, NATChanged, AddressChanged,
	NotSeen, Unstable, Unmeasured, Rehashed, Remarked, ReturnPath, Recovered, LossDown, LatencyDown, MTUUp,
}

// Kinds returns every class, the worst first.
func Kinds() []Kind { return append([]Kind(nil), kinds...) }

// Severity is what a change means for whoever has to decide.
type Severity int

// The severities, in the order of exit codes' importance.
const (
	Ignored      Severity = iota
	Info                  // good to know
	Review                // a change, and no breach of the policy
	Inconclusive          // nobody can say
	Regression            // a breach of the policy
)

var severityNames = [...]string{Ignored: "ignored", Info: "info", Review: "change", Inconclusive: "inconclusive", Regression: "regression"}

// String returns the word that reports use.
func (s Severity) String() string { return severityNames[s] }

// Change is one difference of one target.
type Change struct {
	Kind       Kind
	Target     int // index of Report.Targets; -1 for one that is of no target
	Severity   Severity
	Confidence traceflow.Confidence
	// P is the chance that unchanged networks show as much, corrected for all
	// tests of the target; 0 where no chance is involved.
	P float64
	// Flows are the IDs of those that show it; Of is how many could have.
	Flows []int
	Of    int
	// TTL, Near and Far say where; zero where the change has no place. Near is the
	// last node that both snapshots agree on, Far what is behind it: of what was
	// before, where that is gone.
	TTL       uint8
	Near, Far netip.Addr
	// Before and After say what it was and is, in the words of the kind, as
	// "4 next hops".
	Before, After string
	// Expected is set where the plan declared it.
	Expected bool
	// Cause is the change that this one follows from, an index of
	// Report.Changes; -1 where it stands for itself.
	Cause int
}

// Event is one thing that happened, as far as can be told, to several targets.
type Event struct {
	Kind     Kind // of the first of Changes
	Severity Severity
	// Changes are indices of Report.Changes: first what says best what happened,
	// then what follows from it, the worst first.
	Changes []int
	// Targets are those that show it, in order.
	Targets []int
	Title   string // one line
}

// Target is what the report has of a destination.
type Target struct {
	Name    string
	Address netip.Addr
	Flows   int // compared
	// Cells is how many pairs of flow and TTL were answered in both snapshots.
	Cells int
	// NoiseBefore and NoiseAfter are the part of the hops that differ between
	// passes of one snapshot, 0 to 1.
	NoiseBefore, NoiseAfter float64
	// LossFloor is the smallest rise of loss that would have been found with as
	// many packets; 1 where none would.
	LossFloor float64
	Severity  Severity // the worst of its changes
}

// Report is the whole difference.
type Report struct {
	Targets []Target
	Changes []Change // by target, the worst first
	Events  []Event  // worst first
	// Left is what could not be compared and was left out: only with
	// Comparison.Shared.
	Left []Reason
	// Severity is the worst of all.
	Severity Severity
	// Names are what nodes of the changes are called, where a snapshot says so.
	Names map[netip.Addr]string
}

// Comparison is how two snapshots are compared. The zero value has no
// expectations, the default policy, and refuses what is not the same on both
// sides.
type Comparison struct {
	// Expect are the expectations of every target, ExpectOf those of one, by name.
	Expect   []plan.Expectation
	ExpectOf map[string][]plan.Expectation
	Policy   plan.Policy
	// Shared compares what both snapshots have, where they are not of the same
	// targets and flows, and says what it left out.
	Shared bool
}

// Snapshots compares two snapshots of the same targets and flows. The error is
// an *IncomparableError where they are not, or says what is wrong with the
// expectations or the policy.
func Snapshots(before, after *snapshot.Snapshot, expect []plan.Expectation, policy plan.Policy) (*Report, error) {
	return Comparison{Expect: expect, Policy: policy}.Snapshots(before, after)
}

// Snapshots compares two snapshots.
func (c Comparison) Snapshots(before, after *snapshot.Snapshot) (*Report, error) {
	rules, err := newRules(c.Policy)
	if err != nil {
		return nil, err
	}
	if err := checkExpectations(c); err != nil {
		return nil, err
	}
	matched, reasons := match(before, after)
	if len(reasons) > 0 && (!c.Shared || fatal(reasons)) {
		return nil, &IncomparableError{reasons}
	}
	r := &Report{Left: reasons, Names: make(map[netip.Addr]string)}
	wanted := newWanted(c)
	var found []*finding
	for i, m := range matched {
		p := newPair(i, m, rules)
		changes := p.compare()
		changes = append(changes, wanted.of(p, changes)...)
		found = append(found, changes...)
		r.Targets = append(r.Targets, p.target())
		p.hosts(changes, r.Names)
	}
	found = append(found, wanted.missing()...)
	r.fill(found, rules)
	return r, nil
}
