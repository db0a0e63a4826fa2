// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"cmp"
	"net/netip"
	"slices"
)

// announcement is an AS that announces a prefix.
type announcement struct {
	prefix netip.Prefix
	asn    uint32
	peers  uint32 // that see it; 0 if the source does not tell
}

// announcements are the rows of a BGP table in any order.
type announcements []announcement

// The shortest prefixes that are announced in earnest. Shorter ones are default
// routes, whole or in pieces, and say nothing of who has an address.
const shortest4, shortest6 = 8, 16

// add adds a row. AS 0 and pieces of default routes count as rows, and say
// nothing.
func (a *announcements) add(prefix netip.Prefix, peers uint32, asns ...uint32) error {
	if len(*a) > maxRows {
		return errTooMany
	}
	shortest := shortest6
	if prefix.Addr().Is4() {
		shortest = shortest4
	}
	if prefix.Bits() < shortest {
		return nil
	}
	for _, asn := range asns {
		if asn != 0 {
			*a = append(*a, announcement{prefix, asn, peers})
		}
	}
	return nil
}

// builder has one row for each prefix, with all its origins: those that more
// peers see come first, and otherwise those that stood first.
func (a announcements) builder() (*builder, error) {
	slices.SortStableFunc(a, func(x, y announcement) int {
		return cmp.Or(x.prefix.Addr().Compare(y.prefix.Addr()), cmp.Compare(x.prefix.Bits(), y.prefix.Bits()), cmp.Compare(y.peers, x.peers))
	})
	b := newBuilder()
	for len(a) > 0 {
		prefix := a[0].prefix
		r := record{originBits: uint8(prefix.Bits())}
		for len(a) > 0 && a[0].prefix == prefix {
			if len(r.asns) < maxOrigins && !slices.Contains(r.asns, a[0].asn) {
				r.asns = append(r.asns, a[0].asn)
			}
			a = a[1:]
		}
		if err := b.addPrefix(prefix, r, 0); err != nil {
			return nil, err
		}
	}
	return b, nil
}
