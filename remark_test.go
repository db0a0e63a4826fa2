// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFindRemarks(t *testing.T) {
	const ef = 46 << 2
	tests := []struct {
		name  string
		scene scene
		want  []Remark
	}{
		{
			"DSCP bleached",
			scene{tos: ef, flows: []string{"192.0.2.1|198.51.100.1|198.51.100.2 tos=0|203.0.113.9 tos=0"}},
			[]Remark{{Onset: onset(3, 2, "198.51.100.1"), Field: FieldDSCP, From: 46, To: 0, Flows: 1}},
		},
		{
			"ECN bleached, DSCP kept",
			scene{tos: ef | 2, flows: []string{"192.0.2.1|198.51.100.1 tos=184|203.0.113.9 tos=184"}},
			[]Remark{{Onset: onset(2, 1, "192.0.2.1"), Field: FieldECN, From: 2, To: 0, Flows: 1}},
		},
		{
			"both in one place",
			scene{tos: ef | 1, flows: []string{"192.0.2.1|198.51.100.1 tos=32|203.0.113.9 tos=32"}},
			[]Remark{
				{Onset: onset(2, 1, "192.0.2.1"), Field: FieldDSCP, From: 46, To: 8, Flows: 1},
				{Onset: onset(2, 1, "192.0.2.1"), Field: FieldECN, From: 1, To: 0, Flows: 1},
			},
		},
		{
			"twice on the way",
			scene{tos: ef, flows: []string{"192.0.2.1|198.51.100.1 tos=32|198.51.100.2 tos=0|203.0.113.9 tos=0"}},
			[]Remark{
				{Onset: onset(2, 1, "192.0.2.1"), Field: FieldDSCP, From: 46, To: 8, Flows: 1},
				{Onset: onset(3, 2, "198.51.100.1"), Field: FieldDSCP, From: 8, To: 0, Flows: 1},
			},
		},
		{
			"what was sent unmarked, by one of two ways",
			scene{flows: []string{
				"192.0.2.1|198.51.100.1|198.51.100.2 tos=40|203.0.113.9 tos=40",
				"192.0.2.1|198.51.100.3|198.51.100.2|203.0.113.9",
			}},
			[]Remark{{Onset: onset(3, 2, "198.51.100.1"), Field: FieldDSCP, From: 0, To: 10, Flows: 1}},
		},
		{
			"one flow knows better than the other",
			scene{tos: ef, flows: []string{
				"192.0.2.1|*|198.51.100.2 tos=0|203.0.113.9 tos=0",
				"*|198.51.100.1|198.51.100.2 tos=0|203.0.113.9 tos=0",
			}},
			[]Remark{{Onset: onset(3, 2, "198.51.100.1"), Field: FieldDSCP, From: 46, To: 0, Flows: 2}},
		},
		{
			"nothing answered before",
			scene{tos: ef, flows: []string{"*|198.51.100.1 tos=0|203.0.113.9 tos=0"}},
			[]Remark{{Onset: onset(2, 0, ""), Field: FieldDSCP, From: 46, To: 0, Flows: 1}},
		},
		{
			"congestion at the end",
			scene{tos: 2, flows: []string{"192.0.2.1|198.51.100.1|203.0.113.9 tos=3"}},
			[]Remark{{Onset: onset(3, 2, "198.51.100.1"), Field: FieldECN, From: 2, To: 3, Flows: 1}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.scene.trace(t).Findings()
			if diff := cmp.Diff(Findings{Remarks: tt.want}, got, equate...); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestFindZeroTTL(t *testing.T) {
	tests := []struct {
		name  string
		scene scene
		want  []ZeroTTL
	}{
		{
			"a router",
			scene{flows: []string{"192.0.2.1|198.51.100.2 q=0|198.51.100.2|203.0.113.9"}},
			[]ZeroTTL{{TTL: 2, Address: netip.MustParseAddr("198.51.100.2"), Before: netip.MustParseAddr("192.0.2.1"), Flows: 1}},
		},
		{
			"half of it in one flow, half in another",
			scene{flows: []string{"192.0.2.1|198.51.100.2 q=0|*|203.0.113.9", "192.0.2.1|198.51.100.2 q=0|*|203.0.113.9", "*|*|198.51.100.2|203.0.113.9"}},
			[]ZeroTTL{{TTL: 2, Address: netip.MustParseAddr("198.51.100.2"), Before: netip.MustParseAddr("192.0.2.1"), Flows: 2}},
		},
		{
			"several routers before it",
			scene{flows: []string{"192.0.2.1|198.51.100.2 q=0|198.51.100.2|203.0.113.9", "192.0.2.2|198.51.100.2 q=0|198.51.100.2|203.0.113.9"}},
			[]ZeroTTL{{TTL: 2, Address: netip.MustParseAddr("198.51.100.2"), Flows: 2}},
		},
		{
			"before the destination",
			scene{flows: []string{"192.0.2.1|203.0.113.9 q=0|203.0.113.9 q=1|203.0.113.9 q=2"}},
			[]ZeroTTL{{TTL: 2, Address: netip.MustParseAddr(farHost), Before: netip.MustParseAddr("192.0.2.1"), Flows: 1}},
		},
		{
			"for all flows it is no tunnel either",
			scene{flows: []string{
				"192.0.2.1|198.51.100.2 q=0|198.51.100.2|203.0.113.9", "192.0.2.1|198.51.100.2 q=0|198.51.100.2|203.0.113.9",
				"192.0.2.1|198.51.100.2 q=0|198.51.100.2|203.0.113.9", "192.0.2.1|198.51.100.2 q=0|198.51.100.2|203.0.113.9",
			}},
			[]ZeroTTL{{TTL: 2, Address: netip.MustParseAddr("198.51.100.2"), Before: netip.MustParseAddr("192.0.2.1"), Flows: 4}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.scene.trace(t).Findings()
			if diff := cmp.Diff(Findings{ZeroTTL: tt.want}, got, equate...); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
