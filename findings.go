// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"cmp"
	"net/netip"
	"slices"
)

// Findings are what the replies of a trace give away beside its paths. They
// follow from its exchanges and its graph.
type Findings struct {
	NATs    []Translation
	Tunnels []Tunnel
	Remarks []Remark
	ZeroTTL []ZeroTTL
	// Interfaces are what routers tell of themselves. In the JSON they stand in
	// the replies.
	Interfaces []ToldInterface
}

// Findings looks for them. It finds nothing where nothing is odd: loss,
// balancing and asymmetric routes are not.
func (t *Trace) Findings() Findings {
	tracks := t.tracks()
	return Findings{
		NATs:       findNATs(tracks),
		Tunnels:    t.findTunnels(tracks),
		Remarks:    findRemarks(tracks),
		ZeroTTL:    findZeroTTL(tracks),
		Interfaces: findInterfaces(tracks),
	}
}

// Onset is where on a path something begins that quotes show from there on.
type Onset struct {
	// TTL is the lowest whose quotes show it.
	TTL uint8
	// After is the highest TTL before whose quotes do not; 0 when there is none.
	// The node there is the one that does it when it is TTL − 1; otherwise the
	// ones between, which were silent, may be.
	After uint8
	// Before is who answered at After; invalid when After is 0.
	Before netip.Addr
}

// sight is a reply at the place on the path of its flow where it belongs.
type sight struct {
	ttl   int
	sent  int // TTL of the probe: more than ttl when it went on past the end
	who   Responder
	reply *Reply
}

// quoted is the quoted TTL less what the probe had left beyond its place: 1 is
// what an ordinary one is.
func (s *sight) quoted() int { return int(s.reply.QuotedTTL) - (s.sent - s.ttl) }

// quotes reports whether the reply holds a quote whose header was seen.
func (s *sight) quotes() bool { return s.reply.Kind.Quotes() && s.reply.HeaderQuoted }

// track is all that one flow saw, in the order of distance.
type track struct {
	walk   *Walk
	sights []sight
	// spread is the first balancer of the flow that spreads packet by packet; its
	// TTL is 0 if there is none. What is changed behind it may be so at any node of
	// any branch.
	spread place
}

// blur moves an onset back to the balancer behind which nobody knows which way
// a packet took.
func (k *track) blur(o Onset) Onset {
	if k.spread.ttl > 0 && int(o.After) > k.spread.ttl {
		o.After, o.Before = uint8(k.spread.ttl), k.spread.Address
	}
	return o
}

// spreads returns where packets are spread one by one.
func (g *Graph) spreads() map[place]bool {
	divergences := make(map[string]bool)
	for i := range g.Diamonds {
		if g.Diamonds[i].Balancer == BalancerPerPacket {
			divergences[g.Diamonds[i].Divergence] = true
		}
	}
	out := make(map[place]bool)
	for i := range g.Nodes {
		if n := &g.Nodes[i]; divergences[n.ID] {
			out[place{int(n.TTL), n.Responder}] = true
		}
	}
	return out
}

// tracks places every reply of the trace.
func (t *Trace) tracks() []track {
	out := make([]track, len(t.Graph.Walks))
	byFlow := make(map[int]*track, len(out))
	who := newResponders(t.Graph.Walks)
	spreads := t.Graph.spreads()
	for i := range t.Graph.Walks {
		w := &t.Graph.Walks[i]
		out[i].walk = w
		for j := range w.Hops {
			ttl := int(w.First) + j
			if at := (place{ttl, who.At(w, ttl, &w.Hops[j])}); spreads[at] {
				out[i].spread = at
				break
			}
		}
		byFlow[out[i].walk.Flow.ID] = &out[i]
	}
	for i := range t.Exchanges {
		e := &t.Exchanges[i]
		k := byFlow[e.Flow]
		if k == nil || !e.Reply.Kind.Answered() || e.Err != nil {
			continue
		}
		if ttl, ok := k.walk.placeOf(e); ok {
			k.sights = append(k.sights, sight{ttl: ttl, sent: int(e.TTL), who: who.At(k.walk, ttl, &e.Reply), reply: &e.Reply})
		}
	}
	for i := range out {
		slices.SortStableFunc(out[i].sights, func(a, b sight) int { return cmp.Or(a.ttl-b.ttl, a.sent-b.sent) })
	}
	return out
}

// placeOf returns the TTL that an answer belongs to: that of the probe, and for
// one that went on past the end, that of the end.
func (w *Walk) placeOf(e *Exchange) (ttl int, ok bool) {
	ttl = int(e.TTL)
	switch terminal := e.Reply.Terminal(w.Flow.Destination); {
	case !w.ended():
		return ttl, !terminal
	case ttl <= w.Distance():
		return ttl, true
	default:
		return w.Distance(), terminal
	}
}

// shown is what the quotes of one TTL show.
type shown[S any] struct {
	ttl     int
	address netip.Addr
	state   S
}

// show reads something from the quotes of a track, for each TTL at which all
// that have it agree.
func show[S any](k *track, read func(*Reply) S, same func(a, b S) bool) []shown[S] {
	var out []shown[S]
	agree := true
	for i := range k.sights {
		s := &k.sights[i]
		if !s.quotes() {
			continue
		}
		state := read(s.reply)
		if n := len(out) - 1; n >= 0 && out[n].ttl == s.ttl {
			agree = agree && same(out[n].state, state)
			continue
		}
		if !agree {
			out = out[:len(out)-1]
		}
		agree = true
		out = append(out, shown[S]{s.ttl, s.who.Address, state})
	}
	if !agree {
		out = out[:len(out)-1]
	}
	return out
}

// change is a state that packets were brought into on their way, for good.
type change[S any] struct {
	Onset
	from, to S
	hops     int // TTLs whose quotes show that it was, or more
}

// changes finds where what is shown departs from how the packets were sent, and
// does not come back to it: what later quotes do not show any more is damage of
// the one who quoted it.
func changes[S any](sent S, all []shown[S], same func(a, b S) bool) []change[S] {
	stack := []change[S]{{to: sent}}
	var before shown[S]
	for _, s := range all {
		at := len(stack) - 1
		for at >= 0 && !same(stack[at].to, s.state) {
			at--
		}
		if at < 0 {
			stack = append(stack, change[S]{
				Onset: Onset{TTL: uint8(s.ttl), After: uint8(before.ttl), Before: before.address},
				from:  stack[len(stack)-1].to, to: s.state,
			})
		} else {
			stack = stack[:at+1]
		}
		for i := range stack {
			stack[i].hops++
		}
		before = s
	}
	return stack[1:]
}

// meet returns what two flows know together of where something begins, and
// whether it can be one and the same. The other is of the walk w.
func (o Onset) meet(other Onset, w *Walk) (Onset, bool) {
	out := o
	if other.After > o.After {
		out.After, out.Before = other.After, other.Before
	}
	out.TTL = min(o.TTL, other.TTL)
	if out.After >= out.TTL {
		return Onset{}, false
	}
	// Where the other flow was elsewhere, it is another one's doing.
	if at := int(out.After) - int(w.First); at >= 0 && at < len(w.Hops) {
		if a := w.at(at); a.IsValid() && a != out.Before {
			return Onset{}, false
		}
	}
	return out, true
}

// precision is how many TTLs the one who does it can be at: the fewer the
// better it is known.
func (o Onset) precision() int { return int(o.TTL) - int(o.After) }

// compare puts the nearest first, and of those the best known.
func (o Onset) compare(other Onset) int {
	return cmp.Or(cmp.Compare(o.TTL, other.TTL), cmp.Compare(other.After, o.After), o.Before.Compare(other.Before))
}
