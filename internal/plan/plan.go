// SPDX-License-Identifier: BSD-3-Clause

// Package plan is what a maintenance is measured by: destinations, how each is
// probed, what to expect of it, and what counts as a regression. A plan is a YAML
// file that people write; Read says line and column of what is wrong in it.
package plan

import "time"

// Plan is a file. Zero values are what the file does not say; Read fills in what
// targets inherit.
type Plan struct {
	Name    string
	Targets []Target
	Expect  []Expectation // of all targets
	Policy  Policy
	// Budget is how long one snapshot may take, Rate how many packets a second are
	// sent at most, Passes how often each target is measured.
	Budget time.Duration
	Rate   float64
	Passes int
}

// Target is one destination.
type Target struct {
	Destination string // name or address
	// Flows is how many flows are pinned; 0 is as many as the width found takes.
	Flows    int
	Protocol string // "udp", "tcp", "icmp"
	Port     int    // destination port; 0 is the protocol's usual one
	IPv6     bool   // false leaves the family to the resolver
	Vary     string // "srcport", "dst"
	Labels   map[string]string
	Expect   []Expectation
}

// Expectation is a change that is meant to happen: what matches it is no
// regression, and its absence is told.
type Expectation struct {
	// Kind is "drain", "width", "relax", "no-change" and others: package diff has
	// what each matches.
	Kind string
	// Values are addresses, prefixes, ASes or names, as the kind takes them.
	Values   []string
	From, To int // of a width
	Line     int // in the file, for what is said about it
}

// Policy says what of a difference is a regression.
type Policy struct {
	// Severity overrides the built-in one of a kind of change: "ignore", "info",
	// "change" or "regression".
	Severity map[string]string
	// Latency is a rise that counts, as both: at least this much, and this part of
	// what it was.
	Latency     time.Duration
	LatencyPart float64
	Loss        float64 // 0 to 1
	// Alpha is the chance, over all tests of a target, that chance alone is called
	// a change.
	Alpha float64
}
