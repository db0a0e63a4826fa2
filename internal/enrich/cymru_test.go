// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/net/dns/dnsmessage"

	"traceflow"
	"traceflow/internal/enrich/dnstest"
)

var equate = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})

func TestCymruName(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.129": "129.2.0.192.origin.asn.cymru.com.",
		"2001:db8::5": "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.origin6.asn.cymru.com.",
	} {
		if got := cymruName(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestParseCymruOrigin(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("64500 ", 100))
	var sixteen []uint32
	var thirty strings.Builder
	for i := range 30 {
		fmt.Fprintf(&thirty, "%d ", 64496+i)
		if i < maxOrigins {
			sixteen = append(sixteen, uint32(64496+i))
		}
	}
	prefix := netip.MustParsePrefix
	tests := []struct {
		name    string
		records []string
		want    traceflow.Origin
	}{
		{"one", []string{"64500 | 192.0.2.0/24 | NL | ripencc | 2009-06-01"}, traceflow.Origin{ASNs: []uint32{64500}, Prefix: prefix("192.0.2.0/24")}},
		{"several origins", []string{"64501 64500 | 192.0.2.0/24 | NL | ripencc |"}, traceflow.Origin{ASNs: []uint32{64501, 64500}, Prefix: prefix("192.0.2.0/24")}},
		{
			"several prefixes, in any order",
			[]string{"64500 | 192.0.0.0/16 | NL | ripencc |", "64502 | 192.0.2.0/25 | NL | ripencc |", "64501 | 192.0.2.0/24 | NL | ripencc |"},
			traceflow.Origin{ASNs: []uint32{64502}, Prefix: prefix("192.0.2.0/25")},
		},
		{"the same again", []string{long + " | 192.0.2.0/24 |"}, traceflow.Origin{ASNs: []uint32{64500}, Prefix: prefix("192.0.2.0/24")}},
		{"very many", []string{thirty.String() + "| 192.0.2.0/24"}, traceflow.Origin{ASNs: sixteen, Prefix: prefix("192.0.2.0/24")}},
		{"a prefix with more bits than it has", []string{"64500 | 192.0.2.77/24 |"}, traceflow.Origin{ASNs: []uint32{64500}, Prefix: prefix("192.0.2.0/24")}},
		{"of another prefix", []string{"64500 | 198.51.100.0/24 |"}, traceflow.Origin{}},
		{"of another family", []string{"64500 | ::/0 |"}, traceflow.Origin{}},
		{"AS 0, and no number", []string{"0 AS1 -1 4294967296 | 192.0.2.0/24 |"}, traceflow.Origin{}},
		{"no prefix", []string{"64500 | 192.0.2.0/240 |", "64500 |", "64500", "", "|", "| |"}, traceflow.Origin{}},
		{"none", nil, traceflow.Origin{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 {
				got, ok := parseCymruOrigin(netip.MustParseAddr("192.0.2.1"), tt.records)
				if diff := cmp.Diff(tt.want, got, equate); diff != "" || ok != (len(tt.want.ASNs) > 0) {
					t.Errorf("found: %t (-want +got)\n%s", ok, diff)
				}
				slices.Reverse(tt.records)
			}
		})
	}
}

func TestParseCymruName(t *testing.T) {
	for _, tt := range []struct{ record, want string }{
		{"64500 | NL | ripencc | 2009-06-01 | EXAMPLE - An example, NL", "EXAMPLE - An example, NL"},
		{"64500 | NL | ripencc | 2009-06-01 | A | B", "A | B"},
		{"64500 | NL | ripencc | 2009-06-01 |", ""},
		{"64501 | NL | ripencc | 2009-06-01 | ANOTHER", ""},
		{"64500 | NL", ""},
		{"", ""},
	} {
		if got := parseCymruName(64500, []string{tt.record}); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.record, got, tt.want)
		}
	}
}

func FuzzParseCymru(f *testing.F) {
	f.Add("64500 64501 | 192.0.2.0/24 | NL | ripencc | 2009-06-01 | x")
	f.Add("64500 | NL | ripencc | 2009-06-01 | EXAMPLE \x1b[31m\u202e\xff")
	f.Add("| ::ffff:192.0.2.0/120 |||||")
	f.Fuzz(func(t *testing.T, record string) {
		for _, a := range []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")} {
			o, ok := parseCymruOrigin(a, strings.Split(record, "\n"))
			if ok && (len(o.ASNs) == 0 || len(o.ASNs) > maxOrigins || !o.Prefix.Contains(a) || slices.Contains(o.ASNs, 0)) {
				t.Errorf("%q is read as %+v", record, o)
			}
		}
		if name := parseCymruName(64500, []string{record}); len(name) > maxText || !utf8.ValidString(name) {
			t.Errorf("%q is read as %q", record, name)
		}
	})
}

func TestGlobal(t *testing.T) {
	tests := map[string]bool{
		"192.0.2.1": true, "203.0.113.1": true, "2001:db8::1": true, // anybody's example, nobody's secret
		"10.0.0.1": false, "172.16.0.1": false, "192.168.0.1": false, "100.64.0.1": false, "100.127.255.255": false,
		"127.0.0.1": false, "169.254.1.1": false, "0.1.2.3": false, "192.0.0.8": false, "198.18.0.1": false, "198.19.255.1": false,
		"224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd12::1": false, "ff02::1": false,
		"::ffff:192.0.2.1": false, "64:ff9b::192.0.2.1": false, "4000::1": false,
	}
	for text, want := range tests {
		if got := global(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %t, want %t", text, got, want)
		}
	}
}

// TestCymruAsksLittle wants it to be told of no address but global ones that
// nothing is known of, and of each AS once.
func TestCymruAsksLittle(t *testing.T) {
	s := &dnstest.Server{Answer: dnstest.Records(map[string][]string{
		"1.2.0.192.origin.asn.cymru.com. TXT":    {"64500 | 192.0.2.0/24 | NL | ripencc | 2009-06-01"},
		"2.2.0.192.origin.asn.cymru.com. TXT":    {"64500 64501 | 192.0.2.0/24 | NL | ripencc | 2009-06-01"},
		"1.113.0.203.origin.asn.cymru.com. TXT":  {"64502 | 203.0.113.0/24 | NL | ripencc | 2009-06-01"},
		"AS64500.asn.cymru.com. TXT":             {"64500 | NL | ripencc | 2009-06-01 | EXAMPLE <b>, NL"},
		"1.100.51.198.origin.asn.cymru.com. TXT": {"64999 | 198.51.100.0/24 | NL | ripencc | 2009-06-01"},
	})}
	all := traceflow.Annotations{}
	for _, text := range []string{
		"10.0.0.1", "100.64.0.1", "192.0.2.1", "192.0.2.2", "192.0.2.3", "198.51.100.1", "198.51.100.2", "203.0.113.1", "fe80::1",
	} {
		all = append(all, traceflow.Annotation{Address: netip.MustParseAddr(text)})
	}
	all[5].Origin = traceflow.Origin{ASNs: []uint32{64503}, Source: "table"}
	all[6].Port = traceflow.Port{IXP: "EX-IX", Source: "ixps"}
	sets := NewCymru(s.Listen(t)).annotate(t.Context(), all)
	if len(sets) != 1 || sets[0].Name != "cymru" || time.Since(sets[0].Date) > time.Minute {
		t.Errorf("data sets %+v", sets)
	}
	want := map[string]string{
		"192.0.2.1": "[64500] EXAMPLE <b>, NL 192.0.2.0/24 cymru", "192.0.2.2": "[64500 64501] EXAMPLE <b>, NL 192.0.2.0/24 cymru",
		"203.0.113.1": "[64502]  203.0.113.0/24 cymru", "198.51.100.1": "[64503]  invalid Prefix table",
	}
	got := make(map[string]string)
	for i := range all {
		if o := &all[i].Origin; len(o.ASNs) > 0 {
			got[all[i].Address.String()] = fmt.Sprintf("%d %s %s %s", o.ASNs, o.Name, o.Prefix, o.Source)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("origins (-want +got)\n%s", diff)
	}
	asked := s.Asked()
	slices.Sort(asked)
	if diff := cmp.Diff([]string{
		"1.113.0.203.origin.asn.cymru.com.", "1.2.0.192.origin.asn.cymru.com.", "2.2.0.192.origin.asn.cymru.com.", "3.2.0.192.origin.asn.cymru.com.",
		"AS64500.asn.cymru.com.", "AS64502.asn.cymru.com.",
	}, slices.Compact(asked)); diff != "" {
		t.Errorf("asked (-want +got)\n%s", diff)
	}
}

// TestCymruSlow wants origins without names where there is no time for both.
func TestCymruSlow(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := &dnstest.Server{Delay: 1200 * time.Millisecond, Answer: func(name string, kind dnsmessage.Type) []string {
			if kind == dnsmessage.TypeTXT && strings.HasPrefix(name, "1.2.0.192.") {
				return []string{"64500 | 192.0.2.0/24 |"}
			}
			return []string{"64500 | NL | ripencc | 2009-06-01 | EXAMPLE"}
		}}
		ctx, cancel := context.WithTimeout(t.Context(), DefaultTimeout)
		defer cancel()
		all := traceflow.Annotations{{Address: netip.MustParseAddr("192.0.2.1")}}
		start := time.Now()
		cymruOf(inMemory(s)).annotate(ctx, all)
		if took := time.Since(start); took != DefaultTimeout || all[0].Origin.ASN() != 64500 || all[0].Origin.Name != "" {
			t.Errorf("%v: %+v", took, all[0])
		}
	})
}
