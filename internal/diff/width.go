// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"
	"math"

	"traceflow"
)

// nameWidth tells whether a move was a next hop less, or one more.
//
// Flows that are pinned say more than a count does. A next hop that flows had
// before is gone if all of them went to others of the set, and none of those that
// moved went to it. If it were still there, each of its flows would have stayed as
// the flows of the others have, and each that moved would have met it as often as
// any other.
func (p *pair) nameWidth(m *move) bool {
	f := m.finding
	down, chance := p.fewer(m, before)
	up, other := p.fewer(m, after)
	switch {
	case down > 0 && up > 0, down == 0 && up == 0:
		return false
	case down > 0 && len(m.came) == 0:
		f.Kind = WidthDown
		f.Before, f.After = width2(len(m.from)), width2(len(m.from)-down)
	case up > 0 && len(m.gone) == 0:
		f.Kind, chance = WidthUp, other
		f.Before, f.After = width2(len(m.to)-up), width2(len(m.to))
	default:
		return false
	}
	// That flows moved and what it means are two questions. P answers the first; how
	// well the count is known is the confidence.
	if f.Confidence = traceflow.ConfidenceMedium; chance < widthError/10 {
		f.Confidence = traceflow.ConfidenceHigh
	}
	return true
}

func width2(n int) string {
	if n == 1 {
		return "1 next hop"
	}
	return fmt.Sprintf("%d next hops", n)
}

// fewer returns how many next hops of one side are missing on the other for sure,
// and the chance that none is.
func (p *pair) fewer(m *move, side int) (n int, chance float64) {
	mine, others, gone := m.from, m.to, m.gone
	if side == after {
		mine, others, gone = m.to, m.from, m.came
	}
	if len(gone) == 0 || len(mine) < 2 || len(gone) == len(mine) {
		return 0, 1
	}
	// Enough flows were answered to say how many there are, on both sides.
	seen := 0
	for _, flows := range others {
		seen += flows
	}
	if widest(len(others), seen) < len(mine) && len(missing(others, mine)) == 0 {
		width := float64(len(mine))
		chance = width * math.Pow((width-1)/width, float64(seen))
		return len(mine) - len(others), min(1, chance)
	}
	// What the flows of the next hops that are on both sides did.
	stayed, kept, landed := 0, 0, 0
	for _, f := range m.known {
		own := p.at(side, f, m.ttl)
		if others[own] == 0 {
			continue
		}
		kept++
		if p.common(f, m.ttl) {
			stayed++
		} else {
			landed++
		}
	}
	leave := 1 - (float64(stayed)+0.5)/(float64(kept)+1)
	miss := 1 - 1/float64(len(mine))
	chances := make([]float64, len(gone))
	for i, who := range gone {
		chances[i] = math.Pow(leave, float64(mine[who])) * math.Pow(miss, float64(landed))
	}
	// Any of the set could have been the one that no flow happens to take.
	for len(chances) < len(mine) {
		chances = append(chances, 1)
	}
	chance = 1
	for _, c := range holm(chances, 0)[:len(gone)] {
		if c <= widthError {
			n, chance = n+1, min(chance, c)
		}
	}
	return n, chance
}
