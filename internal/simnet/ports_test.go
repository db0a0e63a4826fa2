// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"traceflow"
	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

// TestDestination sends a probe of each protocol to each kind of destination.
func TestDestination(t *testing.T) {
	const refused, expired = "port unreachable", "time exceeded"
	for _, tt := range []struct{ keys, udp, tcp, icmp string }{
		{"", refused, "RST ACK", "echo reply"},
		{"drop-udp", "", "RST ACK", "echo reply"},
		{"drop-tcp", refused, "", "echo reply"},
		{"drop-icmp", refused, "RST ACK", ""},
		{"drop-udp drop-tcp drop-icmp", "", "", ""},
		{"tcp=open", refused, "SYN ACK", "echo reply"},
		{"udp=open", "here", "RST ACK", "echo reply"},
		{"udp=quic", "", "RST ACK", "echo reply"},
		{"ttl-expired tcp=open udp=open", expired, expired, expired},
		{"ttl-expired drop-icmp", expired, expired, ""},
		{"silent", "", "", ""},
	} {
		t.Run(tt.keys, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				top := topologytest.Parse(t, "node d destination "+tt.keys+"; link s > a > d")
				for protocol, want := range map[traceflow.Protocol]string{
					traceflow.ProtocolUDP: tt.udp, traceflow.ProtocolTCP: tt.tcp, traceflow.ProtocolICMP: tt.icmp,
				} {
					f := flow(top, 4000, v6)
					f.Protocol = protocol
					got := ""
					for _, r := range exchange(t, top, probe(f, 9, 12)) {
						got += describe(t, &f, &r)
						if r.from != "d" || r.ip.Destination != f.Source {
							t.Errorf("%v: from %s to %v", protocol, r.from, r.ip.Destination)
						}
					}
					if got != want {
						t.Errorf("%v: answered %q, want %q", protocol, got, want)
					}
				}
			})
		})
	}
}

// describe says what the destination's answer is, and checks that it is one
// to the flow.
func describe(t *testing.T, f *traceflow.Flow, r *reply) string {
	t.Helper()
	switch r.ip.Protocol {
	case packet.ProtocolUDP:
		u, payload, err := packet.DecodeUDP(r.body)
		if err != nil || u.SourcePort != f.DestinationPort || u.DestinationPort != f.SourcePort {
			t.Errorf("%+v, %v answers %+v", u, err, f)
		}
		return string(payload)
	case packet.ProtocolTCP:
		s, _, err := packet.DecodeTCP(r.body)
		if err != nil || s.SourcePort != f.DestinationPort || s.DestinationPort != f.SourcePort {
			t.Errorf("%+v, %v answers %+v", s, err, f)
		}
		name := ""
		for i, flag := range []string{"FIN", "SYN", "RST", "PSH", "ACK"} {
			if s.Flags>>i&1 != 0 {
				name += " " + flag
			}
		}
		return strings.TrimSpace(name)
	}
	m, err := packet.DecodeICMP(r.body, r.ip.Source, r.ip.Destination)
	if err != nil {
		t.Error(err)
	}
	v6 := r.ip.Source.Is6()
	switch {
	case !v6 && m.Type == packet.ICMPv4EchoReply || v6 && m.Type == packet.ICMPv6EchoReply:
		if m.ID != f.SourcePort {
			t.Errorf("ID %d answers %+v", m.ID, f)
		}
		return "echo reply"
	case !v6 && m.Type == packet.ICMPv4TimeExceeded || v6 && m.Type == packet.ICMPv6TimeExceeded:
		return "time exceeded"
	case !v6 && m.Code == packet.ICMPv4CodePortUnreachable || v6 && m.Code == packet.ICMPv6CodePortUnreachable:
		return "port unreachable"
	}
	return fmt.Sprintf("type %d code %d", m.Type, m.Code)
}

// TestAccept looks at the options of the answer of an open port.
func TestAccept(t *testing.T) {
	for _, tt := range []struct {
		name, offered string
		echoes        bool
	}{
		{"nothing", "", false},
		{"as Linux", "020405b40402080a11223344000000000103030a", true},
		{"time alone", "080a1122334400000000", true},
		{"after nothing", "0101080a1122334400000000", true},
		{"behind the end", "00080a1122334400000000", false},
		{"cut", "0204ffff080a1122", false},
		{"option without length", "08", false},
		{"option of length 0", "0800080a1122334400000000", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				top := topologytest.Parse(t, "node d destination tcp=open; link s > a > d")
				f := flow(top, 4000, v6)
				options, err := hex.DecodeString(tt.offered)
				if err != nil {
					t.Fatal(err)
				}
				syn := packet.AppendTCP(nil, f.Source, f.Destination, &packet.TCP{
					SourcePort: 4000, DestinationPort: 443, Sequence: 0xffffffff, Flags: packet.FlagSYN, Options: options,
				}, nil)
				h := packet.IP{Source: f.Source, Destination: f.Destination, Protocol: packet.ProtocolTCP, TTL: 9}
				got := exchange(t, top, append(packet.AppendIP(nil, &h, len(syn)), syn...))
				if len(got) != 1 {
					t.Fatalf("%d answers", len(got))
				}
				r, _, err := packet.DecodeTCP(got[0].body)
				if err != nil || r.Flags != packet.FlagSYN|packet.FlagACK || r.Acknowledgment != 0 || r.Window != 65535 {
					t.Errorf("answered %+v, %v", r, err)
				}
				time, ok := timestamp(r.Options)
				if ok != tt.echoes || ok && (time == 0 || hex.EncodeToString(r.Options[len(r.Options)-4:]) != "11223344") {
					t.Errorf("options %x, want the time echoed: %t", r.Options, tt.echoes)
				}
			})
		})
	}
}

// TestQUIC holds datagrams that draw version negotiation, and others.
func TestQUIC(t *testing.T) {
	for _, tt := range []struct {
		name, start string
		port        uint16
		size        int
		want        string
	}{
		{"unknown version", "c0" + "0a0a0a0a" + "080102030405060708" + "02aabb", 443, 1200, "c0" + "00000000" + "02aabb" + "080102030405060708" + "00000001" + "1a2a3a4a"},
		{"no IDs", "80" + "babababa" + "00" + "00", 443, 1350, "c0" + "00000000" + "00" + "00" + "00000001" + "1a2a3a4a"},
		{
			"longest IDs", "ff" + "babababa" + "ff" + strings.Repeat("11", 255) + "ff" + strings.Repeat("22", 255), 443, 1200,
			"c0" + "00000000" + "ff" + strings.Repeat("22", 255) + "ff" + strings.Repeat("11", 255) + "00000001" + "1a2a3a4a",
		},
		{"short", "c0" + "0a0a0a0a", 443, 1199, ""},
		{"short header", "40" + "0a0a0a0a", 443, 1200, ""},
		{"version 1", "c0" + "00000001", 443, 1200, ""},
		{"negotiation itself", "c0" + "00000000", 443, 1200, ""},
		{"another port", "c0" + "0a0a0a0a", 444, 1200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, v6 bool) {
				top := topologytest.Parse(t, "node d destination udp=quic; link s > a > d")
				f := flow(top, 4000, v6)
				f.DestinationPort = tt.port
				payload, err := hex.DecodeString(tt.start)
				if err != nil {
					t.Fatal(err)
				}
				payload = append(payload, make([]byte, tt.size-len(payload))...)
				got := ""
				for _, r := range exchange(t, top, datagram(f, 9, payload)) {
					got += hex.EncodeToString([]byte(describe(t, &f, &r)))
				}
				if got != tt.want {
					t.Errorf("answered %s, want %s", got, tt.want)
				}
			})
		})
	}
}

func FuzzVersionNegotiation(f *testing.F) {
	f.Add([]byte{0xc0, 10, 10, 10, 10, 2, 1, 2, 3, 4, 5, 6}, 1200)
	f.Fuzz(func(t *testing.T, start []byte, size int) {
		payload := append(start, make([]byte, max(0, min(size, 1500)-len(start)))...)
		if b, ok := versionNegotiation(payload); ok && (len(b) > 5+2*256+8 || len(payload) < quicSmallest) {
			t.Errorf("%x draws %x", payload, b)
		}
	})
}

func FuzzTimestamp(f *testing.F) {
	f.Add([]byte{1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, options []byte) {
		if _, ok := timestamp(options); ok && len(options) < 10 {
			t.Errorf("a time in %x", options)
		}
	})
}
