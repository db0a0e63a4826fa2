// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"cmp"
	"fmt"
	"math"

	"traceflow"
)

// noise is what a network does of itself, as the passes of each side show it:
// packets balanced one by one, routers that answer from several addresses, routes
// that come and go.
type noise struct {
	// parent joins the responders at a TTL that answered one flow in turns on one
	// side. Whoever was seen to stand for the other before a change cannot be told
	// from it after: they are one from then on.
	parent map[place]place
	ttls   [longest]tally
	sides  [2]tally
	// turns of all places are those that answer in turns with others.
	turns, places int
}

// place is a responder at a TTL.
type place struct {
	ttl int
	who traceflow.Responder
}

func (a place) compare(b place) int { return cmp.Or(a.ttl-b.ttl, a.who.Compare(b.who)) }

// tally counts pairs of consecutive answers, and those that differ.
type tally struct{ differ, all int }

func newNoise(sides *[2]side) noise {
	n := noise{parent: make(map[place]place)}
	seen := make(map[place]bool)
	for i := range sides {
		for t := range sides[i].tracks {
			k := &sides[i].tracks[t]
			for ttl := range k.cells {
				c := &k.cells[ttl]
				for j, who := range c.who {
					if seen[place{ttl, who}] = true; j > 0 {
						n.join(place{ttl, c.who[0]}, place{ttl, who})
					}
				}
			}
			n.count(i, k)
		}
	}
	n.places = len(seen)
	for at := range seen {
		if _, ok := n.parent[at]; ok {
			n.turns++
		}
	}
	return n
}

// count adds up how often one pass of a flow differs from the one before.
func (n *noise) count(side int, k *track) {
	for i := 1; i < len(k.walks); i++ {
		a, b := k.walks[i-1], k.walks[i]
		for j := range a.Hops {
			ttl := int(a.First) + j
			at := ttl - int(b.First)
			if at < 0 || at >= len(b.Hops) {
				continue
			}
			x, ok := evidence(a, &a.Hops[j])
			y, ok2 := evidence(b, &b.Hops[at])
			if !ok || !ok2 {
				continue
			}
			n.sides[side].all++
			n.ttls[ttl].all++
			if _, same := x.Join(y); !same || k.cells[ttl].varied {
				n.sides[side].differ++
				n.ttls[ttl].differ++
			}
		}
	}
	// One pass tells of itself what its repeated probes show.
	if len(k.walks) == 1 {
		for ttl := range k.cells {
			if k.cells[ttl].varied {
				n.sides[side].differ++
				n.ttls[ttl].differ++
				n.sides[side].all++
				n.ttls[ttl].all++
			}
		}
	}
}

func (n *noise) find(ttl int, who traceflow.Responder) traceflow.Responder {
	if len(n.parent) == 0 {
		return who
	}
	at := place{ttl, who}
	for {
		up, ok := n.parent[at]
		if !ok {
			return at.who
		}
		at = up
	}
}

// join makes two one. The lower address stands for both, whatever the order.
func (n *noise) join(a, b place) {
	a.who, b.who = n.find(a.ttl, a.who), n.find(b.ttl, b.who)
	switch order := a.who.Compare(b.who); {
	case order < 0:
		n.parent[b] = a
	case order > 0:
		n.parent[a] = b
	}
}

// alike reports whether two stand for each other at a TTL.
func (n *noise) alike(ttl int, a, b traceflow.Responder) bool {
	return len(n.parent) > 0 && n.find(ttl, a) == n.find(ttl, b)
}

// clean reports whether nothing at a TTL differed within either side.
func (n *noise) clean(ttl int) bool { return n.ttls[ttl].differ == 0 }

// quiet reports whether nothing of the target differed within either side.
func (n *noise) quiet() bool { return n.sides[before].differ+n.sides[after].differ == 0 }

// fickle is the share of the places that are known to answer in turns with others;
// one more than is known, so that few prove little.
func (n *noise) fickle() float64 { return float64(n.turns+1) / float64(n.places+2) }

// baseline is what noise a change at a TTL has to be told from: that at the TTL
// where there is any, or else that of the whole target.
func (n *noise) baseline(ttl int) tally {
	if !n.clean(ttl) {
		return n.ttls[ttl]
	}
	return tally{n.sides[before].differ + n.sides[after].differ, n.sides[before].all + n.sides[after].all}
}

func (n *noise) share(side int) float64 {
	return float64(n.sides[side].differ) / float64(max(1, n.sides[side].all))
}

// mostNoise is the share of a side's hops that may differ from pass to pass
// before nothing can be said: where packets are balanced one by one behind the
// first hop, some three quarters of the hops do.
const mostNoise = 0.5

// leastAnswered is the share of what was answered on one side that has to be on
// the other, too.
const leastAnswered = 0.5

// measured reports whether the target can be compared at all, and notes why it
// cannot, or not well.
func (p *pair) measured() bool {
	say := func(kind Kind, before, after string) {
		p.add(&finding{certain: true, Change: Change{Kind: kind, Of: len(p.flows), Before: before, After: after, Confidence: traceflow.ConfidenceHigh}})
	}
	if p.other.What != "" {
		if p.other.kind == otherAddress {
			say(AddressChanged, p.before.Address, p.after.Address)
		}
		say(Unmeasured, "", p.other.What)
		return false
	}
	if a := p.after; a.Resolved != "" && a.Resolved != a.Address {
		// The flows still go to the address that was pinned, so that all else can be
		// compared.
		say(AddressChanged, a.Address, a.Resolved)
	}
	b, a := &p.sides[before], &p.sides[after]
	switch words := [2]string{completePasses(len(b.passes)), completePasses(len(a.passes))}; {
	case len(p.flows) == 0:
		say(Unmeasured, "", "no flow in common")
		return false
	case len(b.passes) == 0 || len(a.passes) == 0:
		say(Unmeasured, words[before], words[after])
		return false
	case len(b.passes) == 1 || len(a.passes) == 1:
		say(Unmeasured, words[before], words[after]+": the noise of a single pass is not known")
	}
	var answered [2]int
	both := 0
	for f := range p.flows {
		for ttl := range p.depth(f) {
			for side := range answered {
				if p.cell(side, f, ttl).answers > 0 {
					answered[side]++
				}
			}
			if p.compared(f, ttl) {
				both++
			}
		}
	}
	switch reached := p.everReached(before) && p.everReached(after); {
	case answered[before] == 0 && answered[after] == 0:
		say(Unmeasured, "nothing answered", "nothing answered")
	case answered[after] == 0 && !p.everReached(before), answered[before] == 0 && !p.everReached(after):
		say(Unmeasured, fmt.Sprintf("%d hops of flows answered", answered[before]), fmt.Sprintf("%d did", answered[after]))
	case reached && float64(both) < leastAnswered*float64(max(answered[before], answered[after])):
		say(Unmeasured, fmt.Sprintf("%d hops of flows answered", answered[before]),
			fmt.Sprintf("%d did, %d of them in both", answered[after], both))
	}
	p.unstable(say)
	return true
}

func completePasses(n int) string {
	if n == 1 {
		return "1 complete pass"
	}
	return fmt.Sprintf("%d complete passes", n)
}

// unstable notes where a side differs from itself too much. Where it does after
// and did not before, the network has not settled.
func (p *pair) unstable(say func(Kind, string, string)) {
	words := func(side int) string {
		return fmt.Sprintf("%.0f %% of the hops differ from pass to pass", 100*p.noise.share(side))
	}
	b, a := p.noise.sides[before], p.noise.sides[after]
	switch {
	case p.restless():
		say(Unstable, words(before), words(after))
	case fisher(b.differ, b.all, a.differ, a.all) <= p.rules.Alpha && math.Abs(p.noise.share(after)-p.noise.share(before)) > 0.1:
		say(Unstable, words(before), words(after)+": it may not have settled")
	}
}

// restless reports whether a side differs from itself so much that nothing can be
// said of its nodes.
func (p *pair) restless() bool { return max(p.noise.share(before), p.noise.share(after)) > mostNoise }

// everReached reports whether the destination answered any flow in any pass.
func (p *pair) everReached(side int) bool {
	for i := range p.sides[side].tracks {
		if p.sides[side].tracks[i].reached() > 0 {
			return true
		}
	}
	return false
}
