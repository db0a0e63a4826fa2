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
		if depth, steady := labels.state(p, side, flow, h.ttl); !steady || depth == 0 {
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

// labels is how many labels replies show. What they are changes of itself.
var labels = sign[int]{
	kind: MPLSChanged,
	read: func(_ *traceflow.Walk, r *traceflow.Reply) (int, bool) { return len(r.MPLS), r.Kind.Quotes() },
	say: func(n int) string {
		switch n {
		case 0:
			return "no label"
		case 1:
			return "1 label"
		}
		return fmt.Sprintf("%d labels", n)
	},
}

// ageing is whether the IP header has aged in a tunnel that shows no labels: the
// routers in it quote TTLs above 1.
var ageing = sign[bool]{
	kind: MPLSChanged,
	read: func(_ *traceflow.Walk, r *traceflow.Reply) (bool, bool) {
		return r.QuotedTTL > 1, r.HeaderQuoted && r.Kind == traceflow.TimeExceeded && r.QuotedTTL > 0
	},
	say: func(rises bool) string {
		if rises {
			return "quoted TTLs rise"
		}
		return "quoted TTLs do not rise"
	},
}

// findTunnels compares what the replies of the same routers show of tunnels.
func (p *pair) findTunnels() {
	labels.find(p)
	ageing.find(p)
}
