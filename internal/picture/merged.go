// SPDX-License-Identifier: BSD-3-Clause

package picture

// addFlows adds the flows of both results. A flow of both has the ID that it has
// after.
func (m *merger) addFlows(d *Drawing) {
	d.Flows = append(d.Flows, m.after.Flows...)
	ids, next := make(map[Flow]int, len(d.Flows)), 1
	for _, f := range m.after.Flows {
		ids[m.after.tuple[f.ID]] = f.ID
		next = max(next, f.ID+1)
	}
	for _, f := range m.before.Flows {
		tuple := m.before.tuple[f.ID]
		if _, ok := ids[tuple]; ok {
			continue
		}
		ids[tuple] = next
		f.ID = next
		next++
		d.Flows = append(d.Flows, f)
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
	for i := range s.Drawing.Nodes {
		n := s.Drawing.Nodes[i]
		_, shown := s.onWay[n.ID]
		theirs := other.nodes[n.ID]
		_, filled := other.onWay[n.ID]
		switch {
		case onPath[n.ID] && !shown && !filled:
			continue // silent, and somebody answers in its place
		case theirs != nil && alone == Gone:
			continue // is there already
		case n.Unreached && theirs == nil:
			continue
		}
		switch {
		case theirs != nil:
			n.Before = theirs.past()
		case !onPath[n.ID] && n.Kind != Destination && n.Kind != Source:
			// One packet met it, on nobody's path: that it is not met again is chance.
			n = n.unseenIn(other, alone)
		case s.covered[n.ID] || filled:
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
	unseen := &Past{Flows: flows, Share: part(flows, other.flows())}
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
	for _, key := range m.after.order {
		l := *m.after.joined[key]
		switch then := m.before.joined[key]; {
		case then != nil:
			l.Before = then.past()
			l.Inferred = l.Inferred && then.Inferred
		case m.after.hidden[key]:
			l.Before = &Past{}
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
		if m.before.hidden[key] {
			l.Before = l.past()
			l.Flows, l.Share, l.Samples, l.Delta, l.Lost = 0, 0, 0, nil, 0
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
	ids, next := make(map[Flow]int, len(d.Flows)), 1
	for _, f := range d.Flows {
		ids[Flow{0, f.SourcePort, f.DestinationPort, f.Label}] = f.ID
	}
	at := make([]int, len(m.after.Paths))
	for j := range m.after.Paths {
		p := m.after.Paths[j]
		p.Nodes = m.after.ways[j]
		next = max(next, p.ID+1)
		if i := m.after.same[j]; i < 0 {
			p.Status = New
		} else {
			then := &m.before.Paths[i]
			p.Before = &Past{Sent: then.Sent, Replies: then.Replies, RTT: RTT{Median: then.Median}}
		}
		at[j] = len(d.Paths)
		d.Paths = append(d.Paths, p)
	}
	all := m.before.flows()
	for i := range m.before.Paths {
		p := m.before.Paths[i]
		if j := m.before.same[i]; j >= 0 {
			if then := d.Paths[at[j]].Before; then != nil {
				then.Flows += len(p.Flows)
				then.Share = part(then.Flows, all)
				continue
			}
		}
		p.ID, p.Status, p.Nodes = next, Gone, m.before.ways[i]
		next++
		flows := make([]int, 0, len(p.Flows))
		for _, id := range p.Flows {
			flows = append(flows, ids[m.before.tuple[id]])
		}
		p.Flows = flows
		d.Paths = append(d.Paths, p)
	}
}
