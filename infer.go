// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"math"
	"slices"
)

// InferHops fills in what the flows of walks were not asked, where the links
// that other flows were answered on both ends of leave one possibility: if
// everything that was at A went on to B, so did this flow, and likewise back.
// How sure that is is what a trace's guarantee says. Silence is not filled in,
// except at the TTLs where it was a rate limit's.
//
// Where a flow was silent to every try at a TTL that is not rate-limited, and
// the flows that were answered there were answered so reliably that this is no
// chance, it met a router that does not answer: such a hop becomes Mute, and
// is not taken for any of the routers that do.
//
// At TTLs that the guarantee calls short nothing is inferred: too few flows
// were answered there to leave one possibility.
func InferHops(walks []Walk, exchanges []Exchange, g *Guarantee) {
	findMute(walks, exchanges, g.RateLimited)
	for i := range walks {
		for _, ttl := range g.RateLimited {
			at := int(ttl) - int(walks[i].First)
			if at >= 0 && at < len(walks[i].Hops) && walks[i].Hops[at].Kind == NoReply {
				walks[i].Hops[at].Kind = NotAsked
			}
		}
	}
	n := neighbours{who: newResponders(walks), next: make(map[place]step), previous: make(map[place]step), short: make(map[int]bool)}
	for _, h := range g.Short {
		n.short[int(h.TTL)] = true
	}
	for i := range walks {
		n.learn(&walks[i])
	}
	for i := range walks {
		n.fill(&walks[i])
	}
}

// findMute marks hops as Mute.
func findMute(walks []Walk, exchanges []Exchange, rateLimited []uint8) {
	type spot struct {
		flow int
		ttl  uint8
	}
	asked, answered := make(map[spot]int), make(map[spot]int)
	for i := range exchanges {
		e := &exchanges[i]
		if e.Err != nil || e.Abandoned {
			continue
		}
		s := spot{e.Flow, e.TTL}
		asked[s]++
		if e.Reply.Kind.Answered() {
			answered[s]++
		}
	}
	// How reliable those are that answer at all, by TTL.
	var tries, replies [256]float64
	for s, n := range asked {
		if answered[s] > 0 {
			tries[s.ttl] += float64(n)
			replies[s.ttl] += float64(answered[s])
		}
	}
	for i := range walks {
		w := &walks[i]
		for j := range w.Hops {
			ttl := w.First + uint8(j)
			if w.Hops[j].Kind != NoReply || int(ttl) >= w.LastAnswered() || slices.Contains(rateLimited, ttl) {
				continue
			}
			n := asked[spot{w.Flow.ID, ttl}]
			if t := tries[ttl]; t > 0 && n > 1 && math.Pow(1-replies[ttl]/(t+1), float64(n)) < 0.01 {
				w.Hops[j].Kind = Mute
			}
		}
	}
}

// step is the one neighbour of a place, as long as there is one.
type step struct {
	Responder
	end     End // of the walks that end there, for next
	several bool
}

type neighbours struct {
	who            *Responders
	next, previous map[place]step
	short          map[int]bool // TTLs at which nothing may be inferred
}

func (n *neighbours) place(w *Walk, i int) place { return place{int(w.First) + i, n.who.hop(w, i)} }

// learn takes in the links that a walk was answered on both ends of.
func (n *neighbours) learn(w *Walk) {
	for i := range w.Hops {
		if !w.Hops[i].Kind.Answered() {
			continue
		}
		here := n.place(w, i)
		if i == 0 {
			n.add(n.next, place{ttl: here.ttl - 1}, step{Responder: here.Responder, end: w.endAt(i)})
			continue
		}
		if w.Hops[i-1].Kind.Answered() {
			before := n.place(w, i-1)
			n.add(n.next, before, step{Responder: here.Responder, end: w.endAt(i)})
			n.add(n.previous, here, step{Responder: before.Responder})
		}
	}
}

// endAt returns how the walk ends at a hop; EndUnknown where it goes on.
func (w *Walk) endAt(i int) End {
	if i == len(w.Hops)-1 && w.ended() {
		return w.End
	}
	return EndUnknown
}

func (n *neighbours) add(to map[place]step, at place, s step) {
	old, ok := to[at]
	if ok && (old.several || old.Responder != s.Responder || old.end != s.end) {
		s.several = true
	}
	to[at] = s
}

// fill goes up from every known hop, past what was probed if the way on is
// known, and then down.
func (n *neighbours) fill(w *Walk) {
	before := place{ttl: int(w.First) - 1}
	for i := 0; i < len(w.Hops) || !w.ended(); i++ {
		known := before.IsValid() || i == 0
		s, ok := n.next[before]
		if ok = ok && known && !s.several && !n.short[int(w.First)+i]; i == len(w.Hops) {
			if !ok {
				break
			}
			w.Hops = append(w.Hops, Reply{Kind: NotAsked})
			if s.end != EndUnknown {
				w.End = EndInferred
			}
		}
		if w.Hops[i].Kind == NotAsked && ok {
			w.Hops[i] = s.inferred()
		}
		before = n.place(w, i)
	}
	for i := len(w.Hops) - 1; i > 0; i-- {
		s, ok := n.previous[n.place(w, i)]
		if w.Hops[i-1].Kind == NotAsked && ok && !s.several && !n.short[int(w.First)+i-1] {
			w.Hops[i-1] = s.inferred()
		}
	}
}
