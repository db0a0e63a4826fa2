// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"traceflow"
	"traceflow/internal/plan"
)

// What a policy that says nothing means.
const (
	// DefaultLatency and DefaultLatencyPart are the rise that counts: both.
	DefaultLatency     = time.Millisecond
	DefaultLatencyPart = 0.10
	// DefaultLoss is the rise of loss that counts, as a share of the packets.
	DefaultLoss = 0.01
	// DefaultAlpha is the chance that is taken, over all tests of a target, of
	// calling chance a change.
	DefaultAlpha = 0.001
)

// severities is what each kind means unless the policy says otherwise.
var severities = map[Kind]Severity{
	Lost: Regression, PartialBlackHole: Regression, LossUp: Regression, Filtered: Regression,
	WidthDown: Regression, MTUDown: Regression, LatencyUp: Regression,

	ASPathChanged: Review, IXPLeft: Review, IXPEntered: Review, RelaxOff: Review, RelaxOn: Review,
	LatencyMoved: Review, Rerouted: Review, LinkGone: Review, LinkNew: Review, WidthUp: Review,
	MPLSChanged: Review, NATChanged: Review, AddressChanged: Review, NotSeen: Review,

	Unstable: Inconclusive, Unmeasured: Inconclusive,

	Rehashed: Info, Remarked: Info, ReturnPath: Info, Recovered: Info, LossDown: Info, LatencyDown: Info, MTUUp: Info,
}

// DefaultSeverity is what a kind of change means unless a policy says otherwise.
func DefaultSeverity(k Kind) Severity { return severities[k] }

// rules is a policy with everything filled in.
type rules struct {
	plan.Policy
	severity map[Kind]Severity // that the policy sets
	// lossAsked is true where the policy names a loss, so that too few packets to
	// see it are said.
	lossAsked bool
}

var severityWords = map[string]Severity{"ignore": Ignored, "info": Info, "change": Review, "inconclusive": Inconclusive, "regression": Regression}

func newRules(p plan.Policy) (*rules, error) {
	r := &rules{Policy: p, severity: make(map[Kind]Severity), lossAsked: p.Loss > 0}
	if r.Latency <= 0 {
		r.Latency = DefaultLatency
	}
	if r.LatencyPart <= 0 {
		r.LatencyPart = DefaultLatencyPart
	}
	if r.Loss <= 0 {
		r.Loss = DefaultLoss
	}
	if r.Alpha <= 0 {
		r.Alpha = DefaultAlpha
	}
	if r.Alpha >= 0.5 || r.Loss >= 1 {
		return nil, fmt.Errorf("policy: alpha %g must be below 0.5, and loss %g below 1", r.Alpha, r.Loss)
	}
	words := make([]string, 0, len(p.Severity))
	for word := range p.Severity {
		words = append(words, word)
	}
	slices.Sort(words) // the same error every time
	for _, word := range words {
		kind := Kind(strings.ReplaceAll(word, "_", "-"))
		severity, ok := severityWords[p.Severity[word]]
		switch {
		case !slices.Contains(kinds, kind):
			return nil, fmt.Errorf("policy: %q is no kind of change", word)
		case !ok:
			return nil, fmt.Errorf("policy: %s: %q is none of ignore, info, change, inconclusive, regression", word, p.Severity[word])
		}
		if (kind == Unmeasured || kind == Unstable) && severity < Inconclusive {
			return nil, fmt.Errorf("policy: %s cannot be %s: what nobody knows is never green", kind, severity)
		}
		r.severity[kind] = severity
	}
	return r, nil
}

// judge sets what a change means. What the plan declares is no news, and what is
// not sure is no regression, but nothing to call green either.
func (r *rules) judge(c *Change) {
	severity, set := r.severity[c.Kind]
	if !set {
		severity = severities[c.Kind]
	}
	switch {
	case c.Expected:
		severity = min(severity, Info)
	case severity == Regression && c.Confidence == traceflow.ConfidenceLow:
		severity = Inconclusive
	}
	c.Severity = severity
}
