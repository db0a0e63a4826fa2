// SPDX-License-Identifier: BSD-3-Clause

// Package doctor finds out what this machine lets traceflow do, and what to
// type to get the rest.
//
// Each subject has a file: a struct of facts, a method that turns facts into
// checks, and a function that reads the facts of this machine. Where only one
// system has the facts, that function is in a file of that system; elsewhere
// the check says that it does not exist there. Verdicts are tested on facts
// made up.
//
// It changes nothing, needs no rights, and sends nothing off this host but the
// resolver's questions about the destination's name. It does not print:
// package cli does.
//
// To add a check: its facts and its verdict in the file of its subject, a row in
// the test beside it, a line in docs/doctor.md.
package doctor

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"time"
)

// Verdict says how well something is.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"
	Limited Verdict = "limited" // traces work, but show less or are less sure
	Broken  Verdict = "broken"  // traces do not work, or mislead
	Unknown Verdict = "unknown" // it could not be found out
)

// verdicts has them from worst to best.
var verdicts = []Verdict{Broken, Limited, Unknown, OK}

// Check is one thing looked at.
type Check struct {
	Subject string  `json:"subject"`
	Verdict Verdict `json:"verdict"`
	// Finding says in one sentence what was found and what it means for traces.
	// It may hold text of this system's, such as names of interfaces, as it is.
	Finding string `json:"finding"`
	// Mend is the line to type that mends it or, where no line can, the one that
	// shows more; empty when there is nothing to mend.
	Mend string `json:"mend"`
}

// Config says what to look at.
type Config struct {
	// Destination is an address or a name; empty looks at this host alone.
	Destination string
	// Executable is the file that traceflow runs from; empty if it is not known.
	Executable string
	// Grant is the command that gives the executable the right to open raw
	// sockets.
	Grant string
}

// Report is what was found.
type Report struct {
	// Checks are in the order of their subjects.
	Checks []Check
	// Err says why no trace can be made; nil if one can. An error about rights is
	// os.ErrPermission.
	Err error
	// Summary says in one line what traces can be made.
	Summary string
}

// Worst returns the checks from the worst verdict to the best. Those of one
// verdict stay in the order of their subjects.
func (r *Report) Worst() []Check {
	sorted := slices.Clone(r.Checks)
	slices.SortStableFunc(sorted, func(a, b Check) int {
		return slices.Index(verdicts, a.Verdict) - slices.Index(verdicts, b.Verdict)
	})
	return sorted
}

// askTimeout is how long a resolver or another program is waited for.
const askTimeout = 2 * time.Second

// Run looks at everything. The error is that of ctx.
func Run(ctx context.Context, c Config) (*Report, error) {
	clock := watchClock()
	resolver := askResolver(ctx, c.Destination)
	wires := tryWires(ctx)
	rights := readRights(c.Executable)
	routes := readRoutes(ctx, resolver.targets())
	settings := readSettings(rights.sysctls())
	firewall := readFirewall(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	r := &Report{Err: wires.err()}
	r.Checks = slices.Concat(
		rights.checks(&c, wires),
		wires.checks(rights.advice(&c, wires), rights.sysctls()),
		firewall.checks(routes.interfaces()),
		routes.checks(),
		settings.checks(routes),
		resolver.checks(),
		readLimits().checks(wires),
		clock.stop().checks(),
	)
	r.Summary = wires.summary(r.Checks)
	return r, nil
}

// onlyOn says that a check does not exist on this system.
func onlyOn(system, subject string) Check {
	return Check{Subject: subject, Verdict: Unknown, Finding: "not looked at: this check exists on " + system + " only, and this is " + runtime.GOOS}
}

// isDenied reports whether an error is about rights.
func isDenied(err error) bool { return errors.Is(err, os.ErrPermission) }
