// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Node is a responder at a TTL, or a silent hop. A silent hop is a node of its
// own for each pair of neighbours, never one star for the whole graph. Two
// addresses of one router are two nodes, and so are two interfaces of one
// address, where replies tell them apart.
type Node struct {
	ID  string // "n1", "n2", … in the order of TTL, address and interface
	TTL uint8
	// Responder is who answered; invalid for a silent hop.
	Responder
	// InterfaceName is the incoming interface's, as the first reply that tells
	// one gives it; "" when none does.
	InterfaceName string
	// Flows is how many flows passed, Sent how many packets those flows sent
	// to this TTL, Replies how many of these were answered from here.
	Flows, Sent, Replies int
	// RTT summarises the replies; all zero for a silent hop.
	RTT RTTSummary
}

// RTTSummary describes the round trips of a node's replies.
type RTTSummary struct{ Min, Median, P95, Max time.Duration }

// Link joins nodes at neighbouring TTLs that one and the same flow crossed.
type Link struct {
	From, To string // Node.ID
	Flows    int    // flows that crossed it
	// Share is the part of all flows seen on links between these two TTLs that
	// crossed it, 0 to 1.
	Share float64
	// Inferred is true where one end is a silent hop: then nobody has said
	// that its other neighbour is the next router.
	Inferred bool
}

// Path is a distinct sequence of nodes. Two flows took the same path if what
// answered them agrees wherever both were answered.
type Path struct {
	ID    int   // from 1, in the order of the lowest flow ID
	Flows []int // Flow.ID, ascending
	// Reached is true if the destination answered one of the flows.
	Reached bool
	// Length is the number of hops to the destination, the destination
	// included; where it was not reached, to the last hop that answered.
	Length int
	// Nodes are the Node.IDs from the first TTL on. Silence after the last
	// answer is left out: nobody knows whether there is anything.
	Nodes []string
}

// Graph is what the exchanges of a trace say about the network.
type Graph struct {
	Walks    []Walk // one for each flow, in the order of Flow.ID
	Paths    []Path
	Nodes    []Node
	Links    []Link
	Diamonds []Diamond
}

// NewGraph merges finished walks into paths and paths into a graph. It sets
// Walk.Path. The exchanges are those that the walks were made of.
func NewGraph(walks []Walk, exchanges []Exchange) Graph {
	g := Graph{Walks: walks}
	who := newResponders(walks)
	groups := groupWalks(walks, who)
	b := builder{graph: &g, who: who, nodes: make(map[nodeKey]*Node), links: make(map[linkKey]*Link)}
	for i, group := range groups {
		b.addPath(i+1, group)
	}
	b.finish(exchanges)
	g.Diamonds = findDiamonds(&g)
	return g
}

// group is a set of walks that agree, and all that they know together.
type group struct {
	walks []*Walk
	hops  []Responder // by TTL from first; invalid where none was answered
	mute  []bool      // a router that does not answer is known to be there
	first uint8
	ended bool // hops ends where the path does
	end   End
}

// trail is a walk and who stands at each of its hops.
type trail struct {
	*Walk
	who []Responder
}

// groupWalks puts walks together that could be the same path. Agreement where
// both answered is not transitive, so the order decides: walks with the most
// answers come first, and each joins the largest group that it agrees with.
func groupWalks(walks []Walk, who *Responders) []*group {
	var order []trail
	for i := range walks {
		// A flow of which nothing was sent took no path that is known of.
		if w := &walks[i]; len(w.Hops) > 0 || w.ended() {
			order = append(order, who.trail(w))
		}
	}
	slices.SortStableFunc(order, func(a, b trail) int { return cmp.Compare(b.answers(), a.answers()) })
	var groups []*group
	for _, w := range order {
		var best *group
		for _, g := range groups {
			if g.agrees(w) && (best == nil || len(g.walks) > len(best.walks)) {
				best = g
			}
		}
		if best == nil {
			best = &group{first: w.First}
			groups = append(groups, best)
		}
		best.add(w)
	}
	for _, w := range order {
		agree := 0
		for _, g := range groups {
			if g.agrees(w) {
				agree++
			}
		}
		w.Ambiguous = agree > 1
	}
	for _, g := range groups {
		slices.SortFunc(g.walks, func(a, b *Walk) int { return cmp.Compare(a.Flow.ID, b.Flow.ID) })
	}
	slices.SortFunc(groups, func(a, b *group) int {
		return cmp.Compare(a.walks[0].Flow.ID, b.walks[0].Flow.ID)
	})
	return groups
}

func (s *Responders) trail(w *Walk) trail {
	t := trail{w, make([]Responder, len(w.Hops))}
	for i := range w.Hops {
		t.who[i] = s.hop(w, i)
	}
	return t
}

func (w *Walk) answers() int {
	n := 0
	for i := range w.Hops {
		if w.Hops[i].Kind.Answered() {
			n++
		}
	}
	return n
}

// ended reports whether the walk's last hop is where its path ends.
func (w *Walk) ended() bool {
	return w.End == EndReached || w.End == EndUnreachable || w.End == EndInferred
}

func (g *group) agrees(w trail) bool {
	switch {
	case g.ended && w.ended() && (len(g.hops) != len(w.Hops) || g.end != w.End && g.end != EndInferred && w.End != EndInferred):
		return false
	case g.ended && w.LastAnswered()-int(g.first) >= len(g.hops):
		return false
	case w.ended() && g.lastAnswered() >= len(w.Hops):
		return false
	}
	for i := range min(len(g.hops), len(w.Hops)) {
		a := w.who[i]
		if a.IsValid() && (g.mute[i] || g.hops[i].IsValid() && a != g.hops[i]) {
			return false
		}
		if w.Hops[i].Kind == Mute && g.hops[i].IsValid() {
			return false
		}
	}
	return true
}

// lastAnswered returns the index of the last hop that answered, or -1.
func (g *group) lastAnswered() int {
	for i, a := range slices.Backward(g.hops) {
		if a.IsValid() {
			return i
		}
	}
	return -1
}

func (g *group) add(w trail) {
	g.walks = append(g.walks, w.Walk)
	for i := range w.Hops {
		if i == len(g.hops) {
			if g.ended {
				break // what the walk asked beyond the end, nobody answered
			}
			g.hops, g.mute = append(g.hops, Responder{}), append(g.mute, false)
		}
		g.mute[i] = g.mute[i] || w.Hops[i].Kind == Mute
		if a := w.who[i]; a.IsValid() {
			g.hops[i] = a
		}
	}
	if w.ended() {
		g.hops, g.ended = g.hops[:len(w.Hops)], true
		if w.End != EndInferred {
			g.end = w.End
		}
	}
}

// nodeKey identifies a node: what answered at a TTL, and for a silent hop
// between which two answers it lies.
type nodeKey struct {
	ttl uint8
	Responder
	before, after Responder
}

type linkKey struct{ from, to nodeKey }

type builder struct {
	graph *Graph
	who   *Responders
	nodes map[nodeKey]*Node
	links map[linkKey]*Link
	paths [][]nodeKey // by Path.ID - 1
}

func (b *builder) addPath(id int, g *group) {
	keys := make([]nodeKey, g.lastAnswered()+1)
	var before Responder
	for i := range keys {
		key := nodeKey{ttl: g.first + uint8(i), Responder: g.hops[i]}
		if key.IsValid() {
			before = key.Responder
		} else {
			key.before = before
			after := slices.IndexFunc(g.hops[i:], Responder.IsValid)
			key.after = g.hops[i+after]
		}
		keys[i] = key
		b.node(key).Flows += len(g.walks)
	}
	path := Path{ID: id, Length: int(g.first) - 1 + len(keys)}
	if len(keys) == 0 {
		path.Length = min(path.Length, g.walks[0].Distance())
	}
	for _, w := range g.walks {
		w.Path = id
		path.Flows = append(path.Flows, w.Flow.ID)
		path.Reached = path.Reached || w.Reached()
		b.addLinks(w, keys)
	}
	b.paths = append(b.paths, keys)
	b.graph.Paths = append(b.graph.Paths, path)
}

func (b *builder) node(key nodeKey) *Node {
	n := b.nodes[key]
	if n == nil {
		n = &Node{TTL: key.ttl, Responder: key.Responder}
		b.nodes[key] = n
	}
	return n
}

// addLinks counts a walk on the links of its path. A flow is counted where it
// was itself answered at both ends; a link beside a silent hop is counted for
// every flow of the path, and is marked.
func (b *builder) addLinks(w *Walk, keys []nodeKey) {
	for i := 1; i < len(keys); i++ {
		from, to := keys[i-1], keys[i]
		inferred := !from.IsValid() || !to.IsValid() || w.varied(i-1) || w.varied(i)
		if !inferred && (i >= len(w.Hops) || !w.Hops[i].Kind.Answered() || !w.Hops[i-1].Kind.Answered()) {
			continue
		}
		if w.End == EndUnreachable && i == len(w.Hops)-1 && from.Address == to.Address {
			continue // the router that refuses is where it was one TTL before
		}
		l := b.links[linkKey{from, to}]
		if l == nil {
			l = &Link{Inferred: inferred}
			b.links[linkKey{from, to}] = l
		}
		l.Inferred = l.Inferred && inferred
		l.Flows++
	}
}

// finish adds up what was measured, names the nodes and orders everything.
func (b *builder) finish(exchanges []Exchange) {
	b.measure(exchanges)
	keys := make([]nodeKey, 0, len(b.nodes))
	for key := range b.nodes {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(x, y nodeKey) int {
		return cmp.Or(cmp.Compare(x.ttl, y.ttl), x.Compare(y.Responder),
			x.before.Compare(y.before), x.after.Compare(y.after))
	})
	for i, key := range keys {
		b.nodes[key].ID = fmt.Sprintf("n%d", i+1)
		b.graph.Nodes = append(b.graph.Nodes, *b.nodes[key])
	}
	for i, path := range b.paths {
		for _, key := range path {
			b.graph.Paths[i].Nodes = append(b.graph.Paths[i].Nodes, b.nodes[key].ID)
		}
	}
	var flows [256]int // by the TTL of the nearer end
	for key, l := range b.links {
		flows[key.from.ttl] += l.Flows
	}
	for key, l := range b.links {
		l.From, l.To = b.nodes[key.from].ID, b.nodes[key.to].ID
		l.Share = float64(l.Flows) / float64(flows[key.from.ttl])
		b.graph.Links = append(b.graph.Links, *l)
	}
	place := make(map[string]int, len(keys))
	for i := range b.graph.Nodes {
		place[b.graph.Nodes[i].ID] = i
	}
	slices.SortFunc(b.graph.Links, func(x, y Link) int {
		return cmp.Or(cmp.Compare(place[x.From], place[y.From]), cmp.Compare(place[x.To], place[y.To]))
	})
}

// compareAddress puts silent hops after the addresses.
func compareAddress(a, b netip.Addr) int {
	if a.IsValid() != b.IsValid() {
		if a.IsValid() {
			return -1
		}
		return 1
	}
	return a.Compare(b)
}

// measure adds the exchanges to the nodes on the path of their flow.
func (b *builder) measure(exchanges []Exchange) {
	walks := make(map[int]*Walk, len(b.graph.Walks))
	for i := range b.graph.Walks {
		walks[b.graph.Walks[i].Flow.ID] = &b.graph.Walks[i]
	}
	rtts := make(map[nodeKey][]time.Duration)
	for i := range exchanges {
		e := &exchanges[i]
		w := walks[e.Flow]
		if w == nil || w.Path == 0 || e.Err != nil || e.Abandoned && e.Reply.Kind == NoReply {
			continue
		}
		keys := b.paths[w.Path-1]
		at := int(e.TTL) - int(w.First)
		if w.ended() && at >= len(w.Hops) {
			at = len(w.Hops) - 1 // went as far as the path's end
		}
		if at < 0 || at >= len(keys) {
			continue
		}
		if e.Reply.Kind == NoReply && w.Ambiguous && (at >= len(w.Hops) || w.Hops[at].Kind == NoReply) {
			continue // nobody knows whose silence it is
		}
		key := keys[at]
		if other := b.who.At(w, int(w.First)+at, &e.Reply); other.IsValid() && other != key.Responder {
			// Answered by another than the flow's path shows: a router before it
			// balances per packet, or the route changed. It is a node, but on no
			// path, and no loss of the other's.
			if at < int(e.TTL)-int(w.First) && e.Reply.Kind != TimeExceeded {
				continue // refused somewhere on the way, nobody knows where
			}
			key = nodeKey{ttl: e.TTL, Responder: other}
		}
		n := b.node(key)
		n.Sent++
		if e.Reply.Kind != NoReply {
			n.Replies++
			rtts[key] = append(rtts[key], e.Reply.RTT)
			if n.InterfaceName == "" && e.Reply.Address != w.Flow.Destination {
				n.InterfaceName = e.Reply.incoming().Name
			}
		}
	}
	for key, d := range rtts {
		b.nodes[key].RTT = summarise(d)
	}
}

// summarise uses nearest-rank percentiles, so that each figure is one that
// was measured.
func summarise(d []time.Duration) RTTSummary {
	slices.Sort(d)
	return RTTSummary{Min: d[0], Median: percentile(d, 50), P95: percentile(d, 95), Max: d[len(d)-1]}
}
