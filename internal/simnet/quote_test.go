// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

func TestQuoteLength(t *testing.T) {
	tests := []struct {
		key         string
		payload     int
		four, six   int // ICMP body without header
		extensions4 bool
	}{
		{"quote=28", 100, 28, 28, false},
		{"quote=48", 100, 48, 48, false},
		{"quote=500", 100, 128, 148, false},
		{"quote=all", 100, 128, 148, false},
		{"quote=all", 1400, 548, 1232, false},
		{"mangle=truncate", 100, 24, 44, false},
		// Extensions of 4 + 4 + 4 bytes behind 128 bytes, or behind more.
		{"mpls=16/0/1", 12, 140, 140, true},
		{"mpls=16/0/1 quote=28", 100, 140, 140, true},
		{"mpls=16/0/1", 400, 440, 460, true},
		{"mpls=16/0/1", 1400, 548, 1228, true},
		{"mpls=16/0/1 mpls-layout=legacy", 400, 140, 140, true},
		{"mpls=16/0/1,17/0/1", 12, 144, 144, true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.key, "/", tt.payload), func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				top := topologytest.Parse(t, "node a "+tt.key+"; link s > a > d")
				sent := probe(flow(top, 4000, v6), 1, tt.payload)
				got := exchange(t, top, sent)
				if len(got) != 1 {
					t.Fatalf("%d answers", len(got))
				}
				want := tt.four
				if v6 {
					want = tt.six
				}
				if n := len(got[0].body) - 8; n != want {
					t.Errorf("%d bytes behind the ICMP header, want %d", n, want)
				}
			})
		})
	}
}

func TestMPLS(t *testing.T) {
	for _, layout := range []string{"rfc4884", "legacy"} {
		for _, payload := range []int{2, 60, 300} {
			both(t, func(t *testing.T, v6 bool) {
				top := topologytest.Parse(t, "node a b mpls=16004/3/1,24001/0/254 mpls-layout="+layout+"; link s > a > b > d")
				f := flow(top, 4000, v6)
				for _, r := range exchange(t, top, probe(f, 1, payload), probe(f, 2, payload)) {
					want := []packet.LabelStackEntry{{Label: 16004, TC: 3, TTL: 1}, {Label: 24001, Bottom: true, TTL: 254}}
					if diff := cmp.Diff(want, r.e.Extensions.AppendMPLS(nil)); diff != "" {
						t.Errorf("%v (-want +got)\n%s", r, diff)
					}
					if legacy := r.e.QuoteUnits == 0; legacy != (layout == "legacy") {
						t.Errorf("%v: length field %d in the %s layout", r, r.e.QuoteUnits, layout)
					}
				}
			})
		}
	}
}

func TestMangle(t *testing.T) {
	for _, key := range []string{"id", "checksum", "address", "ports", "ttl", "id,checksum,address,ports,ttl"} {
		t.Run(key, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				top := topologytest.Parse(t, "node d destination mangle="+key+"; link s > a > d")
				f := flow(top, 4000, v6)
				sent := probe(f, 9, 12)
				got := exchange(t, top, sent)
				if len(got) != 1 {
					t.Fatalf("%d answers", len(got))
				}
				q := got[0].e.Quote
				u, _, err := packet.DecodeUDP(sent[len(sent)-20:])
				if err != nil {
					t.Fatal(err)
				}
				quoted, _, err := packet.DecodeUDP(got[0].body[len(got[0].body)-20:])
				if err != nil {
					t.Fatal(err)
				}
				var names string
				for _, c := range []struct {
					name    string
					changed bool
				}{
					{"id", !v6 && q.IP.ID != 0x1234},
					{"checksum", quoted.Checksum != u.Checksum},
					{"address", q.IP.Destination != f.Destination},
					{"ports", quoted.SourcePort != u.SourcePort},
					{"ttl", q.IP.TTL == 1},
				} {
					if c.changed {
						names += "," + c.name
					}
				}
				want := "," + key
				if v6 && key == "id" {
					want = "" // IPv6 has none
				} else if v6 && len(key) > 10 {
					want = want[len(",id"):]
				}
				if names != want {
					t.Errorf("changed %q, want %q", names, want)
				}
			})
		})
	}
}
