// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"net/netip"
	"slices"
)

// owned is a hop of a path and who owns its address.
type owned struct {
	ttl     uint8
	address netip.Addr // invalid for a silent hop
	// asns are the ASes that it may be of, the likeliest first; none when nobody
	// knows.
	asns []uint32
	// port is that of the annotation; a LAN is never looked up by its origin,
	// because members announce LANs that are not theirs.
	port Port
	own  bool // asns are from the user's own table
}

func (o *owned) onLAN() bool { return o.port != (Port{}) }

// shared returns the ASes that both have.
func shared(a, b []uint32) []uint32 {
	var out []uint32
	for _, asn := range a {
		if slices.Contains(b, asn) {
			out = append(out, asn)
		}
	}
	return out
}

// owners knows who owns addresses.
type owners struct {
	annotations Annotations
	ownTables   map[string]bool
}

func newOwners(t *Trace) owners {
	o := owners{annotations: t.Annotations, ownTables: make(map[string]bool)}
	for i := range t.DataSets {
		if t.DataSets[i].Kind == KindPrefixes {
			o.ownTables[t.DataSets[i].Name] = true
		}
	}
	return o
}

func (o owners) of(a netip.Addr, ttl uint8) owned {
	out := owned{ttl: ttl}
	if !a.IsValid() || a.IsUnspecified() { // silent, or hidden by Trace.Mask
		return out
	}
	out.address = a
	known := o.annotations.Of(a)
	switch own := o.ownTables[known.Origin.Source]; {
	case known.Port != (Port{}):
		out.port = known.Port
		if known.Port.Member != 0 {
			out.asns = []uint32{known.Port.Member}
		}
	case own || !private(a):
		// AS 0 announces nothing (RFC 7607).
		out.own, out.asns = own, slices.DeleteFunc(slices.Clone(known.Origin.ASNs), func(asn uint32) bool { return asn == 0 })
	}
	return out
}

// carrier is what providers number customers with behind their NAT (RFC 6598).
var carrier = netip.MustParsePrefix("100.64.0.0/10")

// private reports whether many networks have the address: a public table that
// holds it is wrong.
func private(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || carrier.Contains(a)
}

// route is a path with the owners of its hops, the vantage point first.
type route []owned

// borders walks along a path.
func (r route) borders() []Border {
	r = r.withoutThirdParties()
	var out []Border
	near := -1 // the last hop of the AS that packets are in
	var in []uint32
	answersFromPort := false // near was of that AS already, and is on a LAN
	for i := range r {
		h := &r[i]
		far := h.asns
		if h.onLAN() && len(far) == 0 {
			far = r.next(i)
		}
		switch common := shared(in, far); {
		case len(h.asns) == 0 && (!h.onLAN() || i == 0 || len(common) > 0):
			continue // of nobody known, or on a LAN that is not crossed
		case len(common) > 0:
			in, near, answersFromPort = common, i, h.onLAN()
			continue
		case i == 0: // packets begin here
		case h.onLAN():
			out = append(out, r.crossing(near, i, in, far))
		case answersFromPort:
			out = append(out, r.leaving(near, i, in, far))
		case near >= 0:
			out = append(out, r.plain(near, i, in, far))
		}
		if len(far) > 0 {
			in, near, answersFromPort = far, i, i == 0 && h.onLAN()
		}
	}
	return out
}

// withoutThirdParties makes a single address of another AS between two of one
// AS nobody's: that router answered from an address that is not on the way (Hyun
// et al., "Traceroute and BGP AS path incongruities", 2003).
func (r route) withoutThirdParties() route {
	r = slices.Clone(r)
	var known []int // hops whose owner is known
	for i := range r {
		if len(r[i].asns) > 0 {
			known = append(known, i)
		}
	}
	for k := 1; k+1 < len(known); k++ {
		before, at, after := &r[known[k-1]], &r[known[k]], &r[known[k+1]]
		if len(shared(before.asns, after.asns)) > 0 && len(shared(before.asns, at.asns)) == 0 && len(shared(after.asns, at.asns)) == 0 {
			at.asns, at.port = nil, Port{}
		}
	}
	return r
}

// next returns who owns the first hop behind one of which that is known.
func (r route) next(i int) []uint32 {
	for _, h := range r[i+1:] {
		if len(h.asns) > 0 {
			return h.asns
		}
	}
	return nil
}

// side describes hop i as an end of a border.
func (r route) side(i int, asns []uint32) BorderSide {
	s := BorderSide{TTL: r[i].ttl, Address: r[i].address}
	if len(asns) > 0 {
		s.ASN = asns[0]
	}
	return s
}

// border is one between two hops; if the nearer is negative, whatever is before
// the other.
func (r route) border(near, far int, from, to []uint32) Border {
	if near < 0 {
		near = far - 1
	}
	return Border{Near: r.side(near, from), Far: r.side(far, to)}
}

// crossing is the border at a hop on a peering LAN: packets enter the AS of the
// member that has the port.
func (r route) crossing(near, i int, from, to []uint32) Border {
	b := r.border(near, i, from, to)
	port := &r[i].port
	b.IXP, b.LAN = port.IXP, port.Prefix
	doubts := 0
	if b.Gap() > 0 {
		doubts++
	}
	switch {
	case port.Member != 0:
		b.Evidence, b.Confidence = EvidenceIXPPort, ConfidenceHigh
		if len(from) == 0 {
			doubts++
		}
		if len(shared(r.next(i), to)) == 0 {
			doubts++
		}
	case len(from) == 0 || len(to) == 0:
		b.Evidence, b.Confidence = EvidenceIXPLANOnly, ConfidenceLow
	default:
		b.Evidence, b.Confidence = EvidenceIXPLAN, ConfidenceMedium
		if i+1 == len(r) || len(r[i+1].asns) == 0 {
			doubts++
		}
	}
	if r[i-1].onLAN() || i+1 < len(r) && r[i+1].onLAN() {
		b.Confidence = ConfidenceLow
	}
	b.Confidence = b.Confidence.lower(doubts)
	return b
}

// leaving is the border behind a router that answered from its own port on a
// peering LAN: it may well be crossed next, but the port that packets came in by
// is not this one.
func (r route) leaving(near, i int, from, to []uint32) Border {
	b := r.border(near, i, from, to)
	b.IXP, b.LAN = r[near].port.IXP, r[near].port.Prefix
	b.Evidence, b.Confidence = EvidenceIXPPort, ConfidenceLow
	return b
}

// plain is a border that only prefixes tell of.
func (r route) plain(near, i int, from, to []uint32) Border {
	b := r.border(near, i, from, to)
	switch {
	case r[near].own && r[i].own:
		b.Evidence, b.Confidence = EvidenceOwnTable, ConfidenceHigh
	case r.run(near, -1, from) > 1 && r.run(i, 1, to) > 1:
		b.Evidence, b.Confidence = EvidenceOriginRun, ConfidenceMedium
	default:
		b.Evidence, b.Confidence = EvidenceOrigin, ConfidenceLow
	}
	if b.Gap() > 0 {
		b.Confidence = b.Confidence.lower(1)
	}
	return b
}

// run counts the addresses of one AS in a row, from hop i on in a direction.
func (r route) run(i, step int, asns []uint32) int {
	seen := make(map[netip.Addr]bool)
	for ; i >= 0 && i < len(r); i += step {
		switch h := &r[i]; {
		case len(h.asns) == 0:
		case len(shared(h.asns, asns)) == 0:
			return len(seen)
		default:
			seen[h.address] = true
		}
	}
	return len(seen)
}
