// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// crossroads is a scene of the exit tests: flows like "8 A1|A2|B1|B2|D9", eight of
// one kind. Hosts are named by who owns them:
//
//	A1 … E9  AS64500 … AS64504, in a public table
//	a1 … e9  the same, in the user's own table
//	M1       AS64500 or AS64501 (MOAS); N1: AS64501 or AS64502
//	X11, X21 ports of AS64501 and AS64502 on the peering LAN of EX-IX; X200: nobody knows whose
//	U1       in no table
//	B51      the other end of the link that B1 is an address of, and so on
//
// The vantage point is A40, the destination D9. What follows a host is as in
// scenes.
type crossroads []string

var host = regexp.MustCompile(`\b([A-EMNUXa-e])(\d+)\b`)

func (c crossroads) address(name string) netip.Addr {
	n, _ := strconv.Atoi(name[1:])
	switch {
	case name[0] == 'X':
	case n > 50:
		n = 4*(n-50) + 2
	default:
		n = 4*n + 1
	}
	at := func(second, third int) netip.Addr {
		return netip.AddrFrom4([4]byte{198, byte(second), byte(third), byte(n)})
	}
	switch k := name[0]; {
	case k == 'M':
		return at(18, 100)
	case k == 'N':
		return at(18, 101)
	case k == 'X':
		return at(19, 0)
	case k == 'U':
		return at(19, 128)
	case k >= 'a':
		return at(19, 64+int(k-'a'))
	default:
		return at(18, int(k-'A'))
	}
}

func (c crossroads) annotate(a netip.Addr) Annotation {
	b := a.As4()
	out := Annotation{Address: a}
	origin := func(source string, asns ...uint32) {
		p, _ := a.Prefix(24)
		out.Origin = Origin{ASNs: asns, Name: fmt.Sprintf("NET%d", asns[0]), Prefix: p, Source: source}
	}
	switch second, third := b[1], b[2]; {
	case second == 18 && third == 100:
		origin("table", 64500, 64501)
	case second == 18 && third == 101:
		origin("table", 64501, 64502)
	case second == 18:
		origin("table", 64500+uint32(third))
	case third == 0:
		origin("table", 64504) // announces the LAN, and has no say
		out.Port = Port{IXP: "EX-IX", Prefix: netip.MustParsePrefix("198.19.0.0/24"), Source: "ixps"}
		if b[3] < 200 {
			out.Port.Member = 64500 + uint32(b[3]/10)
			out.Port.MemberName = fmt.Sprintf("NET%d", out.Port.Member)
		}
	case third < 128:
		origin("mine", 64500+uint32(third-64))
	}
	return out
}

// flows writes out what each flow met.
func (c crossroads) flows() []string {
	var out []string
	for _, line := range c {
		count, text, _ := strings.Cut(line, " ")
		n, _ := strconv.Atoi(count)
		text = host.ReplaceAllStringFunc(text, func(s string) string { return c.address(s).String() })
		out = append(out, slices.Repeat([]string{text}, n)...)
	}
	return out
}

func (c crossroads) trace(t *testing.T) *Trace {
	t.Helper()
	trace := scene{from: c.address("A40").String(), to: c.address("D9").String(), flows: c.flows()}.trace(t)
	trace.annotateAll(c.annotate)
	return trace
}

// annotateAll asks about every address.
func (t *Trace) annotateAll(ask func(netip.Addr) Annotation) {
	all := []netip.Addr{t.VantagePoint.Address, t.Destination.Address}
	for i := range t.Graph.Nodes {
		if a := t.Graph.Nodes[i].Address; a.IsValid() {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	t.Annotations = nil
	for _, a := range slices.Compact(all) {
		if known := ask(a); !known.IsZero() {
			t.Annotations = append(t.Annotations, known)
		}
	}
	t.DataSets = []DataSet{{Name: "ixps", Kind: "peeringdb"}, {Name: "mine", Kind: KindPrefixes}, {Name: "table", Kind: "riswhois"}}
}

func TestExits(t *testing.T) {
	// Most cases are one of these, and one thing more.
	relax := crossroads{"8 A1|A2|B1|B2|D1|D9", "8 A1|A2|C1|C2|D1|D9"}
	several := crossroads{"8 A1|A2|A4|B1|B2|D1|D9", "8 A1|A3|A5|C1|C2|D1|D9"}
	parallel := crossroads{"8 A1|A2|X11|B1|D1|D9", "8 A1|A2|X12|B1|D1|D9"}
	sameAS := crossroads{"8 A1|a2|B1|B2|D1|D9", "8 A1|a2|B5|B6|D1|D9"}
	with := func(c crossroads, flows ...string) crossroads { return append(slices.Clone(c), flows...) }
	edited := func(c crossroads, from, to string) crossroads {
		out := slices.Clone(c)
		for i := range out {
			out[i] = strings.ReplaceAll(out[i], from, to)
		}
		if slices.Equal(out, c) {
			t.Fatalf("no %s in %v", from, c)
		}
		return out
	}
	tests := []struct {
		name  string
		flows crossroads
		want  []string
	}{
		// as-path multipath-relax
		{"relax at one border", relax, []string{"relax-border medium at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C D] 8; one-router equal-lengths"}},
		{"relax: unequal shares", with(relax[:1], "2 A1|A2|C1|C2|D1|D9"), []string{"relax-border medium at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C D] 2; one-router equal-lengths"}},
		{"relax: over an exchange point", crossroads{"8 A1|A2|X11|B1|D1|D9", "8 A1|A2|X21|C1|D1|D9"}, []string{
			"relax-border medium at A2: A2>X11 ixp-port [B D] 8, A2>X21 ixp-port [C D] 8; one-router equal-lengths",
		}},
		{"relax: ports of several exchange points are as good", crossroads{"8 A1|A2|X11|B1|D1|D9", "8 A1|A2|X21|C1|D1|D9", "3 A1|A2|X22|C2|D1|D9"}, []string{
			"relax-border medium at A2: A2>X11 ixp-port [B D] 8, A2>X21 ixp-port [C D] 8, A2>X22 ixp-port [C D] 3; one-router equal-lengths",
		}},
		{"relax: two addresses of one router", crossroads{
			"4 A1|A2|B1|B2|D1|D9", "4 A1|A2|C1|C2|D1|D9", "4 A1|A3|B1|B2|D1|D9", "4 A1|A3|C1|C2|D1|D9",
		}, []string{"relax-border medium at A2: A2>B1 origin-run [B D] 4, A2>C1 origin-run [C D] 4, A3>B1 origin-run [B D] 4, A3>C1 origin-run [C D] 4; aliases equal-lengths"}},
		{"relax: a LAN, its members by what is behind", crossroads{"8 A1|A2|X200|B1|B2|D9", "8 A1|A2|X201|C1|C2|D9"}, []string{
			"relax-border low at A2: A2>X200 ixp-lan [B D] 8, A2>X201 ixp-lan [C D] 8; one-router equal-lengths",
		}},
		{"relax: silence inside an AS behind is no doubt", edited(relax, "B2|D1", "B2|*|B3|D1"), []string{
			"relax-border medium at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C D] 8; one-router equal-lengths",
		}},
		{"relax: an AS of one address counts", crossroads{"8 A1|A2|B1|B2|E1|D1|D9", "8 A1|A2|C1|C2|E2|D1|D9"}, []string{
			"relax-border low at A2: A2>B1 origin-run [B E D] 8, A2>C1 origin-run [C E D] 8; one-router equal-lengths lone-address",
		}},
		{"relax: the destination does not answer, but the paths meet", crossroads{"8 A1|A2|B1|B2|D1|*", "8 A1|A2|C1|C2|D1|*"}, []string{
			"relax-border low at A2: A2>B1 origin-run [B D?] 8, A2>C1 origin-run [C D?] 8; one-router equal-lengths lone-address",
		}},
		{"relax: two origins of which one goes on", edited(relax, "B1", "N1"), []string{
			"relax-border medium at A2: A2>C1 origin-run [C D] 8, A2>N1 origin-run [B D] 8; one-router equal-lengths",
		}},
		{"relax? lengths differ", edited(relax, "C2|D1", "C2|E1|E2|D1"), []string{
			"undetermined unequal-lengths at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C E D] 8; one-router unequal-lengths",
		}},
		{"relax? one leads back into the other", crossroads{"8 A1|A2|B1|B2|D1|D9", "8 A1|A2|C1|C2|B2|D1|D9"}, []string{
			"undetermined unequal-lengths at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C B D] 8; one-router unequal-lengths lone-address",
		}},
		{"relax? a silent hop where ASes meet behind", edited(relax, "C2|D1", "C2|*|D1"), []string{
			"undetermined unknown-length at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C D?] 8; one-router unknown-lengths",
		}},
		{"relax? the paths end", crossroads{"8 A1|A2|B1|B2|*|*", "8 A1|A2|C1|C2|*|*"}, []string{
			"undetermined unknown-length at A2: A2>B1 origin-run [B?] 8, A2>C1 origin-run [C?] 8; one-router unknown-lengths",
		}},
		{"relax? a silent hop at the split", edited(relax, "A2|C1", "A2|*"), []string{
			"undetermined silent-hop at A2: A2>B1 origin-run [B D] 8, A2>C2 origin [C D] 8; one-router equal-lengths lone-address, 8 unanswered",
		}},
		{"relax? the router at the split is silent", edited(relax, "A2", "*"), []string{
			"undetermined silent-hop at A1: A1>B1 origin-run [B D] 8, A1>C1 origin-run [C D] 8; one-router equal-lengths, 16 unanswered",
		}},
		{"relax? one flow is silent where paths part", with(relax, "1 A1|A2|*|*|D1|D9"), []string{
			"undetermined silent-hop at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C D] 8; one-router equal-lengths, 1 unanswered",
		}},
		{"relax? some flows go nowhere", with(relax, "2 A1|A2|*|*|*|*"), []string{
			"undetermined silent-hop at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C D] 8; one-router equal-lengths, 2 unanswered",
		}},
		{"relax? a router that shows the labels of a tunnel's end", edited(relax, "C1", "C1 mpls=3/252"), []string{
			"undetermined hidden-mpls at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C D] 8; one-router equal-lengths",
		}},
		{"relax? a quoted TTL of more than 1", edited(relax, "B1", "B1 q=2"), []string{
			"undetermined hidden-mpls at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C D] 8; one-router equal-lengths",
		}},
		{"relax? the way back is longer at once", edited(relax, "B1", "B1 ttl=58"), []string{
			"undetermined hidden-mpls at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C D] 8; one-router equal-lengths",
		}},
		{"labels that are shown hide nothing", edited(relax, "A2", "A2 mpls=16004/1"), []string{
			"relax-border medium at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C D] 8; one-router equal-lengths",
		}},
		{"relax? a third party's address", edited(relax, "C1|C2", "E1|B5"), []string{
			"undetermined lone-address at A2: A2>B1 origin-run [B D] 8, A2>E1 origin [E B D] 8; one-router unequal-lengths lone-address",
		}},
		{"a third party's address, between two of the AS, is nobody's border", edited(relax, "A1|A2", "A1|E1|A2"), []string{
			"relax-border medium at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C D] 8; one-router equal-lengths",
		}},
		{"relax? the near AS may be a third party's address", edited(relax, "A1|A2", "A1|E1"), []string{
			"undetermined lone-address at E1: E1>B1 origin-run [B D] 8, E1>C1 origin-run [C D] 8; one-router equal-lengths",
		}},
		{"relax: the only addresses of an AS are the ends of one link", edited(relax, "C2", "C51"), []string{
			"relax-border low at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C D] 8; one-router equal-lengths link-address",
		}},
		{"relax: the other end of a lone address's link was seen", with(edited(relax, "C1|C2", "C1"), "1 A1|C51"), []string{
			"undetermined few-flows at A1: A1>C51 origin [C?] 1, A2>B1 origin-run [B D] 8, A2>C1 mate [C D] 8; several-routers unknown-lengths",
			"relax-border low at A2: A2>B1 origin-run [B D] 8, A2>C1 mate [C D] 8; one-router equal-lengths lone-address",
		}},
		{"relax? two origins", crossroads{"8 A1|A2|B1|B2|D1|D9", "8 A1|A2|N1|N3|D1|D9"}, []string{
			"undetermined several-origins at A2: A2>B1 origin-run [B D] 8, A2>N1 origin-run [B D] 8; one-router equal-lengths",
		}},
		{"relax? the border itself has two", edited(relax, "A2", "M2"), []string{
			"undetermined several-origins at M2: M2>B1 origin-run [B D] 8, M2>C1 origin-run [C D] 8; one-router equal-lengths",
		}},
		{"relax? nobody knows the next AS", edited(relax, "C1|C2", "U1|U3"), []string{
			"undetermined unknown-owner at A2: A2>B1 origin-run [B D] 8, A2>D1 origin-run [D] 8; one-router unequal-lengths",
		}},
		{"relax? too few flows", crossroads{"8 A1|A2|B1|B2|D1|D9", "1 A1|A2|C1|C2|D1|D9"}, []string{
			"undetermined few-flows at A2: A2>B1 origin-run [B D] 8, A2>C1 origin-run [C D] 1; one-router equal-lengths",
		}},
		{"relax? too few altogether", crossroads{"3 A1|A2|B1|B2|D1|D9", "2 A1|A2|C1|C2|D1|D9"}, []string{
			"undetermined few-flows at A2: A2>B1 origin-run [B D] 3, A2>C1 origin-run [C D] 2; one-router equal-lengths",
		}},
		{"relax? a LAN, and nothing known behind", crossroads{"8 A1|A2|X200|B1|B2|D9", "8 A1|A2|X201|*|C2|D9"}, []string{
			"undetermined unknown-owner at A2: A2>X200 ixp-lan [B D] 8, A2>X201  [C D?] 8; one-router unknown-lengths",
		}},

		// several exits
		{"several exits", several, []string{"multi-exit medium at A1: A4>B1 origin-run [B D] 8, A5>C1 origin-run [C D] 8; several-routers equal-lengths"}},
		{"several exits to one AS", edited(edited(several, "C1", "B5"), "C2", "B2"), []string{
			"multi-exit medium at A1: A4>B1 origin-run [B D] 8, A5>B5 origin-run [B D] 8; several-routers equal-lengths",
		}},
		{"several exits: lengths differ", edited(several, "C2|D1", "C2|E1|E2|D1"), []string{
			"multi-exit low at A1: A4>B1 origin-run [B D] 8, A5>C1 origin-run [C E D] 8; several-routers unequal-lengths",
		}},
		{"several exits: ports say that the last hops are the AS's own", crossroads{"8 A1|A2|X11|B1|D1|D9", "8 A1|A3|X21|C1|D1|D9"}, []string{
			"multi-exit medium at A1: A2>X11 ixp-port [B D] 8, A3>X21 ixp-port [C D] 8; several-routers equal-lengths",
		}},
		{"several exits: the user's own table", crossroads{"8 a1|a2|B1|B2|D1|D9", "8 a1|a3|C1|C2|D1|D9"}, []string{
			"multi-exit medium at a1: a2>B1 origin-run [B D] 8, a3>C1 origin-run [C D] 8; several-routers equal-lengths",
		}},
		{"several exits: at the first hop", crossroads{"8 A2|A4|B1|B2|D1|D9", "8 A3|A5|C1|C2|D1|D9"}, []string{
			"multi-exit medium at A40: A4>B1 origin-run [B D] 8, A5>C1 origin-run [C D] 8; several-routers equal-lengths",
		}},
		{"several exits, relax at one of them", with(several, "8 A1|A3|A5|B5|B6|D1|D9"), []string{
			"multi-exit medium at A1: A4>B1 origin-run [B D] 8, A5>B5 origin-run [B D] 8, A5>C1 origin-run [C D] 8; several-routers equal-lengths",
			"relax-border medium at A5: A5>B5 origin-run [B D] 8, A5>C1 origin-run [C D] 8; one-router equal-lengths",
		}},
		{"several exits? the last addresses may be the neighbours'", crossroads{"8 A1|A2|B1|B2|D1|D9", "8 A1|A3|C1|C2|D1|D9"}, []string{
			"undetermined link-address at A1: A2>B1 origin-run [B D] 8, A3>C1 origin-run [C D] 8; several-routers equal-lengths",
		}},
		{"several exits? a silent hop behind the split", edited(several, "A2|A4", "*|A4"), []string{
			"undetermined silent-hop at A1: A4>B1 origin-run [B D] 8, A5>C1 origin-run [C D] 8; several-routers equal-lengths, 8 unanswered",
		}},
		{"several exits? hidden routers", edited(several, "A4", "A4 ttl=57"), []string{
			"undetermined hidden-mpls at A1: A4>B1 origin-run [B D] 8, A5>C1 origin-run [C D] 8; several-routers equal-lengths",
		}},
		{"several exits? two origins", edited(several, "C1|C2", "N1|N3"), []string{
			"undetermined several-origins at A1: A4>B1 origin-run [B D] 8, A5>N1 origin-run [B D] 8; several-routers equal-lengths",
		}},
		{"several exits? few flows", with(several[:1], "1 A1|A3|A5|C1|C2|D1|D9"), []string{
			"undetermined few-flows at A1: A4>B1 origin-run [B D] 8, A5>C1 origin-run [C D] 1; several-routers equal-lengths",
		}},

		// parallel ports
		{"parallel ports of a member", parallel, []string{"ixp-parallel medium at A2: A2>X11 ixp-port [B D] 8, A2>X12 ixp-port [B D] 8; one-router equal-lengths"}},
		{"parallel ports: a third party before them", edited(parallel, "A2", "E1"), []string{
			"ixp-parallel low at E1: E1>X11 ixp-port [B D] 8, E1>X12 ixp-port [B D] 8; one-router equal-lengths",
		}},
		{"parallel ports? nobody knows whose", edited(edited(parallel, "X11", "X200"), "X12", "X201"), []string{
			"undetermined unknown-member at A2: A2>X200 ixp-lan [B D] 8, A2>X201 ixp-lan [B D] 8; one-router equal-lengths",
		}},
		{"parallel ports? one is another's, perhaps", edited(parallel, "X12", "X200"), []string{
			"undetermined unknown-member at A2: A2>X11 ixp-port [B D] 8, A2>X200 ixp-lan [B D] 8; one-router equal-lengths",
		}},
		{"parallel ports? silent before them", edited(parallel, "A2|X12", "*|X12"), []string{
			"undetermined silent-hop at A1: A1>X12 ixp-port [B D] 8, A2>X11 ixp-port [B D] 8; several-routers equal-lengths, 8 unanswered",
		}},

		// one AS
		{"several links to one AS", sameAS, []string{"same-as-multipath medium at a2: a2>B1 origin-run [B D] 8, a2>B5 origin-run [B D] 8; one-router equal-lengths"}},
		{"several links to one AS, by the interfaces of one address", edited(edited(sameAS, "B1", "B1 if=3"), "B5|B6", "B1 if=4|B2"), []string{
			"same-as-multipath medium at a2: a2>B1 origin-run [B D] 8, a2>B1 origin-run [B D] 8; one-router equal-lengths",
		}},
		{"several links? the border may be the next AS's router", edited(sameAS, "a2", "A2"), []string{
			"undetermined link-address at A2: A2>B1 origin-run [B D] 8, A2>B5 origin-run [B D] 8; one-router equal-lengths",
		}},
		{"several links? to some flows the router is silent", with(sameAS, "1 A1|a2|*|B6|D1|D9"), []string{
			"undetermined silent-hop at a2: a2>B1 origin-run [B D] 8, a2>B5 origin-run [B D] 8; one-router equal-lengths, 1 unanswered",
		}},

		// both
		{"relax? both next hops are silent", crossroads{"8 A1|A2|*|B2|D1|D9", "8 A1|A2|*|C2|D1|D9"}, []string{
			"undetermined silent-hop at A2: A2>B2 origin [B D] 8, A2>C2 origin [C D] 8; one-router equal-lengths lone-address, 16 unanswered",
		}},
		{"relax? a single flow each", crossroads{"1 A1|A2|B1|B2|D1|D9", "1 A1|A2|C1|C2|D1|D9"}, []string{
			"undetermined few-flows at A2: A2>B1 origin-run [B D] 1, A2>C1 origin-run [C D] 1; one-router equal-lengths",
		}},
		{"relax? the border is nobody's", edited(relax, "A2", "U2"), []string{
			"undetermined unknown-owner at A1: A1>B1 origin-run [B D] 8, A1>C1 origin-run [C D] 8; one-router equal-lengths",
		}},
		{"relax? only one next AS is known", edited(edited(relax, "C1|C2", "U1|U3"), "D1", "U5"), []string{
			"undetermined unknown-owner at A2: A2>B1 origin-run [B D?] 8, A2>D9 origin [D] 8; one-router unknown-lengths",
		}},
		{"several exits: a third party's address inside", edited(several, "A2|A4", "E1|A4"), []string{
			"multi-exit medium at A1: A4>B1 origin-run [B D] 8, A5>C1 origin-run [C D] 8; several-routers equal-lengths",
		}},
		{"several exits? a third party's address is the last", edited(several, "A4|B1", "E1|B1"), []string{
			"multi-exit low at A1: A2>E1 origin [E B D] 8, A5>C1 origin-run [C D] 8; several-routers unequal-lengths lone-address",
		}},
		{"several exits? both last hops are silent", edited(edited(several, "A4", "*"), "A5", "*"), []string{
			"undetermined silent-hop at A1: A2>B1 origin-run [B D] 8, A3>C1 origin-run [C D] 8; several-routers equal-lengths, 16 unanswered",
		}},
		{"several exits: LANs, nobody knows whose ports", crossroads{"8 A1|A2|A4|X200|B1|B2|D1|D9", "8 A1|A3|A5|X201|C1|C2|D1|D9"}, []string{
			"multi-exit low at A1: A4>X200 ixp-lan [B D] 8, A5>X201 ixp-lan [C D] 8; several-routers equal-lengths",
		}},
		{"several exits? nobody knows the next AS", edited(several, "C1|C2", "U1|U3"), []string{
			"undetermined unknown-owner at A1: A4>B1 origin-run [B D] 8, A5>D1 origin-run [D] 8; several-routers unequal-lengths",
		}},
		{"parallel ports: one flow by one of them", crossroads{"8 A1|A2|X11|B1|D1|D9", "1 A1|A2|X12|B1|D1|D9"}, []string{
			"ixp-parallel medium at A2: A2>X11 ixp-port [B D] 8, A2>X12 ixp-port [B D] 1; one-router equal-lengths",
		}},
		{"parallel ports? too few altogether", crossroads{"3 A1|A2|X11|B1|D1|D9", "2 A1|A2|X12|B1|D1|D9"}, []string{
			"undetermined few-flows at A2: A2>X11 ixp-port [B D] 3, A2>X12 ixp-port [B D] 2; one-router equal-lengths",
		}},
		{"parallel ports? hidden routers", edited(parallel, "X12", "X12 q=2"), []string{
			"undetermined hidden-mpls at A2: A2>X11 ixp-port [B D] 8, A2>X12 ixp-port [B D] 8; one-router equal-lengths",
		}},
		{"parallel ports: who announces the LAN does not count", edited(parallel, "B1", "E1"), []string{
			"ixp-parallel medium at A2: A2>X11 ixp-port [B E D] 8, A2>X12 ixp-port [B E D] 8; one-router equal-lengths lone-address",
		}},
		{"parallel ports? nobody knows whose border it is", edited(parallel, "A1|A2", "U1|U2"), []string{
			"undetermined unknown-owner at A40: A40>X11 ixp-port [B D] 8, A40>X12 ixp-port [B D] 8; one-router equal-lengths",
		}},
		{"several links? a third party's address", edited(sameAS, "B5|B6", "E1|B6"), []string{
			"undetermined lone-address at a2: a2>B1 origin-run [B D] 8, a2>E1 origin [E B D] 8; one-router unequal-lengths lone-address",
		}},
		{"several links? one over a LAN, nobody knows whose port", edited(sameAS, "B5", "X200"), []string{
			"undetermined unknown-member at a2: a2>B1 origin-run [B D] 8, a2>X200 ixp-lan [B D] 8; one-router equal-lengths",
		}},
		{"several links: one over a port", edited(sameAS, "B5", "X11"), []string{
			"same-as-multipath medium at a2: a2>B1 origin-run [B D] 8, a2>X11 ixp-port [B D] 8; one-router equal-lengths",
		}},
		{"several links: one flow by one of them", append(sameAS[:1:1], "1 A1|a2|B5|B6|D1|D9"), []string{
			"same-as-multipath medium at a2: a2>B1 origin-run [B D] 8, a2>B5 origin-run [B D] 1; one-router equal-lengths",
		}},
		{"several links? two origins", edited(sameAS, "B5|B6", "N1|N3"), []string{
			"undetermined several-origins at a2: a2>B1 origin-run [B D] 8, a2>N1 origin-run [B D] 8; one-router equal-lengths",
		}},
		{"several links? hidden routers", edited(sameAS, "B5", "B5 ttl=58"), []string{
			"undetermined hidden-mpls at a2: a2>B1 origin-run [B D] 8, a2>B5 origin-run [B D] 8; one-router equal-lengths",
		}},

		// none
		{"paths part inside an AS and meet again", crossroads{"8 A1|A2|A4|B1|B2|D9", "8 A1|A3|A4|B1|B2|D9"}, nil},
		{"paths part in the next AS", crossroads{"8 A1|A2|B1|B2|B4|D9", "8 A1|A2|B1|B3|B4|D9"}, nil},
		{"paths enter an AS at several places", crossroads{"8 A1|A2|A3|B1|B5|D9", "8 A1|A2|A3|B1|B6|D9"}, nil},
		{"one path", relax[:1], nil},
		{"nothing answers", crossroads{"8 *|*"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			got := []string{}
			exits := tt.flows.trace(t).Exits()
			for i := range exits {
				got = append(got, describeExit(&exits[i]))
			}
			if diff := cmp.Diff(want, got, equate...); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// describeExit writes an exit in the names of crossroads.
func describeExit(x *Exit) string {
	name := func(a netip.Addr) string {
		b := a.As4()
		if b[1] != 19 || b[2] != 0 {
			b[3] = b[3]/4 + 50*(b[3]&3-1)
		}
		switch {
		case b[1] == 18 && b[2] >= 100:
			return fmt.Sprintf("%c%d", "MN"[b[2]-100], b[3])
		case b[1] == 18:
			return fmt.Sprintf("%c%d", 'A'+b[2], b[3])
		case b[2] == 0:
			return fmt.Sprintf("X%d", b[3])
		case b[2] == 128:
			return fmt.Sprintf("U%d", b[3])
		}
		return fmt.Sprintf("%c%d", 'a'+b[2]-64, b[3])
	}
	var branches []string
	for i := range x.Branches {
		b := &x.Branches[i]
		path := ""
		for _, asn := range b.ASPath {
			path += fmt.Sprintf(" %c", 'A'+asn-64500)
		}
		if !b.Complete {
			path += "?"
		}
		branches = append(branches, fmt.Sprintf("%s>%s %s [%s] %d", name(b.Exit.Address), name(b.Entry.Address), b.Evidence, strings.TrimSpace(path), b.Flows))
	}
	var evidence []string
	for _, e := range x.Evidence {
		evidence = append(evidence, string(e))
	}
	text := fmt.Sprintf("%s %s%s at %s: %s; %s", x.Class, x.Confidence, x.Reason, name(x.Near.Address), strings.Join(branches, ", "), strings.Join(evidence, " "))
	if x.Unanswered > 0 {
		text += fmt.Sprintf(", %d unanswered", x.Unanswered)
	}
	return text
}
