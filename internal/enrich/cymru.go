// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"traceflow"
)

// Cymru finds out who announces addresses from Team Cymru's IP to ASN mapping
// over DNS. It tells that service which addresses are asked about, so it is for
// those who want it. It may be used by several goroutines.
type Cymru struct {
	origins asker[netip.Addr, traceflow.Origin]
	names   asker[uint32, string]
}

// NewCymru asks by one server, or those of the system if that is not valid.
func NewCymru(server netip.AddrPort) *Cymru { return cymruOf(newResolver(server)) }

func cymruOf(r *net.Resolver) *Cymru {
	ask := func(ctx context.Context, name string) ([]string, error) {
		records, err := r.LookupTXT(ctx, name)
		if notFound(err) {
			err = nil
		}
		return records, err
	}
	c := &Cymru{}
	c.origins.ask = func(ctx context.Context, a netip.Addr) (traceflow.Origin, bool, error) {
		records, err := ask(ctx, cymruName(a))
		origin, ok := parseCymruOrigin(a, records)
		return origin, ok, err
	}
	c.names.ask = func(ctx context.Context, asn uint32) (string, bool, error) {
		records, err := ask(ctx, fmt.Sprintf("AS%d.asn.cymru.com.", asn))
		name := parseCymruName(asn, records)
		return name, name != "", err
	}
	return c
}

// cymruName is the name whose TXT records tell the origin of an address: its
// octets or nibbles in reverse.
func cymruName(a netip.Addr) string {
	var b strings.Builder
	if a.Is4() {
		for _, octet := range slices.Backward(a.AsSlice()) {
			fmt.Fprintf(&b, "%d.", octet)
		}
		return b.String() + "origin.asn.cymru.com."
	}
	for _, octet := range slices.Backward(a.AsSlice()) {
		fmt.Fprintf(&b, "%x.%x.", octet&0xf, octet>>4)
	}
	return b.String() + "origin6.asn.cymru.com."
}

// parseCymruOrigin reads records such as
//
//	64500 64501 | 192.0.2.0/24 | NL | ripencc | 2009-06-01
//
// one for each prefix that covers the address; the longest counts. The country
// is that of the registry, and says nothing about a place.
func parseCymruOrigin(a netip.Addr, records []string) (traceflow.Origin, bool) {
	var best traceflow.Origin
	for _, record := range slices.Sorted(slices.Values(records)) {
		fields := strings.Split(record, "|")
		if len(fields) < 2 {
			continue
		}
		prefix, err := netip.ParsePrefix(strings.TrimSpace(fields[1]))
		if err != nil || !prefix.Contains(a) || best.Prefix.IsValid() && prefix.Bits() <= best.Prefix.Bits() {
			continue
		}
		var asns []uint32
		for text := range strings.FieldsSeq(fields[0]) {
			n, err := strconv.ParseUint(text, 10, 32)
			if err != nil || n == 0 || slices.Contains(asns, uint32(n)) {
				continue
			}
			if asns = append(asns, uint32(n)); len(asns) == maxOrigins {
				break
			}
		}
		if len(asns) > 0 {
			best = traceflow.Origin{ASNs: asns, Prefix: prefix.Masked()}
		}
	}
	return best, len(best.ASNs) > 0
}

// parseCymruName reads a record such as
//
//	64500 | NL | ripencc | 2009-06-01 | EXAMPLE - An example, NL
func parseCymruName(asn uint32, records []string) string {
	for _, record := range slices.Sorted(slices.Values(records)) {
		fields := strings.SplitN(record, "|", 5)
		if len(fields) == 5 && strings.TrimSpace(fields[0]) == strconv.FormatUint(uint64(asn), 10) {
			return clean(fields[4])
		}
	}
	return ""
}

// notGlobal are networks whose addresses are not announced, and whose use is
// nobody else's business: parts of the registries of special purposes (RFC
// 6890), besides those that net/netip knows.
var notGlobal = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // RFC 6598: behind a provider's NAT
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), // RFC 2544: benchmarks
	netip.MustParsePrefix("240.0.0.0/4"),
}

// ipv6Global is what global IPv6 unicast addresses are taken from so far (RFC
// 4291, section 2.4).
var ipv6Global = netip.MustParsePrefix("2000::/3")

// global reports whether an address is one that the world can know.
func global(a netip.Addr) bool {
	switch {
	case !a.IsGlobalUnicast() || a.IsPrivate() || a.Zone() != "":
		return false
	case !a.Is4():
		return ipv6Global.Contains(a)
	}
	return !slices.ContainsFunc(notGlobal, func(p netip.Prefix) bool { return p.Contains(a) })
}

// annotate fills in the origins of global addresses of which nothing is known
// who announces them, and returns the data set that they are from, if there are
// any.
func (c *Cymru) annotate(ctx context.Context, all traceflow.Annotations) []traceflow.DataSet {
	var addresses []netip.Addr
	for i := range all {
		if a := &all[i]; len(a.Origin.ASNs) == 0 && a.Port == (traceflow.Port{}) && global(a.Address) {
			addresses = append(addresses, a.Address)
		}
	}
	set := traceflow.DataSet{Name: "cymru", Kind: "cymru"}
	origins := c.origins.all(ctx, addresses)
	var asns []uint32
	for _, x := range origins {
		if asn := x.value.ASN(); !slices.Contains(asns, asn) {
			asns = append(asns, asn)
		}
	}
	names := c.names.all(ctx, asns)
	for i := range all {
		if x, ok := origins[all[i].Address]; ok {
			origin := x.value
			origin.ASNs, origin.Source = slices.Clone(origin.ASNs), set.Name
			origin.Name = names[origin.ASN()].value
			all[i].Origin = origin
			oldest(&set, x.asked)
		}
	}
	return used(set)
}
