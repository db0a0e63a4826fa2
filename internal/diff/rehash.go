// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"
	"math"

	"traceflow"
)

// nameRehash tells whether a move was the same next hops with other flows on
// them: a hash with another seed, or one that gives the flows of a member that
// came or went to others.
//
// Where the set is wider than the flows can show, a new hash meets some next hops
// that were not seen before, and misses some that were. As many of them are
// expected as one flow alone had met: the chance that the next flow meets
// somebody new is the share of those that only one flow has met (Good, "The
// population frequencies of species", 1953).
func (p *pair) nameRehash(m *move) bool {
	f := m.finding
	switch {
	case len(m.from) < 2 || len(m.to) < 2 || m.strayed == 0:
		return false
	case len(m.gone) > 0 && !unseen(m.to, m.from, m.gone), len(m.came) > 0 && !unseen(m.from, m.to, m.came):
		return false
	}
	f.Kind, f.Far = Rehashed, f.Near
	if len(m.gone)+len(m.came) > 0 {
		f.Confidence = traceflow.ConfidenceLow
	}
	width := max(len(m.from), len(m.to))
	f.Before = width2(width)
	f.After = fmt.Sprintf("the same, %d of %d flows on others: %s", len(m.flows), len(m.known), manner(len(m.flows), len(m.known), width))
	return true
}

// manner says which kind of hash moves so many of the flows: one whose seed or
// order changed moves all but one in width of them, one that keeps what it can
// moves one in width.
func manner(moved, all, width int) string {
	likely := func(q float64) float64 {
		return logChoose(all, moved) + float64(moved)*math.Log(q) + float64(all-moved)*math.Log1p(-q)
	}
	part := 1 / float64(width)
	switch {
	case width == 2:
		return "hashed anew"
	case moved > all || likely(1-part) >= likely(part):
		return "hashed anew"
	}
	return "as many as a resilient hash moves"
}

// unseen reports whether so many flows on next hops that the other side did not
// show can be chance: that it followed too few flows to meet them.
func unseen(other, mine map[traceflow.Responder]int, only []traceflow.Responder) bool {
	alone, all := 0, 0
	for _, n := range other {
		if all += n; n == 1 {
			alone++
		}
	}
	met, flows := 0, 0
	for _, n := range mine {
		flows += n
	}
	for _, who := range only {
		met += mine[who]
	}
	share := min(1, (float64(alone)+1)/float64(all+1))
	return binomial(met, flows, share) > widthError
}
