// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"testing"

	"traceflow"
	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

// echoRequest is a ping along the flow's addresses.
func echoRequest(f traceflow.Flow, data string) []byte {
	h := packet.IP{Source: f.Source, Destination: f.Destination, Protocol: packet.ProtocolICMP, TTL: 64}
	typ := packet.ICMPv4EchoRequest
	if f.Source.Is6() {
		h.Protocol, typ = packet.ProtocolICMPv6, packet.ICMPv6EchoRequest
	}
	b := packet.AppendIP(nil, &h, 8+len(data))
	return packet.AppendEcho(b, f.Source, f.Destination, &packet.ICMP{Type: typ, ID: 7, Sequence: 8, Body: []byte(data)})
}

func TestEcho(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		top := topologytest.Parse(t, "node d destination drop-udp; link s > a > d")
		got := exchange(t, top, echoRequest(flow(top, 1, v6), "hello"))
		if len(got) != 1 || got[0].from != "d" || got[0].after != 4*ms {
			t.Fatalf("got %v", got)
		}
		m, err := packet.DecodeICMP(got[0].body, got[0].ip.Source, got[0].ip.Destination)
		want := packet.ICMPv4EchoReply
		if v6 {
			want = packet.ICMPv6EchoReply
		}
		if err != nil || m.Type != want || m.ID != 7 || m.Sequence != 8 || string(m.Body) != "hello" {
			t.Errorf("got %+v, %v", m, err)
		}
	})
}

func TestReset(t *testing.T) {
	both(t, func(t *testing.T, v6 bool) {
		top := topologytest.Parse(t, "link s > a > d")
		f := flow(top, 1, v6)
		segment := func(flags packet.TCPFlags) []byte {
			h := packet.IP{Source: f.Source, Destination: f.Destination, Protocol: packet.ProtocolTCP, TTL: 64}
			return packet.AppendTCP(packet.AppendIP(nil, &h, 23), f.Source, f.Destination, &packet.TCP{
				SourcePort: 5, DestinationPort: 80, Sequence: 100, Flags: flags,
			}, []byte("abc"))
		}
		got := exchange(t, top, segment(packet.FlagSYN), segment(packet.FlagACK), segment(packet.FlagRST))
		if len(got) != 1 {
			t.Fatalf("%d answers to one SYN", len(got))
		}
		r, _, err := packet.DecodeTCP(got[0].body)
		if err != nil || r.Flags != packet.FlagRST|packet.FlagACK || r.Acknowledgment != 104 || r.SourcePort != 80 || r.DestinationPort != 5 {
			t.Errorf("got %+v, %v", r, err)
		}
	})
}

func TestFragment(t *testing.T) {
	top := topologytest.Parse(t, "link s > a > d")
	f := flow(top, 1, false)
	piece := func(ttl uint8, offset int, more bool) []byte {
		h := packet.IP{
			Source: f.Source, Destination: f.Destination, Protocol: packet.ProtocolUDP, TTL: ttl,
			FragmentOffset: offset, MoreFragments: more,
		}
		return append(packet.AppendIP(nil, &h, 16), make([]byte, 16)...)
	}
	got := exchange(t, top, piece(1, 0, true), piece(1, 16, false), piece(9, 0, true), piece(9, 16, false))
	if len(got) != 1 || got[0].from != "a" {
		t.Errorf("answers to fragments: %v, want one of a to the first", got)
	}
}
