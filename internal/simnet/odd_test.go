// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

// TestOddRouters sends a probe with each TTL from 1 to 5 through routers that
// count in ways of their own. Answers are written sender, quoted TTL, TTL left.
func TestOddRouters(t *testing.T) {
	const line = "link s > a > b > c > d delay=0s; "
	for _, tt := range []struct{ name, keys, want string }{
		{"plain", "", "a1/64 b1/63 c1/62 d1/61 d2/61"},
		{"zero-ttl", "node a zero-ttl", "b0/63 b1/63 c1/62 d1/61 d2/61"},
		{"zero-ttl in a row", "node a b zero-ttl", "b0/63 c0/62 c1/62 d1/61 d2/61"},
		{"zero-ttl at the end", "node c zero-ttl", "a1/64 b1/63 d0/61 d1/61 d2/61"},
		{"zero-ttl before a refusal", "node a zero-ttl; node b unreachable=net", "b0/63 b1/63 b2/63 b3/63 b4/63"},
		{"quoted-ttl", "node b quoted-ttl=7", "a1/64 b7/63 c1/62 d1/61 d2/61"},
		{"quoted-ttl damaged", "node b quoted-ttl=7 mangle=ttl", "a1/64 b1/63 c1/62 d1/61 d2/61"},
		{"return-extra", "node b return-extra=3", "a1/64 b1/60 c1/62 d1/61 d2/61"},
		{"return-extra at the end", "node d destination return-extra=60", "a1/64 b1/63 c1/62 d1/1 d2/1"},
		{"lost on the way back", "node d destination return-extra=61; node b reply-ttl=2 return-extra=9", "a1/64 c1/62"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				top := topologytest.Parse(t, line+tt.keys)
				var packets [][]byte
				for ttl := range uint8(5) {
					packets = append(packets, probe(flow(top, 4000, v6), ttl+1, 12))
				}
				var got []string
				for _, r := range exchange(t, top, packets...) {
					got = append(got, fmt.Sprintf("%s%d/%d", r.from, r.e.Quote.IP.TTL, r.ip.TTL))
				}
				if all := strings.Join(got, " "); all != tt.want {
					t.Errorf("\n got %s\nwant %s", all, tt.want)
				}
			})
		})
	}
}

// TestRemark looks at the TOS byte in quotes, hop by hop, and that the rest of
// the packet is as it was sent.
func TestRemark(t *testing.T) {
	for _, tt := range []struct {
		keys string
		tos  uint8
		want []uint8 // quoted by a, b, c and d
	}{
		{"", 0xb9, []uint8{0xb9, 0xb9, 0xb9, 0xb9}},
		{"node a tos=0x28", 0xb9, []uint8{0xb9, 0x28, 0x28, 0x28}},
		{"node b tos=bleach-ecn", 0xbb, []uint8{0xbb, 0xbb, 0xb8, 0xb8}},
		{"node a tos=bleach-dscp; node b tos=0", 0xb9, []uint8{0xb9, 0x01, 0, 0}},
		{"node a tos=keep; node b tos=255", 0xb9, []uint8{0xb9, 0xb9, 0xff, 0xff}},
	} {
		t.Run(tt.keys, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				top := topologytest.Parse(t, "link s > a > b > c > d delay=0s; "+tt.keys)
				f := flow(top, 4000, v6)
				f.TOS = tt.tos
				var packets [][]byte
				for ttl := range uint8(4) {
					packets = append(packets, probe(f, ttl+1, 12))
				}
				sent := slices.Clone(packets[0])
				var got []uint8
				for _, r := range exchange(t, top, packets...) {
					q := r.e.Quote.IP
					got = append(got, q.TOS)
					if q.Label != f.Label || q.Source != f.Source || !bytes.HasSuffix(r.body, sent[q.HeaderLength:]) {
						t.Errorf("%v: quotes %+v", r, q)
					}
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("quoted %#x, want %#x", got, tt.want)
				}
				if !bytes.Equal(sent, packets[0]) {
					t.Error("the network has changed the sender's packet")
				}
			})
		})
	}
}

// TestInterface compares interface objects with their bytes.
func TestInterface(t *testing.T) {
	for _, tt := range []struct {
		keys  string
		ctype uint8
		want  string // A stands for the address
	}{
		{"interface=7", 0x0c, "00000007 A"},
		{"interface=/e", 0x06, "A 04650000"},
		{"interface=/eth", 0x06, "A 04657468"},
		{"interface=/eth0", 0x06, "A 0865746830000000"},
		{"interface=//1500", 0x05, "A 000005dc"},
		{"interface=7/eth0/1500", 0x0f, "00000007 A 0865746830000000 000005dc"},
		{"interface=7/eth/1500 interface-per-link", 0x0f, "00000008 A 0865746831000000 000005dc"},
		{"mpls=16/0/1 interface=7", 0x0c, "00000007 A"},
	} {
		t.Run(tt.keys, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				// A probe that ends at c at once came by its second link.
				top := topologytest.Parse(t, "node s source; node c "+tt.keys+"; link s > a > c > d; link s > c")
				var packets [][]byte
				for port := range uint16(20) {
					packets = append(packets, probe(flow(top, 4000+port, v6), 1, 12))
				}
				got := exchange(t, top, packets...)
				k := slices.IndexFunc(got, func(r reply) bool { return r.from == "c" })
				objects := slices.Collect(got[k].e.Extensions.Objects())
				if want := 1 + strings.Count(tt.keys, "mpls"); len(objects) != want {
					t.Fatalf("%d objects, want %d", len(objects), want)
				}
				address := "00010000" + "c6120002"
				if v6 {
					address = "00020000" + "20010db8000000000000000000000002"
				}
				o := objects[len(objects)-1]
				want := strings.ReplaceAll(strings.ReplaceAll(tt.want, "A", address), " ", "")
				if got := hex.EncodeToString(o.Payload); o.Class != packet.ClassInterface || o.CType != tt.ctype || got != want {
					t.Errorf("class %d, C-Type %#x, %s; want 2, %#x, %s", o.Class, o.CType, got, tt.ctype, want)
				}
			})
		})
	}
}
