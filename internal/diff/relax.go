// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"
	"net/netip"
	"strings"

	"traceflow"
)

// findRelax compares where paths leave an AS by several others (Trace.Exits). Relax
// is on where every pass of a side says so with medium confidence at least, and off
// where none of them does, or cannot tell, though flows enough passed the router. It
// cannot have changed where no flow moved.
func (p *pair) findRelax() {
	annotations, sets := p.known()
	if len(p.moves) == 0 || len(annotations) == 0 {
		return
	}
	var exits [2][][]traceflow.Exit
	for side := range exits {
		for _, pass := range p.sides[side].passes {
			t := *pass
			t.Annotations, t.DataSets = annotations, sets
			exits[side] = append(exits[side], t.Exits())
		}
	}
	p.relaxed(before, RelaxOff, &exits)
	p.relaxed(after, RelaxOn, &exits)
}

// relaxed notes routers that have relax on one side only.
func (p *pair) relaxed(side int, kind Kind, exits *[2][][]traceflow.Exit) {
	for _, x := range exits[side][0] {
		near := x.Near.Address
		if !near.IsValid() || !p.always(exits[side], near) || !p.passedEnough(1-side, near, x.Near.TTL) || maybe(exits[1-side], near) {
			continue
		}
		m := p.moveFrom(near)
		if m == nil || !p.mostSeen(1-side, m.flows, x.Near.TTL+1) {
			continue
		}
		var names []string
		for _, next := range x.Next() {
			names = append(names, fmt.Sprintf("AS%d", next.ASN))
		}
		f := &finding{certain: m.finding.certain, cause: m.finding, move: m}
		f.Kind, f.P, f.Flows, f.Of = kind, m.chance, p.ids(m.flows), len(p.flows)
		f.TTL, f.Near, f.Confidence = x.Near.TTL, near, x.Confidence
		words := [2]string{"one next AS", "one next AS"}
		words[side] = strings.Join(names, " and ") + " side by side"
		f.Before, f.After = words[before], words[after]
		p.add(f)
	}
}

// always reports whether every pass says that a router relaxes.
func (p *pair) always(passes [][]traceflow.Exit, near netip.Addr) bool {
	for _, exits := range passes {
		found := false
		for i := range exits {
			found = found || exits[i].Near.Address == near && exits[i].Class == traceflow.ExitRelax && exits[i].Confidence != traceflow.ConfidenceLow
		}
		if !found {
			return false
		}
	}
	return len(passes) > 0
}

// maybe reports whether any pass says that a router relaxes, or cannot exclude it.
func maybe(passes [][]traceflow.Exit, near netip.Addr) bool {
	for _, exits := range passes {
		for i := range exits {
			if c := exits[i].Class; exits[i].Near.Address == near && (c == traceflow.ExitRelax || c == traceflow.ExitUndetermined) {
				return true
			}
		}
	}
	return false
}

// passedEnough reports whether flows enough passed a node on a side to have met a second
// next AS, had there been one.
func (p *pair) passedEnough(side int, near netip.Addr, ttl uint8) bool {
	n := 0
	for f := range p.flows {
		if p.at(side, f, int(ttl)).Address == near {
			n++
		}
	}
	return n >= needed(2)
}

// mostSeen reports whether most of some flows were answered at a TTL on a side: a hop
// that is silent to them may be a next AS that is there still.
func (p *pair) mostSeen(side int, flows []int, ttl uint8) bool {
	n := 0
	for _, f := range flows {
		if p.at(side, f, int(ttl)).IsValid() {
			n++
		}
	}
	return 2*n > len(flows)
}

// moveFrom returns the move of flows that left a node for another next hop.
func (p *pair) moveFrom(near netip.Addr) *move {
	for _, m := range p.moves {
		if m.near.Address == near {
			return m
		}
	}
	return nil
}
