// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func addresses(all ...string) []netip.Addr {
	var out []netip.Addr
	for _, a := range all {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

func TestFindTunnels(t *testing.T) {
	six := func(flow string) []string { return slices.Repeat([]string{flow}, 6) }
	tests := []struct {
		name  string
		scene scene
		want  []Tunnel
	}{
		{
			"explicit",
			scene{flows: []string{"192.0.2.1|198.51.100.1 mpls=16/1|198.51.100.2 q=2 mpls=17/1|198.51.100.3 q=3 mpls=18/1|203.0.113.9"}},
			[]Tunnel{{Kind: ExplicitTunnel, Evidence: ShownLabels, From: 2, To: 4, Addresses: addresses("198.51.100.1", "198.51.100.2", "198.51.100.3"), Flows: 1}},
		},
		{
			"explicit, one hop",
			scene{flows: []string{"192.0.2.1|198.51.100.1 mpls=16/1|198.51.100.2|203.0.113.9"}},
			[]Tunnel{{Kind: ExplicitTunnel, Evidence: ShownLabels, From: 2, To: 2, Addresses: addresses("198.51.100.1"), Flows: 1}},
		},
		{
			"explicit, with a silent router inside",
			scene{flows: []string{"192.0.2.1|198.51.100.1 mpls=16/1|*|198.51.100.3 mpls=18/1|*|203.0.113.9"}},
			[]Tunnel{{Kind: ExplicitTunnel, Evidence: ShownLabels, From: 2, To: 4, Addresses: addresses("198.51.100.1", "198.51.100.3"), Flows: 1}},
		},
		{
			"explicit, balanced inside, and a reply lost",
			scene{flows: []string{
				"192.0.2.1|198.51.100.1 mpls=16/1|198.51.100.3 mpls=18/1|198.51.100.4|203.0.113.9",
				"192.0.2.1|198.51.100.2 mpls=17/1|198.51.100.3 mpls=18/1|198.51.100.4|203.0.113.9",
				"192.0.2.1|198.51.100.2 mpls=17/1|*|198.51.100.4|203.0.113.9",
			}},
			[]Tunnel{{Kind: ExplicitTunnel, Evidence: ShownLabels, From: 2, To: 3, Addresses: addresses("198.51.100.1", "198.51.100.2", "198.51.100.3"), Flows: 3}},
		},
		{
			"implicit",
			scene{flows: []string{"192.0.2.1|198.51.100.1|198.51.100.2 q=2|198.51.100.3 q=3|198.51.100.4 q=4|198.51.100.5|203.0.113.9"}},
			[]Tunnel{{
				Kind: ImplicitTunnel, Evidence: RisingQuotedTTL, From: 3, To: 5, QuotedFrom: 2, QuotedTo: 4, Flows: 1,
				Addresses: addresses("198.51.100.2", "198.51.100.3", "198.51.100.4"),
			}},
		},
		{
			"implicit, with silent routers",
			scene{flows: []string{"192.0.2.1|198.51.100.1|*|198.51.100.3 q=3|*|198.51.100.5 q=5|203.0.113.9"}},
			[]Tunnel{{
				Kind: ImplicitTunnel, Evidence: RisingQuotedTTL, From: 4, To: 6, QuotedFrom: 3, QuotedTo: 5, Flows: 1,
				Addresses: addresses("198.51.100.3", "198.51.100.5"),
			}},
		},
		{
			"opaque",
			scene{flows: []string{"192.0.2.1|198.51.100.1|198.51.100.2 mpls=24017/251 ttl=58|198.51.100.3 ttl=57|203.0.113.9 ttl=56"}},
			[]Tunnel{{Kind: OpaqueTunnel, Evidence: ShownLabelTTL, From: 3, To: 3, Addresses: addresses("198.51.100.2"), Hidden: 4, LabelTTL: 251, Flows: 1}},
		},
		{
			"opaque of no hidden router is explicit",
			scene{flows: []string{"192.0.2.1|198.51.100.2 mpls=24017/255|203.0.113.9"}},
			[]Tunnel{{Kind: ExplicitTunnel, Evidence: ShownLabels, From: 2, To: 2, Addresses: addresses("198.51.100.2"), Flows: 1}},
		},
		{
			"invisible: the way back grows by 4 and stays so",
			scene{flows: []string{"192.0.2.1 ttl=255|198.51.100.1 ttl=254|198.51.100.2 ttl=249|198.51.100.3 ttl=248|203.0.113.9 ttl=57"}},
			[]Tunnel{{Kind: InvisibleTunnel, Evidence: LongerReturn, From: 3, To: 3, Addresses: addresses("198.51.100.2"), Hidden: 4, Flows: 1}},
		},
		{
			"invisible: two of them",
			scene{flows: []string{"192.0.2.1 ttl=255|198.51.100.1 ttl=251|198.51.100.2 ttl=250|198.51.100.3 ttl=244|203.0.113.9 ttl=52"}},
			[]Tunnel{
				{Kind: InvisibleTunnel, Evidence: LongerReturn, From: 2, To: 2, Addresses: addresses("198.51.100.1"), Hidden: 3, Flows: 1},
				{Kind: InvisibleTunnel, Evidence: LongerReturn, From: 4, To: 4, Addresses: addresses("198.51.100.3"), Hidden: 5, Flows: 1},
			},
		},
		{
			"invisible: one address twice",
			scene{flows: six("192.0.2.1|198.51.100.1|198.51.100.2|198.51.100.2|203.0.113.9")},
			[]Tunnel{{Kind: InvisibleTunnel, Evidence: DuplicateAddress, From: 3, To: 4, Addresses: addresses("198.51.100.2", "198.51.100.2"), Flows: 6}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.scene.trace(t).Findings()
			if diff := cmp.Diff(Findings{Tunnels: tt.want}, got, equate...); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestRepeatedAddressPerPacket has a network that is known to balance packet by
// packet: an address at two TTLs means nothing there.
func TestRepeatedAddressPerPacket(t *testing.T) {
	trace := scene{flows: slices.Repeat([]string{"192.0.2.1|198.51.100.1|198.51.100.2|198.51.100.2|203.0.113.9"}, 6)}.trace(t)
	trace.Graph.Diamonds = []Diamond{{Divergence: "n1", Balancer: BalancerPerPacket}}
	if got := trace.Findings().Tunnels; len(got) > 0 {
		t.Errorf("found %+v", got)
	}
}
