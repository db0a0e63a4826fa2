// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
)

// mostMasked leaves one TTL to show.
const mostMasked = 254

// Mask returns the trace as if it had begun at TTL hops + 1: neither who
// answered before nor the vantage point can be learned from it. Where the
// destination answered within these hops, fewer are hidden, so that it stays.
// Config.Masked says how many are. Counts (Stats), the bound on what was missed
// (Guarantee.Alpha) and times are still those of the whole trace.
//
// The trace itself stays as it is. Nothing is hidden with 0 hops or less.
func (t *Trace) Mask(hops int) *Trace {
	out := *t
	if hops <= 0 {
		return &out
	}
	m := newMask(t, min(hops, mostMasked))
	out.Config.Masked = max(t.Config.Masked, m.hops)
	out.Config.FirstTTL = max(1, t.Config.FirstTTL, uint8(m.hops+1))
	out.VantagePoint = VantagePoint{Address: unspecified(t.Destination.Address)}
	out.Flows = maskFlows(t.Flows)
	out.Exchanges = m.exchanges(t.Exchanges, m.refused)
	if t.Finish != nil {
		out.Finish = &Finish{Flows: maskFlows(t.Finish.Flows), Exchanges: m.exchanges(t.Finish.Exchanges, nil)}
	}
	m.look(&out)
	m.scrub(out.Exchanges)
	if out.Finish != nil {
		m.scrub(out.Finish.Exchanges)
	}
	out.Guarantee = m.guarantee(t.Guarantee)
	if len(m.shown) == 0 {
		out.Guarantee.Alpha, out.Guarantee.MinShare = 1, 1 // nothing is said of what nobody answers for
	}
	out.Changes = slices.DeleteFunc(slices.Clone(t.Changes), func(c RouteChange) bool { return m.hides(c.TTL) })
	out.MTUs = m.mtus(t.MTUs)
	out.Annotations, out.DataSets = m.annotations(t)
	out.rebuild(endsOf(t))
	out.Graph.keepBalancers(&t.Graph)
	return &out
}

// mask is what is to be hidden, and what stays.
type mask struct {
	hops    int
	refused map[int]bool // flows that a hidden router refused, by ID
	// hidden are addresses that must not show, shown those that answer in what
	// stays, and beside those of them that hidden hops lead to.
	hidden, shown, beside map[netip.Addr]bool
	destinations          map[netip.Addr]bool
}

func newMask(t *Trace, hops int) *mask {
	m := &mask{
		refused: make(map[int]bool), destinations: map[netip.Addr]bool{t.Destination.Address: true},
		hidden: make(map[netip.Addr]bool), shown: make(map[netip.Addr]bool), beside: make(map[netip.Addr]bool),
	}
	for i := range t.Flows {
		m.destinations[t.Flows[i].Destination] = true
	}
	m.hops = min(hops, m.nearest(t)-1)
	for i := range t.Graph.Walks {
		w := &t.Graph.Walks[i]
		m.refused[w.Flow.ID] = w.End == EndUnreachable && w.Distance() <= m.hops
	}
	m.hidden[t.VantagePoint.Address] = true
	m.learn(t.Exchanges, m.refused)
	m.learn(t.finishExchanges(), nil) // its flows have IDs of their own
	return m
}

// learn takes in who answered from within the hidden hops, and as whom NATs
// have sent the probes on.
func (m *mask) learn(all []Exchange, refused map[int]bool) {
	for i := range all {
		e := &all[i]
		if e.Reply.Kind.Answered() && (m.hides(e.TTL) || m.fromHidden(e, refused[e.Flow])) {
			m.hidden[e.Reply.Address] = true
		}
		if q := e.Reply.Quote; q != nil && q.Source.IsValid() {
			m.hidden[q.Source.Addr()] = true
		}
	}
}

func (t *Trace) finishExchanges() []Exchange {
	if t.Finish == nil {
		return nil
	}
	return t.Finish.Exchanges
}

// nearest returns the lowest TTL that the destination answered at, or one above
// all where it did not.
func (m *mask) nearest(t *Trace) int {
	best := mostMasked + 1
	for i := range t.Graph.Walks {
		if w := &t.Graph.Walks[i]; w.Reached() {
			best = min(best, w.Distance())
		}
	}
	if w, ok := t.Finish.Walk(max(1, t.Config.FirstTTL)); ok {
		best = min(best, w.Distance())
	}
	for _, all := range [][]Exchange{t.Exchanges, t.finishExchanges()} {
		for i := range all {
			if e := &all[i]; e.Reply.Kind.Answered() && m.destinations[e.Reply.Address] {
				best = min(best, int(e.TTL))
			}
		}
	}
	return best
}

func (m *mask) hides(ttl uint8) bool { return int(ttl) <= m.hops }

// exchanges returns those that stay, without what they say of the source.
func (m *mask) exchanges(all []Exchange, refused map[int]bool) []Exchange {
	var out []Exchange
	for _, e := range all {
		if m.hides(e.TTL) || m.fromHidden(&e, refused[e.Flow]) {
			continue
		}
		// Where the source was changed, and into what, is the vantage point's.
		e.Reply.Quote = nil
		if e.Err != nil {
			e.Err = errors.New("not sent; the reason is hidden")
		}
		out = append(out, e)
	}
	return out
}

// fromHidden reports whether a hidden router sent the reply to a probe that was
// to go further: it refused the flow, or is known from a lower TTL, or the
// quote tells how far the probe came.
func (m *mask) fromHidden(e *Exchange, refused bool) bool {
	r := &e.Reply
	if !r.Kind.Ends() || m.destinations[r.Address] {
		return false
	}
	return refused || m.hidden[r.Address] || e.quoted(0) && e.distance(0) <= m.hops
}

// look takes in who is still seen.
func (m *mask) look(t *Trace) {
	for _, all := range [][]Exchange{t.Exchanges, t.finishExchanges()} {
		for i := range all {
			if e := &all[i]; e.Reply.Kind.Answered() {
				m.shown[e.Reply.Address] = true
				if int(e.TTL) == m.hops+1 && !m.destinations[e.Reply.Address] {
					m.beside[e.Reply.Address] = true
				}
			}
		}
	}
	for a := range m.hidden {
		if m.shown[a] || m.destinations[a] {
			delete(m.hidden, a)
		}
	}
}

// scrub takes out of interfaces what names a hidden neighbour: the address and
// the name of those that lead to one, and hidden addresses wherever they are.
func (m *mask) scrub(exchanges []Exchange) {
	for i := range exchanges {
		r := &exchanges[i].Reply
		if len(r.Interfaces) == 0 {
			continue
		}
		r.Interfaces = slices.Clone(r.Interfaces)
		for j := range r.Interfaces {
			x := &r.Interfaces[j]
			leads := m.beside[r.Address] && (x.Role == IncomingInterface || x.Role == IncomingSubInterface)
			if leads || m.hidden[x.Address] {
				x.Address = netip.Addr{}
			}
			if leads || m.named(x.Name) {
				x.Name = ""
			}
		}
	}
}

// named reports whether a text has a hidden address in it.
func (m *mask) named(text string) bool {
	for a := range m.hidden {
		if text != "" && a.IsValid() && strings.Contains(text, a.String()) {
			return true
		}
	}
	return false
}

// guarantee leaves out what is said of hidden TTLs.
func (m *mask) guarantee(g Guarantee) Guarantee {
	g.LimitedHops = slices.DeleteFunc(slices.Clone(g.LimitedHops), m.hides)
	g.RateLimited = slices.DeleteFunc(slices.Clone(g.RateLimited), m.hides)
	share := func(h HopShare) bool { return m.hides(h.TTL) }
	g.Short = slices.DeleteFunc(slices.Clone(g.Short), share)
	if before := len(g.Hops); before > 0 {
		if g.Hops = slices.DeleteFunc(slices.Clone(g.Hops), share); len(g.Hops) < before {
			g.MinShare = 0
			for _, h := range g.Hops {
				g.MinShare = max(g.MinShare, h.MinShare)
			}
			if len(g.Hops) == 0 {
				g.MinShare = 1
			}
		}
	}
	return g
}

// mtus leaves out paths that were measured within the hidden hops, and who sets
// a limit there.
func (m *mask) mtus(all []PathMTU) []PathMTU {
	out := slices.DeleteFunc(slices.Clone(all), func(p PathMTU) bool { return m.hides(p.TTL) })
	for i := range out {
		p := &out[i]
		if p.LimitTTL == 0 && !m.shown[p.Limit] || p.LimitTTL > 0 && m.hides(p.LimitTTL) {
			p.Limit, p.LimitTTL = netip.Addr{}, 0
		}
	}
	return out
}

// annotations leaves those of addresses that are still there, and the data sets
// that they name.
func (m *mask) annotations(t *Trace) (Annotations, []DataSet) {
	all := slices.DeleteFunc(slices.Clone(t.Annotations), func(a Annotation) bool {
		return !m.shown[a.Address] && !m.destinations[a.Address]
	})
	used := make(map[string]bool)
	for i := range all {
		a := &all[i]
		used[a.Hostname.Source], used[a.Origin.Source], used[a.Place.Source], used[a.Port.Source] = true, true, true, true
	}
	return all, slices.DeleteFunc(slices.Clone(t.DataSets), func(d DataSet) bool { return !used[d.Name] })
}

func maskFlows(flows []Flow) []Flow {
	out := slices.Clone(flows)
	for i := range out {
		out[i].Source = unspecified(out[i].Destination)
	}
	return out
}

// unspecified returns the address of none, of the family of another.
func unspecified(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// endsOf returns why flows were followed no further.
func endsOf(t *Trace) map[int]End {
	ends := make(map[int]End, len(t.Graph.Walks))
	for i := range t.Graph.Walks {
		ends[t.Graph.Walks[i].Flow.ID] = t.Graph.Walks[i].End
	}
	return ends
}

// keepBalancers takes over what another graph of the same network knows of how
// its balancers choose, which the exchanges do not tell.
func (g *Graph) keepBalancers(other *Graph) {
	nodes := make(map[string]*Node, len(other.Nodes))
	for i := range other.Nodes {
		nodes[other.Nodes[i].ID] = &other.Nodes[i]
	}
	known := make(map[place]Balancer)
	for i := range other.Diamonds {
		if n := nodes[other.Diamonds[i].Divergence]; n != nil && n.IsValid() {
			known[place{int(n.TTL), n.Responder}] = other.Diamonds[i].Balancer
		}
	}
	at := make(map[string]place, len(g.Nodes))
	for i := range g.Nodes {
		at[g.Nodes[i].ID] = place{int(g.Nodes[i].TTL), g.Nodes[i].Responder}
	}
	for i := range g.Diamonds {
		if b, ok := known[at[g.Diamonds[i].Divergence]]; ok {
			g.Diamonds[i].Balancer = b
		}
	}
}

// MaskStats returns what was measured since of the paths of the whole trace as
// the masked trace t shows them: without the hidden hops. What two paths measured
// that differ only in these stays apart.
func (t *Trace) MaskStats(stats []PathStats) []PathStats {
	paths := make(map[int]*Path)
	for i := range t.Graph.Paths {
		for _, flow := range t.Graph.Paths[i].Flows {
			paths[flow] = &t.Graph.Paths[i]
		}
	}
	var out []PathStats
	for _, s := range stats {
		p := paths[s.Flows[0]]
		if p == nil {
			continue
		}
		s.Path = p.ID
		s.Hops = slices.DeleteFunc(slices.Clone(s.Hops), func(h HopStats) bool { return int(h.TTL) <= t.Config.Masked })
		for i := range s.Hops {
			s.Hops[i].Node = ""
			if i < len(p.Nodes) {
				s.Hops[i].Node = p.Nodes[i]
			}
		}
		out = append(out, s)
	}
	return out
}
