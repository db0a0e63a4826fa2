// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"encoding/binary"
	"testing"

	"traceflow/packet"
)

// Every checksum can be had with every sequence number, so that a flow of
// echoes keeps one.
func TestAppendEchoWithChecksumReachesEverything(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			body := []byte("....identity and an odd rest")
			var b []byte
			for n := range 1 << 16 {
				// An odd multiplier visits every checksum once.
				want := uint16(n*25173 + 13849)
				if want == 0 || want == 0xffff {
					want = 1
				}
				m := packet.ICMP{Type: packet.ICMPv4EchoRequest, ID: uint16(^n), Sequence: uint16(n), Body: body}
				if !f.host.Is4() {
					m.Type = packet.ICMPv6EchoRequest
				}
				b = packet.AppendEchoWithChecksum(b[:0], f.host, f.target, &m, 2, want)
				if got := binary.BigEndian.Uint16(b[2:]); got != want {
					t.Fatalf("sequence %d: checksum %#04x, want %#04x", n, got, want)
				}
				if !packet.ValidChecksum(b, f.host, f.target, f.icmp) {
					t.Fatalf("sequence %d: not valid with %#04x", n, want)
				}
			}
			diff(t, "the caller's body", "....identity and an odd rest", string(body))
		})
	}
}

func TestAppendEchoWithChecksumSolvesAnywhere(t *testing.T) {
	r := random()
	for range 2000 {
		body := randomBytes(r, 2+r.IntN(60))
		fix := r.IntN(len(body)-1) &^ 1
		want := uint16(1 + r.IntN(0xfffe))
		f := families[r.IntN(2)]
		m := packet.ICMP{Type: 8, ID: uint16(r.Uint32()), Sequence: uint16(r.Uint32()), Body: body}
		b := packet.AppendEchoWithChecksum([]byte("before"), f.host, f.target, &m, fix, want)[len("before"):]
		if !packet.ValidChecksum(b, f.host, f.target, f.icmp) || binary.BigEndian.Uint16(b[2:]) != want {
			t.Fatalf("body %x, fix %d, want %#04x: got %x", body, fix, want, b)
		}
		// Only the two bytes and the checksum differ from what AppendEcho writes.
		plain := packet.AppendEcho(nil, f.host, f.target, &m)
		copy(b[2:], plain[2:4])
		copy(b[8+fix:], body[fix:fix+2])
		diff(t, "echo", plain, b)
	}
}

func TestAppendEchoWithChecksumPanics(t *testing.T) {
	four := make([]byte, 4)
	tests := []struct {
		name string
		body []byte
		fix  int
		want uint16
	}{
		{"odd", four, 1, 1},
		{"negative", four, -2, 1},
		{"at the end", four, 4, 1},
		{"across the end", four[:3], 2, 1},
		{"no body", nil, 0, 1},
		{"zero", four, 0, 0},
		{"all ones", four, 0, 0xffff},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mustPanic(t, func() {
				packet.AppendEchoWithChecksum(nil, hostV4, targetV4, &packet.ICMP{Type: 8, Body: tt.body}, tt.fix, tt.want)
			})
		})
	}
	mustPanic(t, func() {
		packet.AppendEchoWithChecksum(nil, hostV4, targetV6, &packet.ICMP{Type: 8, Body: four}, 0, 1)
	})
}
