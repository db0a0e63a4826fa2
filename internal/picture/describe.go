// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"traceflow"
)

// sourceID is the ID of the source.
const sourceID = "source"

// describer makes a drawing of a trace.
type describer struct {
	*Drawing
	trace *traceflow.Trace
	first int               // TTL of the first column after the source's
	ids   map[string]string // by traceflow.Node.ID
	nodes map[string]int    // indices of Nodes by ID
}

// Of describes a trace. Nothing has a place yet.
func Of(t *traceflow.Trace) *Drawing {
	d := &describer{Drawing: &Drawing{}, trace: t, first: max(1, int(t.Config.FirstTTL)), ids: make(map[string]string), nodes: make(map[string]int)}
	walks := make(map[int]*traceflow.Walk, len(t.Graph.Walks))
	for i := range t.Graph.Walks {
		walks[t.Graph.Walks[i].Flow.ID] = &t.Graph.Walks[i]
	}
	d.addNodes()
	d.addPaths(walks)
	d.addLinks()
	d.addInferredEnds(walks)
	for i := range t.Flows {
		f := &t.Flows[i]
		d.Flows = append(d.Flows, Flow{f.ID, f.SourcePort, f.DestinationPort, f.Label, f.Destination, d.metBy(walks[f.ID])})
	}
	d.addAgain()
	d.measure()
	d.inherit()
	d.addFindings()
	d.addExits()
	return d.Drawing
}

func (d *describer) add(n Node) {
	d.nodes[n.ID] = len(d.Nodes)
	d.Nodes = append(d.Nodes, n)
}

func (d *describer) node(id string) *Node { return &d.Nodes[d.nodes[id]] }

func (d *describer) addNodes() {
	t := d.trace
	source := Node{
		ID: sourceID, TTL: d.first - 1, Kind: Source, Flows: len(t.Flows), Share: 1,
		Hostname: t.VantagePoint.Hostname,
	}
	if n := t.Config.Masked; n > 0 {
		source.Hidden = n
	} else {
		d.annotate(&source, t.VantagePoint.Address)
	}
	d.add(source)
	beside := silentBeside(&t.Graph)
	reached := false
	for i := range t.Graph.Nodes {
		g := &t.Graph.Nodes[i]
		n := Node{
			TTL: int(g.TTL), Kind: Router, Interface: g.Interface,
			Flows: g.Flows, Sent: g.Sent, Replies: g.Replies,
			RTT: RTT{g.RTT.Min.Microseconds(), g.RTT.Median.Microseconds(), g.RTT.P95.Microseconds(), g.RTT.Max.Microseconds()},
		}
		switch {
		case !g.IsValid():
			n.Kind = Silent
			n.ID = fmt.Sprintf("%d/*%s", g.TTL, beside[g.ID])
		default:
			n.ID = fmt.Sprintf("%d/%s", g.TTL, name(g.Responder))
			d.annotate(&n, g.Address)
		}
		if n.IXP != "" {
			n.Kind = Exchange
		}
		if g.IsValid() && g.Address == t.Destination.Address {
			n.Kind, reached = Destination, true
			if t.Destination.Name != n.Address && n.Hostname == "" {
				n.Hostname = t.Destination.Name
			}
		}
		d.ids[g.ID] = n.ID
		d.add(n)
	}
	if !reached {
		last := d.first
		for i := range d.Nodes {
			last = max(last, d.Nodes[i].TTL+1)
		}
		n := Node{ID: "unreached", TTL: last, Kind: Destination, Unreached: true}
		d.annotate(&n, t.Destination.Address)
		if t.Destination.Name != n.Address {
			n.Hostname = t.Destination.Name
		}
		d.add(n)
	}
	var flows [256]int
	for i := range d.Nodes {
		flows[d.Nodes[i].TTL] += d.Nodes[i].Flows
	}
	for i := range d.Nodes {
		if n := &d.Nodes[i]; flows[n.TTL] > 0 {
			n.Share = float64(n.Flows) / float64(flows[n.TTL])
		}
	}
}

func name(r traceflow.Responder) string {
	if r.Interface == 0 {
		return r.Address.String()
	}
	return fmt.Sprintf("%s#%d", r.Address, r.Interface)
}

// silentBeside names silent nodes by the answers on both sides, which are the
// same on all paths through them.
func silentBeside(g *traceflow.Graph) map[string]string {
	who := make(map[string]traceflow.Responder, len(g.Nodes))
	for i := range g.Nodes {
		who[g.Nodes[i].ID] = g.Nodes[i].Responder
	}
	out := make(map[string]string)
	for i := range g.Paths {
		nodes := g.Paths[i].Nodes
		before := ""
		for j, id := range nodes {
			if who[id].IsValid() {
				before = name(who[id])
				continue
			}
			after := ""
			for _, next := range nodes[j:] {
				if who[next].IsValid() {
					after = name(who[next])
					break
				}
			}
			out[id] = before + ">" + after
		}
	}
	return out
}

// annotate adds what is known of an address. On the peering LAN of an exchange
// point the owner is the member, not who announces the LAN.
func (d *describer) annotate(n *Node, address netip.Addr) {
	if !address.IsValid() || address.IsUnspecified() {
		return
	}
	a := d.trace.Annotations.Of(address)
	n.Address = address.String()
	n.Hostname = cmp.Or(a.Hostname.Name, n.Hostname)
	n.ASN, n.ASName = a.Owner()
	n.IXP, n.City, n.Country = a.Port.IXP, a.Place.City, a.Place.Country
}

// addPaths adds the paths, and to the nodes what ends there.
func (d *describer) addPaths(walks map[int]*traceflow.Walk) {
	for i := range d.trace.Graph.Paths {
		p := &d.trace.Graph.Paths[i]
		out := Path{ID: p.ID, Flows: p.Flows, Reached: p.Reached, Nodes: []string{sourceID}}
		for _, id := range p.Nodes {
			out.Nodes = append(out.Nodes, d.ids[id])
		}
		last := d.node(out.Nodes[len(out.Nodes)-1])
		if !p.Reached && last.Kind != Destination {
			for _, flow := range p.Flows {
				out.ends = endHere(out.ends, End{walks[flow].End.String(), 1})
			}
			last.endHere(out.ends)
		}
		d.Paths = append(d.Paths, out)
	}
}

// metBy returns the nodes of a flow's path that answered it.
func (d *describer) metBy(w *traceflow.Walk) []string {
	if w == nil || w.Path == 0 {
		return nil
	}
	out := slices.Clone(d.Paths[w.Path-1].Nodes)
	for i := range out[1:] {
		if i >= len(w.Hops) || !w.Hops[i].Kind.Answered() {
			out[i+1] = ""
		}
	}
	return out
}

// endHere adds what ends at a node.
func (n *Node) endHere(ends []End) {
	for _, e := range ends {
		n.Ends = endHere(n.Ends, e)
	}
}

func endHere(ends []End, e End) []End {
	at := slices.IndexFunc(ends, func(x End) bool { return x.Reason == e.Reason })
	if at < 0 {
		return append(ends, e)
	}
	ends[at].Flows += e.Flows
	return ends
}

// addLinks adds those of the graph, and those from the source.
func (d *describer) addLinks() {
	at := make(map[string]int)
	total := 0
	for i := range d.trace.Graph.Paths {
		p := &d.trace.Graph.Paths[i]
		if len(p.Nodes) == 0 {
			continue
		}
		to := d.ids[p.Nodes[0]]
		j, ok := at[to]
		if !ok {
			j = len(d.Links)
			at[to] = j
			d.Links = append(d.Links, Link{From: sourceID, To: to, Bundle: 1, Inferred: d.first > 1 || d.node(to).Kind == Silent})
		}
		d.Links[j].Flows += len(p.Flows)
		total += len(p.Flows)
	}
	for j := range d.Links {
		d.Links[j].Share = float64(d.Links[j].Flows) / float64(total)
	}
	for i := range d.trace.Graph.Links {
		l := &d.trace.Graph.Links[i]
		d.Links = append(d.Links, Link{
			From: d.ids[l.From], To: d.ids[l.To], Flows: l.Flows, Share: l.Share, Bundle: 1, Inferred: l.Inferred,
		})
	}
}

// addInferredEnds adds the last link of paths whose end none of their flows was
// answered from: it was found by another kind of probe, or the other flows leave
// no other.
func (d *describer) addInferredEnds(walks map[int]*traceflow.Walk) {
	known := make(map[ends]bool)
	for i := range d.Links {
		known[ends{d.Links[i].From, d.Links[i].To}] = true
	}
	at := make(map[ends]int)
	for i := range d.Paths {
		p := &d.Paths[i]
		n := len(p.Nodes)
		if n < 3 || d.node(p.Nodes[n-1]).Kind != Destination {
			continue
		}
		link := ends{p.Nodes[n-2], p.Nodes[n-1]}
		for _, flow := range p.Flows {
			if known[link] || walks[flow].End != traceflow.EndInferred {
				continue
			}
			j, ok := at[link]
			if !ok {
				j = len(d.Links)
				at[link] = j
				d.Links = append(d.Links, Link{From: link.from, To: link.to, Bundle: 1, Inferred: true})
			}
			d.Links[j].Flows++
			d.Links[j].Share += 1 / float64(len(d.trace.Flows))
		}
	}
}

// inherit gives silent nodes an owner where the answers on both sides have the
// same one.
func (d *describer) inherit() {
	owner := func(nodes []string) *Node {
		for _, id := range nodes {
			if n := d.node(id); n.Kind != Silent {
				return n
			}
		}
		return nil
	}
	for i := range d.Paths {
		nodes := d.Paths[i].Nodes
		back := slices.Clone(nodes)
		slices.Reverse(back)
		for j, id := range nodes {
			if d.node(id).Kind != Silent {
				continue
			}
			a, b := owner(back[len(nodes)-j:]), owner(nodes[j+1:])
			if a != nil && b != nil && a.ASN == b.ASN {
				d.node(id).ASN, d.node(id).ASName = a.ASN, a.ASName
			}
		}
	}
}
