// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"net/netip"
	"slices"
)

// nextOwner is who owns the first hop behind a way out of an AS.
type nextOwner struct {
	asns       []uint32 // several where a prefix has several origins; none when nobody knows
	evidence   OwnerEvidence
	confidence Confidence
	// lone is true where nothing but the one address says so. linked is true where
	// there is one more, which can be the other end of one link: then the first may
	// be that of the nearer AS's router, which answers from the link that it sends by.
	lone, linked bool
}

// ownerOf asks all the witnesses, the most trustworthy first, about the first hop
// that all these leavings have in common.
func (f *exitFinder) ownerOf(all []leaving) nextOwner {
	hop := all[0].farHop()
	o := nextOwner{asns: hop.asns}
	switch {
	case hop.port.Member != 0:
		o.evidence, o.confidence = OwnerPort, ConfidenceLow
		for i := range all {
			o.confidence = higher(o.confidence, all[i].border.Confidence)
		}
		return o
	case hop.onLAN():
		o.evidence, o.confidence = OwnerLAN, ConfidenceLow
		for i := range all {
			next := all[i].way.hops.member(all[i].far)
			if i > 0 {
				next = shared(o.asns, next)
			}
			o.asns = next
		}
		return o
	case len(hop.asns) == 0:
		return nextOwner{}
	case hop.own:
		o.evidence, o.confidence = OwnerOwnTable, ConfidenceHigh
		return o
	}
	follows, unknown := false, false
	for i := range all {
		behind := all[i].way.hops[all[i].far+1:]
		n := 0
		for n < min(2, len(behind)) && len(shared(o.asns, behind[n].asns)) > 0 {
			o.asns = shared(o.asns, behind[n].asns)
			n++
		}
		follows = follows || n > 0
		unknown = unknown || n == 0 && len(behind) > 0 && len(behind[0].asns) == 0
		o.linked = o.linked || n == 1 && mates(hop.address, behind[0].address)
	}
	switch {
	case follows && !unknown:
		o.evidence, o.confidence = OwnerRun, ConfidenceMedium
	case f.mateBefore(hop):
		o.evidence, o.confidence = OwnerMate, ConfidenceLow
	default:
		o.evidence, o.confidence, o.lone = OwnerOrigin, ConfidenceLow, true
	}
	return o
}

// member returns the ASes whose router may have an address on a peering LAN that
// nobody knows the member of: those of the next hop.
func (r route) member(i int) []uint32 {
	if i+1 == len(r) {
		return nil
	}
	return r[i+1].asns
}

// mateBefore reports whether the other end of the link that the first hop
// answered from was seen one TTL before: then packets come in by that link, and
// the address is no third party's (Luckie and claffy, "A second look at detecting
// third-party addresses in traceroute traces with the IP timestamp option", PAM
// 2014).
func (f *exitFinder) mateBefore(hop *owned) bool {
	return slices.ContainsFunc(f.trace.Graph.Nodes, func(n Node) bool {
		return n.TTL+1 == hop.ttl && n.IsValid() && mates(n.Address, hop.address)
	})
}

// mates reports whether two addresses can be the two ends of a link: those of a
// /31 (RFC 3021) or /127 (RFC 6164), or the two hosts of a /30 or /126.
func mates(a, b netip.Addr) bool {
	if !a.IsValid() || !b.IsValid() || a.Is4() != b.Is4() || a == b {
		return false
	}
	wide, err := a.Prefix(a.BitLen() - 2)
	if err != nil || !wide.Contains(b) {
		return false
	}
	last := func(x netip.Addr) byte { s := x.AsSlice(); return s[len(s)-1] & 3 }
	return last(a)^last(b) == 1 || last(a)+last(b) == 3 && last(a) != 0 && last(b) != 0
}

func higher(a, b Confidence) Confidence {
	if lowest(a, b) == a {
		return b
	}
	return a
}

// lowest returns the lower of two levels.
func lowest(a, b Confidence) Confidence {
	for _, c := range []Confidence{ConfidenceLow, ConfidenceMedium} {
		if a == c || b == c {
			return c
		}
	}
	return ConfidenceHigh
}

// surelyOf reports whether the router with a node's address is of an AS, and not
// of the next one, whose link to it that AS may have numbered: if it is in the
// user's own table or on the AS's port; if more of that AS, a port on a peering
// LAN or several ASes are behind it.
func (f *exitFinder) surelyOf(asn uint32, h *owned, id string) bool {
	if h.own || h.port.Member != 0 || id == "" {
		return true
	}
	var next []uint32
	for _, n := range f.next[id] {
		switch {
		case slices.Contains(n.asns, asn), n.port.Member != 0:
			return true
		case len(n.asns) == 0:
		case len(next) == 0:
			next = n.asns
		case len(shared(next, n.asns)) == 0:
			return true
		}
	}
	return false
}
