// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"encoding/binary"
	"testing"

	"traceflow/packet"
)

// The pieces that quotes are made of. Lengths are of a probe with 12 bytes of
// payload, "probe data 1".
const (
	quoteV4UDP     = "45 b8 0028 abcd 4000 01 11 0000" + hexHostV4 + hexTargetV4
	quoteV4TCP     = "45 00 0034 abcd 4000 01 06 0000" + hexHostV4 + hexTargetV4
	quoteV4ICMP    = "45 00 0028 abcd 4000 01 01 0000" + hexHostV4 + hexTargetV4
	quoteV6UDP     = "6b8 54321 0014 11 01" + hexHostV6 + hexTargetV6
	quoteV6TCP     = "60000000 0020 06 01" + hexHostV6 + hexTargetV6
	quoteV6ICMP    = "60000000 0014 3a 01" + hexHostV6 + hexTargetV6
	quotePayload   = "70726f6265206461 74612031"
	quoteUDPHeader = "9c40 829a 0014 beef"
	quoteTCPFirst  = "9c40 01bb 12345678"
	quoteTCPRest   = "00000000 5002 faf0 abcd 0000"
)

// The IP headers of those.
var (
	wantV4 = packet.IP{
		Source: hostV4, Destination: targetV4, Protocol: packet.ProtocolUDP,
		TTL: 1, TOS: 0xb8, ID: 0xabcd, DontFragment: true, Length: 40, HeaderLength: 20,
	}
	wantV6 = packet.IP{
		Source: hostV6, Destination: targetV6, Protocol: packet.ProtocolUDP, NextHeader: packet.ProtocolUDP,
		TTL: 1, TOS: 0xb8, Label: 0x54321, Length: 60, HeaderLength: 40,
	}
)

func TestDecodeQuote(t *testing.T) {
	wantUDP := packet.Quote{SourcePort: 40000, DestinationPort: 33434, UDPLength: 20, Checksum: 0xbeef}
	wantTCP := packet.Quote{SourcePort: 40000, DestinationPort: 443, Sequence: 0x12345678}
	wantWholeTCP := wantTCP
	wantWholeTCP.Checksum = 0xabcd
	wantEcho := packet.Quote{Checksum: 0x5678, EchoID: 0x1111, EchoSequence: 0x2222}
	data := []byte("probe data 1")
	with := func(q packet.Quote, h packet.IP, payload []byte, change func(h *packet.IP)) packet.Quote {
		if change != nil {
			change(&h)
		}
		q.IP, q.Payload = h, payload
		return q
	}
	tcpV4 := func(h *packet.IP) { h.Protocol, h.TOS, h.Length = packet.ProtocolTCP, 0, 52 }
	icmpV4 := func(h *packet.IP) { h.Protocol, h.TOS = packet.ProtocolICMP, 0 }
	tcpV6 := func(h *packet.IP) {
		h.Protocol, h.NextHeader, h.TOS, h.Label, h.Length = packet.ProtocolTCP, packet.ProtocolTCP, 0, 0, 72
	}
	icmpV6 := func(h *packet.IP) {
		h.Protocol, h.NextHeader, h.TOS, h.Label = packet.ProtocolICMPv6, packet.ProtocolICMPv6, 0, 0
	}
	tests := []struct {
		name   string
		pieces []string
		want   packet.Quote
	}{
		{"IPv4 UDP, 28 bytes", []string{quoteV4UDP, quoteUDPHeader}, with(wantUDP, wantV4, nil, nil)},
		{"IPv4 UDP, some payload", []string{quoteV4UDP, quoteUDPHeader, quotePayload[:8]}, with(wantUDP, wantV4, data[:4], nil)},
		{"IPv4 UDP, all of it", []string{quoteV4UDP, quoteUDPHeader, quotePayload}, with(wantUDP, wantV4, data, nil)},
		{"IPv4 UDP, padded", []string{quoteV4UDP, quoteUDPHeader, quotePayload, zeros(88)}, with(wantUDP, wantV4, data, nil)},
		{"IPv6 UDP, 48 bytes", []string{quoteV6UDP, quoteUDPHeader}, with(wantUDP, wantV6, nil, nil)},
		{"IPv6 UDP, padded", []string{quoteV6UDP, quoteUDPHeader, quotePayload, zeros(68)}, with(wantUDP, wantV6, data, nil)},
		{
			"UDP length below that of IP",
			[]string{quoteV4UDP, "9c40 829a 000c beef", quotePayload},
			with(packet.Quote{SourcePort: 40000, DestinationPort: 33434, UDPLength: 12, Checksum: 0xbeef}, wantV4, data[:4], nil),
		},
		{
			"UDP length that cannot be",
			[]string{quoteV4UDP, "9c40 829a 0007 beef", quotePayload},
			with(packet.Quote{SourcePort: 40000, DestinationPort: 33434, UDPLength: 7, Checksum: 0xbeef}, wantV4, data, nil),
		},
		{
			"IP length in the wrong byte order",
			[]string{"45 b8 2800 abcd 4000 01 11 0000", hexHostV4, hexTargetV4, quoteUDPHeader, quotePayload},
			with(wantUDP, wantV4, data, func(h *packet.IP) { h.Length = 0x2800 }),
		},
		{
			"IP length without the header",
			[]string{"45 b8 0014 abcd 4000 01 11 0000", hexHostV4, hexTargetV4, quoteUDPHeader, quotePayload},
			with(wantUDP, wantV4, nil, func(h *packet.IP) { h.Length = 20 }),
		},
		{
			"IP length of 0",
			[]string{"45 b8 0000 abcd 4000 01 11 0000", hexHostV4, hexTargetV4, quoteUDPHeader},
			with(wantUDP, wantV4, nil, func(h *packet.IP) { h.Length = 0 }),
		},
		{
			"TTL of 0",
			[]string{"45 b8 0028 abcd 4000 00 11 0000", hexHostV4, hexTargetV4, quoteUDPHeader},
			with(wantUDP, wantV4, nil, func(h *packet.IP) { h.TTL = 0 }),
		},
		{
			"IPv4 options",
			[]string{"47 b8 0030 abcd 4000 01 11 0000", hexHostV4, hexTargetV4, "0707 04 cb007109 00", quoteUDPHeader},
			with(wantUDP, wantV4, nil, func(h *packet.IP) {
				h.Length, h.HeaderLength, h.Options = 48, 28, unhex(t, "0707 04 cb007109 00")
			}),
		},
		{
			"IPv6 extension header",
			[]string{"6b8 54321 001c 3c 01", hexHostV6, hexTargetV6, "11 00 0104 00000000", quoteUDPHeader},
			with(wantUDP, wantV6, nil, func(h *packet.IP) {
				h.NextHeader, h.Length, h.HeaderLength = packet.ProtocolDestinationOptions, 68, 48
				h.Options = unhex(t, "11 00 0104 00000000")
			}),
		},
		{"IPv4 TCP, 28 bytes", []string{quoteV4TCP, quoteTCPFirst}, with(wantTCP, wantV4, nil, tcpV4)},
		{"IPv4 TCP, half the header", []string{quoteV4TCP, quoteTCPFirst, quoteTCPRest[:8]}, with(wantTCP, wantV4, nil, tcpV4)},
		{"IPv4 TCP, 17 bytes of it", []string{quoteV4TCP, quoteTCPFirst, quoteTCPRest[:21]}, with(wantTCP, wantV4, nil, tcpV4)},
		{"IPv4 TCP, 18 bytes of it", []string{quoteV4TCP, quoteTCPFirst, quoteTCPRest[:23]}, with(wantWholeTCP, wantV4, nil, tcpV4)},
		{"IPv4 TCP, all of it", []string{quoteV4TCP, quoteTCPFirst, quoteTCPRest, quotePayload}, with(wantWholeTCP, wantV4, data, tcpV4)},
		{"IPv6 TCP, all of it", []string{quoteV6TCP, quoteTCPFirst, quoteTCPRest, quotePayload}, with(wantWholeTCP, wantV6, data, tcpV6)},
		{"IPv4 echo, 28 bytes", []string{quoteV4ICMP, "08 00 5678 1111 2222"}, with(wantEcho, wantV4, nil, icmpV4)},
		{"IPv4 echo reply", []string{quoteV4ICMP, "00 00 5678 1111 2222", quotePayload}, with(wantEcho, wantV4, data, icmpV4)},
		{"IPv4 ICMP, no echo", []string{quoteV4ICMP, "0d 00 5678 1111 2222", quotePayload}, with(packet.Quote{Checksum: 0x5678}, wantV4, data, icmpV4)},
		{"IPv6 echo", []string{quoteV6ICMP, "80 00 5678 1111 2222", quotePayload}, with(wantEcho, wantV6, data, icmpV6)},
		{
			"ICMP over IPv6 is no protocol",
			[]string{"60000000 0014 01 01", hexHostV6, hexTargetV6, "08 00 5678 1111 2222"},
			with(packet.Quote{}, wantV6, unhex(t, "08 00 5678 1111 2222"), func(h *packet.IP) {
				h.Protocol, h.NextHeader, h.TOS, h.Label = packet.ProtocolICMP, packet.ProtocolICMP, 0, 0
			}),
		},
		{
			"another protocol, nothing after the header",
			[]string{"45 b8 0028 abcd 4000 01 2f 0000", hexHostV4, hexTargetV4},
			with(packet.Quote{}, wantV4, nil, func(h *packet.IP) { h.Protocol = 47 }),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := packet.DecodeQuote(unhex(t, tt.pieces...))
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "quote", tt.want, got)
		})
	}
}

func TestDecodeQuoteRefuses(t *testing.T) {
	tests := []struct {
		name   string
		pieces []string
		want   error
		layer  string
		offset int
	}{
		{"nothing", nil, packet.ErrTruncated, "IP", 0},
		{"half an IPv4 header", []string{"45 b8 0028 abcd 4000"}, packet.ErrTruncated, "IPv4", 0},
		{"an IPv4 header alone", []string{quoteV4UDP}, packet.ErrTruncated, "quoted transport header", 0},
		{"27 bytes", []string{quoteV4UDP, "9c40 829a 0014 be"}, packet.ErrTruncated, "quoted transport header", 0},
		{"27 bytes of TCP", []string{quoteV4TCP, "9c40 01bb 123456"}, packet.ErrTruncated, "quoted transport header", 0},
		{"27 bytes of ICMP", []string{quoteV4ICMP, "0800 5678 1111 22"}, packet.ErrTruncated, "quoted transport header", 0},
		{"47 bytes", []string{quoteV6UDP, "9c40 829a 0014 be"}, packet.ErrTruncated, "quoted transport header", 0},
		{"IPv6 extension header cut short", []string{"60000000 0014 00 01", hexHostV6, hexTargetV6, "11 00 00"}, packet.ErrTruncated, "IPv6 extension header", 0},
		{"a later fragment", ipv4Fragment, packet.ErrMalformed, "ICMP quote", 6},
		{"a later IPv6 fragment", ipv6MiddleFragment, packet.ErrMalformed, "ICMP quote", 6},
		{"another version", []string{"75", zeros(60)}, packet.ErrMalformed, "IP", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := packet.DecodeQuote(unhex(t, tt.pieces...))
			checkError(t, err, tt.want, tt.layer, tt.offset)
		})
	}
}

// A quote may end anywhere: with the first 8 bytes of the transport header it
// is good, before that it is not, and nothing changes but the payload.
func TestDecodeQuoteAtEveryLength(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			payload := []byte("what the probe carries")
			b := probe(f.host, f.target, 7, payload)
			headers := len(b) - len(payload)
			whole, err := packet.DecodeQuote(b)
			if err != nil {
				t.Fatal(err)
			}
			for n := range b {
				got, err := packet.DecodeQuote(b[:n])
				if n < headers {
					if err == nil {
						t.Errorf("no error with %d bytes", n)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				want := whole
				want.Payload = payload[:n-headers]
				diff(t, "quote", want, got)
			}
		})
	}
}

func FuzzDecodeQuote(f *testing.F) {
	f.Add(unhex(f, quoteV4UDP, quoteUDPHeader))
	f.Add(unhex(f, quoteV4UDP, quoteUDPHeader, quotePayload, zeros(88)))
	f.Add(unhex(f, quoteV6UDP, quoteUDPHeader, quotePayload))
	f.Add(unhex(f, quoteV4TCP, quoteTCPFirst, quoteTCPRest, quotePayload))
	f.Add(unhex(f, quoteV6TCP, quoteTCPFirst))
	f.Add(unhex(f, quoteV4ICMP, "08 00 5678 1111 2222"))
	f.Add(unhex(f, quoteV6ICMP, "80 00 5678 1111 2222", quotePayload))
	f.Add(unhex(f, ipv6WithEverything...))
	f.Add(unhex(f, "45 b8 0014 abcd 4000 01 11 0000", hexHostV4, hexTargetV4, quoteUDPHeader, quotePayload))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := packet.DecodeQuote(b)
		if err != nil {
			checkDecodable(t, err)
			return
		}
		if len(q.Payload) > len(b)-q.IP.HeaderLength {
			t.Fatalf("%d bytes of payload out of %d", len(q.Payload), len(b))
		}
		// The quote is at the front of the packet as it would be written, as far
		// as 8 bytes of UDP.
		if q.IP.Protocol != packet.ProtocolUDP || q.IP.Length < q.IP.HeaderLength {
			return
		}
		again := packet.AppendIP(nil, &q.IP, q.IP.Length-q.IP.HeaderLength)
		again = binary.BigEndian.AppendUint16(again, q.SourcePort)
		again = binary.BigEndian.AppendUint16(again, q.DestinationPort)
		again = binary.BigEndian.AppendUint16(again, uint16(q.UDPLength))
		again = binary.BigEndian.AppendUint16(again, q.Checksum)
		q2, err := packet.DecodeQuote(append(again, q.Payload...))
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "decoding of the encoding", q, q2)
	})
}
