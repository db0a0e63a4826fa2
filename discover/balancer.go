// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"context"
	"net/netip"

	"traceflow"
)

// Divergence is a node that more than one next hop was seen behind.
type Divergence struct {
	TTL     uint8
	Address netip.Addr
}

// repeats is how often one flow is sent again through a divergence: two next
// hops of equal share would have shown each other with 95 % confidence.
const repeats = 6

// classifier tells kinds of balancers apart: it sends one flow again behind
// each divergence. If the answers vary, the router balances packets; if all of
// them agree with each other but not with what the flow met before, the route
// has changed.
type classifier struct {
	found   map[Divergence]traceflow.Balancer
	changes []traceflow.RouteChange
	skip    bool
}

func (c *classifier) init(s *adaptive) {
	c.found = make(map[Divergence]traceflow.Balancer)
	c.skip = s.SkipBalancers
}

// round tests the divergences that were not tested yet, all at once, and
// reports whether there is anything new to plan for.
func (c *classifier) round(ctx context.Context, s *adaptive) bool {
	if c.skip || ctx.Err() != nil || s.reason != traceflow.StopConfident {
		return false
	}
	type subject struct {
		Divergence
		row    *row
		ttl    int
		before netip.Addr
	}
	var subjects []subject
	var probes []traceflow.Probe
	for ttl := s.first; ttl < s.upTo; ttl++ {
		if s.columns[ttl+1].kinds() < 2 {
			continue
		}
		for address, n := range s.columns[ttl].nodes {
			d := Divergence{uint8(ttl), address}
			if _, done := c.found[d]; done {
				continue
			}
			r := c.through(s, ttl, n)
			if r == nil || s.sent+len(probes)+repeats > s.MaxProbes {
				continue
			}
			i := ttl + 1 - s.first
			subjects = append(subjects, subject{d, r, ttl + 1, r.walk.Hops[i].Address})
			for range repeats {
				probes = append(probes, traceflow.Probe{Flow: r.flow, TTL: uint8(ttl + 1)})
			}
		}
	}
	if len(probes) == 0 {
		return false
	}
	exchanges, err := s.prober.Probe(ctx, probes)
	s.take(exchanges)
	if err != nil {
		return false
	}
	for _, x := range subjects {
		seen := make(map[netip.Addr]int)
		for i := range exchanges {
			e := &exchanges[i]
			if e.Flow == x.row.flow.ID && int(e.TTL) == x.ttl && e.Reply.Kind.Answered() {
				seen[e.Reply.Address]++
			}
		}
		switch {
		case len(seen) == 0:
			c.found[x.Divergence] = traceflow.BalancerUnknown
		case len(seen) > 1:
			c.found[x.Divergence] = traceflow.BalancerPerPacket
		case seen[x.before] == 0:
			c.found[x.Divergence] = traceflow.BalancerUnknown
			for after := range seen {
				c.changes = append(c.changes, traceflow.RouteChange{
					Flow: x.row.flow.ID, TTL: uint8(x.ttl), Before: x.before, After: after,
				})
			}
		default:
			c.found[x.Divergence] = traceflow.BalancerPerFlow
		}
	}
	return true
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
