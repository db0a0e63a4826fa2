// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The addresses of the border tests. Members announce the peering LANs, too,
// and so do public tables hold a private prefix: neither may mislead.
//
//	192.0.2.0/25        AS64500     192.0.2.128/26     AS64500 and AS64501
//	198.51.100.0/26     AS64501     198.51.100.64/26   AS64501 in the user's table
//	203.0.113.0/25      AS64502     10.1.0.0/16        AS64500 in the user's table
//	203.0.113.128/25    EX-IX: .129 is AS64500, .130 AS64501, .131 AS64502
//	198.51.100.128/25   NEXT-IX: .130 is AS64502
//	10.9.0.0/16         AS64509 in a public table
func borderAnnotation(a netip.Addr) Annotation {
	out := Annotation{Address: a}
	origin := func(prefix, source string, asns ...uint32) {
		if p := netip.MustParsePrefix(prefix); p.Contains(a) {
			out.Origin = Origin{ASNs: asns, Name: fmt.Sprintf("NET%d", asns[0]), Prefix: p, Source: source}
		}
	}
	origin("192.0.2.0/25", "table", 64500)
	origin("192.0.2.128/26", "table", 64500, 64501)
	origin("198.51.100.0/26", "table", 64501)
	origin("198.51.100.64/26", "mine", 64501)
	origin("203.0.113.0/25", "table", 64502)
	origin("10.1.0.0/16", "mine", 64500)
	origin("203.0.113.128/25", "table", 64501)
	origin("198.51.100.128/25", "table", 64501)
	origin("10.9.0.0/16", "table", 64509)
	origin("192.0.2.192/26", "table", 0)
	for _, lan := range []struct {
		prefix, name string
		members      map[byte]uint32
	}{
		{"203.0.113.128/25", "EX-IX", map[byte]uint32{129: 64500, 130: 64501, 131: 64502}},
		{"198.51.100.128/25", "NEXT-IX", map[byte]uint32{130: 64502}},
	} {
		if p := netip.MustParsePrefix(lan.prefix); p.Contains(a) {
			member := lan.members[a.As4()[3]]
			out.Port = Port{IXP: lan.name, Prefix: p, Member: member, Source: "ixps"}
			if member != 0 {
				out.Port.MemberName = fmt.Sprintf("NET%d", member)
			}
		}
	}
	return out
}

// bordered is a trace with annotations.
func (s scene) bordered(t *testing.T) *Trace {
	t.Helper()
	trace := s.trace(t)
	addresses := []netip.Addr{trace.VantagePoint.Address, trace.Destination.Address}
	for i := range trace.Graph.Nodes {
		if a := trace.Graph.Nodes[i].Address; a.IsValid() {
			addresses = append(addresses, a)
		}
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	for _, a := range slices.Compact(addresses) {
		if known := borderAnnotation(a); !known.IsZero() {
			trace.Annotations = append(trace.Annotations, known)
		}
	}
	trace.DataSets = []DataSet{{Name: "ixps", Kind: "peeringdb"}, {Name: "mine", Kind: KindPrefixes}, {Name: "table", Kind: "riswhois"}}
	return trace
}

// Each case names the published rule that it stands for. [1] is traIXroute
// (Nomikos and Dimitropoulos, PAM 2016), [2] bdrmapIT (Marder et al., IMC 2018),
// [3] Hyun, Broido and claffy, "Traceroute and BGP AS path incongruities" (2003),
// [4] Marchetta et al., "Detecting third-party addresses in traceroute traces with
// IP timestamp option" (PAM 2013).
func TestBorders(t *testing.T) {
	const private, a, b, c = "192.168.1.2", "192.0.2.9", "198.51.100.9", "203.0.113.9"
	tests := []struct {
		name  string
		scene scene
		want  []string
	}{
		{
			// [2]: the link between two ASes is numbered by one of them, so that two
			// hops on each side leave two places for the border.
			"two of each: here, or one hop earlier",
			scene{private, b, 0, []string{"192.0.2.1|192.0.2.2|198.51.100.1|" + b}},
			[]string{"2 192.0.2.2 AS64500 > 3 198.51.100.1 AS64501: origin-run medium, 1 flows"},
		},
		{
			// [2]: a lone last hop of an AS may be the neighbour's own router.
			"one hop of the nearer AS",
			scene{private, b, 0, []string{"192.0.2.1|198.51.100.1|198.51.100.2|" + b}},
			[]string{"1 192.0.2.1 AS64500 > 2 198.51.100.1 AS64501: origin low, 1 flows"},
		},
		{
			"one hop of the farther AS, which is the destination",
			scene{private, b, 0, []string{"192.0.2.1|192.0.2.2|" + b}},
			[]string{"2 192.0.2.2 AS64500 > 3 198.51.100.9 AS64501: origin low, 1 flows"},
		},
		{
			"one address at two TTLs is one address",
			scene{private, b, 0, []string{"192.0.2.1|192.0.2.1 q=1|198.51.100.1|" + b}},
			[]string{"2 192.0.2.1 AS64500 > 3 198.51.100.1 AS64501: origin low, 1 flows"},
		},
		{
			"a vantage point with a public address is a hop of its AS",
			scene{a, b, 0, []string{"192.0.2.1|198.51.100.1|" + b}},
			[]string{"1 192.0.2.1 AS64500 > 2 198.51.100.1 AS64501: origin-run medium, 1 flows"},
		},
		{
			"the first hop is another's",
			scene{a, b, 0, []string{"198.51.100.1|" + b}},
			[]string{"0 192.0.2.9 AS64500 > 1 198.51.100.1 AS64501: origin low, 1 flows"},
		},
		{
			"the user's own table",
			scene{"10.1.0.1", b, 0, []string{"10.1.0.2|198.51.100.65|" + b}},
			[]string{"1 10.1.0.2 AS64500 > 2 198.51.100.65 AS64501: own-table high, 1 flows"},
		},
		{
			"the user's own table on one side only",
			scene{"10.1.0.1", b, 0, []string{"10.1.0.2|203.0.113.1|203.0.113.2|" + b}},
			[]string{
				"1 10.1.0.2 AS64500 > 2 203.0.113.1 AS64502: origin-run medium, 1 flows",
				"3 203.0.113.2 AS64502 > 4 198.51.100.9 AS64501: origin low, 1 flows",
			},
		},
		{
			"a silent hop at the border: it is of nobody, and a third AS may stand there",
			scene{private, b, 0, []string{"192.0.2.1|192.0.2.2|*|198.51.100.1|" + b}},
			[]string{"2 192.0.2.2 AS64500 > 4 198.51.100.1 AS64501 (1 between): origin-run low, 1 flows"},
		},
		{
			"silence elsewhere changes nothing",
			scene{private, b, 0, []string{"192.0.2.1|*|192.0.2.2|198.51.100.1|*|198.51.100.2|*|" + b}},
			[]string{"3 192.0.2.2 AS64500 > 4 198.51.100.1 AS64501: origin-run medium, 1 flows"},
		},
		{
			"private addresses at the border, which a public table pretends to know",
			scene{private, b, 0, []string{"192.0.2.1|192.0.2.2|10.9.0.1|100.64.0.1|198.51.100.1|" + b}},
			[]string{"2 192.0.2.2 AS64500 > 5 198.51.100.1 AS64501 (2 between): origin-run low, 1 flows"},
		},
		{
			"addresses in no table inherit nothing, before the first AS and behind the last",
			scene{private, "198.18.0.8", 0, []string{"198.18.0.4|192.0.2.1|192.0.2.2|198.51.100.1|198.51.100.2|198.18.0.8"}},
			[]string{"3 192.0.2.2 AS64500 > 4 198.51.100.1 AS64501: origin-run medium, 1 flows"},
		},
		{
			"AS 0 is nobody's (RFC 7607)",
			scene{private, b, 0, []string{"192.0.2.1|192.0.2.200|192.0.2.2|" + b}},
			[]string{"3 192.0.2.2 AS64500 > 4 198.51.100.9 AS64501: origin low, 1 flows"},
		},
		{
			// [3], [4]: a router answers from the address of an interface that the
			// packet did not come in by, which a third AS has numbered.
			"a third party's address inside an AS",
			scene{private, b, 0, []string{"192.0.2.1|203.0.113.1|192.0.2.2|198.51.100.1|" + b}},
			[]string{"3 192.0.2.2 AS64500 > 4 198.51.100.1 AS64501: origin-run medium, 1 flows"},
		},
		{
			// [4]: between two ASes it cannot be told from a small AS on the way.
			"a third party's address at the border",
			scene{private, b, 0, []string{"192.0.2.1|192.0.2.2|203.0.113.1|198.51.100.1|" + b}},
			[]string{
				"2 192.0.2.2 AS64500 > 3 203.0.113.1 AS64502: origin low, 1 flows",
				"3 203.0.113.1 AS64502 > 4 198.51.100.1 AS64501: origin low, 1 flows",
			},
		},
		{
			// [3]: prefixes with several origins (MOAS), often of siblings.
			"an address with two origins is no border to either",
			scene{private, b, 0, []string{"192.0.2.1|192.0.2.2|192.0.2.129|198.51.100.1|" + b}},
			[]string{"3 192.0.2.129 AS64500 > 4 198.51.100.1 AS64501: origin-run medium, 1 flows"},
		},
		{
			"two origins, one of which is the next AS",
			scene{private, b, 0, []string{"192.0.2.129|198.51.100.1|198.51.100.2|" + b}},
			nil,
		},
		{
			// [1], rule 1: AS A, the port of a member B, AS B.
			"a port on a peering LAN",
			scene{private, b, 0, []string{"192.0.2.1|203.0.113.130|198.51.100.1|" + b}},
			[]string{"1 192.0.2.1 AS64500 > 2 203.0.113.130 AS64501 at EX-IX: ixp-port high, 1 flows"},
		},
		{
			"a LAN that AS64501 announces is not AS64501's",
			scene{private, c, 0, []string{"192.0.2.1|203.0.113.131|203.0.113.1|" + c}},
			[]string{"1 192.0.2.1 AS64500 > 2 203.0.113.131 AS64502 at EX-IX: ixp-port high, 1 flows"},
		},
		{
			"nothing answers behind the port",
			scene{private, b, 0, []string{"192.0.2.1|203.0.113.130|*|*"}},
			[]string{"1 192.0.2.1 AS64500 > 2 203.0.113.130 AS64501 at EX-IX: ixp-port medium, 1 flows"},
		},
		{
			"a silent hop before the port",
			scene{private, b, 0, []string{"192.0.2.1|*|203.0.113.130|198.51.100.1|" + b}},
			[]string{"1 192.0.2.1 AS64500 > 3 203.0.113.130 AS64501 at EX-IX (1 between): ixp-port medium, 1 flows"},
		},
		{
			"nobody known before the port",
			scene{private, b, 0, []string{"192.168.1.1|*|203.0.113.130|198.51.100.1|" + b}},
			[]string{"2 * AS0 > 3 203.0.113.130 AS64501 at EX-IX: ixp-port medium, 1 flows"},
		},
		{
			// [1]: the port's owner has to be the next AS; otherwise its record is old,
			// or the member has one router on the way.
			"a port whose member is not the next AS",
			scene{private, c, 0, []string{"192.0.2.1|203.0.113.130|203.0.113.1|" + c}},
			[]string{
				"1 192.0.2.1 AS64500 > 2 203.0.113.130 AS64501 at EX-IX: ixp-port medium, 1 flows",
				"2 203.0.113.130 AS64501 > 3 203.0.113.1 AS64502: origin low, 1 flows",
			},
		},
		{
			// 5.1, pitfalls: a router that answers from the port that it sends by.
			"a router answers from its own port",
			scene{private, b, 0, []string{"192.0.2.1|203.0.113.129|198.51.100.1|" + b}},
			[]string{"2 203.0.113.129 AS64500 > 3 198.51.100.1 AS64501 at EX-IX: ixp-port low, 1 flows"},
		},
		{
			"a port inside its member's AS: the LAN is not crossed",
			scene{private, b, 0, []string{"198.51.100.1|203.0.113.130|198.51.100.2|" + b}},
			nil,
		},
		{
			"another's port inside an AS: no packet comes back to an AS",
			scene{private, a, 0, []string{"192.0.2.1|203.0.113.130|192.0.2.2|" + a}},
			nil,
		},
		{
			// [1], the weak rules: the LAN is known, its member is not.
			"a LAN between two ASes",
			scene{private, b, 0, []string{"192.0.2.1|203.0.113.200|198.51.100.1|" + b}},
			[]string{"1 192.0.2.1 AS64500 > 2 203.0.113.200 AS64501 at EX-IX: ixp-lan medium, 1 flows"},
		},
		{
			"a LAN, and a silent hop behind it",
			scene{private, b, 0, []string{"192.0.2.1|203.0.113.200|*|198.51.100.1|" + b}},
			[]string{"1 192.0.2.1 AS64500 > 2 203.0.113.200 AS64501 at EX-IX: ixp-lan low, 1 flows"},
		},
		{
			"a LAN, and nothing known behind it",
			scene{private, b, 0, []string{"192.0.2.1|203.0.113.200|*|*"}},
			[]string{"1 192.0.2.1 AS64500 > 2 203.0.113.200 AS0 at EX-IX: ixp-lan-only low, 1 flows"},
		},
		{
			"a LAN, and nothing known before it",
			scene{private, b, 0, []string{"192.168.1.1|203.0.113.200|198.51.100.1|" + b}},
			[]string{"1 192.168.1.1 AS0 > 2 203.0.113.200 AS64501 at EX-IX: ixp-lan-only low, 1 flows"},
		},
		{
			"a LAN inside one AS",
			scene{private, b, 0, []string{"198.51.100.1|203.0.113.200|198.51.100.2|" + b}},
			nil,
		},
		{
			// [1]: packets cross one exchange point on their way, hardly ever two.
			"two LANs in a row",
			scene{private, c, 0, []string{"192.0.2.1|203.0.113.130|198.51.100.130|203.0.113.1|" + c}},
			[]string{
				"1 192.0.2.1 AS64500 > 2 203.0.113.130 AS64501 at EX-IX: ixp-port low, 1 flows",
				"2 203.0.113.130 AS64501 > 3 198.51.100.130 AS64502 at NEXT-IX: ixp-port low, 1 flows",
			},
		},
		{
			"a vantage point on the LAN",
			scene{"203.0.113.129", b, 0, []string{"198.51.100.1|198.51.100.2|" + b}},
			[]string{"0 203.0.113.129 AS64500 > 1 198.51.100.1 AS64501 at EX-IX: ixp-port low, 1 flows"},
		},
		{
			"parallel paths over one port are one border, over two they are two",
			scene{private, b, 0, []string{
				"192.0.2.1|203.0.113.130|198.51.100.1|" + b, "192.0.2.1|203.0.113.130|198.51.100.2|" + b,
				"192.0.2.1|203.0.113.140|198.51.100.2|" + b,
			}},
			[]string{
				"1 192.0.2.1 AS64500 > 2 203.0.113.130 AS64501 at EX-IX: ixp-port high, 2 flows",
				"1 192.0.2.1 AS64500 > 2 203.0.113.140 AS64501 at EX-IX: ixp-lan medium, 1 flows",
			},
		},
		{
			"the strongest evidence of any path counts",
			scene{private, b, 0, []string{"192.168.1.1|192.0.2.2|198.51.100.1|" + b, "192.0.2.1|192.0.2.2|198.51.100.1|" + b}},
			[]string{"2 192.0.2.2 AS64500 > 3 198.51.100.1 AS64501: origin-run medium, 2 flows"},
		},
		{"nothing known", scene{private, "198.18.0.8", 0, []string{"198.18.0.4|198.18.0.8"}}, nil},
		{"nothing answered", scene{private, b, 0, []string{"*|*"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, b := range tt.scene.bordered(t).Borders() {
				got = append(got, describeBorder(&b))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func describeBorder(b *Border) string {
	side := func(s BorderSide) string {
		address := "*"
		if s.Address.IsValid() {
			address = s.Address.String()
		}
		return fmt.Sprintf("%d %s AS%d", s.TTL, address, s.ASN)
	}
	text := side(b.Near) + " > " + side(b.Far)
	if b.IXP != "" {
		text += " at " + b.IXP
	}
	if b.Gap() > 0 {
		text += fmt.Sprintf(" (%d between)", b.Gap())
	}
	return text + fmt.Sprintf(": %s %s, %d flows", b.Evidence, b.Confidence, b.Flows)
}

// TestBorderNames wants the names of both sides, of a member's from its port.
func TestBorderNames(t *testing.T) {
	trace := scene{"192.168.1.2", "203.0.113.9", 0, []string{"192.0.2.1|203.0.113.131|*|*"}}.bordered(t)
	trace.Annotations = slices.DeleteFunc(trace.Annotations, func(a Annotation) bool { return a.Address == trace.Destination.Address })
	got := trace.Borders()
	if len(got) != 1 || got[0].Near.Name != "NET64500" || got[0].Far.Name != "NET64502" {
		t.Errorf("%+v", got)
	}
}

func TestOwner(t *testing.T) {
	tests := []struct {
		address string
		asn     uint32
		name    string
	}{
		{"192.0.2.1", 64500, "NET64500"},
		{"192.0.2.129", 64500, "NET64500"},
		{"203.0.113.131", 64502, "NET64502"},
		{"203.0.113.200", 0, ""}, // AS64501 announces the LAN
		{"198.18.0.8", 0, ""},
	}
	for _, tt := range tests {
		a := borderAnnotation(netip.MustParseAddr(tt.address))
		if asn, name := a.Owner(); asn != tt.asn || name != tt.name {
			t.Errorf("%s: AS%d %q, want AS%d %q", tt.address, asn, name, tt.asn, tt.name)
		}
	}
}
