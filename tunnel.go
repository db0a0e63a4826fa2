// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"cmp"
	"net/netip"
	"slices"
)

// TunnelKind is how much of an MPLS tunnel can be seen (Donnet et al.,
// "Revealing MPLS tunnels obscured from traceroute", CCR 2012).
type TunnelKind string

// The kinds.
const (
	ExplicitTunnel  TunnelKind = "explicit"  // its routers answer and show their labels
	ImplicitTunnel  TunnelKind = "implicit"  // its routers answer, without labels
	OpaqueTunnel    TunnelKind = "opaque"    // only its last router answers, with a label
	InvisibleTunnel TunnelKind = "invisible" // no router in it answers
)

// TunnelEvidence is what gives a tunnel away.
type TunnelEvidence string

// The kinds of evidence.
const (
	ShownLabels      TunnelEvidence = "labels"            // label stacks in the replies
	RisingQuotedTTL  TunnelEvidence = "quoted-ttl"        // quoted TTLs of 2, 3, … at consecutive hops
	ShownLabelTTL    TunnelEvidence = "label-ttl"         // a label whose TTL has counted down from 255
	LongerReturn     TunnelEvidence = "return-length"     // the way back is longer by 3 hops or more from there on
	DuplicateAddress TunnelEvidence = "duplicate-address" // one address at two consecutive TTLs
)

// Tunnel is an MPLS tunnel, or what looks like one, as Evidence says: a longer
// way back and a duplicate address are signs, the others are proof.
type Tunnel struct {
	Kind     TunnelKind
	Evidence TunnelEvidence
	// From and To are the lowest and the highest TTL that show it. What is hidden
	// lies before the node at To.
	From, To uint8
	// Addresses are those that answered there, in the order of TTL and address.
	Addresses []netip.Addr
	// Hidden is an estimate of how many routers do not show at all; 0 when none
	// does, or nobody can say.
	Hidden int
	// LabelTTL is that of the label that ShownLabelTTL is about.
	LabelTTL uint8
	// QuotedFrom and QuotedTo are the quoted TTLs at From and To, for
	// RisingQuotedTTL.
	QuotedFrom, QuotedTo uint8
	Flows                int // that went through it
}

// Signs of less than this many hops are not believed: routes are asymmetric
// without any tunnel.
const longerReturn = 3

// Opaque tunnels count down from 255; what is further from it than paths are
// long began elsewhere.
const longestTunnel = 63

// station is a node of a path with what its replies say.
type station struct {
	ttl      int
	address  netip.Addr // invalid for a silent hop
	labelled bool
	labelTTL int // of the top label; 0 when the replies differ
	quotes   int
	quoted   int  // quoted TTL; 0 when they differ or there is none
	transit  bool // nothing but time exceeded was answered
	print    *Fingerprint
	farthest int // the highest TTL at which the address answered
}

// findTunnels goes along each path.
func (t *Trace) findTunnels(tracks []track) []Tunnel {
	stations := readStations(tracks)
	nodes := make(map[string]*Node, len(t.Graph.Nodes))
	for i := range t.Graph.Nodes {
		nodes[t.Graph.Nodes[i].ID] = &t.Graph.Nodes[i]
	}
	twice := t.repeated(stations, nodes)
	var m tunnelMerger
	for _, p := range t.Graph.Paths {
		way := make([]*station, len(p.Nodes))
		for i, id := range p.Nodes {
			n := nodes[id]
			if way[i] = stations[place{int(n.TTL), n.Responder}]; way[i] == nil {
				way[i] = &station{ttl: int(n.TTL)}
			}
		}
		for at := 0; at < len(way); at++ {
			switch {
			case way[at].labelled:
				at = m.labelled(way, at, len(p.Flows))
			case way[at].quoted > 1:
				at = m.rising(way, at, len(p.Flows))
			case twice[p.Nodes[at]] && at+1 < len(way) && way[at+1].address == way[at].address:
				m.add(way, at, at+1, Tunnel{Kind: InvisibleTunnel, Evidence: DuplicateAddress, Flows: len(p.Flows)})
				at++
			}
		}
		m.longer(way, len(p.Flows))
	}
	return m.tunnels()
}

// readStations adds up what was answered at each place.
func readStations(tracks []track) map[place]*station {
	prints := fingerprints(tracks)
	out := make(map[place]*station)
	farthest := make(map[netip.Addr]int)
	for i := range tracks {
		for _, s := range tracks[i].sights {
			p := place{s.ttl, s.who}
			x := out[p]
			if x == nil {
				x = &station{ttl: p.ttl, address: p.Address, print: prints[p], transit: true}
				out[p] = x
				farthest[p.Address] = max(farthest[p.Address], p.ttl)
			}
			x.transit = x.transit && s.reply.Kind == TimeExceeded
			if s.quotes() {
				if q := max(0, s.quoted()); x.quotes == 0 || x.quoted == q {
					x.quoted = q
				} else {
					x.quoted = 0
				}
				x.quotes++
			}
			if len(s.reply.MPLS) > 0 {
				if top := int(s.reply.MPLS[0].TTL); !x.labelled || x.labelTTL == top {
					x.labelTTL = top
				} else {
					x.labelTTL = 0
				}
				x.labelled = true
			}
		}
	}
	for p, x := range out {
		x.farthest = farthest[p.Address]
	}
	return out
}

// tunnelMerger makes one of what several paths show.
type tunnelMerger struct{ found []mergedTunnel }

// mergedTunnel is a tunnel between two nodes, which may be balanced inside.
type mergedTunnel struct {
	Tunnel
	before, after netip.Addr
	inside        []place
}

// add takes in a tunnel whose signs are the stations from to to of a path.
func (m *tunnelMerger) add(way []*station, from, to int, t Tunnel) {
	x := mergedTunnel{Tunnel: t}
	x.From, x.To = uint8(way[from].ttl), uint8(way[to].ttl)
	if from > 0 {
		x.before = way[from-1].address
	}
	if to+1 < len(way) {
		x.after = way[to+1].address
	}
	for _, s := range way[from : to+1] {
		if s.address.IsValid() {
			x.inside = append(x.inside, place{s.ttl, Responder{Address: s.address}})
		}
	}
	at := slices.IndexFunc(m.found, func(o mergedTunnel) bool {
		return o.Kind == x.Kind && o.Evidence == x.Evidence && o.From == x.From && o.To == x.To &&
			o.before == x.before && o.after == x.after
	})
	if at < 0 {
		m.found = append(m.found, x)
		return
	}
	o := &m.found[at]
	o.Flows += x.Flows
	o.Hidden = min(o.Hidden, x.Hidden)
	o.LabelTTL = max(o.LabelTTL, x.LabelTTL)
	for _, p := range x.inside {
		if !slices.Contains(o.inside, p) {
			o.inside = append(o.inside, p)
		}
	}
}

// labelled takes in the tunnel that shows its labels at station at, and returns
// its last one. Silence between two that show labels is part of it.
func (m *tunnelMerger) labelled(way []*station, at, flows int) int {
	last := at
	for i := at + 1; i < len(way) && (way[i].labelled || !way[i].address.IsValid()); i++ {
		if way[i].labelled {
			last = i
		}
	}
	t := Tunnel{Kind: ExplicitTunnel, Evidence: ShownLabels, Flows: flows}
	if hidden := 255 - way[at].labelTTL; last == at && hidden > 0 && hidden <= longestTunnel {
		t = Tunnel{Kind: OpaqueTunnel, Evidence: ShownLabelTTL, Flows: flows, Hidden: hidden, LabelTTL: uint8(way[at].labelTTL)}
	}
	m.add(way, at, last, t)
	return last
}

// rising takes in the tunnel whose quoted TTLs rise from 2 on: inside, only the
// labels' TTLs count down. It returns the last station that was looked at.
func (m *tunnelMerger) rising(way []*station, at, flows int) int {
	silent := 0 // hops before that may have quoted less
	for i := at - 1; i >= 0 && !way[i].address.IsValid(); i-- {
		silent++
	}
	last, answered := at, 1
	for i := at + 1; i < len(way); i++ {
		if !way[i].address.IsValid() {
			continue
		}
		if way[i].labelled || way[i].quoted-way[at].quoted != way[i].ttl-way[at].ttl {
			break
		}
		last, answered = i, answered+1
	}
	if way[at].quoted-2 <= silent && answered > 1 {
		m.add(way, at, last, Tunnel{
			Kind: ImplicitTunnel, Evidence: RisingQuotedTTL, Flows: flows,
			QuotedFrom: uint8(way[at].quoted), QuotedTo: uint8(way[last].quoted),
		})
	}
	return last
}

// longer takes in where the way back gets longer by several hops than the way
// there, and stays so: its last part is hidden in a tunnel (Vanaubel et al.,
// "Through the wormhole: tracking invisible MPLS tunnels", IMC 2017). Where
// ways of different lengths lead to a node, it may be that the longest is the
// way back.
func (m *tunnelMerger) longer(way []*station, flows int) {
	var seen []*station // whose way back is known
	var at []int
	for i, s := range way {
		if s.print != nil {
			seen, at = append(seen, s), append(at, i)
		}
	}
	for n := 1; n < len(seen)-1; n++ {
		s, previous := seen[n], seen[n-1]
		// Routers inside a tunnel answer by way of its end.
		if s.labelled || previous.labelled || s.quoted > 1 || previous.quoted > 1 || !s.transit {
			continue
		}
		base, least := previous.print.Asymmetry.Max, s.print.ReturnLength.Min-s.farthest
		for _, before := range seen[:n] {
			base = max(base, before.print.Asymmetry.Max)
		}
		jump := least - base
		for _, behind := range seen[n:] {
			least = min(least, behind.print.ReturnLength.Min-behind.farthest)
		}
		if least-base >= longerReturn {
			m.add(way, at[n], at[n], Tunnel{Kind: InvisibleTunnel, Evidence: LongerReturn, Flows: flows, Hidden: jump})
		}
	}
}

// Fewer flows than this prove nothing: a balancer may spread them over ways of
// different lengths packet by packet.
const fewestRepeats = 4

// repeated finds the nodes that answer again at the next TTL, for all flows,
// though no packet had a TTL of 0: the router before them, the end of a tunnel,
// does not decrement the TTL of what comes out of it.
func (t *Trace) repeated(stations map[place]*station, nodes map[string]*Node) map[string]bool {
	for i := range t.Graph.Diamonds {
		if t.Graph.Diamonds[i].Balancer == BalancerPerPacket {
			return nil
		}
	}
	next, previous := make(map[string][]*Link), make(map[string][]*Link)
	for i := range t.Graph.Links {
		l := &t.Graph.Links[i]
		next[l.From], previous[l.To] = append(next[l.From], l), append(previous[l.To], l)
	}
	places := make(map[netip.Addr]int)
	for i := range t.Graph.Nodes {
		places[t.Graph.Nodes[i].Address]++
	}
	out := make(map[string]bool)
	for i := range t.Graph.Links {
		l := &t.Graph.Links[i]
		from, to := nodes[l.From], nodes[l.To]
		a, b := stations[place{int(from.TTL), from.Responder}], stations[place{int(to.TTL), to.Responder}]
		if a == nil || b == nil || from.Address != to.Address || places[from.Address] != 2 ||
			len(next[l.From]) != 1 || len(previous[l.To]) != 1 || l.Inferred || l.Flows < fewestRepeats {
			continue
		}
		if a.transit && b.transit && a.quoted == 1 && b.quoted == 1 {
			out[l.From] = true
		}
	}
	return out
}

// tunnels returns what was found, nearest first.
func (m *tunnelMerger) tunnels() []Tunnel {
	out := make([]Tunnel, 0, len(m.found))
	for _, x := range m.found {
		slices.SortFunc(x.inside, func(a, b place) int { return cmp.Or(a.ttl-b.ttl, a.Compare(b.Responder)) })
		for _, p := range x.inside {
			x.Addresses = append(x.Addresses, p.Address)
		}
		out = append(out, x.Tunnel)
	}
	slices.SortStableFunc(out, func(a, b Tunnel) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Kind, b.Kind), slices.CompareFunc(a.Addresses, b.Addresses, netip.Addr.Compare))
	})
	return out
}
