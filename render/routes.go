// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"cmp"
	"slices"

	"traceflow"
)

// evidence is what is known of the step from one node of a path to the next.
type evidence uint8

// The evidence for a step.
const (
	linkSeen     evidence = iota // a flow was answered at both ends
	linkInferred                 // Link.Inferred
	linkUnseen                   // flows of the path were answered at one end or the other: no link is claimed
	sameRouter                   // no link: the router refused one TTL further than where it stands
)

// vertex is a node as a drawing of all paths needs it.
type vertex struct {
	*traceflow.Node
	place      int // in the order of drawing: TTL, address
	next, prev []step
	silent     bool // a hop that did not answer
	asked      bool // some flow was probed there
	final      bool // the destination
	known      int  // flows of which it is known that they passed
	marks      []string
	refused    int // flows that were told that they get no further
	lost       int // flows that met silence from here to where they were given up
	beyond     int // flows that go on beyond the highest TTL
	dropped    int // flows that were not followed further, though nobody knows how they end
	loss       loss
	balancer   traceflow.Balancer

	// What the layout of the drawing sets.
	region int    // the part that it is being laid out in
	ref    string // "2a" where others have to name it
	meshed bool   // it names what it leads to
}

// step joins a vertex with the next or the previous one of a path.
type step struct {
	*vertex
	evidence evidence
}

// routes are all paths of a trace as one graph: steps go from one TTL to the
// next, and every vertex lies on a path from the first TTL.
type routes struct {
	trace    *traceflow.Trace
	vertices []*vertex
	// strangers answered a flow at a TTL where its path shows another, and are on
	// no path themselves.
	strangers []*traceflow.Node
	// all counts the flows that something was sent of.
	all int
	// unanswered flows met nothing but silence, unsent ones were not sent, and
	// ambiguous ones were not answered where paths differ.
	unanswered, unsent, ambiguous int
	// width counts vertices by TTL.
	width [256]int
	// unknown counts, by TTL, flows of which nobody knows where they passed.
	unknown [256]int
}

func newRoutes(t *traceflow.Trace) *routes {
	r := &routes{trace: t}
	byID := make(map[string]*vertex, len(t.Graph.Nodes))
	for i := range t.Graph.Nodes {
		n := &t.Graph.Nodes[i]
		byID[n.ID] = &vertex{
			Node: n, place: i, silent: !n.IsValid(), asked: n.Sent > 0 || n.IsValid(),
			final: n.Address == t.Destination.Address,
		}
	}
	for i := range t.Graph.Diamonds {
		if d := &t.Graph.Diamonds[i]; byID[d.Divergence] != nil {
			byID[d.Divergence].balancer = d.Balancer
		}
	}
	r.join(byID)
	for i := range t.Graph.Nodes {
		n := &t.Graph.Nodes[i]
		if v := byID[n.ID]; v.Flows > 0 {
			r.vertices = append(r.vertices, v)
			r.width[v.TTL]++
		} else {
			r.strangers = append(r.strangers, n)
		}
	}
	r.follow(byID)
	r.measureLoss()
	return r
}

// join makes the steps out of the paths, with the evidence of the links.
func (r *routes) join(byID map[string]*vertex) {
	type pair struct{ from, to *vertex }
	links := make(map[pair]evidence, len(r.trace.Graph.Links))
	for _, l := range r.trace.Graph.Links {
		e := linkSeen
		if l.Inferred {
			e = linkInferred
		}
		links[pair{byID[l.From], byID[l.To]}] = e
	}
	done := make(map[pair]bool, len(links))
	for i := range r.trace.Graph.Paths {
		nodes := r.trace.Graph.Paths[i].Nodes
		for j := 1; j < len(nodes); j++ {
			p := pair{byID[nodes[j-1]], byID[nodes[j]]}
			if done[p] {
				continue
			}
			done[p] = true
			e, ok := links[p]
			if !ok {
				e = linkUnseen
				if p.from.Address == p.to.Address {
					e = sameRouter
				}
			}
			p.from.next = append(p.from.next, step{p.to, e})
			p.to.prev = append(p.to.prev, step{p.from, e})
		}
	}
	inOrder := func(a, b step) int { return cmp.Compare(a.place, b.place) }
	for _, v := range byID {
		slices.SortFunc(v.next, inOrder)
		slices.SortFunc(v.prev, inOrder)
	}
}

// follow counts what became of each flow.
func (r *routes) follow(byID map[string]*vertex) {
	g := &r.trace.Graph
	for i := range g.Walks {
		w := &g.Walks[i]
		if w.Path == 0 {
			if w.End == traceflow.EndNotSent {
				r.unsent++
			}
			continue
		}
		r.all++
		if w.Ambiguous {
			r.ambiguous++
		}
		p, last := &g.Paths[w.Path-1], lastKnown(w)
		for j, id := range p.Nodes {
			v := byID[id]
			switch own := j < len(w.Hops) && w.Hops[j].Address.IsValid(); {
			case gaveUp(w) && j > last:
				// It was asked there and nobody answered: see end.
			case !w.Ambiguous, own, r.width[v.TTL] == 1:
				v.known++
			default:
				r.unknown[v.TTL]++
			}
			if j >= len(w.Hops) {
				continue
			}
			if m := refusal(w, &w.Hops[j]); m != "" && !slices.Contains(v.marks, m) {
				v.marks = append(v.marks, m)
			}
		}
		r.end(w, p, byID)
	}
}

// end notes where a flow was seen last, if that is not the destination.
func (r *routes) end(w *traceflow.Walk, p *traceflow.Path, byID map[string]*vertex) {
	n := len(p.Nodes)
	switch {
	case w.Reached():
	case refused(w):
		if n > 0 {
			byID[p.Nodes[n-1]].refused++
		}
	case gaveUp(w):
		last := lastKnown(w)
		if last < 0 || last >= n {
			r.unanswered++
			return
		}
		if v := byID[p.Nodes[last]]; w.End == traceflow.EndMaxTTL {
			v.beyond++
		} else {
			v.lost++
		}
	case !p.Reached:
		// It was not followed to an end, and nobody who took its path was.
		for ttl := int(w.First) + n; ttl < len(r.unknown); ttl++ {
			r.unknown[ttl]++
		}
		if n == 0 {
			return
		}
		if v := byID[p.Nodes[n-1]]; len(v.next) == 0 && !v.final {
			v.dropped++
		}
	}
}

// refused reports whether a flow was told that it gets no further.
func refused(w *traceflow.Walk) bool {
	return w.End == traceflow.EndUnreachable || w.End == traceflow.EndInferred && !w.Reached()
}

// gaveUp reports whether a flow was followed until nothing answered any more, or
// no TTL was left.
func gaveUp(w *traceflow.Walk) bool {
	return w.End == traceflow.EndSilent || w.End == traceflow.EndMaxTTL
}

// lastKnown returns the last hop of which it is known what the flow met there,
// or -1.
func lastKnown(w *traceflow.Walk) int {
	for i := range slices.Backward(w.Hops) {
		if w.Hops[i].Address.IsValid() {
			return i
		}
	}
	return -1
}
