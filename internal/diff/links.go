// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"traceflow"
)

// nameRoute is what is left: flows go elsewhere. Where they only left a next hop
// for others that were there before, its link is gone; where they only came to
// one, it is new; or else it is both.
func (p *pair) nameRoute(m *move) {
	f := m.finding
	f.Before, f.After = nodes(m.from, m.gone), nodes(m.to, m.came)
	switch {
	case len(m.came) == 0 && len(m.gone) > 0:
		f.Kind = LinkGone
	case len(m.gone) == 0 && len(m.came) > 0:
		f.Kind = LinkNew
	default:
		f.Kind = Rerouted
	}
}

// nodes names next hops: those that matter, or all.
func nodes(all map[traceflow.Responder]int, some []traceflow.Responder) string {
	if len(some) == 0 {
		some = missing(all, nil)
	}
	const most = 3
	var words []string
	for _, who := range some[:min(most, len(some))] {
		words = append(words, who.Address.String())
	}
	if n := len(some) - most; n > 0 {
		words = append(words, fmt.Sprintf("%d more", n))
	}
	return strings.Join(words, ", ")
}

// addLinks notes the links that came and went with a move. A link is gone only
// where flows that used it are seen to use another now.
func (p *pair) addLinks(m *move) {
	if f := m.finding; f.Kind == Rehashed || f.Kind == LinkGone || f.Kind == LinkNew || f.Kind == MPLSChanged {
		return
	}
	link := func(kind Kind, who traceflow.Responder, side int) {
		var flows []int
		for _, f := range m.known {
			if p.at(side, f, m.ttl) == who {
				flows = append(flows, f)
			}
		}
		if len(flows) == 0 {
			return
		}
		x := &finding{certain: m.finding.certain, cause: m.finding, move: m}
		x.Kind, x.P, x.Flows, x.Of = kind, m.chance, p.ids(flows), len(m.known)
		x.TTL, x.Near, x.Far = uint8(m.ttl), m.near.Address, who.Address
		x.Before, x.After = fmt.Sprintf("%d flows", m.from[who]), fmt.Sprintf("%d flows", m.to[who])
		p.add(x)
	}
	p.addNarrower(m)
	for _, who := range m.gone {
		link(LinkGone, who, before)
	}
	for _, who := range m.came {
		link(LinkNew, who, after)
	}
}

// addNarrower notes where a new way has fewer next hops than the old one, or more:
// where enough flows took either to say how many there are.
func (p *pair) addNarrower(m *move) {
	count := func(of map[traceflow.Responder]int) (n, most int) {
		for _, flows := range of {
			n += flows
		}
		return len(of), widest(len(of), n)
	}
	if m.finding.Kind != Rerouted {
		return
	}
	was, wasMost := count(m.from)
	is, isMost := count(m.to)
	x := &finding{certain: m.finding.certain, cause: m.finding, move: m, gone: m.gone, came: m.came}
	switch {
	case isMost < was:
		x.Kind = WidthDown
	case wasMost < is:
		x.Kind = WidthUp
	default:
		return
	}
	x.P, x.Flows, x.Of, x.TTL, x.Near, x.Far = m.chance, m.finding.Flows, m.finding.Of, m.finding.TTL, m.finding.Near, m.finding.Far
	x.Before, x.After, x.Confidence = width2(was), width2(is), traceflow.ConfidenceHigh
	p.add(x)
}

// findSpread looks where packets are spread one by one, so that no flow has a way
// of its own: there a next hop is gone if as many answers as before hold none of
// it. What was not seen in every pass came and went before.
func (p *pair) findSpread() {
	if len(p.noise.parent) == 0 || p.restless() {
		return
	}
	counts := [2][]map[traceflow.Responder]spread{p.countSpread(before), p.countSpread(after)}
	for ttl := 1; ttl < longest; ttl++ {
		b, a := counts[before][ttl], counts[after][ttl]
		if len(b) == 0 || len(a) == 0 {
			continue
		}
		gone, came := p.vanished(ttl, b, a, before), p.vanished(ttl, a, b, after)
		for _, g := range slices.Concat(gone, came) {
			p.add(g)
		}
	}
}

// spread is how often a responder answered, and in how many passes.
type spread struct {
	answers, passes int
	last            int // pass that it was last counted in, from 1
}

// countSpread counts answers by TTL and responder.
func (p *pair) countSpread(side int) []map[traceflow.Responder]spread {
	out := make([]map[traceflow.Responder]spread, longest)
	p.sides[side].eachExchange(func(pass, _ int, w *traceflow.Walk, e *traceflow.Exchange) {
		if p.noise.clean(int(e.TTL)) || e.Reply.Terminal(w.Flow.Destination) {
			return
		}
		who, ok := evidence(w, &e.Reply)
		if !ok {
			return
		}
		if out[e.TTL] == nil {
			out[e.TTL] = make(map[traceflow.Responder]spread)
		}
		c := out[e.TTL][who]
		c.answers++
		if c.last != pass+1 {
			c.passes, c.last = c.passes+1, pass+1
		}
		out[e.TTL][who] = c
	})
	return out
}

// vanished returns who answered in turns with others on one side (b), in every
// pass, and not at all on the other, though those others still do.
func (p *pair) vanished(ttl int, b, a map[traceflow.Responder]spread, side int) (out []*finding) {
	total := func(m map[traceflow.Responder]spread, group traceflow.Responder) (n, members int) {
		for who, c := range m {
			if p.noise.find(ttl, who) == group {
				n, members = n+c.answers, members+1
			}
		}
		return n, members
	}
	var order []traceflow.Responder
	for who := range b {
		order = append(order, who)
	}
	slices.SortFunc(order, traceflow.Responder.Compare)
	for _, who := range order {
		group := p.noise.find(ttl, who)
		all, width := total(b, group)
		rest, left := total(a, group)
		if width < 2 || left == 0 {
			continue
		}
		if a[who].answers > 0 || b[who].passes < len(p.sides[side].passes) {
			p.tests++
			continue
		}
		f := &finding{}
		// Turns are not drawn: two answers count as one, and how many members there are is
		// never sure.
		f.Confidence = traceflow.ConfidenceMedium
		f.P = fisher(0, rest/2, b[who].answers/2, all/2)
		f.TTL, f.Far, f.Near = uint8(ttl), who.Address, p.single(ttl-1)
		words := [2]string{fmt.Sprintf("%d of %d answers", b[who].answers, all), fmt.Sprintf("0 of %d", rest)}
		f.Kind, f.Of = LinkGone, len(p.flows)
		if side == after {
			f.Kind = LinkNew
			words[0], words[1] = words[1], words[0]
		}
		if width > left && widest(left, rest/2) < width {
			f.Kind = map[int]Kind{before: WidthDown, after: WidthUp}[side]
			words[side], words[1-side] = width2(width), width2(left)
		}
		f.Before, f.After = words[0], words[1]
		out = append(out, f)
	}
	return out
}

// single returns who answered at a TTL, if it was one.
func (p *pair) single(ttl int) netip.Addr {
	var one netip.Addr
	for f := range p.flows {
		if who := p.at(before, f, ttl).Address; who.IsValid() && one.IsValid() && who != one {
			return netip.Addr{}
		} else if who.IsValid() {
			one = who
		}
	}
	return one
}
