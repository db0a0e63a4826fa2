// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"traceflow/packet"
)

// translation is a packet of one transport before and after a NAT, both
// checksums computed over the whole.
type translation struct {
	from, to     netip.AddrPort
	sent, quoted uint16
}

// translate builds both packets from nothing.
func translate(protocol uint8, from, to, target netip.AddrPort, payload []byte) translation {
	t := translation{from: from, to: to}
	checksum := func(src netip.AddrPort) uint16 {
		switch protocol {
		case packet.ProtocolUDP:
			return binary.BigEndian.Uint16(packet.AppendUDP(nil, src, target, payload)[6:])
		case packet.ProtocolTCP:
			h := packet.TCP{SourcePort: src.Port(), DestinationPort: target.Port(), Flags: packet.FlagSYN}
			return binary.BigEndian.Uint16(packet.AppendTCP(nil, src.Addr(), target.Addr(), &h, payload)[16:])
		default:
			echo := packet.ICMP{Type: packet.ICMPv6EchoRequest, ID: src.Port(), Body: payload}
			return binary.BigEndian.Uint16(packet.AppendEcho(nil, src.Addr(), target.Addr(), &echo)[2:])
		}
	}
	t.sent, t.quoted = checksum(from), checksum(to)
	return t
}

// The translated port follows from the public address and the difference of
// the checksums, for 20,000 NATs.
func TestTranslatedPort(t *testing.T) {
	r := random()
	protocols := []uint8{packet.ProtocolUDP, packet.ProtocolTCP, packet.ProtocolICMPv6}
	for n := range 20000 {
		v4 := n%2 == 0
		protocol := protocols[n%3]
		if v4 && protocol == packet.ProtocolICMPv6 {
			protocol = packet.ProtocolUDP
		}
		from := netip.AddrPortFrom(randomAddr(r, v4), uint16(r.Uint32()))
		to := netip.AddrPortFrom(randomAddr(r, v4), uint16(1+r.IntN(65535)))
		x := translate(protocol, from, to, netip.AddrPortFrom(randomAddr(r, v4), uint16(r.Uint32())), randomBytes(r, r.IntN(30)))
		delta := packet.ChecksumDelta(x.sent, x.quoted)
		port, ok := packet.TranslatedPort(delta, from.Addr(), to.Addr(), from.Port())
		if !ok || port != to.Port() {
			t.Fatalf("%s to %s, checksum %#04x to %#04x: port %d, %t", from, to, x.sent, x.quoted, port, ok)
		}
		if got := packet.TranslatedChecksum(x.sent, from, to); packet.ChecksumDelta(got, x.quoted) != 0 {
			t.Fatalf("%s to %s, checksum %#04x becomes %#04x, want %#04x", from, to, x.sent, got, x.quoted)
		}
		if packet.ChecksumDelta(x.sent, packet.TranslatedChecksum(x.sent, from, from)) != 0 {
			t.Fatalf("%#04x changes when nothing does", x.sent)
		}
	}
}

// The checksum of ICMP covers no address.
func TestTranslatedEchoID(t *testing.T) {
	for _, to := range []uint16{1, 0x1234, 0xffff} {
		echo := func(id uint16) uint16 {
			b := packet.AppendEcho(nil, hostV4, targetV4, &packet.ICMP{Type: packet.ICMPv4EchoRequest, ID: id, Sequence: 7})
			return binary.BigEndian.Uint16(b[2:])
		}
		delta := packet.ChecksumDelta(echo(0x4711), echo(to))
		got, ok := packet.TranslatedPort(delta, hostV4, hostV4, 0x4711)
		diff(t, "ID", []any{to, true}, []any{got, ok})
	}
}

func TestTranslatedPortRefuses(t *testing.T) {
	for _, tt := range []struct{ from, to netip.Addr }{{hostV4, hostV6}, {hostV6, hostV4}, {netip.Addr{}, hostV4}, {hostV4, netip.Addr{}}} {
		if port, ok := packet.TranslatedPort(1, tt.from, tt.to, 1); ok {
			t.Errorf("%v to %v: port %d", tt.from, tt.to, port)
		}
	}
	mustPanic(t, func() {
		packet.TranslatedChecksum(1, netip.AddrPortFrom(hostV4, 1), netip.AddrPortFrom(hostV6, 1))
	})
}

func TestChecksumDelta(t *testing.T) {
	tests := []struct{ sent, quoted, want uint16 }{
		{0, 0, 0},
		{0x1234, 0x1234, 0},
		{0x1234, 0x1235, 1},
		{0x1235, 0x1234, 0xfffe},
		{0, 0xffff, 0}, // two ways to write 0
		{0xffff, 0, 0},
		{0xffff, 1, 1},
		{0, 0xfffe, 0xfffe},
		{1, 0, 0xfffe},
	}
	for _, tt := range tests {
		if got := packet.ChecksumDelta(tt.sent, tt.quoted); got != tt.want {
			t.Errorf("%#04x to %#04x: %#04x, want %#04x", tt.sent, tt.quoted, got, tt.want)
		}
	}
	// From the definition, for a share of all pairs.
	for a := 0; a < 1<<16; a += 251 {
		for b := 0; b < 1<<16; b += 257 {
			if got, want := packet.ChecksumDelta(uint16(a), uint16(b)), uint16((b-a+65535)%65535); got != want {
				t.Fatalf("%#04x to %#04x: %#04x, want %#04x", a, b, got, want)
			}
		}
	}
}
