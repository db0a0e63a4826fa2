// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"
	"net/netip"
	"slices"

	"traceflow"
)

// crossing is a border as one flow meets it.
type crossing struct {
	near, far uint32 // ASNs
	ixp       string
	ttl       uint8
	at        netip.Addr
	sure      bool // of medium confidence at least
}

// findOwners compares which ASes and exchange points moved flows pass. A flow that
// did not move has not changed its owners, whatever the data sets say: both sides
// are read with the same annotations.
//
// What is not sure, or not seen, is no evidence: an AS path has changed only where
// a flow leaves one AS for another than before, both seen with medium confidence
// at least, and neither seen at all on the other side.
func (p *pair) findOwners() {
	annotations, sets := p.known()
	if len(p.moves) == 0 || len(annotations) == 0 {
		return
	}
	var sides [2][][]crossing
	for side := range sides {
		sides[side] = p.crossings(side, annotations, sets)
	}
	for _, m := range p.moves {
		p.findExits(m, &sides)
		p.findExchanges(m, &sides)
	}
}

// hosts adds what the places of changes are called.
func (p *pair) hosts(changes []*finding, names map[netip.Addr]string) {
	if len(changes) == 0 {
		return
	}
	annotations, _ := p.known()
	for _, f := range changes {
		for _, a := range []netip.Addr{f.Near, f.Far} {
			if name := annotations.Of(a).Hostname.Name; name != "" {
				names[a] = name
			}
		}
	}
}

// known merges what both snapshots know of addresses. What was read last counts.
func (p *pair) known() (all traceflow.Annotations, sets []traceflow.DataSet) {
	seen := make(map[netip.Addr]bool)
	for _, side := range []int{after, before} {
		for _, pass := range slices.Backward(p.sides[side].passes) {
			for _, a := range pass.Annotations {
				if !seen[a.Address] {
					seen[a.Address] = true
					all = append(all, a)
				}
			}
			for _, s := range pass.DataSets {
				if !slices.ContainsFunc(sets, func(o traceflow.DataSet) bool { return o.Name == s.Name }) {
					sets = append(sets, s)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b traceflow.Annotation) int { return a.Address.Compare(b.Address) })
	return all, sets
}

// crossings are the borders that each flow meets on one side, over all passes.
func (p *pair) crossings(side int, annotations traceflow.Annotations, sets []traceflow.DataSet) [][]crossing {
	out := make([][]crossing, len(p.flows))
	s := &p.sides[side]
	for _, pass := range s.passes {
		t := *pass
		t.Annotations, t.DataSets = annotations, sets
		borders := t.Borders()
		for i := range pass.Graph.Walks {
			w := &pass.Graph.Walks[i]
			f, ok := s.byID[w.Flow.ID]
			if !ok {
				continue
			}
			for _, b := range borders {
				if !meets(w, b.Near) || !meets(w, b.Far) {
					continue
				}
				out[f] = append(out[f], crossing{
					b.Near.ASN, b.Far.ASN, b.IXP, b.Far.TTL, b.Far.Address,
					b.Confidence != traceflow.ConfidenceLow,
				})
			}
		}
	}
	return out
}

// meets reports whether a flow was answered by one side of a border.
func meets(w *traceflow.Walk, s traceflow.BorderSide) bool {
	if s.TTL == 0 {
		return true
	}
	at := int(s.TTL) - int(w.First)
	return at >= 0 && at < len(w.Hops) && w.Hops[at].Kind.Answered() && w.Hops[at].Address == s.Address
}

// findExits notes where moved flows leave an AS for another one.
func (p *pair) findExits(m *move, sides *[2][][]crossing) {
	type exit struct{ near, before, after uint32 }
	found := make(map[exit]*finding)
	for _, f := range m.flows {
		b, a := sides[before][f], sides[after][f]
		for _, x := range b {
			for _, y := range a {
				if !x.sure || !y.sure || x.near != y.near || x.near == 0 || x.far == 0 || y.far == 0 || x.far == y.far ||
					leaves(a, x.near, x.far) || leaves(b, y.near, y.far) {
					continue
				}
				k := exit{x.near, x.far, y.far}
				c := found[k]
				if c == nil {
					c = p.addOwner(m, ASPathChanged, y)
					c.Before, c.After = fmt.Sprintf("AS%d to AS%d", k.near, k.before), fmt.Sprintf("AS%d to AS%d", k.near, k.after)
					found[k] = c
				}
				c.Flows = with(c.Flows, p.flows[f].ID)
			}
		}
	}
}

func leaves(all []crossing, near, far uint32) bool {
	return slices.ContainsFunc(all, func(c crossing) bool { return c.near == near && c.far == far })
}

// with adds an ID to a set of them.
func with(ids []int, id int) []int {
	if slices.Contains(ids, id) {
		return ids
	}
	return append(ids, id)
}

// findExchanges notes exchange points that moved flows cross on one side, and not
// on the other, where they are seen to leave the same AS in another way.
func (p *pair) findExchanges(m *move, sides *[2][][]crossing) {
	for side, kind := range []Kind{before: IXPLeft, after: IXPEntered} {
		found := make(map[string]*finding)
		for _, f := range m.flows {
			own, other := sides[side][f], sides[1-side][f]
			for _, x := range own {
				elsewhere := slices.ContainsFunc(other, func(y crossing) bool { return y.sure && y.near == x.near && y.ixp != x.ixp })
				if !x.sure || x.ixp == "" || !elsewhere || slices.ContainsFunc(other, func(y crossing) bool { return y.ixp == x.ixp }) {
					continue
				}
				c := found[x.ixp]
				if c == nil {
					c = p.addOwner(m, kind, x)
					if c.Before = "crossed " + x.ixp; kind == IXPEntered {
						c.Before, c.After = "", "crosses "+x.ixp
					}
					found[x.ixp] = c
				}
				c.Flows = with(c.Flows, p.flows[f].ID)
			}
		}
	}
}

// addOwner notes a change of owners that follows from a move.
func (p *pair) addOwner(m *move, kind Kind, at crossing) *finding {
	f := &finding{certain: m.finding.certain, cause: m.finding, move: m}
	f.Kind, f.P, f.Of, f.TTL, f.Far, f.Near = kind, m.chance, len(p.flows), at.ttl, at.at, m.near.Address
	f.Confidence = traceflow.ConfidenceMedium
	return p.add(f)
}
