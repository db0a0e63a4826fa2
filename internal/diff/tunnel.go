// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"

	"traceflow"
)

// nameTunnel tells whether a move is one only because the routers of an MPLS
// tunnel hide, or show again: the flows meet the same nodes before it and behind
// it, and what is missing in between carried labels.
func (p *pair) nameTunnel(m *move) bool {
	hidden, shown := 0, 0
	for _, f := range m.flows {
		switch {
		case p.hides(f, before, after):
			hidden++
		case p.hides(f, after, before):
			shown++
		}
	}
	f := m.finding
	switch len(m.flows) {
	case hidden:
		f.Before, f.After = "its routers answer", "its routers are hidden"
	case shown:
		f.Before, f.After = "its routers are hidden", "its routers answer"
	default:
		return false
	}
	f.Kind = MPLSChanged
	return true
}

// hides reports whether a flow meets on one side what it meets on the other, but
// for a row of labelled routers.
func (p *pair) hides(flow, side, other int) bool {
	long, short := p.way(side, flow), p.way(other, flow)
	missing := len(long) - len(short)
	if missing < 1 || len(short) == 0 {
		return false
	}
	from := 0
	for from < len(short) && long[from].who == short[from].who {
		from++
	}
	for i := from; i < len(short); i++ {
		if long[i+missing].who != short[i].who {
			return false
		}
	}
	for _, h := range long[from : from+missing] {
		if depth, steady := p.state(side, flow, h.ttl, labels); !steady || depth == "0 labels" {
			return false
		}
	}
	return true
}

// way is who answered a flow, in order.
func (p *pair) way(side, flow int) (out []place) {
	for ttl := range p.sides[side].tracks[flow].cells {
		if who := p.at(side, flow, ttl); who.IsValid() {
			out = append(out, place{ttl, who})
		}
	}
	return out
}

// labels reads how many labels a reply shows. What they are changes of itself.
func labels(_ *traceflow.Walk, r *traceflow.Reply) (string, bool) {
	return fmt.Sprintf("%d labels", len(r.MPLS)), r.Kind.Quotes()
}

// ageing reads whether the IP header has aged in a tunnel that shows no labels:
// the routers in it quote TTLs above 1.
func ageing(_ *traceflow.Walk, r *traceflow.Reply) (string, bool) {
	if r.QuotedTTL > 1 {
		return "quoted TTLs rise", r.HeaderQuoted && r.Kind == traceflow.TimeExceeded
	}
	return "quoted TTLs do not rise", r.HeaderQuoted && r.Kind == traceflow.TimeExceeded && r.QuotedTTL == 1
}

// findTunnels compares what the replies of the same routers show of tunnels.
func (p *pair) findTunnels() {
	p.findStates(MPLSChanged, labels)
	p.findStates(MPLSChanged, ageing)
}
