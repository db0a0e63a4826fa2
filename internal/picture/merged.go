// SPDX-License-Identifier: BSD-3-Clause

package picture

// addFlows adds the flows of both results. A flow of both has the ID that it has
// after.
func (m *merger) addFlows(d *Drawing) {
	d.Flows = append(d.Flows, m.after.Flows...)
	next := 1
	for _, f := range m.after.Flows {
		next = max(next, f.ID+1)
	}
	for _, f := range m.before.Flows {
		if _, ok := m.after.flows[f.tuple()]; !ok {
			f.ID = next
			next++
			d.Flows = append(d.Flows, f)
		}
	}
}

// addNodes adds the nodes of both. A destination that nobody reached is left out
// where one result has it: the other shows what became of it.
func (m *merger) addNodes(d *Drawing) {
	m.addNodesOf(d, m.after, m.before, New)
	m.addNodesOf(d, m.before, m.after, Gone)
	last := 0
	for i := range d.Nodes {
		if n := &d.Nodes[i]; !n.Unreached {
			last = max(last, n.TTL)
		}
	}
	for i := range d.Nodes {
		if n := &d.Nodes[i]; n.Unreached {
			n.TTL = max(n.TTL, last+1)
		}
	}
}

func (m *merger) addNodesOf(d *Drawing, s, other *side, alone Status) {
	onPath := make(map[string]bool)
	for i := range s.Paths {
		for _, id := range s.Paths[i].Nodes {
			onPath[id] = true
		}
	}
	for i := range s.Nodes {
		n := s.Nodes[i]
		_, shown := s.onWay[n.ID]
		_, filled := other.onWay[n.ID]
		theirs := other.nodes[n.ID]
		switch {
		case n.Kind == Silent && onPath[n.ID] && !shown && !filled:
			continue // somebody answers in its place
		case theirs != nil && alone == Gone:
			continue // is there already
		case n.Unreached && theirs == nil:
			continue
		}
		if flows := s.onWay[n.ID]; onPath[n.ID] && flows != n.Flows {
			n.Flows, n.Share = flows, part(flows, s.atTTL[n.TTL])
		}
		switch stray := !onPath[n.ID] && n.Kind != Destination && n.Kind != Source; {
		case theirs != nil:
			n.Before = theirs.past()
			if flows := other.onWay[n.ID]; filled && flows != n.Before.Flows {
				n.Before.Flows, n.Before.Share = flows, part(flows, other.atTTL[n.TTL])
			}
		case stray, filled, s.covered[n.ID]:
			// A stray is one that a packet met on nobody's path: that it is not met
			// again is chance.
			n = n.unseenIn(other, alone)
		default:
			n.Status = alone
		}
		d.Nodes = append(d.Nodes, n)
	}
}

func (n *Node) past() *Past {
	return &Past{Flows: n.Flows, Share: n.Share, Sent: n.Sent, Replies: n.Replies, RTT: n.RTT}
}

// unseenIn describes a node that did not answer in the other result, which came
// before or after this one, though it may well be there: its packets are not known.
func (n Node) unseenIn(other *side, alone Status) Node {
	flows := other.onWay[n.ID]
	unseen := &Past{Flows: flows, Share: part(flows, other.atTTL[n.TTL])}
	if alone == New {
		n.Before = unseen
		return n
	}
	past := n.past()
	n.Flows, n.Share, n.Sent, n.Replies, n.RTT = unseen.Flows, unseen.Share, 0, 0, RTT{}
	n.Verdict, n.Ends, n.Before = "", nil, past
	return n
}

// addLinks adds the links of both.
func (m *merger) addLinks(d *Drawing) {
	changed := make(map[string]bool)
	for i := range d.Nodes {
		changed[d.Nodes[i].ID] = d.Nodes[i].Status != Unchanged
	}
	guessed := func(l *Link) bool { return l.Inferred && !changed[l.From] && !changed[l.To] }
	for _, key := range m.after.order {
		l := *m.after.joined[key]
		switch then := m.before.joined[key]; {
		case then != nil:
			l.Before = then.past()
			l.Inferred = l.Inferred && then.Inferred
		case m.after.hidden[key], guessed(&l):
			l.Before = &Past{Flows: m.before.passed[key]}
			l.Before.Share = part(l.Before.Flows, m.before.all)
		default:
			l.Status = New
		}
		d.addMerged(l)
	}
	for _, key := range m.before.order {
		if m.after.joined[key] != nil {
			continue
		}
		l := *m.before.joined[key]
		if m.before.hidden[key] || guessed(&l) {
			l.Before = l.past()
			l.Flows = m.after.passed[key]
			l.Share, l.Samples, l.Delta, l.Lost = part(l.Flows, m.after.all), 0, nil, 0
		} else {
			l.Status = Gone
		}
		d.addMerged(l)
	}
}

func (l *Link) past() *Past {
	return &Past{Flows: l.Flows, Share: l.Share, Delta: l.Delta, Samples: l.Samples, Lost: l.Lost}
}

// addMerged adds a link. Delays are written beside those only that have changed.
func (d *Drawing) addMerged(l Link) {
	if l.Status == Unchanged && l.Lost == 0 {
		l.Label = ""
	}
	d.Links = append(d.Links, l)
}

// addPaths adds the paths of both: those of the second result with their IDs, and
// those that are gone with new ones.
func (m *merger) addPaths(d *Drawing) {
	ids, next := make(map[tuple]int, len(d.Flows)), 1
	for _, f := range d.Flows {
		ids[f.tuple()] = f.ID
	}
	for j := range m.after.paths {
		next = max(next, m.after.paths[j].ID+1)
	}
	for j := range m.after.paths {
		p := m.after.paths[j]
		if p.ID == 0 { // lent
			p.ID = next
			next++
		}
		p.Nodes = m.after.ways[j]
		switch i := m.after.same[j]; {
		case i >= 0:
			then := &m.before.paths[i]
			p.Before = &Past{Sent: then.Sent, Replies: then.Replies, RTT: RTT{Median: then.Median}}
		case m.after.stays[j]:
			p.Before = &Past{}
		default:
			p.Status = New
		}
		d.Paths = append(d.Paths, p)
	}
	for i := range m.before.paths {
		p := m.before.paths[i]
		if j := m.before.same[i]; j >= 0 {
			then := d.Paths[j].Before
			then.Flows += len(p.Flows)
			then.Share = part(then.Flows, m.before.all)
			continue
		}
		if m.before.stays[i] {
			continue // each of its flows is on another, which agrees with it
		}
		p.ID, p.Status, p.Nodes = next, Gone, m.before.ways[i]
		next++
		for k, id := range p.Flows {
			p.Flows[k] = ids[m.before.tuples[id]]
		}
		d.Paths = append(d.Paths, p)
	}
}
