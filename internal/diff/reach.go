// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"
	"math"
	"net/netip"

	"traceflow"
)

// findReach compares which flows the destination answered. A flow is lost if it
// was answered in every pass before and in none after.
//
// Destinations that limit their answers miss some of every pass, so the chance of
// that is taken from the flows themselves: how often those miss one that are
// answered now and then.
func (p *pair) findReach() {
	refused := p.findFiltered()
	p.findLost(before, refused[after])
	p.findLost(after, refused[before])
}

// findLost notes the flows that reach the destination on one side only.
func (p *pair) findLost(side int, refused map[int]*finding) {
	var lost []int
	missed, asked, reachers, still, gained := 0, 0, 0, 0, 0
	own, other := p.sides[side].tracks, p.sides[1-side].tracks
	for f := range p.flows {
		was, is := own[f].reached(), other[f].reached()
		if was > 0 {
			reachers++
		}
		if is > 0 {
			still++
		}
		switch {
		case len(own[f].walks) == 0 || len(other[f].walks) == 0 || own[f].refused()+other[f].refused() > 0 && was+is == 0:
		case was == len(own[f].walks) && is == 0:
			lost = append(lost, f)
			asked += was
		default:
			if was == 0 && is == len(other[f].walks) {
				gained++
			}
			asked += len(own[f].walks) + len(other[f].walks)
			missed += len(own[f].walks) - was + len(other[f].walks) - is
		}
	}
	if len(lost) == 0 {
		if reachers > 0 && still == 0 {
			p.add(p.allLost(side, reachers))
		}
		return
	}
	// One more missed than was, so that few answers prove little.
	rate := float64(missed+1) / float64(asked+2)
	passes := float64(len(other[lost[0]].walks))
	chance := binomial(len(lost), max(reachers, len(lost)), math.Pow(rate, passes)*p.hush(lost, side, passes))
	if gained > 0 {
		// As many come as go where chance decides.
		chance = max(chance, binomial(len(lost), len(lost)+gained, 0.5))
	}
	if chance <= p.rules.Alpha && len(refused) == 0 && p.limited() {
		chance = 1
	}
	x := p.place(lost, side)
	x.P, x.Flows, x.Of = chance, p.ids(lost), reachers
	x.unclear = fmt.Sprintf("%d of %d flows no longer reach it, which may be chance", len(lost), reachers)
	x.cause = together(lost, refused)
	if x.cause == nil {
		x.cause = p.causeOf(lost)
	}
	words := [2]string{fmt.Sprintf("%d flows reach it", reachers), fmt.Sprintf("%d do", still)}
	switch x.Kind = PartialBlackHole; {
	case side == after:
		x.Kind = Recovered
		x.unclear = fmt.Sprintf("%d of %d flows reach it that did not, which may be chance", len(lost), reachers)
		words = [2]string{fmt.Sprintf("%d flows reach it", still), fmt.Sprintf("%d do", reachers)}
		if x.cause != nil && x.cause.Kind == Recovered {
			return // said by the refusals that ended
		}
	case still == 0:
		x.Kind = Lost
	}
	x.Before, x.After = words[0], words[1]
	p.add(x)
}

// mostSilent is the share of answers that may be missing before silence on the way
// is no evidence either: where answers are limited, it comes in bursts.
const mostSilent = 0.1

// hush is the chance that the hops on the way of lost flows, which answered in every
// pass of one side and in none of the other, are silent of themselves: where
// packets vanish half way, everybody behind is silent with the destination. One such
// hop counts: the silence of several is not independent.
func (p *pair) hush(lost []int, side int, passes float64) float64 {
	gone := make(map[int]bool, len(lost))
	fewest := longest
	for _, f := range lost {
		gone[f] = true
		n := 0
		for ttl := range p.depth(f) {
			own := p.cell(side, f, ttl)
			if own.answers == len(p.sides[side].tracks[f].walks) && p.cell(1-side, f, ttl).answers == 0 && own.who[0].Address != p.flows[f].Destination {
				n++
			}
		}
		fewest = min(fewest, n)
	}
	silent, asked := 0, 0
	for f := range p.flows {
		if gone[f] {
			continue
		}
		for s := range p.sides {
			for ttl := range p.sides[s].tracks[f].cells {
				if c := p.cell(s, f, ttl); p.cell(before, f, ttl).answers+p.cell(after, f, ttl).answers > 0 {
					asked += len(p.sides[s].tracks[f].walks)
					silent += len(p.sides[s].tracks[f].walks) - c.answers
				}
			}
		}
	}
	share := float64(max(0, silent)+1) / float64(max(0, asked)+2)
	if share > mostSilent || fewest == 0 {
		return 1
	}
	return math.Pow(share, passes)
}

// allLost is where no flow reached the destination always, and none does at all
// on the other side.
func (p *pair) allLost(side, reachers int) *finding {
	x := &finding{}
	n, k, m := 0, 0, 0
	for f := range p.flows {
		n += len(p.sides[side].tracks[f].walks)
		k += p.sides[side].tracks[f].reached()
		m += len(p.sides[1-side].tracks[f].walks)
	}
	x.P = fisher(0, m, k, n)
	x.Kind, x.Of = Lost, len(p.flows)
	x.Before, x.After = fmt.Sprintf("%d flows reach it now and then", reachers), "none does"
	x.unclear = x.After + ", which may be chance"
	if side == after {
		x.Kind, x.Before, x.After = Recovered, "none does", x.Before
	}
	for f := range p.flows {
		if p.sides[side].tracks[f].reached() > 0 {
			x.Flows = append(x.Flows, p.flows[f].ID)
		}
	}
	return x
}

// together returns the finding that all flows have in common, if there is one.
func together(flows []int, by map[int]*finding) *finding {
	cause := by[flows[0]]
	for _, f := range flows {
		if by[f] != cause {
			return nil
		}
	}
	return cause
}

// place says where lost flows end: the last node that most of them are answered
// by, and who was behind it before.
func (p *pair) place(lost []int, side int) *finding {
	type end struct {
		ttl       int
		near, far netip.Addr
	}
	ends := make(map[end]int)
	best := end{}
	for _, f := range lost {
		e := end{}
		for ttl := range p.depth(f) {
			if who := p.at(1-side, f, ttl); who.IsValid() {
				e.ttl, e.near = ttl, who.Address
			}
		}
		for ttl := e.ttl + 1; ttl < p.depth(f) && !e.far.IsValid(); ttl++ {
			e.far = p.at(side, f, ttl).Address
		}
		if ends[e]++; ends[e] > ends[best] {
			best = e
		}
	}
	x := &finding{}
	x.TTL, x.Near, x.Far = uint8(min(best.ttl+1, longest-1)), best.near, best.far
	x.gone = []traceflow.Responder{{Address: best.far}}
	x.ends = ends[best] == len(lost) && best.far.IsValid()
	return x
}
