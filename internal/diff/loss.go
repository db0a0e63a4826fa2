// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"

	"traceflow"
)

// packets counts what was sent as far as the destination, and what was not
// answered.
type packets struct{ sent, lost int }

func (c packets) share() float64 { return float64(c.lost) / float64(max(1, c.sent)) }

func (c packets) String() string {
	return fmt.Sprintf("%.1f %% (%d of %d)", 100*c.share(), c.lost, c.sent)
}

// packetsOf counts those of flows that reach the destination on both sides, pass by
// pass: silence of a flow that does not is no loss. Nor is that of routers, which
// answer less than they forward: where one way is longer than another, and packets
// take turns, some of those that count here would end at a router.
func (p *pair) packetsOf(side int) (passes []packets, all packets) {
	s := &p.sides[side]
	if s.packets != nil {
		return s.packets, sum(s.packets)
	}
	counts := make([]bool, len(p.flows))
	for f := range p.flows {
		counts[f] = p.sides[before].tracks[f].ends() && p.sides[after].tracks[f].ends()
	}
	for _, pass := range s.passes {
		var c packets
		end := make(map[int]int, len(pass.Graph.Walks))
		for i := range pass.Graph.Walks {
			if w := &pass.Graph.Walks[i]; w.End == traceflow.EndReached {
				end[w.Flow.ID] = w.Distance()
			}
		}
		for i := range pass.Exchanges {
			e := &pass.Exchanges[i]
			f, ok := s.byID[e.Flow]
			distance := end[e.Flow]
			if !ok || !counts[f] || distance == 0 || int(e.TTL) < distance || e.Err != nil || e.Abandoned && e.Reply.Kind == traceflow.NoReply {
				continue
			}
			c.sent++
			if e.Reply.Kind == traceflow.NoReply {
				c.lost++
			}
		}
		passes = append(passes, c)
	}
	s.packets = passes
	return passes, sum(passes)
}

// ends reports whether the destination answered a flow, and always at one distance.
func (k *track) ends() bool {
	distance := 0
	for _, w := range k.walks {
		if w.End != traceflow.EndReached {
			continue
		}
		if distance > 0 && w.Distance() != distance {
			return false
		}
		distance = w.Distance()
	}
	return distance > 0
}

func sum(passes []packets) (all packets) {
	for _, c := range passes {
		all.sent, all.lost = all.sent+c.sent, all.lost+c.lost
	}
	return all
}

// suspicious is a chance that is not small enough to call loss a change, and too
// small to call it none.
const suspicious = 0.01

// findLoss compares the loss at the destination. Loss that comes and goes within
// one side is the network's own: both halves of the passes must show more than each
// half of the other side. (Each pass for itself has too few packets: of 64, a loss
// of 2 % leaves one pass in four whole.)
func (p *pair) findLoss() {
	less, was := p.packetsOf(before)
	more, is := p.packetsOf(after)
	if was.sent == 0 || is.sent == 0 {
		return
	}
	f := &finding{}
	f.Kind, f.Of, f.Before, f.After = LossUp, len(p.flows), was.String(), is.String()
	if is.share() >= was.share() {
		f.P = fisher(was.lost, was.sent, is.lost, is.sent)
	} else {
		f.Kind, f.P = LossDown, fisher(is.lost, is.sent, was.lost, was.sent)
		less, more = more, less
	}
	switch {
	case max(is.share(), was.share())-min(is.share(), was.share()) < p.rules.Loss, !apart(halves(less), halves(more)):
		f.P = 1
	case f.P <= suspicious && p.limited():
		f.P = 1
		if f.Kind == LossUp {
			f.Kind, f.P, f.certain, f.Confidence = Unmeasured, 0, true, traceflow.ConfidenceLow
			f.After += ", which looks like a rate limit"
		}
	case f.P <= suspicious && f.Kind == LossUp:
		f.unclear = f.After + ": too few packets to tell"
	}
	p.add(f)
	if !p.rules.lossAsked {
		return
	}
	if floor := p.lossFloor(); floor > p.rules.Loss && f.Kind == LossUp && f.P > p.rules.Alpha && f.unclear == "" {
		p.add(&finding{certain: true, Change: Change{
			Kind: Unmeasured, Of: len(p.flows), Confidence: traceflow.ConfidenceHigh, Before: f.Before,
			After: fmt.Sprintf("%s: %d packets show a rise of %.1f %%, and not one of %.1f %%", f.After, is.sent, 100*floor, 100*p.rules.Loss),
		}})
	}
}

// halves returns the sums of the earlier and of the later passes.
func halves(passes []packets) []packets {
	middle := len(passes) / 2
	return []packets{sum(passes[:middle]), sum(passes[middle:])}
}

// apart reports whether each half of one side lost more than each of the other.
func apart(less, more []packets) bool {
	for _, l := range less {
		for _, m := range more {
			if l.sent > 0 && m.sent > 0 && l.share() >= m.share() {
				return false
			}
		}
	}
	return true
}

// limited reports whether the destination seems to limit its answers, in any pass:
// then what is missing tells nothing of loss.
func (p *pair) limited() bool {
	for _, s := range p.sides {
		for _, pass := range s.passes {
			for _, path := range pass.PathStats() {
				if n := len(path.Hops); path.Reached && n > 0 && path.Hops[n-1].Limited {
					return true
				}
			}
		}
	}
	return false
}

// lossFloor is the smallest rise of loss that the packets sent would show nine times
// in ten: after correction for everything that was tested so far, in each pass, and
// as large as the policy wants it.
func (p *pair) lossFloor() float64 {
	was, b := p.packetsOf(before)
	is, a := p.packetsOf(after)
	if a.sent == 0 || b.sent == 0 {
		return 1
	}
	tests := float64(p.tests + max(1, len(p.found)))
	// The fewest lost packets that are no chance, altogether and in each pass.
	least := 1
	for least <= a.sent && (fisher(b.lost, b.sent, least, a.sent)*tests > p.rules.Alpha || float64(least)/float64(a.sent)-b.share() < p.rules.Loss) {
		least++
	}
	if least > a.sent {
		return 1
	}
	worst := 0.0
	for _, c := range was {
		worst = max(worst, c.share())
	}
	missed := func(share float64) float64 {
		seen := 1 - below(least, a.sent, share)
		for _, c := range is {
			if c.sent > 0 {
				seen *= 1 - below(int(worst*float64(c.sent))+1, c.sent, share)
			}
		}
		return 1 - seen
	}
	low, high := b.share(), 1.0
	for range 12 {
		if share := (low + high) / 2; missed(share) <= mostMissed {
			high = share
		} else {
			low = share
		}
	}
	return high - b.share()
}

// mostMissed is how often a rise of lossFloor is not found.
const mostMissed = 0.1
