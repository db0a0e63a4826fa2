// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"

	"traceflow"
)

// findMTU compares the largest packets that get through: for every flow that was
// measured on both sides, and where there is none the smallest of all. What was
// not sure, in any pass, is no evidence.
func (p *pair) findMTU() {
	b, a := p.mtus(before), p.mtus(after)
	var down, up []int
	var was, is traceflow.PathMTU
	shared := 0
	for f := range p.flows {
		x, ok := b[f]
		y, ok2 := a[f]
		if !ok || !ok2 {
			continue
		}
		shared++
		switch {
		case y.Bytes < x.Bytes:
			down = append(down, f)
		case y.Bytes > x.Bytes:
			up = append(up, f)
		default:
			continue
		}
		if was.Bytes == 0 || y.Bytes < is.Bytes {
			was, is = x, y
		}
	}
	if shared == 0 && len(b) > 0 && len(a) > 0 {
		f, g := smallest(b), smallest(a)
		was, is = b[f], a[g]
		switch {
		case is.Bytes < was.Bytes:
			down = []int{g}
		case is.Bytes > was.Bytes:
			up = []int{f}
		}
	}
	for _, side := range []struct {
		kind  Kind
		flows []int
	}{{MTUDown, down}, {MTUUp, up}} {
		kind, flows := side.kind, side.flows
		if len(flows) == 0 {
			continue
		}
		x := &finding{certain: true, cause: p.causeOf(flows)}
		x.Kind, x.Flows, x.Of, x.Confidence = kind, p.ids(flows), max(shared, len(flows)), traceflow.ConfidenceHigh
		x.Before, x.After = describe(was), describe(is)
		limit := is
		if kind == MTUUp {
			limit = was
		}
		x.TTL, x.Near = limit.LimitTTL, limit.Limit
		p.add(x)
	}
}

func describe(m traceflow.PathMTU) string {
	if m.BlackHole {
		return fmt.Sprintf("%d bytes, larger packets vanish", m.Bytes)
	}
	return fmt.Sprintf("%d bytes", m.Bytes)
}

// mtus is what was measured of each flow on one side, where all passes that
// measured it agree.
func (p *pair) mtus(side int) map[int]traceflow.PathMTU {
	s := &p.sides[side]
	out := make(map[int]traceflow.PathMTU)
	unsure := make(map[int]bool)
	for _, pass := range s.passes {
		for _, m := range pass.MTUs {
			f, ok := s.byID[m.Flow]
			if !ok {
				continue
			}
			known, again := out[f]
			if !m.Sure || again && known.Bytes != m.Bytes {
				unsure[f] = true
			}
			out[f] = m
		}
	}
	for f := range unsure {
		delete(out, f)
	}
	return out
}

// smallest returns the flow with the smallest, the first of several.
func smallest(mtus map[int]traceflow.PathMTU) int {
	best := -1
	for f, m := range mtus {
		if best < 0 || m.Bytes < mtus[best].Bytes || m.Bytes == mtus[best].Bytes && f < best {
			best = f
		}
	}
	return best
}
