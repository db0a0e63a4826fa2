// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"fmt"
	"strings"
	"testing"

	"traceflow"
	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

// sized is a UDP probe of so many bytes, with Don't Fragment in IPv4.
func sized(f traceflow.Flow, ttl uint8, size int, df bool) []byte {
	header := 28
	if f.Source.Is6() {
		header = 48
	}
	b := probe(f, ttl, size-header)
	if df && f.Source.Is4() {
		b[6] |= 0x40
	}
	return b
}

// TestMTU sends probes around the limit of the link from b to c.
func TestMTU(t *testing.T) {
	const line = "link s > a > b delay=0s; link b > c mtu=1400; link c > d; "
	const big = "b 3/4 1400"
	for _, tt := range []struct {
		name, keys string
		size       int
		ttl        uint8
		df         bool
		four, six  string // sender, type, code, MTU
	}{
		{"fits", "", 1400, 9, true, "d 3/3 0", "d 1/4 0"},
		{"too big", "", 1401, 9, true, big, "b 2/0 1400"},
		{"much too big", "", 1500, 9, true, big, "b 2/0 1400"},
		{"may be fragmented", "", 1500, 9, false, "d 3/3 0", "b 2/0 1400"},
		{"ends before", "", 1500, 1, true, "a 11/0 0", "a 3/0 0"},
		{"ends there", "", 1500, 2, true, "b 11/0 0", "b 3/0 0"},
		{"black hole", "node b no-ptb", 1401, 9, true, "", ""},
		{"black hole, fits", "node b no-ptb", 1400, 9, true, "d 3/3 0", "d 1/4 0"},
		{"black hole, ends there", "node b no-ptb", 1500, 2, true, "b 11/0 0", "b 3/0 0"},
		{"silent", "node b silent", 1401, 9, true, "", ""},
		{"with labels", "node b mpls=16/0/1", 1401, 9, true, big, "b 2/0 1400"},
		{"as translated", "node b nat=restore tos=1", 1401, 9, true, big, "b 2/0 1400"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				top := topologytest.Parse(t, line+tt.keys)
				f := flow(top, 4000, v6)
				var got []string
				for _, r := range exchange(t, top, sized(f, tt.ttl, tt.size, tt.df)) {
					m, err := packet.DecodeICMP(r.body, r.ip.Source, r.ip.Destination)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, fmt.Sprintf("%s %d/%d %d", r.from, m.Type, m.Code, m.MTU))
					if tt.ttl == 9 && m.MTU > 0 && r.e.Quote.IP.TTL != 8 {
						t.Errorf("quotes a TTL of %d, want the 8 with which it came", r.e.Quote.IP.TTL)
					}
				}
				want := tt.four
				if v6 {
					want = tt.six
				}
				if all := strings.Join(got, ", "); all != want {
					t.Errorf("got %q, want %q", all, want)
				}
			})
		})
	}
}
