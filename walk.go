// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"math"
	"net/netip"
	"slices"
)

// End says why a walk stops where it does.
type End uint8

// The ends. The zero value means that the flow is not finished.
const (
	EndUnknown     End = iota
	EndReached         // the destination answered
	EndUnreachable     // another address said that it cannot or will not forward
	EndSilent          // a run of TTLs without any answer
	EndMaxTTL          // the highest TTL was probed, and no end was seen
	EndNotSent         // no probe of the flow could be sent
	EndInferred        // not probed as far, but the other flows leave one possibility
)

var endNames = [...]string{
	EndUnknown: "unknown", EndReached: "reached", EndUnreachable: "unreachable",
	EndSilent: "silent", EndMaxTTL: "max-ttl", EndNotSent: "not-sent", EndInferred: "inferred",
}

// String returns the name that the JSON uses.
func (e End) String() string {
	if int(e) < len(endNames) {
		return endNames[e]
	}
	return "unknown"
}

// Walk is what one flow met, TTL by TTL. It is one flow's own evidence, before
// flows are merged into paths.
type Walk struct {
	Flow Flow
	End  End
	// First is the TTL of Hops[0]; after it come consecutive TTLs up to the end
	// or as far as was probed. A silent hop is a zero Reply; the kinds NotAsked
	// and Inferred are for TTLs that the flow was not probed at.
	First uint8
	Hops  []Reply
	end   int // TTL of the end, if it has one; below First, Hops is empty
	// Varied are the TTLs at which the flow was answered by several responders:
	// a router before them balances packet by packet, or the route changed. Hops
	// has the first, and of its replies the first that tells the interface.
	Varied []uint8
	// Alias stands for the flow's own destination in graphs: the destination of
	// the trace, where flows go to several addresses of one prefix. Usually it
	// is not set.
	Alias netip.Addr
	// Path is the ID of the path that the flow took; 0 before Graph sets it, and
	// for a flow of which no packet was sent.
	Path int
	// Ambiguous is true when the flow was not answered where paths differ, so
	// that it may have taken another one than Path. Graph sets it.
	Ambiguous bool
}

// Distance returns the TTL of the last hop, and for a walk that has an end the
// TTL of that.
func (w *Walk) Distance() int {
	if w.end > 0 && w.end < int(w.First) {
		return w.end
	}
	return int(w.First) + len(w.Hops) - 1
}

// Reached reports whether the flow reached the destination: it answered, or
// the other flows leave no other end.
func (w *Walk) Reached() bool {
	switch w.End {
	case EndReached:
		return true
	case EndInferred:
		n := len(w.Hops)
		return n > 0 && (w.Hops[n-1].Address == w.Flow.Destination || w.Hops[n-1].Address == w.Alias)
	default:
		return false
	}
}

// LastAnswered returns the highest TTL that anything answered, or 0.
func (w *Walk) LastAnswered() int {
	for i, r := range slices.Backward(w.Hops) {
		if r.Kind.Answered() {
			return int(w.First) + i
		}
	}
	return 0
}

// at returns the address of a hop as graphs show it.
func (w *Walk) at(i int) netip.Addr { return w.shown(w.Hops[i].Address) }

func (w *Walk) shown(a netip.Addr) netip.Addr {
	if w.Alias.IsValid() && a == w.Flow.Destination {
		return w.Alias
	}
	return a
}

func (w *Walk) vary(ttl uint8) {
	if !slices.Contains(w.Varied, ttl) {
		w.Varied = append(w.Varied, ttl)
	}
}

// varied reports whether the hop of an index is one that varied.
func (w *Walk) varied(i int) bool { return slices.Contains(w.Varied, w.First+uint8(i)) }

// Terminal reports whether a reply to a probe for destination means that a
// larger TTL gets no further: the destination answered, or someone refused.
func (r *Reply) Terminal(destination netip.Addr) bool {
	return r.Kind.Ends() || r.Kind.Answered() && r.Address == destination
}

// NewWalk lines up one flow's exchanges, which may be in any order and of any
// TTL from first on. It finds the end from what was quoted: a reply from the
// destination to a probe sent with TTL t and quoted with TTL q says that the
// destination is t − q + 1 hops away, so it does not matter whether the probe
// with exactly that TTL was answered.
func NewWalk(flow Flow, first uint8, exchanges []Exchange) Walk {
	w := Walk{Flow: flow, First: first}
	var byTTL [256]*Reply
	var probed [256]bool
	sent, failed, transit := false, false, 0
	var ends []*Exchange
	for i := range exchanges {
		e := &exchanges[i]
		if e.TTL < first || e.Abandoned && e.Reply.Kind == NoReply {
			continue
		}
		// A packet that could not be sent leaves a gap, not an end.
		probed[e.TTL] = true
		if e.Err != nil {
			failed = true
			continue
		}
		sent = true
		if e.Reply.Kind == NoReply {
			continue
		}
		if e.Reply.Terminal(flow.Destination) {
			ends = append(ends, e)
			continue
		}
		transit = max(transit, int(e.TTL))
		first := byTTL[e.TTL]
		if first == nil {
			byTTL[e.TTL] = &e.Reply
			continue
		}
		who := first.Responder()
		switch joined, same := who.Join(e.Reply.Responder()); {
		case !same:
			w.vary(e.TTL)
		case joined != who:
			byTTL[e.TTL] = &e.Reply
		}
	}
	last := int(first) - 1
	for last < 255 && probed[last+1] {
		last++
	}
	// Replies that say that the end is there but not where say nothing yet. Nor
	// does a router's refusal where the flow got further all the same.
	ends = slices.DeleteFunc(ends, func(e *Exchange) bool {
		return !e.located(last, transit, byTTL[transit]) ||
			e.distance(transit) <= transit && e.Reply.Address != flow.Destination
	})
	if len(ends) > 0 {
		end, reply := nearestEnd(flow.Destination, ends, transit)
		if reply.QuotedTTL == 0 && byTTL[transit] != nil {
			guess := guessEnd(end, reply, transit, byTTL[transit])
			if mayBeLost(exchanges, guess, end) {
				end = guess
			}
		}
		w.End = EndUnreachable
		if reply.Address == flow.Destination {
			w.End = EndReached
		}
		if w.end = end; end < int(first) {
			return w
		}
		w.fill(&byTTL, &probed, end)
		w.Hops[end-int(first)] = *reply
		return w
	}
	if failed && !sent {
		w.End = EndNotSent
		return w
	}
	for last = max(last, transit); last < 255 && probed[last+1]; last++ {
	}
	w.fill(&byTTL, &probed, last)
	return w
}

// fill sets the hops up to TTL last.
func (w *Walk) fill(byTTL *[256]*Reply, probed *[256]bool, last int) {
	w.Hops = make([]Reply, last-int(w.First)+1)
	for i := range w.Hops {
		ttl := int(w.First) + i
		switch {
		case byTTL[ttl] != nil:
			w.Hops[i] = *byTTL[ttl]
		case !probed[ttl]:
			w.Hops[i].Kind = NotAsked
		}
	}
}

// nearestEnd returns the TTL at which a walk ends and the reply that stands
// there: the one to the probe whose TTL was nearest to it. Routers answered up
// to TTL transit, so a quote that puts the end nearer is damaged; and so is
// one that puts it beyond the TTL that was sent.
//
// Where the destination answered, its word counts and a router's refusal does
// not: the refusal was passing, or another member of a per-packet balancer's.
func nearestEnd(destination netip.Addr, ends []*Exchange, transit int) (int, *Reply) {
	if own := slices.DeleteFunc(slices.Clone(ends), func(e *Exchange) bool { return e.Reply.Address != destination }); len(own) > 0 {
		ends = own
	}
	end := 255
	for _, e := range ends {
		end = min(end, e.distance(transit))
	}
	best := slices.MinFunc(ends, func(a, b *Exchange) int {
		return abs(int(a.TTL)-end) - abs(int(b.TTL)-end)
	})
	return end, &best.Reply
}

// guessEnd places an end that no quote tells, and that only a probe with a TTL
// of end was answered from, while nothing answered between the last router,
// at TTL transit, and it. Any of these TTLs may be where the path ends, with
// its reply lost or withheld by a rate limit. What speaks then is how much
// further the reply of the end came back than the router's: their own TTLs
// tell, however asymmetric the way back is, as long as it is the same.
func guessEnd(end int, reply *Reply, transit int, router *Reply) int {
	if reply.TTL == 0 || router.TTL == 0 {
		return end
	}
	guess := transit + ReturnDistance(reply.TTL) - ReturnDistance(router.TTL)
	if guess <= transit || guess >= end {
		return end
	}
	return guess
}

// mayBeLost reports whether the replies to all probes of one TTL can have been
// lost, given how many came for those that went as far as the end or further.
// If they hardly can, the silence is a router's.
func mayBeLost(exchanges []Exchange, ttl, end int) bool {
	tries, asked, answered := 0, 1.0, 0.0 // one more asked, so that few prove little
	for i := range exchanges {
		e := &exchanges[i]
		switch {
		case e.Err != nil:
		case int(e.TTL) == ttl:
			tries++
		case int(e.TTL) >= end:
			asked++
			if e.Reply.Kind != NoReply {
				answered++
			}
		}
	}
	return math.Pow(1-answered/asked, float64(tries)) > 0.01
}

// ReturnDistance guesses how many hops a reply has come from its own TTL on
// arrival, which started at 64, 128 or 255 on all but a few systems.
func ReturnDistance(ttl uint8) int {
	for _, start := range []int{64, 128} {
		if int(ttl) <= start {
			return start - int(ttl) + 1
		}
	}
	return 255 - int(ttl) + 1
}

// distance returns how many hops the probe of a terminal reply went.
func (e *Exchange) distance(transit int) int {
	if e.quoted(transit) {
		return int(e.TTL) - int(e.Reply.QuotedTTL) + 1
	}
	return int(e.TTL)
}

// located reports whether a terminal reply tells where the end is. Without a
// quote that does, it is where the reply came from first: every lower TTL was
// probed (up to last), or the one before was answered by a router (transit),
// or the way back is as much longer than that router's as the TTL says.
func (e *Exchange) located(last, transit int, router *Reply) bool {
	ttl := int(e.TTL)
	if e.quoted(transit) || ttl <= last || transit == ttl-1 {
		return true
	}
	back := ReturnDistance(e.Reply.TTL)
	switch {
	case e.Reply.TTL == 0:
		return false
	case router == nil:
		return back == ttl
	}
	return router.TTL != 0 && transit+back-ReturnDistance(router.TTL) == ttl
}

// quoted reports whether the quoted TTL tells that distance. A quoted TTL of 1
// adds nothing: it is what an intact one is at the end, and what a damaged one
// often is.
func (e *Exchange) quoted(transit int) bool {
	q := int(e.Reply.QuotedTTL)
	return q > 1 && q <= int(e.TTL) && int(e.TTL)-q+1 > transit
}

func abs(n int) int { return max(n, -n) }
