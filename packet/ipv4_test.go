// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"encoding/binary"
	"net"
	"testing"

	"github.com/gopacket/gopacket/layers"

	"traceflow/packet"
)

// Fixtures of IPv4, as named pieces.
var (
	// A datagram with record route and timestamp options.
	ipv4WithOptions = []string{
		/* version, 9 words, TOS  */ "49 b8",
		/* length, ID, DF         */ "002c 1234 4000",
		/* TTL, UDP, checksum     */ "05 11 f8aa",
		/* source, destination    */ hexHostV4, hexTargetV4,
		/* record route, one slot */ "07 07 04 cb007109",
		/* no operation           */ "01",
		/* timestamp, full        */ "44 08 09 00 00000001",
		/* UDP                    */ "9c40 829a 0008 0000",
	}
	// The second of several fragments.
	ipv4Fragment = []string{
		/* version, 5 words, TOS  */ "45 00",
		/* length, ID, MF + 185   */ "0020 beef 20b9",
		/* TTL, UDP, checksum     */ "40 11 af00",
		/* source, destination    */ hexHostV4, hexTargetV4,
		/* somewhere in the data  */ "6d6964646c65206f66206974",
	}
)

func TestDecodeIPv4(t *testing.T) {
	tests := []struct {
		name    string
		pieces  []string
		want    packet.IP
		payload string
	}{
		{
			"plain",
			[]string{
				/* version, 5 words, TOS */ "45 03",
				/* length, ID, no flags  */ "001c 0001 0000",
				/* TTL, UDP, checksum    */ "01 11 0000",
				/* source, destination   */ hexHostV4, hexTargetV4,
				/* UDP                   */ "9c40 829a 0008 0000",
			},
			packet.IP{
				Source: hostV4, Destination: targetV4, Protocol: packet.ProtocolUDP,
				TTL: 1, TOS: 3, ID: 1, Length: 28, HeaderLength: 20,
			},
			"9c40829a00080000",
		},
		{
			"options",
			ipv4WithOptions,
			packet.IP{
				Source: hostV4, Destination: targetV4, Protocol: packet.ProtocolUDP,
				TTL: 5, TOS: 0xb8, ID: 0x1234, DontFragment: true, Length: 44, HeaderLength: 36,
				Options: unhex(t, "070704cb007109 01 4408090000000001"),
			},
			"9c40829a00080000",
		},
		{
			"fragment",
			ipv4Fragment,
			packet.IP{
				Source: hostV4, Destination: targetV4, Protocol: packet.ProtocolUDP,
				TTL: 64, ID: 0xbeef, MoreFragments: true, FragmentOffset: 185 * 8, Length: 32, HeaderLength: 20,
			},
			"6d6964646c65206f66206974",
		},
		{
			"everything at its greatest",
			[]string{"4f ff ffff ffff ffff ff ff ffff", "ffffffff ffffffff", repeat("ff", 40)},
			packet.IP{
				Source: addr("255.255.255.255"), Destination: addr("255.255.255.255"), Protocol: 255,
				TTL: 255, TOS: 255, ID: 0xffff, DontFragment: true, MoreFragments: true,
				FragmentOffset: 65528, Length: 65535, HeaderLength: 60,
				Options: unhex(t, repeat("ff", 40)),
			},
			"",
		},
		{
			// AH is a transport here, not a header on the way to one.
			"authentication header",
			[]string{"45 00 0020 0000 0000 40 33 0000", hexHostV4, hexTargetV4, "11 01 0000 00000001 00000001"},
			packet.IP{
				Source: hostV4, Destination: targetV4, Protocol: packet.ProtocolAuthentication,
				TTL: 64, Length: 32, HeaderLength: 20,
			},
			"110100000000000100000001",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, payload, err := packet.DecodeIP(unhex(t, tt.pieces...))
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "header", tt.want, got)
			diff(t, "payload", unhex(t, tt.payload), payload)
		})
	}
}

func TestAppendIPv4(t *testing.T) {
	tests := []struct {
		name    string
		h       packet.IP
		payload int
		pieces  []string
	}{
		{
			"the zero of everything",
			packet.IP{Source: hostV4, Destination: targetV4},
			0,
			[]string{"45 00 0014 0000 0000 00 00 ceae", hexHostV4, hexTargetV4},
		},
		{
			"a probe",
			packet.IP{Source: hostV4, Destination: targetV4, Protocol: packet.ProtocolUDP, TTL: 1, TOS: 0x10, ID: 0xabcd, DontFragment: true},
			40,
			[]string{"45 10 003c abcd 4000 01 11 e197", hexHostV4, hexTargetV4},
		},
		{
			"one byte of options is padded",
			packet.IP{Source: hostV4, Destination: targetV4, Options: []byte{1}},
			8,
			[]string{"46 00 0020 0000 0000 00 00 cca2", hexHostV4, hexTargetV4, "01 000000"},
		},
		{
			"five bytes of options are padded",
			packet.IP{Source: hostV4, Destination: targetV4, Options: []byte{1, 1, 1, 1, 1}},
			0,
			[]string{"47 00 001c 0000 0000 00 00 c9a4", hexHostV4, hexTargetV4, "0101010101 000000"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			diff(t, "bytes", unhex(t, tt.pieces...), packet.AppendIP(nil, &tt.h, tt.payload))
		})
	}
}

func TestAppendIPv4Panics(t *testing.T) {
	tests := []struct {
		name    string
		h       packet.IP
		payload int
	}{
		{"41 bytes of options", packet.IP{Options: make([]byte, 41)}, 0},
		{"a negative payload", packet.IP{}, -1},
		{"65536 bytes", packet.IP{}, 65536 - 20},
		{"65536 bytes with options", packet.IP{Options: make([]byte, 1)}, 65536 - 24},
		{"a negative fragment offset", packet.IP{FragmentOffset: -8}, 0},
		{"a fragment offset of 4", packet.IP{FragmentOffset: 4}, 0},
		{"a fragment offset of 65536", packet.IP{FragmentOffset: 65536}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.h.Source, tt.h.Destination = hostV4, targetV4
			mustPanic(t, func() { packet.AppendIP(nil, &tt.h, tt.payload) })
		})
	}
	// The greatest that there can be.
	packet.AppendIP(nil, &packet.IP{Source: hostV4, Destination: targetV4, FragmentOffset: 65528, Options: make([]byte, 40)}, 65535-60)
}

// gopacket writes the same bytes for random headers, and reads what AppendIP
// wrote as DecodeIP does.
func TestIPv4AgreesWithGopacket(t *testing.T) {
	r := random()
	for range 1000 {
		payload := randomBytes(r, r.IntN(64))
		h := packet.IP{
			Source: randomAddr(r, true), Destination: randomAddr(r, true),
			// Not a protocol that gopacket would go on to decode.
			Protocol: 253, TTL: uint8(r.Uint32()), TOS: uint8(r.Uint32()), ID: uint16(r.Uint32()),
			DontFragment: r.IntN(2) == 0, MoreFragments: r.IntN(2) == 0, FragmentOffset: r.IntN(8192) * 8,
		}
		theirs := &layers.IPv4{
			Version: 4, TOS: h.TOS, Id: h.ID, TTL: h.TTL, Protocol: layers.IPProtocol(h.Protocol),
			FragOffset: uint16(h.FragmentOffset / 8),
			SrcIP:      net.IP(h.Source.AsSlice()), DstIP: net.IP(h.Destination.AsSlice()),
		}
		if h.DontFragment {
			theirs.Flags |= layers.IPv4DontFragment
		}
		if h.MoreFragments {
			theirs.Flags |= layers.IPv4MoreFragments
		}
		// Some options of random length, and no operations between them.
		for range r.IntN(4) {
			data := randomBytes(r, r.IntN(7))
			option := layers.IPv4Option{OptionType: 0x82, OptionLength: uint8(2 + len(data)), OptionData: data}
			theirs.Options = append(theirs.Options, option, layers.IPv4Option{OptionType: 1, OptionLength: 1})
			h.Options = append(append(append(h.Options, 0x82, option.OptionLength), data...), 1)
		}
		want := serialize(t, theirs, gopacketPayload(payload))
		got := append(packet.AppendIP(nil, &h, len(payload)), payload...)
		diff(t, "encoding", want, got)

		decoded, rest, err := packet.DecodeIP(want)
		if err != nil {
			t.Fatal(err)
		}
		h.Options = append(h.Options, make([]byte, -len(h.Options)&3)...)
		h.HeaderLength = 20 + len(h.Options)
		h.Length = h.HeaderLength + len(payload)
		diff(t, "decoding", h, decoded)
		diff(t, "payload", payload, rest)

		read := dissect(t, got).NetworkLayer().(*layers.IPv4)
		diff(t, "gopacket's ID and length", []uint16{h.ID, uint16(h.Length)}, []uint16{read.Id, read.Length})
		diff(t, "gopacket's checksum", binary.BigEndian.Uint16(want[10:]), read.Checksum)
	}
}
