// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"

	"traceflow/packet"
)

// slowSum is the definition, one word at a time.
func slowSum(sum uint16, b []byte) uint16 {
	s := uint32(sum)
	for i := 0; i < len(b); i += 2 {
		word := uint32(b[i]) << 8
		if i+1 < len(b) {
			word |= uint32(b[i+1])
		}
		s += word
		if s > 0xffff {
			s -= 0xffff
		}
	}
	return uint16(s)
}

func TestChecksum(t *testing.T) {
	tests := []struct {
		name string
		hex  string
		want uint16
	}{
		{"nothing", "", 0xffff},
		{"zeros", zeros(20), 0xffff},
		{"one word", "1234", 0xedcb},
		{"an odd byte is the high half", "12", 0xedff},
		{"words and an odd byte", "1234 12", 0xdbcb},
		{"a carry comes around", "ffff 0001", 0xfffe},
		{"all ones", "ffff ffff ffff ffff ffff", 0},
		{"the example of RFC 1071, section 3", "0001 f203 f4f5 f6f7", 0x220d},
		{"a header with its checksum", "4500001c 1234 0000 4011 7c61" + hexHostV4 + hexTargetV4, 0x0000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := packet.Checksum(unhex(t, tt.hex)); got != tt.want {
				t.Errorf("got %#04x, want %#04x", got, tt.want)
			}
		})
	}
}

func TestChecksumAgreesWithOracles(t *testing.T) {
	r := random()
	for n := range 700 {
		b := randomBytes(r, n)
		got := packet.Checksum(b)
		if want := ^slowSum(0, b); got != want {
			t.Fatalf("%d bytes: got %#04x, the definition has %#04x", n, got, want)
		}
		if want := gopacket.FoldChecksum(gopacket.ComputeChecksum(b, 0)); got != want {
			t.Fatalf("%d bytes: got %#04x, gopacket has %#04x", n, got, want)
		}
	}
}

// The most carries that there can be.
func TestChecksumOfAllOnes(t *testing.T) {
	b := make([]byte, 256)
	for i := range b {
		b[i] = 0xff
	}
	for n := range b {
		for _, sum := range []uint16{0, 1, 0x8000, 0xfffe, 0xffff} {
			if got, want := packet.AddChecksum(sum, b[:n]), slowSum(sum, b[:n]); got%0xffff != want%0xffff || (got == 0) != (want == 0) {
				t.Fatalf("%d bytes on %#04x: got %#04x, want %#04x", n, sum, got, want)
			}
		}
	}
}

func TestAddChecksumInPieces(t *testing.T) {
	r := random()
	for range 500 {
		b := randomBytes(r, r.IntN(200))
		cut := r.IntN(len(b)+1) &^ 1
		got := packet.AddChecksum(packet.AddChecksum(0, b[:cut]), b[cut:])
		if want := packet.AddChecksum(0, b); got != want {
			t.Fatalf("%d bytes cut at %d: got %#04x, want %#04x", len(b), cut, got, want)
		}
	}
}

func TestUpdateChecksum(t *testing.T) {
	r := random()
	for range 2000 {
		b := randomBytes(r, 2+r.IntN(60))
		at := r.IntN(len(b)-1) &^ 1
		before := packet.Checksum(b)
		from := binary.BigEndian.Uint16(b[at:])
		to := uint16(r.Uint32())
		binary.BigEndian.PutUint16(b[at:], to)
		if got, want := packet.UpdateChecksum(before, from, to), packet.Checksum(b); got != want {
			t.Fatalf("%#04x with %#04x for %#04x: got %#04x, want %#04x", before, to, from, got, want)
		}
	}
}

func TestPseudoHeaderSum(t *testing.T) {
	tests := []struct {
		name     string
		src, dst netip.Addr
		protocol uint8
		length   int
		header   string
	}{
		{"IPv4", hostV4, targetV4, packet.ProtocolUDP, 12, hexHostV4 + hexTargetV4 + "00 11 000c"},
		{"IPv4 in its IPv6 form", netip.AddrFrom16(hostV4.As16()), targetV4, packet.ProtocolUDP, 12, hexHostV4 + hexTargetV4 + "00 11 000c"},
		{"IPv6", hostV6, targetV6, packet.ProtocolUDP, 12, hexHostV6 + hexTargetV6 + "0000000c 000000 11"},
		{"IPv6 with a zone", hostV6.WithZone("eth0"), targetV6, packet.ProtocolUDP, 12, hexHostV6 + hexTargetV6 + "0000000c 000000 11"},
		{"IPv6, longer than 65535", hostV6, targetV6, packet.ProtocolTCP, 0x12345, hexHostV6 + hexTargetV6 + "00012345 000000 06"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := packet.PseudoHeaderSum(tt.src, tt.dst, tt.protocol, tt.length)
			if want := slowSum(0, unhex(t, tt.header)); got != want {
				t.Errorf("got %#04x, want %#04x", got, want)
			}
		})
	}
}

func TestAddressesOfTwoFamiliesPanic(t *testing.T) {
	for _, tt := range []struct {
		name     string
		src, dst netip.Addr
	}{
		{"4 to 6", hostV4, targetV6},
		{"6 to 4", hostV6, targetV4},
		{"no source", netip.Addr{}, targetV4},
		{"no destination", hostV6, netip.Addr{}},
		{"neither", netip.Addr{}, netip.Addr{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src, dst := netip.AddrPortFrom(tt.src, 1), netip.AddrPortFrom(tt.dst, 2)
			mustPanic(t, func() { packet.PseudoHeaderSum(tt.src, tt.dst, packet.ProtocolUDP, 8) })
			mustPanic(t, func() { packet.AppendIP(nil, &packet.IP{Source: tt.src, Destination: tt.dst}, 0) })
			mustPanic(t, func() { packet.AppendUDP(nil, src, dst, nil) })
			mustPanic(t, func() { packet.AppendUDPWithChecksum(nil, src, dst, make([]byte, 2), 0, 1) })
			mustPanic(t, func() { packet.AppendTCP(nil, tt.src, tt.dst, &packet.TCP{}, nil) })
			mustPanic(t, func() { packet.AppendEcho(nil, tt.src, tt.dst, &packet.ICMP{}) })
			mustPanic(t, func() {
				packet.AppendICMPError(nil, tt.src, tt.dst, 11, 0, 0, nil, nil, packet.CompliantLayout)
			})
			if packet.ValidChecksum(make([]byte, 100), tt.src, tt.dst, packet.ProtocolUDP) {
				t.Error("a checksum is valid between addresses of two families")
			}
		})
	}
}

func TestValidChecksum(t *testing.T) {
	for _, f := range families {
		payload := []byte("an odd number of bytes.")
		messages := []struct {
			name     string
			protocol uint8
			b        []byte
		}{
			{"UDP", packet.ProtocolUDP, packet.AppendUDP(nil, netip.AddrPortFrom(f.host, 40000), netip.AddrPortFrom(f.target, 33434), payload)},
			{"TCP", packet.ProtocolTCP, packet.AppendTCP(nil, f.host, f.target, &packet.TCP{SourcePort: 40000, DestinationPort: 80, Flags: packet.FlagSYN}, payload)},
			{"echo", f.icmp, packet.AppendEcho(nil, f.host, f.target, &packet.ICMP{Type: 8, ID: 7, Sequence: 1, Body: payload})},
		}
		for _, tt := range messages {
			t.Run(f.name+" "+tt.name, func(t *testing.T) {
				if !packet.ValidChecksum(tt.b, f.host, f.target, tt.protocol) {
					t.Fatal("not valid")
				}
				// Every single bit counts.
				for i := range len(tt.b) * 8 {
					tt.b[i/8] ^= 1 << (i % 8)
					if packet.ValidChecksum(tt.b, f.host, f.target, tt.protocol) {
						t.Errorf("still valid with bit %d turned", i)
					}
					tt.b[i/8] ^= 1 << (i % 8)
				}
				for n := range 8 {
					if packet.ValidChecksum(tt.b[:n], f.host, f.target, tt.protocol) {
						t.Errorf("valid with %d bytes", n)
					}
				}
				if packet.ValidChecksum(tt.b, f.host, f.target, 132) {
					t.Error("valid for a protocol that is not known")
				}
			})
		}
	}
	t.Run("UDP without checksum", func(t *testing.T) {
		b := unhex(t, "8235 8235 0008 0000")
		if !packet.ValidChecksum(b, hostV4, targetV4, packet.ProtocolUDP) {
			t.Error("not valid over IPv4")
		}
		if packet.ValidChecksum(b, hostV6, targetV6, packet.ProtocolUDP) {
			t.Error("valid over IPv6")
		}
	})
	t.Run("the other family's ICMP", func(t *testing.T) {
		b := packet.AppendEcho(nil, hostV4, targetV4, &packet.ICMP{Type: 8})
		if packet.ValidChecksum(b, hostV4, targetV4, packet.ProtocolICMPv6) || packet.ValidChecksum(b, hostV6, targetV6, packet.ProtocolICMP) {
			t.Error("valid")
		}
	})
}

func FuzzChecksum(f *testing.F) {
	f.Add([]byte(nil), uint16(0))
	f.Add([]byte{0xff}, uint16(0xffff))
	f.Add(unhex(f, "0001 f203 f4f5 f6f7 01"), uint16(1))
	f.Fuzz(func(t *testing.T, b []byte, sum uint16) {
		got, want := packet.AddChecksum(sum, b), slowSum(sum, b)
		// 0 and 0xffff are the same number, but only zeros make 0.
		if got != want && got%0xffff+want%0xffff != 0 {
			t.Errorf("got %#04x, want %#04x", got, want)
		}
		for i := range b {
			if got == 0 && b[i] != 0 {
				t.Errorf("a sum of 0 over %x", b)
			}
		}
	})
}
