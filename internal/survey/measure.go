// SPDX-License-Identifier: BSD-3-Clause

package survey

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"traceflow"
	"traceflow/discover"
)

// lane is the way of one target through the gate.
type lane struct {
	*Survey
	target int
}

// Probe implements discover.Prober.
func (l lane) Probe(ctx context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error) {
	places := make([]place, len(probes))
	x := &l.states[l.target]
	memory := x.memory // written by nobody while this target is measured
	for i, p := range probes {
		places[i] = placeOf(memory, p.Flow.ID, p.TTL)
	}
	c := &call{ctx: ctx, prober: l.targets[l.target].Prober, probes: probes, places: places}
	if len(probes) > 0 && !probes[0].Patient { // not the scout, which goes ahead
		c.kept = l.keep(l.target)
	}
	return l.gate.probe(c)
}

// placeOf returns who will answer, judged by the pass before.
func placeOf(memory map[spot]traceflow.Reply, flow int, ttl uint8) place {
	r, asked := memory[spot{flow, ttl}]
	switch {
	case !asked:
		return place{ttl: ttl}
	case r.Kind == traceflow.NoReply:
		return place{} // silence costs nobody anything
	}
	return place{router: r.Address}
}

// measure makes one pass of a target. The trace is nil if nothing was sent.
func (s *Survey) measure(ctx context.Context, target, pass int) (*traceflow.Trace, error) {
	t := &s.targets[target]
	trace := t.Trace
	trace.Started = time.Now()
	// Where flows follow from the width, the first pass finds it: what it shows may
	// take more flows, and those may show more.
	flows := slices.Clone(s.states[target].flows)
	r, err := s.follow(ctx, target, flows)
	for err == nil && pass == 1 {
		g := traceflow.NewGraph(toOne(trace.Destination.Address, slices.Clone(r.Walks)), r.Exchanges)
		more := s.grow(target, widthOf(&g))
		if len(more) == 0 {
			break
		}
		var also discover.Result
		also, err = s.follow(ctx, target, more)
		flows = append(flows, more...)
		r.Walks, r.Exchanges = append(r.Walks, also.Walks...), append(r.Exchanges, also.Exchanges...)
	}
	if len(r.Exchanges) == 0 {
		return nil, err
	}
	fill(&trace, flows, &r, err)
	if err == nil && t.MTU != nil {
		m := *t.MTU
		m.Walks = onePerPath(&trace.Graph)
		if trace.MTUs, err = m.Discover(ctx, lane{s, target}); err != nil {
			trace.Complete, trace.StopReason = false, traceflow.StopCancelled
		}
	}
	trace.Ended = time.Now()
	s.remember(target, r.Exchanges)
	s.learn(len(flows), len(r.Exchanges))
	return &trace, err
}

// toOne has one destination stand for those of flows that go elsewhere: what answers
// there is no next hop more.
func toOne(destination netip.Addr, walks []traceflow.Walk) []traceflow.Walk {
	for i := range walks {
		if w := &walks[i]; w.Flow.Destination != destination {
			w.Alias = destination
		}
	}
	return walks
}

// follow follows flows to their ends.
func (s *Survey) follow(ctx context.Context, target int, flows []traceflow.Flow) (discover.Result, error) {
	t := &s.targets[target]
	c := &t.Trace.Config
	return discover.Fixed{Flows: flows, FirstTTL: c.FirstTTL, MaxTTL: c.MaxTTL, Ends: t.Ends}.Discover(ctx, lane{s, target})
}

// fill makes a trace of what was found out.
func fill(t *traceflow.Trace, flows []traceflow.Flow, r *discover.Result, err error) {
	toOne(t.Destination.Address, r.Walks)
	t.Flows, t.Config.Paths = flows, len(flows)
	t.Exchanges = r.Exchanges
	t.Complete, t.StopReason = err == nil, r.StopReason
	if err != nil {
		t.StopReason = traceflow.StopCancelled
	}
	t.Guarantee = discover.Guarantee(r.Walks, t.Config.Confidence)
	t.Graph = traceflow.NewGraph(r.Walks, r.Exchanges)
	addTo(&t.Stats, r.Exchanges)
}

// onePerPath returns for each path the walk that was answered farthest.
func onePerPath(g *traceflow.Graph) []traceflow.Walk {
	best := make(map[int]traceflow.Walk)
	for i := range g.Walks {
		w := g.Walks[i]
		if b, ok := best[w.Path]; w.Path != 0 && (!ok || w.LastAnswered() > b.LastAnswered()) {
			best[w.Path] = w
		}
	}
	var walks []traceflow.Walk
	for _, p := range g.Paths {
		if w, ok := best[p.ID]; ok {
			walks = append(walks, w)
		}
	}
	return walks
}

// remember keeps who has answered, for the order of the next pass.
func (s *Survey) remember(target int, exchanges []traceflow.Exchange) {
	memory := make(map[spot]traceflow.Reply, len(exchanges))
	for i := range exchanges {
		e := &exchanges[i]
		at := spot{e.Flow, e.TTL}
		if e.Reply.Kind != traceflow.NoReply || memory[at].Kind == traceflow.NoReply {
			memory[at] = traceflow.Reply{Kind: e.Reply.Kind, Address: e.Reply.Address}
		}
	}
	s.states[target].memory = memory
}
