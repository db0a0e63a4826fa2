// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"cmp"
	"net/netip"
)

// Responder is who answered a probe: an address, and the interface that the
// probe came in by, where the reply tells (RFC 5837). Two links in parallel
// lead to one address; they are two responders. It is the key of nodes.
type Responder struct {
	Address netip.Addr
	// Interface is the index of the incoming interface (ifIndex, RFC 2863); 0
	// when it is not known.
	Interface uint32
}

// Responder returns who sent a reply, as the reply itself tells.
func (r *Reply) Responder() Responder {
	return Responder{Address: r.Address, Interface: r.IncomingIndex()}
}

// IsValid reports whether there is one.
func (r Responder) IsValid() bool { return r.Address.IsValid() }

// Compare orders by address and interface, and puts silence last.
func (r Responder) Compare(other Responder) int {
	return cmp.Or(compareAddress(r.Address, other.Address), cmp.Compare(r.Interface, other.Interface))
}

// Join returns what two replies to one flow at one TTL know together of who
// sent them, and false where they were sent by two. One that does not tell its
// interface is no other than one that does.
func (r Responder) Join(other Responder) (Responder, bool) {
	switch {
	case r.Address != other.Address:
		return r, false
	case r.Interface == 0:
		return other, true
	}
	return r, other.Interface == 0 || other.Interface == r.Interface
}

// inferred returns a hop that takes over the responder of another flow's.
func (r Responder) inferred() Reply {
	hop := Reply{Kind: Inferred, Address: r.Address}
	if r.Interface != 0 {
		hop.Interfaces = []Interface{{Role: IncomingInterface, Index: r.Interface}}
	}
	return hop
}

// Responder returns who sent a reply to the walk's flow, as graphs show it: the
// destination is one, whatever interface it names, and Alias stands for it.
func (w *Walk) Responder(r *Reply) Responder {
	if r.Address == w.Flow.Destination || w.Alias.IsValid() && r.Address == w.Alias {
		return Responder{Address: w.shown(r.Address)}
	}
	return r.Responder()
}

// place is a responder at a TTL. The zero one at the TTL before the first is
// the vantage point.
type place struct {
	ttl int
	Responder
}

// Responders knows who answered at each TTL of a set of walks, so that a router
// which tells its interface in some replies and not in others is not taken for
// two: where an address told one interface at a TTL, that is the one of all its
// replies there. Where it told several, replies without one are a responder of
// their own, because nobody knows by which link they were asked for.
//
// The zero value knows none.
type Responders struct {
	told map[place]told // by TTL and address
}

// told is what an address told at a TTL.
type told struct {
	only    uint32 // the one interface, as long as there is one
	several bool
}

func newResponders(walks []Walk) *Responders {
	var s Responders
	for i := range walks {
		s.Learn(&walks[i])
	}
	return &s
}

// Learn takes in the hops of a walk. It reports whether what At returns for
// other walks may be another than before.
func (s *Responders) Learn(w *Walk) (changed bool) {
	for i := range w.Hops {
		if len(w.Hops[i].Interfaces) == 0 {
			continue
		}
		who := w.Responder(&w.Hops[i])
		if who.Interface == 0 {
			continue
		}
		at := place{int(w.First) + i, Responder{Address: who.Address}}
		known, ok := s.told[at]
		if known.several || known.only == who.Interface {
			continue
		}
		if s.told == nil {
			s.told = make(map[place]told)
		}
		s.told[at] = told{only: who.Interface, several: ok}
		changed = true
	}
	return changed
}

// At returns who sent a reply to a walk's flow at a TTL, with the interface
// that the walk's own hop, or the address elsewhere, tells if this reply does
// not.
func (s *Responders) At(w *Walk, ttl int, r *Reply) Responder {
	who := w.Responder(r)
	if len(s.told) == 0 || who.Interface != 0 || !who.IsValid() || who.Address == w.shown(w.Flow.Destination) {
		return who
	}
	if i := ttl - int(w.First); i >= 0 && i < len(w.Hops) {
		if own := w.Responder(&w.Hops[i]); own.Address == who.Address && own.Interface != 0 {
			return own
		}
	}
	if known := s.told[place{ttl, who}]; !known.several {
		who.Interface = known.only
	}
	return who
}

// hop returns who stands at a hop of a walk.
func (s *Responders) hop(w *Walk, i int) Responder {
	return s.At(w, int(w.First)+i, &w.Hops[i])
}
