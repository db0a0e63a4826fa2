// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"traceflow"
)

// Divergence is a node that more than one next hop was seen behind.
type Divergence struct {
	TTL uint8
	traceflow.Responder
}

// repeats is how often one flow is sent again through a divergence: two next
// hops of equal share would have shown each other with 95 % confidence.
const repeats = 6

// classifier tells kinds of balancers apart: it sends one flow again behind
// each divergence. If the answers vary, the router balances packets; if all of
// them agree with each other but not with what the flow met before, the route
// has changed.
type classifier struct {
	found    map[Divergence]traceflow.Balancer
	changes  []traceflow.RouteChange
	subjects []subject // of the round under way
	skip     bool
	ported   bool // the test of destinations was made
}

func (c *classifier) init(s *adaptive) {
	c.found = make(map[Divergence]traceflow.Balancer)
	c.skip = s.SkipBalancers
}

// subject is a divergence under test: one of its flows, what that met one TTL
// further on, and how often it is sent there again.
type subject struct {
	Divergence
	row    *row
	ttl    int
	before traceflow.Responder
}

// add plans the repeats for divergences that were not tested yet. Unless it is
// the last thing to do, only where the TTL has shown that it answers more than
// a burst: elsewhere tests of the statement come first.
func (c *classifier) add(s *adaptive, last bool) {
	if c.skip {
		return
	}
	for ttl := s.first; ttl < s.upTo; ttl++ {
		if s.columns[ttl+1].kinds() < 2 || !last && s.windows[ttl+1].size < 4*burst {
			continue
		}
		for n, who := range s.columns[ttl].responders() {
			d := Divergence{uint8(ttl), who}
			if _, done := c.found[d]; done {
				continue
			}
			r := c.through(s, ttl, int32(n))
			if r == nil || s.sent+len(s.probes)+s.reserved+repeats > s.MaxProbes {
				continue
			}
			// Not to be tested twice; judge says what it is.
			c.found[d] = traceflow.BalancerUnknown
			c.subjects = append(c.subjects, subject{d, r, ttl + 1, r.walk.Responder(&r.walk.Hops[ttl+1-s.first])})
			for range repeats {
				s.probes = append(s.probes, traceflow.Probe{Flow: r.flow, TTL: uint8(ttl + 1)})
			}
		}
	}
}

// judge looks at the answers to the repeats.
func (c *classifier) judge(exchanges []traceflow.Exchange) {
	for _, x := range c.subjects {
		var after traceflow.Responder
		several := false
		for i := range exchanges {
			e := &exchanges[i]
			if e.Flow != x.row.flow.ID || int(e.TTL) != x.ttl || !e.Reply.Kind.Answered() {
				continue
			}
			who := x.row.walk.Responder(&e.Reply)
			if !after.IsValid() {
				after = who
				continue
			}
			joined, same := after.Join(who)
			after, several = joined, several || !same
		}
		_, same := x.before.Join(after)
		switch {
		case !after.IsValid():
		case several:
			c.found[x.Divergence] = traceflow.BalancerPerPacket
		case !same:
			c.changes = append(c.changes, traceflow.RouteChange{
				Flow: x.row.flow.ID, TTL: uint8(x.ttl), Before: x.before.Address, After: after.Address,
			})
		default:
			c.found[x.Divergence] = traceflow.BalancerPerFlow
		}
	}
	c.subjects = nil
}

// round tests, when nothing else is to be done, the divergences that are left,
// all at once. It reports whether there may be anything new to plan for.
func (c *classifier) round(ctx context.Context, s *adaptive) (bool, error) {
	if ctx.Err() != nil || s.reason != traceflow.StopConfident {
		return false, ctx.Err()
	}
	s.probes = s.probes[:0]
	if c.add(s, true); len(s.probes) == 0 {
		return c.destinations(ctx, s), nil
	}
	return true, s.round(ctx)
}

// through returns a flow that was answered by a node with several next hops
// and by one of these, or nil.
func (c *classifier) through(s *adaptive, ttl int, node int32) *row {
	var first *row
	for _, r := range s.rows {
		if r.cells[ttl] != node || r.cells[ttl+1] < 0 {
			continue
		}
		if first == nil {
			first = r
		} else if first.cells[ttl+1] != r.cells[ttl+1] {
			return first
		}
	}
	return nil
}

// destinations looks, where flows differ in their destination, for divergences
// at which only that counts: flows to one address that differ in their source
// port, as far as they pass the divergence, all go on the same way. It reports
// whether anything was sent.
func (c *classifier) destinations(ctx context.Context, s *adaptive) bool {
	if s.Axis != VaryDestination || c.ported {
		return false
	}
	c.ported = true
	type subject struct {
		Divergence
		rows []*row
	}
	var subjects []subject
	var probes []traceflow.Probe
	tested := slices.SortedFunc(maps.Keys(c.found), func(a, b Divergence) int {
		return cmp.Or(cmp.Compare(a.TTL, b.TTL), a.Compare(b.Responder))
	})
	for _, d := range tested {
		node, ok := s.columns[d.TTL].nodes[d.Responder]
		if !ok || c.found[d] != traceflow.BalancerPerFlow {
			continue
		}
		r := c.through(s, int(d.TTL), node)
		if r == nil || s.sent+len(probes)+4*repeats > s.MaxProbes {
			continue
		}
		x := subject{Divergence: d}
		ports := newShuffle(65535-int(r.flow.SourcePort), uint64(d.TTL))
		for i := range 2 * repeats {
			n, ok := ports.at(i)
			if !ok {
				break
			}
			flow := r.flow
			flow.SourcePort += 1 + uint16(n)
			other := s.addRow(flow)
			x.rows = append(x.rows, other)
			for _, ttl := range []uint8{d.TTL, d.TTL + 1} {
				other.tries[ttl]++
				probes = append(probes, traceflow.Probe{Flow: other.flow, TTL: ttl})
			}
		}
		subjects = append(subjects, x)
	}
	if len(probes) == 0 {
		return false
	}
	exchanges, err := s.prober.Probe(ctx, probes)
	s.take(exchanges)
	s.update()
	for _, x := range subjects {
		next := make(map[int32]int)
		passed := 0
		node, ok := s.columns[x.TTL].nodes[x.Responder]
		for _, r := range x.rows {
			if ok && r.cells[x.TTL] == node && r.cells[x.TTL+1] >= 0 {
				next[r.cells[x.TTL+1]]++
				passed++
			}
		}
		switch {
		case len(next) > 1:
		case passed >= repeats:
			c.found[x.Divergence] = traceflow.BalancerPerDestination
		default:
			c.found[x.Divergence] = traceflow.BalancerUnknown
		}
	}
	return err == nil
}
