// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"slices"

	"traceflow"
	"traceflow/internal/diff"
	"traceflow/internal/picture"
)

// confirm leaves gone and new what the comparison calls so, and nothing else: what
// merely was not met again may be chance, silence or another hash.
func (p *differencePicture) confirm() {
	gone, fresh := newCalled(p.before, p.after), newCalled(p.after, p.before)
	for _, c := range p.changes {
		if c.Severity == diff.Ignored && !c.Expected {
			continue
		}
		switch c.Kind {
		case diff.Rerouted, diff.MPLSChanged:
			gone.take(c, false)
			fresh.take(c, false)
		case diff.LinkGone, diff.WidthDown:
			gone.take(c, false)
		case diff.LinkNew, diff.WidthUp:
			fresh.take(c, false)
		case diff.Lost, diff.PartialBlackHole, diff.Filtered:
			gone.take(c, true)
		case diff.Recovered:
			fresh.take(c, true)
		default: // of flows that did not move, or that follow from one of these
		}
	}
	of := map[picture.Status]*called{picture.Gone: gone, picture.New: fresh}
	gone.spread(p.drawing, picture.Gone)
	fresh.spread(p.drawing, picture.New)
	p.drawing.Confirm(
		func(n *picture.Node) bool { return of[n.Status].nodes[n.ID] },
		func(l *picture.Link) bool { return of[l.Status].links[pictureLink{l.From, l.To}] },
	)
}

type pictureLink struct{ from, to string }

// called is what the comparison calls gone, or on the other side new.
type called struct {
	own, other map[int]*traceflow.Walk // by flow
	nodes      map[string]bool         // picture.Node.ID
	links      map[pictureLink]bool
	ways       map[int]uint8 // flows that left their way, and the TTL from which on
}

func newCalled(own, other *traceflow.Trace) *called {
	return &called{
		own: walksOf(own), other: walksOf(other), nodes: make(map[string]bool),
		links: make(map[pictureLink]bool), ways: make(map[int]uint8),
	}
}

func walksOf(t *traceflow.Trace) map[int]*traceflow.Walk {
	all := make(map[int]*traceflow.Walk, len(t.Graph.Walks))
	for i := range t.Graph.Walks {
		all[t.Graph.Walks[i].Flow.ID] = &t.Graph.Walks[i]
	}
	return all
}

// at is the node that answered a flow at a TTL; "" if none did.
func at(w *traceflow.Walk, ttl int) string {
	if w == nil || ttl < int(w.First) || ttl >= int(w.First)+len(w.Hops) || !w.Hops[ttl-int(w.First)].Kind.Answered() {
		return ""
	}
	hop := &w.Hops[ttl-int(w.First)]
	who := traceflow.Responder{Address: hop.Address, Interface: hop.IncomingIndex()}
	if w.Alias.IsValid() && who.Address == w.Flow.Destination {
		who.Address = w.Alias
	}
	return pageNode(ttl, who)
}

// take adds what a change says. Of flows that moved it is the first place where they
// were answered by somebody else; of those that end, all that is behind.
func (c *called) take(x *diff.Change, ends bool) {
	if len(x.Flows) == 0 { // packet by packet: no flow has a way of its own
		for _, w := range c.own {
			if node := at(w, int(x.TTL)); node != "" && x.Far.IsValid() && w.Hops[int(x.TTL)-int(w.First)].Address == x.Far {
				c.nodes[node] = true
			}
		}
	}
	for _, flow := range x.Flows {
		w, other := c.own[flow], c.other[flow]
		if w == nil {
			continue
		}
		last := int(w.First) + len(w.Hops)
		for ttl := max(int(x.TTL), int(w.First)); ttl < last; ttl++ {
			mine, theirs := at(w, ttl), at(other, ttl)
			if mine == "" || mine == theirs {
				continue
			}
			c.nodes[mine] = true
			c.links[pictureLink{before(w, ttl), mine}] = true
			if !ends {
				c.ways[flow] = uint8(ttl)
				break
			}
		}
	}
}

// before is the node that a flow met before a TTL.
func before(w *traceflow.Walk, ttl int) string {
	if ttl == int(w.First) {
		return "source"
	}
	return at(w, ttl-1)
}

// spread adds what lies behind: nodes that are led to by nothing else.
func (c *called) spread(d *picture.Drawing, status picture.Status) {
	onWay := make(map[string]bool)
	for flow, from := range c.ways {
		w := c.own[flow]
		for ttl := int(from); ttl < int(w.First)+len(w.Hops); ttl++ {
			onWay[at(w, ttl)] = true
		}
	}
	into := make(map[string][]string)
	for i := range d.Links {
		if l := &d.Links[i]; l.Status == status {
			into[l.To] = append(into[l.To], l.From)
		}
	}
	for i := range d.Nodes { // until nothing is added: one column a time at least
		added := false
		for j := range d.Nodes {
			n := &d.Nodes[j]
			if n.Status != status || c.nodes[n.ID] || len(into[n.ID]) == 0 || n.Kind != picture.Silent && !onWay[n.ID] {
				continue
			}
			only := true
			for _, from := range into[n.ID] {
				only = only && c.nodes[from]
			}
			if only {
				c.nodes[n.ID], added = true, true
			}
		}
		if !added || i > 255 {
			return
		}
	}
}

// confirmExits leaves those exits gone or new that the comparison calls so: relax that
// was turned off or on. What else differs is told by what moved the flows.
func (p *differencePicture) confirmExits() {
	kinds := map[picture.Status]diff.Kind{picture.Gone: diff.RelaxOff, picture.New: diff.RelaxOn}
	p.drawing.ConfirmExits(func(x *picture.Exit) bool {
		return x.Found.Class == traceflow.ExitRelax && slices.ContainsFunc(p.changes, func(c *diff.Change) bool {
			return c.Kind == kinds[x.Status] && c.Near == x.Found.Near.Address && (c.Severity != diff.Ignored || c.Expected)
		})
	})
}
