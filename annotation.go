// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"net/netip"
	"slices"
	"time"
)

// Annotation is what data sets and name servers say of one address. None of it
// was measured by the trace, and each part names its source. All text in it was
// written by strangers: escape it before it is shown.
type Annotation struct {
	Address netip.Addr
	// Hostname is what reverse DNS says.
	Hostname Hostname
	// Origin is the AS that announces the address. At borders that is often not
	// the one that owns the router: see Trace.Borders.
	Origin Origin
	// Place is where the address is said to be.
	Place Place
	// Port is set where the address lies on the peering LAN of an exchange point.
	Port Port
}

// IsZero reports whether nothing is known of the address.
func (a *Annotation) IsZero() bool {
	return a.Hostname.Name == "" && len(a.Origin.ASNs) == 0 && a.Place == (Place{}) && a.Port == (Port{})
}

// Hostname is the name of an address.
type Hostname struct {
	Name   string // without the last dot; "" when there is none
	Source string // DataSet.Name
}

// Origin is who announces an address in BGP.
type Origin struct {
	// ASNs are the origins, the most widely seen one first; none when the address
	// is in no table. Several announce one prefix now and then (MOAS).
	ASNs []uint32
	// Name is that of the first.
	Name string
	// Prefix is the one that is announced; invalid when the source does not tell.
	Prefix netip.Prefix
	Source string
}

// ASN returns the first origin, or 0.
func (o *Origin) ASN() uint32 {
	if len(o.ASNs) == 0 {
		return 0
	}
	return o.ASNs[0]
}

// Place is where an address is said to be. Such tables are often wrong for
// routers.
type Place struct {
	Country string // ISO 3166-1 alpha-2, as the source gives it
	City    string
	Source  string
}

// Port is an address on the peering LAN of an Internet exchange point.
type Port struct {
	IXP    string       // its name
	Prefix netip.Prefix // the LAN
	// Member is the AS whose router has the address; 0 when only the LAN is known.
	Member     uint32
	MemberName string
	Source     string
}

// Annotations are sorted by address, each of which is there once.
type Annotations []Annotation

// Of returns what is known of an address: nothing but the address if it is not
// there.
func (s Annotations) Of(address netip.Addr) Annotation {
	i, ok := slices.BinarySearchFunc(s, address, func(a Annotation, b netip.Addr) int { return a.Address.Compare(b) })
	if !ok {
		return Annotation{Address: address}
	}
	return s[i]
}

// DataSet is where annotations come from.
type DataSet struct {
	// Name is what annotations call it: unique among those of a trace.
	Name string
	// Kind is the form that it was read from, such as "riswhois", "mmdb" or "dns".
	Kind string
	// Date is that of the data; zero when it is not known.
	Date time.Time
	// SHA256 is that of the file it was read from, in hex; "" when it is no file.
	SHA256 string
	// Licence is what the data may be used for, as far as known.
	Licence string
}

// Owner returns the AS whose router most likely has the address, and its name:
// on a peering LAN the member whose port it is, whoever announces the LAN;
// elsewhere the first origin. It is 0 where nobody can say: on a LAN whose
// member is not known, too. At borders it is often the neighbour: see
// Trace.Borders.
func (a *Annotation) Owner() (asn uint32, name string) {
	if a.Port != (Port{}) {
		return a.Port.Member, a.Port.MemberName
	}
	return a.Origin.ASN(), a.Origin.Name
}

// KindPrefixes is the DataSet.Kind of the user's own table of prefixes, whose
// word counts most.
const KindPrefixes = "prefixes"
