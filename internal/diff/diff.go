// SPDX-License-Identifier: BSD-3-Clause

// Package diff says what changed between two snapshots, how sure that is, and
// whether it matters. It measures nothing, reads no clock and gives the same
// answer for the same two snapshots every time.
//
// Flows are compared with themselves: the same 5-tuple before and after, TTL by
// TTL, with silence as a wildcard (production figures: docs/diff.md). What differs
// between the passes of one snapshot is the network's own noise, and only what
// goes beyond it is a change.
package diff

import (
	"net/netip"

	"traceflow"
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
	MTUDown          Kind = "mtu-down"
	ASPathChanged    Kind = "as-path-changed"
	IXPLeft          Kind = "ixp-left"
	IXPEntered       Kind = "ixp-entered"
	RelaxOff         Kind = "relax-off"
	RelaxOn          Kind = "relax-on"
	LatencyUp        Kind = "latency-up"       // on the same path
	LatencyMoved     Kind = "latency-moved"    // because flows moved
	LinkGone         Kind = "link-gone"        // nobody takes it any more
	LinkNew          Kind = "link-new"         // nobody took it
	Rerouted         Kind = "rerouted"         // flows moved, links came or went
	Rehashed         Kind = "rehashed"         // the same links, other flows on them
	WidthUp          Kind = "width-up"         //
	MPLSChanged      Kind = "mpls-changed"     // presence, depth or propagation; never label values
	NATChanged       Kind = "nat-changed"      //
	Remarked         Kind = "remarked"         // TOS as quoted
	ReturnPath       Kind = "return-path"      // replies of the same router come another way
	Recovered        Kind = "recovered"        // flows reach the destination that did not
	LossDown         Kind = "loss-down"        //
	LatencyDown      Kind = "latency-down"     //
	MTUUp            Kind = "mtu-up"           //
	AddressChanged   Kind = "address-changed"  // the name resolves to another address
	Unstable         Kind = "unstable"         // too much noise of its own to tell
	Unmeasured       Kind = "unmeasured"       // too few answers to tell
	NotSeen          Kind = "expected-missing" // an expected change did not come
)

// Severity is what a change means for whoever has to decide.
type Severity int

// The severities, in the order of exit codes' importance.
const (
	Ignored Severity = iota
	Info             // good to know
	Review           // a change, and no breach of the policy
	Inconclusive
	Regression
)

// Change is one difference of one target.
type Change struct {
	Kind       Kind
	Target     int // index of Report.Targets
	Severity   Severity
	Confidence traceflow.Confidence
	// P is the chance that unchanged networks show as much, corrected for all
	// tests of the target; 0 where no chance is involved.
	P float64
	// Flows are the IDs of those that show it; Of is how many could have.
	Flows []int
	Of    int
	// TTL, Near and Far say where; zero where the change has no place.
	TTL       uint8
	Near, Far netip.Addr
	// Before and After say what it was and is, in the words of the kind, as
	// "4 next hops".
	Before, After string
	// Expected is set where the plan declared it.
	Expected bool
}

// Event is one thing that happened, as far as can be told, to several targets.
type Event struct {
	Kind     Kind
	Severity Severity
	// Changes are indices of Report.Changes, the worst first.
	Changes []int
	Title   string // one line
}

// Target is what the report has of a destination.
type Target struct {
	Name    string
	Address netip.Addr
	Flows   int // compared
	// Noise is the part of the hops that differ between passes of one snapshot.
	NoiseBefore, NoiseAfter float64
	Severity                Severity // the worst of its changes
}

// Report is the whole difference.
type Report struct {
	Targets []Target
	Changes []Change
	Events  []Event // worst first
	// Severity is the worst of all.
	Severity Severity
}
