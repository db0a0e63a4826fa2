// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"math"
	"slices"
)

// HopLoss says what the loss at one hop of a path means. Packets that are lost
// on the way to a hop are missed by every hop behind it too. A router that
// forwards everything but answers seldom is missed alone.
type HopLoss string

// The kinds of loss.
const (
	// LossNone: nothing was lost, or nothing ever answered there.
	LossNone HopLoss = "none"
	// LossUnclear: too few packets were lost to tell, or nobody behind answers.
	LossUnclear HopLoss = "unclear"
	// LossPersists: the destination, and the hops on the way to it, lose at least
	// half as much. At the destination itself: it loses packets.
	LossPersists HopLoss = "persists"
	// LossLocal: somebody behind loses less than half as much, so most of it is
	// the router's own: it answers less than it forwards. Most routers limit the
	// rate of their answers (RFC 1812, section 4.3.2.8; RFC 4443, section 2.4).
	LossLocal HopLoss = "local"
)

const (
	// lossError is the chance that is taken of either verdict being wrong.
	lossError = 0.05
	// fewLost packets are chance, wherever they are lost.
	fewLost = 3
)

// Losses judges the loss at each hop of the path. The verdicts are those of
// exact tests, each wrong with a chance of 5 % at most:
//
//   - local: not each hop behind can lose half as much as this one; tested for
//     all of them taken together, and for each alone (Bonferroni). A hop whose
//     answers are Limited is local without a test.
//   - persists: the destination loses at least half as much, and so do the hops
//     in between taken together, and none of them makes it local.
//   - unclear: all else. Three lost packets at least are needed for a verdict.
//
// Hops that never answer, or whose answers are Limited, are no witnesses.
func (p *PathStats) Losses() []HopLoss {
	out := make([]HopLoss, len(p.Hops))
	var behind []tally // of the witnesses behind the hop, the nearest last
	for i, h := range slices.Backward(p.Hops) {
		own := tally{h.Sent, h.Sent - h.Replies}
		atEnd := p.Reached && i == len(p.Hops)-1
		witness := h.Replies > 0 && !h.Limited
		switch {
		case own.lost <= 0:
			out[i] = LossNone
		case h.Limited:
			out[i] = LossLocal
		case h.Replies == 0:
			out[i] = LossNone
		case own.lost < fewLost:
			out[i] = LossUnclear
		case atEnd:
			out[i] = LossPersists
		default:
			out[i] = judge(own, behind, p.witnessed())
		}
		if witness {
			behind = append(behind, own)
		}
	}
	return out
}

// witnessed reports whether the destination tells what gets through to it.
func (p *PathStats) witnessed() bool {
	if !p.Reached || len(p.Hops) == 0 {
		return false
	}
	last := &p.Hops[len(p.Hops)-1]
	return last.Replies > 0 && !last.Limited
}

// tally counts packets.
type tally struct{ sent, lost int }

// judge compares the loss at a hop with that at the witnesses behind it, the
// first of which is the destination if that is one.
func judge(own tally, behind []tally, destination bool) HopLoss {
	if len(behind) == 0 {
		return LossUnclear
	}
	all := sumOf(behind)
	// Two kinds of tests share the error, and those of single hops their half.
	if half(own, all, false) < lossError/2 {
		return LossLocal
	}
	for _, w := range behind {
		if half(own, w, false) < lossError/2/float64(len(behind)) {
			return LossLocal
		}
	}
	if !destination || half(own, behind[0], true) >= lossError {
		return LossUnclear
	}
	if between := sumOf(behind[1:]); between.sent > 0 && half(own, between, true) >= lossError {
		return LossUnclear
	}
	return LossPersists
}

func sumOf(tallies []tally) (all tally) {
	for _, w := range tallies {
		all.sent += w.sent
		all.lost += w.lost
	}
	return all
}

// half returns how probable it is that a witness loses as many packets as it
// did, or more (fewer without more), if its true loss is half that at the hop.
// Of all packets lost at either, the witness's part is then binomial; where loss
// is high it varies less than that, so the test errs on the side of no verdict.
func half(own, witness tally, more bool) float64 {
	q := float64(witness.sent) / float64(witness.sent+2*own.sent)
	return binomialTail(witness.lost, own.lost+witness.lost, q, more)
}

// binomialTail returns the chance of k or more (k or fewer without more)
// successes in n tries of chance q. On the near side of the mean, where no test
// cares, it returns 1.
func binomialTail(k, n int, q float64, more bool) float64 {
	if !more {
		k, q = n-k, 1-q // as many failures or more
	}
	if k <= 0 || float64(k) <= float64(n)*q {
		return 1
	}
	ln, _ := math.Lgamma(float64(n + 1))
	lk, _ := math.Lgamma(float64(k + 1))
	lr, _ := math.Lgamma(float64(n - k + 1))
	term := math.Exp(ln - lk - lr + float64(k)*math.Log(q) + float64(n-k)*math.Log1p(-q))
	total := term
	for i := k; i < n && term > total*1e-12; i++ {
		term *= float64(n-i) / float64(i+1) * q / (1 - q)
		total += term
	}
	return min(1, total)
}

// Loss returns the share of packets that were lost on the way to the
// destination and back, 0 to 1, and whether that is known: not if the
// destination does not answer, or not to everything.
func (p *PathStats) Loss() (share float64, known bool) {
	if !p.witnessed() {
		return 0, false
	}
	return p.Hops[len(p.Hops)-1].Loss(), true
}

// mostBurst is the largest burst that a rate limit is told by; Linux answers six
// at once. A larger one may be an outage that began meanwhile.
const mostBurst = 20

// limits reports whether answers, in the order of sending, look like those of a
// rate limit: all at first, and then less than half. With loss by chance it is
// true once in a hundred times at most; where a limit is suspected for other
// reasons, once in ten.
func limits(answered []bool, suspect bool) bool {
	burst := slices.Index(answered, false)
	if burst < fewLost || burst > mostBurst {
		return false
	}
	replies := 0
	for _, ok := range answered {
		if ok {
			replies++
		}
	}
	rest := len(answered) - burst
	if rest-(replies-burst) < fewLost || 2*(replies-burst) >= rest {
		return false
	}
	// The chance that the first of so many, in random order, are all answered.
	chance := 1.0
	for i := range burst {
		chance *= float64(replies-i) / float64(len(answered)-i)
	}
	return chance < 0.01 || suspect && chance < 0.1
}
