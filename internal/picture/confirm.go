// SPDX-License-Identifier: BSD-3-Clause

package picture

// Confirm leaves those nodes and links of a merged drawing gone or new that a verdict
// calls so, and paths that have such nodes or links. All others are told as
// unchanged, and by no flow or packet in the result that did not show them. It comes
// after Merge and before Fold.
func (d *Drawing) Confirm(node func(*Node) bool, link func(*Link) bool) {
	changed := make(map[Status]map[string]bool)
	changed[Gone], changed[New] = make(map[string]bool), make(map[string]bool)
	for i := range d.Nodes {
		n := &d.Nodes[i]
		switch {
		case n.Status == Unchanged:
		case node(n):
			changed[n.Status][n.ID] = true
		default:
			n.calm()
		}
	}
	between := make(map[ends]Status)
	for i := range d.Links {
		l := &d.Links[i]
		switch {
		case l.Status == Unchanged:
		case changed[l.Status][l.From] || changed[l.Status][l.To] || link(l):
			between[ends{l.From, l.To}] = l.Status
		default:
			l.calm()
		}
	}
	for i := range d.Paths {
		p := &d.Paths[i]
		if p.Status == Unchanged {
			continue
		}
		keep := false
		for k, id := range p.Nodes {
			keep = keep || changed[p.Status][id] || k > 0 && between[ends{p.Nodes[k-1], id}] == p.Status
		}
		if !keep {
			p.calm()
		}
	}
}

func (n *Node) calm() {
	if n.Status == New {
		n.Before = &Past{}
	} else {
		n.Before = n.past()
		n.Flows, n.Share, n.Sent, n.Replies, n.RTT, n.Verdict, n.Ends = 0, 0, 0, 0, RTT{}, "", nil
	}
	n.Status = Unchanged
}

func (l *Link) calm() {
	if l.Status == New {
		l.Before = &Past{}
	} else {
		l.Before = l.past()
		l.Flows, l.Share, l.Samples, l.Delta, l.Lost = 0, 0, 0, nil, 0
	}
	if l.Status = Unchanged; l.Lost == 0 {
		l.Label = "" // as in Merge
	}
}

func (p *Path) calm() {
	if p.Status == New {
		p.Before = &Past{}
	} else {
		p.Before = &Past{Flows: len(p.Flows), Sent: p.Sent, Replies: p.Replies, RTT: RTT{Median: p.Median}}
		p.Flows, p.Sent, p.Replies, p.Median = nil, 0, 0, 0
	}
	p.Status = Unchanged
}
