// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"cmp"
	"net/netip"
	"slices"
)

// MarkField is a part of the TOS byte or traffic class.
type MarkField string

// The fields.
const (
	FieldDSCP MarkField = "dscp" // the upper 6 bits: the class of service (RFC 2474)
	FieldECN  MarkField = "ecn"  // the lower 2 bits: congestion (RFC 3168)
)

// Remark is a change that routers make to the marks of packets. A DSCP or ECN
// that is set to 0 is said to be bleached. ECN set to 3 is congestion that was
// met, if it was sent as 1 or 2.
type Remark struct {
	Onset
	Field    MarkField
	From, To uint8 // the value before and after
	Flows    int   // that show it
}

// markFields are how the fields are cut out of the byte.
var markFields = []struct {
	field MarkField
	of    func(tos uint8) uint8
}{
	{FieldDSCP, func(tos uint8) uint8 { return tos >> 2 }},
	{FieldECN, func(tos uint8) uint8 { return tos & 3 }},
}

// remarkClue is what one flow says of one change.
type remarkClue struct {
	Remark
	walk *Walk
}

// findRemarks compares the marks that are quoted with those that were sent.
func findRemarks(tracks []track) []Remark {
	var clues []remarkClue
	same := func(a, b uint8) bool { return a == b }
	for i := range tracks {
		k := &tracks[i]
		for _, m := range markFields {
			quoted := show(k, func(r *Reply) uint8 { return m.of(r.QuotedTOS) }, same)
			for _, c := range changes(m.of(k.walk.Flow.TOS), quoted, same) {
				clues = append(clues, remarkClue{Remark{Onset: k.blur(c.Onset), Field: m.field, From: c.from, To: c.to, Flows: 1}, k.walk})
			}
		}
	}
	// Those that know best where it is come first.
	slices.SortStableFunc(clues, func(a, b remarkClue) int { return a.precision() - b.precision() })
	var out []Remark
	for _, c := range clues {
		at := slices.IndexFunc(out, func(o Remark) bool {
			_, ok := o.meet(c.Onset, c.walk)
			return ok && o.Field == c.Field && o.From == c.From && o.To == c.To
		})
		if at < 0 {
			out = append(out, c.Remark)
			continue
		}
		out[at].Onset, _ = out[at].meet(c.Onset, c.walk)
		out[at].Flows++
	}
	slices.SortFunc(out, func(a, b Remark) int {
		return cmp.Or(a.compare(b.Onset), cmp.Compare(a.Field, b.Field), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return out
}

// ZeroTTL is a router that sends on packets whose TTL has run out: it is never
// seen itself, and the next one twice. (Augustin et al., "Avoiding traceroute
// anomalies with Paris traceroute", IMC 2006.)
type ZeroTTL struct {
	// TTL is where the router would answer. Instead Address does, there and at
	// the next TTL.
	TTL     uint8
	Address netip.Addr
	// Before is who answers at the TTL before; invalid when nobody does, or not
	// always the same.
	Before netip.Addr
	Flows  int // that show it
}

// findZeroTTL looks for nodes that quote a TTL of 0 and come again at the next
// TTL, with one of 1. By which link they were reached does not matter.
func findZeroTTL(tracks []track) []ZeroTTL {
	zero, one := make(map[place]int), make(map[place]bool)
	for i := range tracks {
		counted := make(map[place]bool)
		for _, s := range tracks[i].sights {
			p := place{s.sent, Responder{Address: s.who.Address}}
			switch {
			case !s.quotes():
			case s.reply.QuotedTTL == 1:
				one[p] = true
			case s.reply.QuotedTTL == 0 && !counted[p]:
				counted[p] = true
				zero[p]++
			}
		}
	}
	var out []ZeroTTL
	for p, flows := range zero {
		if one[place{p.ttl + 1, p.Responder}] {
			out = append(out, ZeroTTL{TTL: uint8(p.ttl), Address: p.Address, Before: oneBefore(tracks, p), Flows: flows})
		}
	}
	slices.SortFunc(out, func(a, b ZeroTTL) int { return cmp.Or(cmp.Compare(a.TTL, b.TTL), a.Address.Compare(b.Address)) })
	return out
}

// oneBefore returns the only address that the flows through a place were
// answered from at the TTL before.
func oneBefore(tracks []track, p place) (before netip.Addr) {
	for i := range tracks {
		w := tracks[i].walk
		at := p.ttl - int(w.First)
		if at < 1 || at >= len(w.Hops) || w.at(at) != p.Address || !w.Hops[at-1].Kind.Answered() {
			continue
		}
		if a := w.at(at - 1); !before.IsValid() {
			before = a
		} else if a != before {
			return netip.Addr{}
		}
	}
	return before
}
