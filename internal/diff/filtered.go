// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"
	"net/netip"

	"traceflow"
)

// refusal is what a router refused with: the code as traceroute prints it.
func refusal(w *traceflow.Walk) (what string, by netip.Addr, ttl int) {
	r := &w.Hops[len(w.Hops)-1]
	codes := map[uint8]string{0: "!N", 1: "!H", 2: "!P", 9: "!X", 10: "!X", 13: "!X"}
	if w.Flow.Destination.Is6() {
		codes = map[uint8]string{0: "!N", 1: "!X", 3: "!H", 5: "!X", 6: "!X"}
	}
	what = codes[r.ICMPCode]
	if r.Kind != traceflow.Unreachable || what == "" {
		what = fmt.Sprintf("%s, code %d", r.Kind, r.ICMPCode)
	}
	return what, r.Address, w.Distance()
}

// findFiltered notes flows that a router refused to forward in every pass of one
// side and in none of the other. It returns the findings by flow.
func (p *pair) findFiltered() (refused [2]map[int]*finding) {
	type key struct {
		what string
		by   netip.Addr
	}
	for side := range refused {
		refused[side] = make(map[int]*finding)
		found := make(map[key]*finding)
		for f := range p.flows {
			own, other := &p.sides[side].tracks[f], &p.sides[1-side].tracks[f]
			if own.refused() == 0 || own.refused() < len(own.walks) || other.refused() > 0 || len(other.walks) == 0 {
				continue
			}
			what, by, ttl := refusal(own.walks[0])
			k := key{what, by}
			x := found[k]
			if x == nil {
				x = &finding{certain: p.steady()}
				x.TTL, x.Near, x.Of = uint8(ttl), by, len(p.flows)
				x.Kind, x.Before, x.After = Filtered, "forwarded", what
				if side == before {
					x.Kind, x.Before, x.After = Recovered, what, "forwarded"
				}
				found[k] = x
				p.add(x)
			}
			x.Flows = append(x.Flows, p.flows[f].ID)
			x.P = fisher(0, len(p.flows), len(x.Flows), len(p.flows))
			refused[side][f] = x
		}
	}
	return refused
}
