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
// that were not seen before, and misses some that were. Then nobody can say
// whether one of them is gone, and that is said.
func (p *pair) nameRehash(m *move) bool {
	f := m.finding
	switch {
	case len(m.from) < 2 || len(m.to) < 2 || m.strayed == 0:
		return false
	case !unseen(m.to, m.from, m.gone), !unseen(m.from, m.to, m.came):
		return false
	}
	f.Kind, f.Far = Rehashed, f.Near
	if len(m.gone)+len(m.came) > 0 {
		f.Confidence = traceflow.ConfidenceLow
	}
	if len(m.gone) > 0 {
		x := &finding{certain: m.sure, cause: f}
		x.Kind, x.P, x.Flows, x.Of, x.TTL, x.Near, x.Far = Unmeasured, m.chance, f.Flows, f.Of, f.TTL, f.Near, m.gone[0].Address
		x.Before, x.Confidence = width2(len(m.from)), traceflow.ConfidenceLow
		x.After = fmt.Sprintf("%d of them not met any more; it takes %d flows to tell whether they are there, %d were followed",
			len(m.gone), needed(len(m.from)+len(m.came)), len(m.known))
		p.add(x)
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

// unseen reports whether it can be chance that the flows of one side met none of
// some next hops, which were met on the other: with equal shares, one flow misses
// one of n next hops with a chance of 1 - 1/n.
func unseen(other, mine map[traceflow.Responder]int, only []traceflow.Responder) bool {
	flows, width := 0, len(mine)
	for who, n := range other {
		flows += n
		if mine[who] == 0 {
			width++
		}
	}
	miss := math.Pow(1-1/float64(width), float64(flows))
	return binomial(len(only), width, miss) > widthError
}
