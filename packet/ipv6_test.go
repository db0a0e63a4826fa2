// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"net"
	"slices"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"traceflow/packet"
)

// Fixtures of IPv6, as named pieces.
var (
	// One of each extension header that is walked.
	ipv6Headers = []string{
		/* hop-by-hop: router alert       */ "3c 00 0502 0000 0100",
		/* destination options: 14 of pad */ "2b 01 010c" + zeros(12),
		/* routing: type 4, no segments   */ "2c 02 04 00 00 00 0000 20010db8 00020000 00000000 00000007",
		/* fragment: the first of several */ "33 00 0001 cafef00d",
		/* AH: 12 bytes of data           */ "87 04 0000 00000001 00000002" + zeros(12),
		/* mobility: binding error        */ "11 02 07 00 0000 01 00" + zeros(16),
	}
	ipv6WithEverything = append([]string{
		/* version, traffic class, label */ "6b9 12345",
		/* length, hop-by-hop, hop limit */ "0070 00 07",
		/* source, destination           */ hexHostV6, hexTargetV6,
	}, append(slices.Clip(ipv6Headers),
		/* UDP */ "9c40 829a 0008 0000")...)
	// A fragment that does not begin with a header, although what it says it
	// is the middle of begins with one that would be walked.
	ipv6MiddleFragment = []string{
		/* version, traffic class, label */ "60000000",
		/* length, fragment, hop limit   */ "0010 2c 40",
		/* source, destination           */ hexHostV6, hexTargetV6,
		/* fragment: the last, at 1448   */ "3c 00 05a8 cafef00d",
		/* somewhere in the data         */ "3c00000000000000",
	}
)

func TestDecodeIPv6(t *testing.T) {
	const addresses = hexHostV6 + hexTargetV6
	plain := packet.IP{Source: hostV6, Destination: targetV6, TTL: 64, HeaderLength: 40}
	with := func(change func(h *packet.IP)) packet.IP {
		h := plain
		change(&h)
		return h
	}
	tests := []struct {
		name    string
		pieces  []string
		want    packet.IP
		payload string
	}{
		{
			"plain",
			[]string{"6b9 12345 0008 11 07", addresses, "9c40 829a 0008 0000"},
			with(func(h *packet.IP) {
				h.TOS, h.Label, h.TTL, h.Length = 0xb9, 0x12345, 7, 48
				h.Protocol, h.NextHeader = packet.ProtocolUDP, packet.ProtocolUDP
			}),
			"9c40829a00080000",
		},
		{
			"every extension header",
			ipv6WithEverything,
			with(func(h *packet.IP) {
				h.TOS, h.Label, h.TTL, h.Length, h.HeaderLength = 0xb9, 0x12345, 7, 152, 144
				h.Protocol, h.NextHeader = packet.ProtocolUDP, packet.ProtocolHopByHop
				h.MoreFragments = true
				h.Options = unhex(t, ipv6Headers...)
			}),
			"9c40829a00080000",
		},
		{
			"the middle of a fragmented packet",
			ipv6MiddleFragment,
			with(func(h *packet.IP) {
				h.Length, h.HeaderLength, h.FragmentOffset = 56, 48, 1448
				h.Protocol, h.NextHeader = packet.ProtocolDestinationOptions, packet.ProtocolFragment
				h.Options = unhex(t, "3c 00 05a8 cafef00d")
			}),
			"3c00000000000000",
		},
		{
			"a fragment that is whole",
			[]string{"60000000 0010 2c 40", addresses, "11 00 0000 00000001", "9c40 829a 0008 0000"},
			with(func(h *packet.IP) {
				h.Length, h.HeaderLength = 56, 48
				h.Protocol, h.NextHeader = packet.ProtocolUDP, packet.ProtocolFragment
				h.Options = unhex(t, "11 00 0000 00000001")
			}),
			"9c40829a00080000",
		},
		{
			"no next header",
			[]string{"60000000 0000 3b 40", addresses},
			with(func(h *packet.IP) {
				h.Length, h.Protocol, h.NextHeader = 40, packet.ProtocolNoNextHeader, packet.ProtocolNoNextHeader
			}),
			"",
		},
		{
			// What it encrypts is not to be had, so it is the payload.
			"encrypted",
			[]string{"60000000 0008 32 40", addresses, "00000001 00000002"},
			with(func(h *packet.IP) { h.Length, h.Protocol, h.NextHeader = 48, 50, 50 }),
			"0000000100000002",
		},
		{
			"as many extension headers as are allowed",
			[]string{"60000000 0080 3c 40", addresses, repeat("3c 00"+zeros(6), 15), "11 00" + zeros(6)},
			with(func(h *packet.IP) {
				h.Length, h.HeaderLength = 168, 168
				h.Protocol, h.NextHeader = packet.ProtocolUDP, packet.ProtocolDestinationOptions
				h.Options = unhex(t, repeat("3c 00"+zeros(6), 15), "11 00"+zeros(6))
			}),
			"",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := unhex(t, tt.pieces...)
			got, payload, err := packet.DecodeIP(b)
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "header", tt.want, got)
			diff(t, "payload", unhex(t, tt.payload), payload)
			// What was decoded is enough to write the same again.
			diff(t, "encoding", b[:got.HeaderLength], packet.AppendIP(nil, &got, len(payload)))
		})
	}
}

func TestAppendIPv6(t *testing.T) {
	tests := []struct {
		name    string
		h       packet.IP
		payload int
		want    string
	}{
		{"the zero of everything", packet.IP{}, 0, "60000000 0000 00 00"},
		{
			"a probe",
			packet.IP{Protocol: packet.ProtocolUDP, TTL: 3, TOS: 0xb8, Label: 0xfedcb},
			20, "6b8 fedcb 0014 11 03",
		},
		{"a label of 32 bits loses 12", packet.IP{Label: 0xfff00001}, 0, "60000001 0000 00 00"},
		{"the next header without options does not count", packet.IP{Protocol: 17, NextHeader: 44}, 0, "60000000 0000 11 00"},
		{"fields of IPv4 do not count", packet.IP{Protocol: 17, ID: 7, DontFragment: true, FragmentOffset: 3}, 0, "60000000 0000 11 00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.h.Source, tt.h.Destination = hostV6, targetV6
			diff(t, "bytes", unhex(t, tt.want, hexHostV6, hexTargetV6), packet.AppendIP(nil, &tt.h, tt.payload))
		})
	}
}

func TestAppendIPv6Panics(t *testing.T) {
	tests := []struct {
		name    string
		h       packet.IP
		payload int
	}{
		{"a negative payload", packet.IP{}, -1},
		{"65536 bytes of payload", packet.IP{}, 65536},
		{"65536 bytes with extension headers", packet.IP{Options: make([]byte, 8)}, 65528},
		{"half an extension header", packet.IP{Options: make([]byte, 12)}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.h.Source, tt.h.Destination = hostV6, targetV6
			mustPanic(t, func() { packet.AppendIP(nil, &tt.h, tt.payload) })
		})
	}
	packet.AppendIP(nil, &packet.IP{Source: hostV6, Destination: targetV6, Options: make([]byte, 8)}, 65527)
}

func TestIPv6AgreesWithGopacket(t *testing.T) {
	r := random()
	for range 1000 {
		payload := randomBytes(r, r.IntN(64))
		h := packet.IP{
			Source: randomAddr(r, false), Destination: randomAddr(r, false),
			Protocol: 253, NextHeader: 253, TTL: uint8(r.Uint32()), TOS: uint8(r.Uint32()), Label: r.Uint32() >> 12,
		}
		theirs := &layers.IPv6{
			Version: 6, TrafficClass: h.TOS, FlowLabel: h.Label, HopLimit: h.TTL, NextHeader: layers.IPProtocol(h.Protocol),
			SrcIP: net.IP(h.Source.AsSlice()), DstIP: net.IP(h.Destination.AsSlice()),
		}
		chain := []gopacket.SerializableLayer{theirs}
		if r.IntN(2) == 0 {
			theirs.NextHeader = layers.IPProtocolIPv6Destination
			h.NextHeader = packet.ProtocolDestinationOptions
			data := randomBytes(r, 4+8*r.IntN(8)) // fills the header exactly
			options := &layers.IPv6Destination{Options: []*layers.IPv6DestinationOption{{OptionType: 0x1e, OptionData: data}}}
			options.NextHeader = layers.IPProtocol(h.Protocol)
			if r.IntN(2) == 0 {
				options.NextHeader = layers.IPProtocolIPv6Fragment
				h.FragmentOffset, h.MoreFragments = r.IntN(8192)*8, r.IntN(2) == 0
				chain = append(chain, options, &layers.IPv6Fragment{
					NextHeader: layers.IPProtocol(h.Protocol), Identification: r.Uint32(),
					FragmentOffset: uint16(h.FragmentOffset / 8), MoreFragments: h.MoreFragments,
				})
			} else {
				chain = append(chain, options)
			}
		}
		want := serialize(t, append(chain, gopacketPayload(payload))...)
		h.Length, h.HeaderLength = len(want), len(want)-len(payload)
		h.Options = want[40:h.HeaderLength]

		diff(t, "encoding", want, append(packet.AppendIP(nil, &h, len(payload)), payload...))
		decoded, rest, err := packet.DecodeIP(want)
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "decoding", h, decoded)
		diff(t, "payload", payload, rest)
	}
}

// gopacket finds the same payload behind a hop-by-hop and a routing header,
// which it decodes on its own.
func TestIPv6HeadersAgreeWithGopacket(t *testing.T) {
	udp := "9c40 829a 000c 0000 64617461"
	tests := []struct {
		name    string
		next    string
		headers []string
	}{
		{"hop-by-hop", "00", []string{"11 00 0502 0000 0100"}},
		{"routing", "2b", []string{"11 02 04 00 00000000 20010db8 00020000 00000000 00000007"}},
		{"hop-by-hop, destination, routing", "00", []string{"3c 00 0502 0000 0100", "2b 00 0104 00000000", "11 00 04 00 00000000"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			headers := unhex(t, tt.headers...)
			h := packet.IP{
				Source: hostV6, Destination: targetV6, TTL: 64, Protocol: packet.ProtocolUDP,
				NextHeader: unhex(t, tt.next)[0], Options: headers,
			}
			b := append(packet.AppendIP(nil, &h, 12), unhex(t, udp)...)
			got, payload, err := packet.DecodeIP(b)
			if err != nil {
				t.Fatal(err)
			}
			theirs := dissect(t, b).TransportLayer().(*layers.UDP)
			diff(t, "payload", append(theirs.Contents, theirs.Payload...), payload)
			diff(t, "protocol", packet.ProtocolUDP, got.Protocol)
			diff(t, "header length", 40+len(headers), got.HeaderLength)
		})
	}
}
