// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"traceflow/packet"
)

func TestDecodeICMP(t *testing.T) {
	tests := []struct {
		name     string
		src, dst netip.Addr
		pieces   []string
		want     packet.ICMP
	}{
		{
			"IPv4 echo request", hostV4, targetV4,
			[]string{"08 00 1234", "abcd 0007", "64617461"},
			packet.ICMP{Type: 8, Checksum: 0x1234, ID: 0xabcd, Sequence: 7, Body: []byte("data")},
		},
		{
			"IPv4 echo reply without data", targetV4, hostV4,
			[]string{"00 00 1234", "abcd 0007"},
			packet.ICMP{Type: 0, Checksum: 0x1234, ID: 0xabcd, Sequence: 7},
		},
		{
			"IPv4 fragmentation needed", routerV4, hostV4,
			[]string{"03 04 1234", "ff 20 05dc", "64617461"},
			packet.ICMP{Type: 3, Code: 4, Checksum: 0x1234, MTU: 1500, QuoteUnits: 128, Body: []byte("data")},
		},
		{
			"IPv4 port unreachable has no MTU", routerV4, hostV4,
			[]string{"03 03 1234", "00 00 05dc"},
			packet.ICMP{Type: 3, Code: 3, Checksum: 0x1234},
		},
		{
			"IPv4 time exceeded with the longest quote", routerV4, hostV4,
			[]string{"0b 00 1234", "00 ff 0000"},
			packet.ICMP{Type: 11, Checksum: 0x1234, QuoteUnits: 1020},
		},
		{
			"IPv4 parameter problem", routerV4, hostV4,
			[]string{"0c 00 1234", "14 22 0000"},
			packet.ICMP{Type: 12, Checksum: 0x1234, Pointer: 20, QuoteUnits: 136},
		},
		{
			"IPv4 redirect has no length", routerV4, hostV4,
			[]string{"05 01 1234", hexRouterV4, "45"},
			packet.ICMP{Type: 5, Code: 1, Checksum: 0x1234, Body: []byte{0x45}},
		},
		{
			"IPv6 echo request", hostV6, targetV6,
			[]string{"80 00 1234", "abcd 0007", "64617461"},
			packet.ICMP{Type: 128, Checksum: 0x1234, ID: 0xabcd, Sequence: 7, Body: []byte("data")},
		},
		{
			"IPv6 echo reply", targetV6, hostV6,
			[]string{"81 00 1234", "abcd 0007"},
			packet.ICMP{Type: 129, Checksum: 0x1234, ID: 0xabcd, Sequence: 7},
		},
		{
			"IPv6 packet too big", routerV6, hostV6,
			[]string{"02 00 1234", "00010500"},
			packet.ICMP{Type: 2, Checksum: 0x1234, MTU: 0x10500},
		},
		{
			"IPv6 time exceeded with a length", routerV6, hostV6,
			[]string{"03 00 1234", "10 00 0000"},
			packet.ICMP{Type: 3, Checksum: 0x1234, QuoteUnits: 128},
		},
		{
			"IPv6 unreachable with the longest quote", routerV6, hostV6,
			[]string{"01 04 1234", "ff 00 0000"},
			packet.ICMP{Type: 1, Code: 4, Checksum: 0x1234, QuoteUnits: 2040},
		},
		{
			"IPv6 parameter problem has no length", routerV6, hostV6,
			[]string{"04 01 1234", "10000028"},
			packet.ICMP{Type: 4, Code: 1, Checksum: 0x1234, Pointer: 0x10000028},
		},
		{
			"IPv6 type 8 is no echo", hostV6, targetV6,
			[]string{"08 00 1234", "abcd 0007"},
			packet.ICMP{Type: 8, Checksum: 0x1234},
		},
		{
			"IPv4 type 128 is no echo", hostV4, targetV4,
			[]string{"80 00 1234", "abcd 0007"},
			packet.ICMP{Type: 128, Checksum: 0x1234},
		},
		{
			"IPv4 in its IPv6 form", netip.AddrFrom16(hostV4.As16()), targetV4,
			[]string{"08 00 1234", "abcd 0007"},
			packet.ICMP{Type: 8, Checksum: 0x1234, ID: 0xabcd, Sequence: 7},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := packet.DecodeICMP(unhex(t, tt.pieces...), tt.src, tt.dst)
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "message", tt.want, got)
		})
	}
}

func TestDecodeICMPRefuses(t *testing.T) {
	for _, f := range families {
		for n := range 8 {
			_, err := packet.DecodeICMP(make([]byte, n), f.host, f.target)
			checkError(t, err, packet.ErrTruncated, "ICMP", 0)
			_, err = packet.DecodeICMPError(make([]byte, n), f.host, f.target)
			checkError(t, err, packet.ErrTruncated, "ICMP", 0)
		}
	}
}

func TestEchoAgreesWithGopacket(t *testing.T) {
	r := random()
	for range 1000 {
		m := packet.ICMP{
			Type: packet.ICMPv4EchoRequest, ID: uint16(r.Uint32()), Sequence: uint16(r.Uint32()),
			Body: randomBytes(r, r.IntN(100)),
		}
		src, dst := randomAddr(r, true), randomAddr(r, true)
		four := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(m.Type, 0), Id: m.ID, Seq: m.Sequence}
		want := serialize(t, four, gopacketPayload(m.Body))
		diff(t, "IPv4 encoding", want, packet.AppendEcho(nil, src, dst, &m))
		checkEcho(t, want, src, dst, m)

		m.Type = packet.ICMPv6EchoReply
		src, dst = randomAddr(r, false), randomAddr(r, false)
		six := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(m.Type, 0)}
		if err := six.SetNetworkLayerForChecksum(network(src, dst, packet.ProtocolICMPv6)); err != nil {
			t.Fatal(err)
		}
		want = serialize(t, six, &layers.ICMPv6Echo{Identifier: m.ID, SeqNumber: m.Sequence}, gopacketPayload(m.Body))
		diff(t, "IPv6 encoding", want, packet.AppendEcho(nil, src, dst, &m))
		checkEcho(t, want, src, dst, m)
	}
}

// checkEcho decodes what gopacket wrote of m.
func checkEcho(t *testing.T, b []byte, src, dst netip.Addr, m packet.ICMP) {
	t.Helper()
	got, err := packet.DecodeICMP(b, src, dst)
	if err != nil {
		t.Fatal(err)
	}
	m.Checksum = binary.BigEndian.Uint16(b[2:])
	diff(t, "decoding", m, got)
}

// gopacket knows the fields of errors one by one and finds the checksum in
// order; it does not know extensions.
func TestICMPErrorAgreesWithGopacket(t *testing.T) {
	r := random()
	for range 200 {
		for _, f := range families {
			quote := probe(f.host, f.target, 1, randomBytes(r, r.IntN(60)))
			typ, code := uint8(11), uint8(r.IntN(2))
			if !f.host.Is4() {
				typ = 3
			}
			message := packet.AppendICMPError(nil, f.router, f.host, typ, code, 0, quote, nil, packet.CompliantLayout)
			h := packet.IP{Source: f.router, Destination: f.host, Protocol: f.icmp, TTL: 250}
			p := dissect(t, append(packet.AppendIP(nil, &h, len(message)), message...))
			if l, ok := p.Layer(layers.LayerTypeICMPv6).(*layers.ICMPv6); ok {
				if err := l.SetNetworkLayerForChecksum(p.NetworkLayer()); err != nil {
					t.Fatal(err)
				}
			}
			if err, wrong := p.VerifyChecksums(); err != nil || len(wrong) > 0 {
				t.Fatalf("gopacket finds %v %v", err, wrong)
			}
			var contents []byte
			if l, ok := p.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4); ok {
				diff(t, "type and code", []uint8{typ, code}, []uint8{l.TypeCode.Type(), l.TypeCode.Code()})
				contents = l.Payload
			} else if l, ok := p.Layer(layers.LayerTypeICMPv6).(*layers.ICMPv6); ok {
				diff(t, "type and code", []uint8{typ, code}, []uint8{l.TypeCode.Type(), l.TypeCode.Code()})
				contents = l.Payload[4:]
			}
			diff(t, "quote", quote, contents)

			e, err := packet.DecodeICMPError(message, f.router, f.host)
			if err != nil {
				t.Fatal(err)
			}
			theirs := gopacket.NewPacket(contents, p.NetworkLayer().LayerType(), gopacket.NoCopy)
			udp := theirs.TransportLayer().(*layers.UDP)
			diff(t, "quoted UDP", []uint16{uint16(udp.SrcPort), uint16(udp.DstPort), udp.Length, udp.Checksum},
				[]uint16{e.Quote.SourcePort, e.Quote.DestinationPort, uint16(e.Quote.UDPLength), e.Quote.Checksum})
			diff(t, "quoted payload", udp.Payload, e.Quote.Payload)
		}
	}
}

func TestICMPTypesAgreeWithGopacket(t *testing.T) {
	for name, pair := range map[string][2]uint8{
		"v4 communication prohibited":  {packet.ICMPv4CodeCommunicationProhibited, layers.ICMPv4CodeCommAdminProhibited},
		"v4 network prohibited":        {packet.ICMPv4CodeNetProhibited, layers.ICMPv4CodeNetAdminProhibited},
		"v4 host prohibited":           {packet.ICMPv4CodeHostProhibited, layers.ICMPv4CodeHostAdminProhibited},
		"v4 port unreachable":          {packet.ICMPv4CodePortUnreachable, layers.ICMPv4CodePort},
		"v4 protocol unreachable":      {packet.ICMPv4CodeProtocolUnreachable, layers.ICMPv4CodeProtocol},
		"v4 fragmentation needed":      {packet.ICMPv4CodeFragmentationNeeded, layers.ICMPv4CodeFragmentationNeeded},
		"v4 source route failed":       {packet.ICMPv4CodeSourceRouteFailed, layers.ICMPv4CodeSourceRoutingFailed},
		"v4 network unknown":           {packet.ICMPv4CodeNetUnknown, layers.ICMPv4CodeNetUnknown},
		"v4 host unknown":              {packet.ICMPv4CodeHostUnknown, layers.ICMPv4CodeHostUnknown},
		"v4 source isolated":           {packet.ICMPv4CodeSourceHostIsolated, layers.ICMPv4CodeSourceIsolated},
		"v4 network TOS":               {packet.ICMPv4CodeNetUnreachableForTOS, layers.ICMPv4CodeNetTOS},
		"v4 host TOS":                  {packet.ICMPv4CodeHostUnreachableForTOS, layers.ICMPv4CodeHostTOS},
		"v4 host precedence":           {packet.ICMPv4CodeHostPrecedenceViolation, layers.ICMPv4CodeHostPrecedence},
		"v4 precedence cutoff":         {packet.ICMPv4CodePrecedenceCutoff, layers.ICMPv4CodePrecedenceCutoff},
		"v4 time exceeded":             {packet.ICMPv4TimeExceeded, layers.ICMPv4TypeTimeExceeded},
		"v4 parameter problem":         {packet.ICMPv4ParameterProblem, layers.ICMPv4TypeParameterProblem},
		"v6 no route":                  {packet.ICMPv6CodeNoRoute, layers.ICMPv6CodeNoRouteToDst},
		"v6 communication prohibited":  {packet.ICMPv6CodeCommunicationProhibited, layers.ICMPv6CodeAdminProhibited},
		"v6 beyond scope":              {packet.ICMPv6CodeBeyondScope, layers.ICMPv6CodeBeyondScopeOfSrc},
		"v6 address unreachable":       {packet.ICMPv6CodeAddressUnreachable, layers.ICMPv6CodeAddressUnreachable},
		"v6 port unreachable":          {packet.ICMPv6CodePortUnreachable, layers.ICMPv6CodePortUnreachable},
		"v6 source policy":             {packet.ICMPv6CodeSourcePolicyFailed, layers.ICMPv6CodeSrcAddressFailedPolicy},
		"v6 reject route":              {packet.ICMPv6CodeRejectRoute, layers.ICMPv6CodeRejectRouteToDst},
		"v6 packet too big":            {packet.ICMPv6PacketTooBig, layers.ICMPv6TypePacketTooBig},
		"v6 time exceeded":             {packet.ICMPv6TimeExceeded, layers.ICMPv6TypeTimeExceeded},
		"v6 parameter problem":         {packet.ICMPv6ParameterProblem, layers.ICMPv6TypeParameterProblem},
		"v6 unrecognized next header":  {packet.ICMPv6CodeUnrecognizedNextHeader, layers.ICMPv6CodeUnrecognizedNextHeader},
		"v6 destination unreachable":   {packet.ICMPv6DestinationUnreachable, layers.ICMPv6TypeDestinationUnreachable},
		"v6 reassembly time exceeded":  {packet.ICMPv6CodeFragmentReassemblyExceeded, layers.ICMPv6CodeFragmentReassemblyTimeExceeded},
		"v4 reassembly time exceeded":  {packet.ICMPv4CodeFragmentReassemblyExceeded, layers.ICMPv4CodeFragmentReassemblyTimeExceeded},
		"v4 destination unreachable":   {packet.ICMPv4DestinationUnreachable, layers.ICMPv4TypeDestinationUnreachable},
		"v4 redirect":                  {packet.ICMPv4Redirect, layers.ICMPv4TypeRedirect},
		"v4 source quench":             {packet.ICMPv4SourceQuench, layers.ICMPv4TypeSourceQuench},
		"v4 parameter, missing option": {packet.ICMPv4CodeMissingOption, layers.ICMPv4CodeMissingOption},
		"v4 parameter, bad length":     {packet.ICMPv4CodeBadLength, layers.ICMPv4CodeBadLength},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %d, gopacket has %d", name, pair[0], pair[1])
		}
	}
}

func FuzzDecodeICMP(f *testing.F) {
	f.Add(unhex(f, "08 00 1234 abcd 0007 64617461"), true)
	f.Add(unhex(f, "81 00 1234 abcd 0007"), false)
	f.Add(unhex(f, "02 00 1234 00000500"), false)
	f.Add(unhex(f, "03 04 1234 0020 05dc"), true)
	f.Fuzz(func(t *testing.T, b []byte, v4 bool) {
		s := families[0]
		if !v4 {
			s = families[1]
		}
		m, err := packet.DecodeICMP(b, s.host, s.target)
		if err != nil {
			checkDecodable(t, err)
			return
		}
		diff(t, "body", b[8:], m.Body)
		if m.ID == 0 && m.Sequence == 0 {
			return
		}
		// Only echoes have those, and they can be written again.
		again := packet.AppendEcho(nil, s.host, s.target, &m)
		want := append([]byte(nil), b...)
		copy(want[2:4], again[2:4])
		diff(t, "encoding of the decoding", want, again)
		if !packet.ValidChecksum(again, s.host, s.target, s.icmp) {
			t.Fatal("not valid")
		}
	})
}
