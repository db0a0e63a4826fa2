// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket/layers"

	"traceflow/packet"
)

func TestDecodeUDP(t *testing.T) {
	tests := []struct {
		name    string
		hex     string
		want    packet.UDP
		payload string
	}{
		{
			"no payload", "9c40 829a 0008 1234",
			packet.UDP{SourcePort: 40000, DestinationPort: 33434, Length: 8, Checksum: 0x1234},
			"",
		},
		{
			"a payload", "0000 ffff 000c ffff 64617461",
			packet.UDP{SourcePort: 0, DestinationPort: 65535, Length: 12, Checksum: 0xffff},
			"64617461",
		},
		{
			"bytes beyond the length", "9c40 829a 000a 0000 64617461",
			packet.UDP{SourcePort: 40000, DestinationPort: 33434, Length: 10},
			"6461",
		},
		{
			"cut short", "9c40 829a ffff 0000 6461",
			packet.UDP{SourcePort: 40000, DestinationPort: 33434, Length: 65535},
			"6461",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, payload, err := packet.DecodeUDP(unhex(t, tt.hex))
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "header", tt.want, got)
			diff(t, "payload", unhex(t, tt.payload), payload)
		})
	}
}

func TestDecodeUDPRefuses(t *testing.T) {
	tests := []struct {
		name   string
		hex    string
		want   error
		offset int
	}{
		{"nothing", "", packet.ErrTruncated, 0},
		{"7 bytes", zeros(7), packet.ErrTruncated, 0},
		{"length of 0", "9c40 829a 0000 0000", packet.ErrMalformed, 4},
		{"length of 7", "9c40 829a 0007 0000", packet.ErrMalformed, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := packet.DecodeUDP(unhex(t, tt.hex))
			checkError(t, err, tt.want, "UDP", tt.offset)
		})
	}
}

func TestAppendUDP(t *testing.T) {
	tests := []struct {
		name     string
		src, dst netip.AddrPort
		payload  string
		want     string
	}{
		{
			"IPv4", netip.AddrPortFrom(hostV4, 40000), netip.AddrPortFrom(targetV4, 33434),
			"64617461", "9c40 829a 000c 1bfc 64617461",
		},
		{
			"IPv4, an odd length", netip.AddrPortFrom(hostV4, 40000), netip.AddrPortFrom(targetV4, 33434),
			"646174", "9c40 829a 000b 1c5f 646174",
		},
		{
			"IPv6", netip.AddrPortFrom(hostV6, 40000), netip.AddrPortFrom(targetV6, 33434),
			"64617461", "9c40 829a 000c acbb 64617461",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			diff(t, "bytes", unhex(t, "aa", tt.want), packet.AppendUDP([]byte{0xaa}, tt.src, tt.dst, unhex(t, tt.payload)))
		})
	}
}

// A checksum that comes out as 0 must not look as if there were none.
func TestAppendUDPNeverWritesZero(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			src, dst := netip.AddrPortFrom(f.host, 40000), netip.AddrPortFrom(f.target, 33434)
			// The two bytes that bring the sum to 0xffff are the checksum over
			// zeros in their place.
			payload := make([]byte, 2)
			b := packet.AppendUDP(nil, src, dst, payload)
			copy(payload, b[6:8])
			b = packet.AppendUDP(nil, src, dst, payload)
			diff(t, "checksum", uint16(0xffff), binary.BigEndian.Uint16(b[6:]))
			if !packet.ValidChecksum(b, f.host, f.target, packet.ProtocolUDP) {
				t.Error("not valid")
			}
		})
	}
}

func TestUDPAgreesWithGopacket(t *testing.T) {
	r := random()
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			v4 := f.host.Is4()
			for range 1000 {
				src := netip.AddrPortFrom(randomAddr(r, v4), uint16(r.Uint32()))
				dst := netip.AddrPortFrom(randomAddr(r, v4), uint16(r.Uint32()))
				payload := randomBytes(r, r.IntN(100))
				theirs := &layers.UDP{SrcPort: layers.UDPPort(src.Port()), DstPort: layers.UDPPort(dst.Port())}
				ip := network(src.Addr(), dst.Addr(), packet.ProtocolUDP)
				if err := theirs.SetNetworkLayerForChecksum(ip); err != nil {
					t.Fatal(err)
				}
				want := serialize(t, theirs, gopacketPayload(payload))
				got := packet.AppendUDP(nil, src, dst, payload)
				diff(t, "encoding", want, got)
				if !packet.ValidChecksum(got, src.Addr(), dst.Addr(), packet.ProtocolUDP) {
					t.Fatal("not valid")
				}
				u, rest, err := packet.DecodeUDP(want)
				if err != nil {
					t.Fatal(err)
				}
				diff(t, "decoding", packet.UDP{
					SourcePort: src.Port(), DestinationPort: dst.Port(),
					Length: int(theirs.Length), Checksum: theirs.Checksum,
				}, u)
				diff(t, "payload", payload, rest)
			}
		})
	}
}

// Every checksum can be had with every port, and gopacket computes the same
// one over what came out.
func TestAppendUDPWithChecksumReachesEverything(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			payload := []byte("identity: .. and an odd rest")
			const fix = 10
			ip := network(f.host, f.target, packet.ProtocolUDP)
			var b []byte
			for port := range 1 << 16 {
				// An odd multiplier visits every checksum once.
				want := uint16(port*25173 + 13849)
				if want == 0 || want == 0xffff {
					want = 1
				}
				src := netip.AddrPortFrom(f.host, uint16(port))
				dst := netip.AddrPortFrom(f.target, uint16(^port))
				b = packet.AppendUDPWithChecksum(b[:0], src, dst, payload, fix, want)
				if got := binary.BigEndian.Uint16(b[6:]); got != want {
					t.Fatalf("port %d: checksum %#04x, want %#04x", port, got, want)
				}
				if !packet.ValidChecksum(b, f.host, f.target, packet.ProtocolUDP) {
					t.Fatalf("port %d: not valid with %#04x", port, want)
				}
				// Whoever computes it from the start gets no other.
				if again := packet.AppendUDP(nil, src, dst, b[8:]); binary.BigEndian.Uint16(again[6:]) != want {
					t.Fatalf("port %d: AppendUDP has %x, want %#04x", port, again[6:8], want)
				}
				if port%257 != 0 {
					continue
				}
				theirs := &layers.UDP{}
				if err := theirs.DecodeFromBytes(b, nopFeedback{}); err != nil {
					t.Fatal(err)
				}
				if err := theirs.SetNetworkLayerForChecksum(ip); err != nil {
					t.Fatal(err)
				}
				if err, result := theirs.VerifyChecksum(); err != nil || !result.Valid {
					t.Fatalf("port %d: gopacket finds %v %+v", port, err, result)
				}
			}
		})
	}
}

func TestAppendUDPWithChecksumSolvesAnywhere(t *testing.T) {
	r := random()
	for range 2000 {
		payload := randomBytes(r, 2+r.IntN(60))
		fix := r.IntN(len(payload)-1) &^ 1
		before := string(payload)
		want := uint16(1 + r.IntN(0xfffe))
		f := families[r.IntN(2)]
		src := netip.AddrPortFrom(f.host, uint16(r.Uint32()))
		dst := netip.AddrPortFrom(f.target, uint16(r.Uint32()))
		b := packet.AppendUDPWithChecksum([]byte("before"), src, dst, payload, fix, want)[len("before"):]
		if !packet.ValidChecksum(b, f.host, f.target, packet.ProtocolUDP) || binary.BigEndian.Uint16(b[6:]) != want {
			t.Fatalf("payload %x, fix %d, want %#04x: got %x", payload, fix, want, b)
		}
		if string(payload) != before {
			t.Fatal("the caller's payload has changed")
		}
		// Only the two bytes differ from what was asked for.
		rest := append([]byte(nil), b[8:]...)
		copy(rest[fix:], payload[fix:fix+2])
		diff(t, "payload", payload, rest)
	}
}

func TestAppendUDPPanics(t *testing.T) {
	src, dst := netip.AddrPortFrom(hostV4, 1), netip.AddrPortFrom(targetV4, 2)
	four := make([]byte, 4)
	tests := []struct {
		name    string
		payload []byte
		fix     int
		want    uint16
	}{
		{"odd", four, 1, 1},
		{"negative", four, -2, 1},
		{"at the end", four, 4, 1},
		{"across the end", four[:3], 2, 1},
		{"no payload", nil, 0, 1},
		{"one byte", four[:1], 0, 1},
		{"zero", four, 0, 0},
		{"all ones", four, 0, 0xffff},
		{"too long", make([]byte, 65528), 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mustPanic(t, func() { packet.AppendUDPWithChecksum(nil, src, dst, tt.payload, tt.fix, tt.want) })
		})
	}
	mustPanic(t, func() { packet.AppendUDP(nil, src, dst, make([]byte, 65528)) })
	packet.AppendUDP(nil, src, dst, make([]byte, 65527))
}

func FuzzDecodeUDP(f *testing.F) {
	f.Add(unhex(f, "9c40 829a 000c 1bfc 64617461"))
	f.Add(unhex(f, "9c40 829a 000a 0000 64617461"))
	f.Add(unhex(f, "9c40 829a 0007 0000"))
	f.Add(unhex(f, "9c40 829a ffff 0000 00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		u, payload, err := packet.DecodeUDP(b)
		if err != nil {
			checkDecodable(t, err)
			return
		}
		if 8+len(payload) > min(len(b), u.Length) {
			t.Fatalf("%d bytes of payload out of %d with a length of %d", len(payload), len(b), u.Length)
		}
		for _, s := range families {
			again := packet.AppendUDP(nil, netip.AddrPortFrom(s.host, u.SourcePort), netip.AddrPortFrom(s.target, u.DestinationPort), payload)
			u2, payload2, err := packet.DecodeUDP(again)
			if err != nil {
				t.Fatal(err)
			}
			want := u
			want.Length, want.Checksum = 8+len(payload), u2.Checksum
			diff(t, "decoding of the encoding", want, u2)
			diff(t, "payload", payload, payload2)
			if !packet.ValidChecksum(again, s.host, s.target, packet.ProtocolUDP) {
				t.Fatal("not valid")
			}
		}
	})
}

func FuzzAppendUDPWithChecksum(f *testing.F) {
	f.Add([]byte("payload"), uint16(40000), uint16(33434), uint16(0), uint16(1))
	f.Add([]byte{0, 0}, uint16(0), uint16(0), uint16(0), uint16(0xfffe))
	f.Add([]byte{0xff, 0xff, 0xff}, uint16(0xffff), uint16(0xffff), uint16(0), uint16(0x8000))
	f.Fuzz(func(t *testing.T, payload []byte, sourcePort, destinationPort, fix, want uint16) {
		if len(payload) < 2 || len(payload) > 65527 || want == 0 || want == 0xffff {
			return
		}
		at := int(fix) % (len(payload) - 1) &^ 1
		for _, s := range families {
			src, dst := netip.AddrPortFrom(s.host, sourcePort), netip.AddrPortFrom(s.target, destinationPort)
			b := packet.AppendUDPWithChecksum(nil, src, dst, payload, at, want)
			u, rest, err := packet.DecodeUDP(b)
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "header", packet.UDP{
				SourcePort: sourcePort, DestinationPort: destinationPort,
				Length: 8 + len(payload), Checksum: want,
			}, u)
			if !packet.ValidChecksum(b, s.host, s.target, packet.ProtocolUDP) {
				t.Fatalf("not valid: %x", b)
			}
			diff(t, "encoding without a choice", b, packet.AppendUDP(nil, src, dst, rest))
		}
	})
}
