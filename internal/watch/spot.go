// SPDX-License-Identifier: BSD-3-Clause

package watch

import (
	"net/netip"
	"slices"
	"strings"

	"traceflow"
)

// recent is how many round trips of each hop a snapshot has: more than any
// screen shows.
const recent = 120

// spot is a way to a TTL: the nodes of one or several paths up to it, which are
// the same.
type spot struct {
	ttl uint8
	// who answers there; invalid where nobody did yet.
	who traceflow.Responder
	// anyone is true where flows were answered by several in turn: what answers
	// there does not tell that a flow has left its path.
	anyone bool
	paths  []*path // that begin so
	next   int     // of which of them a flow is asked

	strays int        // how many packets in a row another has answered
	told   netip.Addr // who that is, once it was told

	series traceflow.Series
	fresh  bool // stats are those of the series
	stats  traceflow.HopStats
}

// path is one that is measured.
type path struct {
	stats traceflow.PathStats
	flows []*flow
	spots []*spot
	fresh bool // stats are those of the spots

	next     int  // which flow's turn it is
	silent   int  // how many packets in a row the end has not answered
	answered bool // it has answered
	dead     bool // it is said to be
	state    State
}

// maxFlows is how many flows of a path take turns. Each may cost a socket.
const maxFlows = 4

// survey finds the spots of all paths.
func survey(t *traceflow.Trace) (paths []*path, spots []*spot, flows map[int]*flow) {
	nodes := make(map[string]*traceflow.Node, len(t.Graph.Nodes))
	for i := range t.Graph.Nodes {
		nodes[t.Graph.Nodes[i].ID] = &t.Graph.Nodes[i]
	}
	flows = make(map[int]*flow)
	limited := make(map[string]bool) // by Node.ID
	for _, p := range t.PathStats() {
		for i := range p.Hops {
			limited[p.Hops[i].Node] = limited[p.Hops[i].Node] || p.Hops[i].Limited
		}
	}
	shaken := perPacket(t, nodes)
	byWay := make(map[string]*spot)
	for i := range t.Graph.Paths {
		from := &t.Graph.Paths[i]
		p := &path{stats: traceflow.PathStats{Path: from.ID, Flows: from.Flows, Reached: from.Reached}}
		for _, w := range turns(t, from.ID) {
			f := &flow{Flow: w.Flow, walk: w, path: p, strange: make(map[uint8]*stranger)}
			p.flows, flows[f.ID] = append(p.flows, f), f
		}
		p.next = max(0, len(p.flows)-1) // the first round is the first flow's
		paths = append(paths, p)
		if len(p.flows) == 0 {
			continue
		}
		for j, id := range from.Nodes {
			way := strings.Join(from.Nodes[:j+1], " ")
			s := byWay[way]
			if s == nil {
				s = &spot{ttl: nodes[id].TTL, who: nodes[id].Responder}
				s.anyone = shaken[s.ttl]
				s.stats = traceflow.HopStats{TTL: s.ttl, Node: id, Responder: s.who, Limited: limited[id]}
				byWay[way] = s
				spots = append(spots, s)
			}
			s.paths = append(s.paths, p)
			for _, f := range p.flows {
				s.anyone = s.anyone || f.varied(s.ttl)
			}
			p.spots = append(p.spots, s)
		}
	}
	return paths, spots, flows
}

// perPacket returns the TTLs where routers balance packet by packet.
func perPacket(t *traceflow.Trace, nodes map[string]*traceflow.Node) (shaken [256]bool) {
	for i := range t.Graph.Diamonds {
		if d := &t.Graph.Diamonds[i]; d.Balancer == traceflow.BalancerPerPacket {
			from := int(nodes[d.Divergence].TTL)
			for ttl := from + 1; ttl < min(from+d.Length, len(shaken)); ttl++ {
				shaken[ttl] = true
			}
		}
	}
	return shaken
}

// turns returns the walks of a path's flows that take turns: of those that are
// known to be on no other path, if there are any, those that were answered most
// often. The others are on it by inference only.
func turns(t *traceflow.Trace, id int) []*traceflow.Walk {
	var sure, unsure []*traceflow.Walk
	for i := range t.Graph.Walks {
		switch w := &t.Graph.Walks[i]; {
		case w.Path != id:
		case w.Ambiguous:
			unsure = append(unsure, w)
		default:
			sure = append(sure, w)
		}
	}
	if len(sure) == 0 {
		sure = unsure
	}
	most := 0
	for _, w := range sure {
		most = max(most, answers(w))
	}
	sure = slices.DeleteFunc(sure, func(w *traceflow.Walk) bool { return answers(w) < most })
	return sure[:min(len(sure), maxFlows)]
}

// answers is at how many TTLs a flow was answered.
func answers(w *traceflow.Walk) int {
	n := 0
	for i := range w.Hops {
		if w.Hops[i].Kind.Answered() {
			n++
		}
	}
	return n
}

// turn moves on to the flow that is asked next. One that has just met another
// address than its path's is asked again at once.
func (p *path) turn() {
	if !p.flow().doubtful() {
		p.next++
	}
}

// flow returns the flow whose turn it is.
func (p *path) flow() *flow { return p.flows[p.next%len(p.flows)] }

// turn moves on to the path that is asked next, in the same way.
func (s *spot) turn() *path {
	if p := s.paths[s.next%len(s.paths)]; !p.flow().doubts(s.ttl) {
		s.next++
	}
	return s.paths[s.next%len(s.paths)]
}

// end is the last spot of a path; nil where it has none.
func (p *path) end() *spot {
	if len(p.spots) == 0 {
		return nil
	}
	return p.spots[len(p.spots)-1]
}

// add counts a packet that was sent to a spot.
func (s *spot) add(r *traceflow.Reply) {
	if r == nil {
		s.series.Lost()
	} else {
		s.series.Answered(r.RTT)
	}
	s.fresh = false
	for _, p := range s.paths {
		p.fresh = false
	}
}

// hop sums the spot up.
func (s *spot) hop() traceflow.HopStats {
	if !s.fresh {
		s.stats.Responder, s.stats.RTTStats, s.stats.Recent = s.who, s.series.Stats(), s.series.Recent(recent)
		s.fresh = true
	}
	return s.stats
}

// sum sums the path up. What it returned before stays as it was.
func (p *path) sum() traceflow.PathStats {
	if !p.fresh {
		p.stats.Hops = make([]traceflow.HopStats, len(p.spots))
		for i, s := range p.spots {
			p.stats.Hops[i] = s.hop()
		}
		p.fresh = true
	}
	return p.stats
}
