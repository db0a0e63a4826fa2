// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"traceflow/packet"
)

// unhex reads named pieces of hex; what follows a # is their name.
func unhex(t testing.TB, pieces string) []byte {
	t.Helper()
	var all strings.Builder
	for line := range strings.Lines(pieces) {
		piece, _, _ := strings.Cut(line, "#")
		all.WriteString(strings.Join(strings.Fields(piece), ""))
	}
	b, err := hex.DecodeString(all.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const reply64 = `
	c0 00 02 01              # Address 192.0.2.1
	05 2b 00 00              # Status 11013
	07 00 00 00              # RoundTripTime
	20 00 00 00              # DataSize, Reserved
	88 77 66 55 44 33 22 11  # Data
	fb 10 02 00 00 00 00 00  # Ttl 251, Tos, Flags, OptionsSize, padding
	00 00 00 00 00 00 00 00  # OptionsData
`

const reply32 = `
	c0 00 02 01  # Address
	05 2b 00 00  # Status
	07 00 00 00  # RoundTripTime
	20 00 00 00  # DataSize, Reserved
	44 33 22 11  # Data
	fb 10 02 00  # Ttl, Tos, Flags, OptionsSize
	00 00 00 00  # OptionsData
`

const reply6 = `
	00 00 00 00 00 00                                # sin6_port, sin6_flowinfo
	20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01  # sin6_addr 2001:db8::1
	00 00 00 00 00 00                                # sin6_scope_id, padding
	05 2b 00 00                                      # Status 11013
	07 00 00 00                                      # RoundTripTime
`

func TestDecodeEchoReply(t *testing.T) {
	tests := []struct {
		name   string
		pieces string
		decode func([]byte) (echoAnswer, error)
		want   echoAnswer
	}{
		{"64 bits", reply64, decode64, echoAnswer{router4, 11013, 251}},
		{"32 bits", reply32, decode32, echoAnswer{router4, 11013, 251}},
		{"IPv6", reply6, decodeEchoReply6, echoAnswer{router6, 11013, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := unhex(t, tt.pieces)
			got, err := tt.decode(append(b, "data and more"...))
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(echoAnswer{}), cmpopts.EquateComparable(netip.Addr{})); diff != "" || err != nil {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
			for n := range b {
				if _, err := tt.decode(b[:n]); !errors.Is(err, packet.ErrTruncated) {
					t.Errorf("of %d bytes: %v", n, err)
				}
			}
		})
	}
}

func decode64(b []byte) (echoAnswer, error) { return decodeEchoReply(b, 8) }
func decode32(b []byte) (echoAnswer, error) { return decodeEchoReply(b, 4) }

// echoPacket is an echo request from here to far.
func echoPacket(v6 bool, ttl uint8) []byte {
	h := packet.IP{Source: here4, Destination: far4, Protocol: packet.ProtocolICMP, TTL: ttl, ID: 77}
	m := packet.ICMP{Type: packet.ICMPv4EchoRequest, ID: 5, Sequence: 6, Body: []byte("a cookie, traceflow")}
	if v6 {
		h.Source, h.Destination, h.Protocol, h.ID, m.Type = here6, far6, packet.ProtocolICMPv6, 0, packet.ICMPv6EchoRequest
	}
	message := packet.AppendEcho(nil, h.Source, h.Destination, &m)
	return append(packet.AppendIP(nil, &h, len(message)), message...)
}

func TestAppendAnswer(t *testing.T) {
	tests := []struct {
		name      string
		answer    echoAnswer
		sent      []byte
		typ, code uint8
		quotes    bool
		none      bool
	}{
		{name: "echo reply", answer: echoAnswer{far4, 0, 57}, sent: echoPacket(false, 9), typ: packet.ICMPv4EchoReply},
		{name: "time exceeded", answer: echoAnswer{router4, 11013, 251}, sent: echoPacket(false, 2), typ: packet.ICMPv4TimeExceeded, quotes: true},
		{name: "net unreachable", answer: echoAnswer{router4, 11002, 251}, sent: echoPacket(false, 2), typ: packet.ICMPv4DestinationUnreachable, code: 0, quotes: true},
		{name: "host unreachable", answer: echoAnswer{router4, 11003, 251}, sent: echoPacket(false, 2), typ: packet.ICMPv4DestinationUnreachable, code: 1, quotes: true},
		{name: "port unreachable", answer: echoAnswer{far4, 11005, 251}, sent: echoPacket(false, 2), typ: packet.ICMPv4DestinationUnreachable, code: 3, quotes: true},
		{name: "packet too big", answer: echoAnswer{router4, 11009, 251}, sent: echoPacket(false, 2), typ: packet.ICMPv4DestinationUnreachable, code: 4, quotes: true},
		{name: "echo reply, IPv6", answer: echoAnswer{far6, 0, 0}, sent: echoPacket(true, 9), typ: packet.ICMPv6EchoReply},
		{name: "hop limit exceeded", answer: echoAnswer{router6, 11013, 0}, sent: echoPacket(true, 2), typ: packet.ICMPv6TimeExceeded, quotes: true},
		{name: "prohibited, IPv6", answer: echoAnswer{router6, 11004, 0}, sent: echoPacket(true, 2), typ: packet.ICMPv6DestinationUnreachable, code: 1, quotes: true},
		{name: "address unreachable, IPv6", answer: echoAnswer{router6, 11003, 0}, sent: echoPacket(true, 2), typ: packet.ICMPv6DestinationUnreachable, code: 3, quotes: true},
		{name: "packet too big, IPv6", answer: echoAnswer{router6, 11009, 0}, sent: echoPacket(true, 2), typ: packet.ICMPv6PacketTooBig, quotes: true},
		{name: "timeout", answer: echoAnswer{router4, 11010, 0}, sent: echoPacket(false, 2), none: true},
		{name: "general failure", answer: echoAnswer{router4, 11050, 0}, sent: echoPacket(false, 2), none: true},
		{name: "status of IPv6 alone", answer: echoAnswer{router4, 11045, 0}, sent: echoPacket(false, 2), none: true},
		{name: "other family", answer: echoAnswer{router6, 11013, 0}, sent: echoPacket(false, 2), none: true},
		{name: "mapped address", answer: echoAnswer{netip.AddrFrom16(router4.As16()), 11013, 0}, sent: echoPacket(true, 2), none: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, ok := tt.answer.appendAnswer(nil, tt.sent)
			if ok == tt.none {
				t.Fatalf("ok is %v", ok)
			}
			if tt.none {
				return
			}
			h, body, err := packet.DecodeIP(b)
			if err != nil {
				t.Fatal(err)
			}
			sent, request, _ := packet.DecodeIP(tt.sent)
			if h.Source != tt.answer.from || h.Destination != sent.Source || h.TTL != tt.answer.ttl || h.Protocol != sent.Protocol {
				t.Errorf("header %+v", h)
			}
			if !packet.ValidChecksum(body, h.Source, h.Destination, h.Protocol) {
				t.Error("the checksum is not valid")
			}
			m, err := packet.DecodeICMP(body, h.Source, h.Destination)
			if err != nil || m.Type != tt.typ || m.Code != tt.code {
				t.Fatalf("type %d code %d, %v; want %d, %d", m.Type, m.Code, err, tt.typ, tt.code)
			}
			want := tt.sent
			if !tt.quotes {
				want = request[8:]
				if m.ID != 5 || m.Sequence != 6 {
					t.Errorf("ID %d, sequence number %d", m.ID, m.Sequence)
				}
			}
			if diff := cmp.Diff(want, m.Body); diff != "" {
				t.Errorf("body (-want +got)\n%s", diff)
			}
		})
	}
}

func FuzzEchoReply(f *testing.F) {
	for _, pieces := range []string{reply64, reply32, reply6} {
		f.Add(unhex(f, pieces), false)
		f.Add(unhex(f, pieces), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, v6 bool) {
		for _, decode := range []func([]byte) (echoAnswer, error){decode64, decode32, decodeEchoReply6} {
			a, err := decode(b)
			if err != nil {
				continue
			}
			reply, ok := a.appendAnswer(nil, echoPacket(v6, 4))
			if !ok {
				continue
			}
			h, body, err := packet.DecodeIP(reply)
			if err != nil || !packet.ValidChecksum(body, h.Source, h.Destination, h.Protocol) {
				t.Fatalf("%+v became %x: %v", a, reply, err)
			}
			if status := binary.LittleEndian.Uint32(b[4:]); !v6 && len(b) < echoReply6Size && status != a.status {
				t.Fatalf("status %d read as %d", status, a.status)
			}
		}
	})
}
