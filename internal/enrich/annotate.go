// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"net/netip"
	"slices"

	"traceflow"
)

// Annotate fills Origin, Place and Port of out, as far as out does not say them yet,
// with what the sets say of an address, each from the set that is believed most:
//
//   - origin: the user's own table; on a peering LAN the member whose port the
//     address is, and otherwise nobody, whatever BGP says, since such LANs are
//     often not announced, or by one of their members; RISwhois; pfx2as; IPtoASN;
//     MMDB
//   - place: the user's own table; MMDB files that know a city; those that know a
//     country; IPtoASN
//   - port: the user's own table; PeeringDB
//
// Of addresses that are private, only the user's own table is asked. The name of an
// AS comes from the set that gave its number, or from another that knows it.
func (s *Store) Annotate(address netip.Addr, out *traceflow.Annotation) {
	address = address.Unmap().WithZone("")
	if !address.IsValid() {
		return
	}
	said := make([]record, len(s.sets))
	own := isPrivate(address)
	for i, set := range s.sets {
		if set.kind == KindPrefixes || !own {
			said[i] = s.ask(set, address)
		}
	}
	if out.Port.IXP == "" {
		s.port(address, said, &out.Port)
	}
	if len(out.Origin.ASNs) == 0 {
		s.origin(address, said, out)
	}
	if out.Place == (traceflow.Place{}) {
		s.place(said, &out.Place)
	}
}

// carrierGrade are the addresses between a provider's NAT and its customers (RFC
// 6598).
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// isPrivate reports whether an address may be in use in many places, so that what
// public tables say of it is an error.
func isPrivate(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || carrierGrade.Contains(a)
}

func (s *Store) port(address netip.Addr, said []record, out *traceflow.Port) {
	for i, set := range s.sets {
		r := &said[i]
		if r.ixp == "" {
			continue
		}
		*out = traceflow.Port{
			IXP: r.ixp, Prefix: prefixOf(address, r.lanBits),
			Member: r.member, MemberName: r.memberName, Source: s.use(set),
		}
		if out.Member != 0 && out.MemberName == "" {
			out.MemberName = s.asName(out.Member, said)
		}
		return
	}
}

func (s *Store) origin(address netip.Addr, said []record, a *traceflow.Annotation) {
	for i, set := range s.sets {
		r := &said[i]
		if len(r.asns) == 0 || a.Port.IXP != "" && set.kind != KindPrefixes {
			continue
		}
		a.Origin = traceflow.Origin{ASNs: slices.Clone(r.asns), Name: r.asName, Prefix: prefixOf(address, r.originBits), Source: s.use(set)}
		break
	}
	if len(a.Origin.ASNs) == 0 && a.Port.Member != 0 {
		a.Origin = traceflow.Origin{ASNs: []uint32{a.Port.Member}, Source: a.Port.Source}
	}
	if asn := a.Origin.ASN(); asn != 0 && a.Origin.Name == "" {
		a.Origin.Name = s.asName(asn, said)
		if a.Origin.Name == "" && asn == a.Port.Member {
			a.Origin.Name = a.Port.MemberName
		}
	}
}

// place asks the sets in another order: MMDB files are made for it.
func (s *Store) place(said []record, out *traceflow.Place) {
	best, rank := -1, 0
	for i, set := range s.sets {
		r, this := &said[i], 0
		switch {
		case r.groups()&hasPlace == 0:
			continue
		case set.kind == KindPrefixes:
			this = 4
		case set.kind == KindMMDB && r.city != "":
			this = 3
		case set.kind == KindMMDB:
			this = 2
		default:
			this = 1
		}
		if this > rank {
			best, rank = i, this
		}
	}
	if best >= 0 {
		*out = traceflow.Place{Country: said[best].country, City: said[best].city, Source: s.use(s.sets[best])}
	}
}

// asName is what an AS is called: by the user's own table, by a table of names, by
// an MMDB file that says the same AS of the address, by PeeringDB.
func (s *Store) asName(asn uint32, said []record) string {
	for _, kind := range []Kind{KindPrefixes, KindIPToASN, KindMMDB, KindPeeringDB} {
		for i, set := range s.sets {
			if set.kind != kind || s.isBroken(set) {
				continue
			}
			name, err := set.asName(asn)
			if err != nil {
				s.broke(set, err)
			}
			if r := &said[i]; name == "" && len(r.asns) > 0 && r.asns[0] == asn {
				name = r.asName
			}
			if name != "" {
				s.use(set)
				return name
			}
		}
	}
	return ""
}

// prefixOf returns the prefix of that length around an address, and none if the
// length is not known.
func prefixOf(address netip.Addr, bits uint8) netip.Prefix {
	if bits == unknownBits {
		return netip.Prefix{}
	}
	p, _ := address.Prefix(int(bits)) // tables are checked for longer ones
	return p
}
