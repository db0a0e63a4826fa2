// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"traceflow"
	"traceflow/internal/snapshot"
)

// Reason says why something cannot be compared.
type Reason struct {
	Target string // as named in the snapshot; "" for the whole
	What   string
	kind   reasonKind
}

type reasonKind uint8

const (
	otherSchema reasonKind = iota // nothing can be compared
	otherWire                     // what one of them cannot see is no evidence
	otherTargets
	otherAddress
	otherSource
	otherProbes
	otherFlows
)

func (r Reason) String() string {
	if r.Target == "" {
		return r.What
	}
	return r.Target + ": " + r.What
}

// IncomparableError says why two snapshots cannot be compared.
type IncomparableError struct{ Reasons []Reason }

// mostReasons are told in one message.
const mostReasons = 5

func (e *IncomparableError) Error() string {
	words := make([]string, 0, mostReasons+1)
	for i, r := range e.Reasons {
		if i == mostReasons {
			words = append(words, fmt.Sprintf("and %d more", len(e.Reasons)-i))
			break
		}
		words = append(words, r.String())
	}
	return "the snapshots cannot be compared: " + strings.Join(words, "; ")
}

// Comparable returns an *IncomparableError where two snapshots are not of the
// same targets, sources, addresses and flows, or were not measured in the same
// way, and nil where they are.
func Comparable(before, after *snapshot.Snapshot) error {
	if _, reasons := match(before, after); len(reasons) > 0 {
		return &IncomparableError{reasons}
	}
	return nil
}

// fatal reports whether nothing at all can be compared.
func fatal(reasons []Reason) bool {
	return slices.ContainsFunc(reasons, func(r Reason) bool { return r.kind == otherSchema })
}

// matched is a target as the snapshots have it; nil where one has not.
type matched struct {
	before, after *snapshot.Target
	// flows are those that both have, with the IDs of either.
	flows []sharedFlow
	// other is why the target cannot be compared at all; empty if it can.
	other Reason
}

// sharedFlow is a flow that both sides followed.
type sharedFlow struct {
	traceflow.Flow // as before
	after          int
}

// match pairs the targets and their flows.
func match(before, after *snapshot.Snapshot) (pairs []matched, reasons []Reason) {
	for _, s := range []*snapshot.Snapshot{before, after} {
		if s.Manifest.Schema != snapshot.Schema {
			return nil, []Reason{{What: fmt.Sprintf("schema %q, not %q", s.Manifest.Schema, snapshot.Schema), kind: otherSchema}}
		}
	}
	if a, b := before.Manifest.Wire, after.Manifest.Wire; a != b {
		reasons = append(reasons, Reason{What: fmt.Sprintf("measured by wire %s, then %s", a, b), kind: otherWire})
	}
	// One name may be measured in several ways: they pair in order.
	rest := make(map[string][]*snapshot.Target)
	for i := range after.Targets {
		t := &after.Targets[i]
		rest[t.Name] = append(rest[t.Name], t)
	}
	for i := range before.Targets {
		m := matched{before: &before.Targets[i]}
		if same := rest[m.before.Name]; len(same) > 0 {
			m.after, rest[m.before.Name] = same[0], same[1:]
		}
		var other []Reason
		m.flows, other = m.compare()
		for _, r := range other {
			if r.kind != otherFlows {
				m.other = r
				break
			}
		}
		reasons, pairs = append(reasons, other...), append(pairs, m)
	}
	for i := range after.Targets {
		t := &after.Targets[i]
		if !slices.Contains(rest[t.Name], t) {
			continue
		}
		r := Reason{Target: t.Name, What: "measured after only", kind: otherTargets}
		reasons, pairs = append(reasons, r), append(pairs, matched{after: t, other: r})
	}
	return pairs, reasons
}

// compare says what of a target is not the same on both sides.
func (m *matched) compare() (flows []sharedFlow, reasons []Reason) {
	say := func(kind reasonKind, format string, args ...any) {
		reasons = append(reasons, Reason{Target: m.before.Name, What: fmt.Sprintf(format, args...), kind: kind})
	}
	switch b, a := m.before, m.after; {
	case a == nil:
		say(otherTargets, "measured before only")
		return nil, reasons
	case b.Address != a.Address:
		say(otherAddress, "resolved to %s, then %s", b.Address, a.Address)
		return nil, reasons
	case b.Source != a.Source:
		say(otherSource, "sent from %s, then %s", b.Source, a.Source)
		return nil, reasons
	case len(b.Passes) == 0 || len(a.Passes) == 0:
		return nil, nil // nothing was measured, which is a finding
	}
	b, a := fullest(m.before), fullest(m.after)
	if before, after := probesOf(b), probesOf(a); before != after {
		say(otherProbes, "probed with %s, then %s", before, after)
		return nil, reasons
	}
	known := make(map[flowKey]int, len(a.Flows))
	for _, f := range a.Flows {
		known[keyOf(&f)] = f.ID
	}
	for _, f := range b.Flows {
		if id, ok := known[keyOf(&f)]; ok {
			flows = append(flows, sharedFlow{f, id})
		}
	}
	if len(flows) != len(a.Flows) || len(flows) != len(b.Flows) {
		say(otherFlows, "%d flows before, %d after, %d in both", len(b.Flows), len(a.Flows), len(flows))
	}
	return flows, reasons
}

// fullest returns the pass of a target that followed the most flows: others were cut
// short.
func fullest(t *snapshot.Target) *traceflow.Trace {
	return slices.MaxFunc(t.Passes, func(a, b *traceflow.Trace) int { return len(a.Flows) - len(b.Flows) })
}

// probesOf is what must be alike of the packets beside their flows.
func probesOf(t *traceflow.Trace) string {
	c := &t.Config
	words := []string{c.Protocol.String()}
	if c.QUIC {
		words = append(words, "quic")
	}
	if c.Size > 0 {
		words = append(words, fmt.Sprintf("%d bytes", c.Size))
	}
	if c.DontFragment {
		words = append(words, "don't fragment")
	}
	return strings.Join(words, " ")
}

// flowKey is what makes two flows the same to every router.
type flowKey struct {
	protocol              traceflow.Protocol
	destination           netip.Addr
	sourcePort, otherPort uint16
	label                 uint32
	tos                   uint8
}

func keyOf(f *traceflow.Flow) flowKey {
	return flowKey{f.Protocol, f.Destination, f.SourcePort, f.DestinationPort, f.Label, f.TOS}
}
