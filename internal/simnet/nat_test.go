// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"traceflow"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

var protocols = []traceflow.Protocol{traceflow.ProtocolUDP, traceflow.ProtocolTCP, traceflow.ProtocolICMP}

// quotedSource is what a quote tells of the source and its NATs.
type quotedSource struct {
	address  netip.Addr
	port     uint16 // or echo ID
	checksum uint16
}

// sourceIn reads a packet or a quote of one. A part that is cut off is 0.
func sourceIn(t *testing.T, b []byte) quotedSource {
	t.Helper()
	h, payload, err := packet.DecodeIP(b)
	if err != nil {
		t.Fatal(err)
	}
	q := quotedSource{address: h.Source}
	word := func(at int) uint16 {
		if len(payload) < at+2 {
			return 0
		}
		return binary.BigEndian.Uint16(payload[at:])
	}
	switch h.Protocol {
	case packet.ProtocolUDP:
		q.port, q.checksum = word(0), word(6)
	case packet.ProtocolTCP:
		q.port, q.checksum = word(0), word(16)
	default:
		q.port, q.checksum = word(4), word(2)
	}
	return q
}

// translated makes the packet that leaves a NAT, without what package simnet
// uses for it: every checksum is computed over the whole.
func translated(t *testing.T, b []byte, to netip.AddrPort) []byte {
	t.Helper()
	h, payload, err := packet.DecodeIP(b)
	if err != nil {
		t.Fatal(err)
	}
	h.Source = to.Addr()
	out := packet.AppendIP(nil, &h, len(payload))
	switch h.Protocol {
	case packet.ProtocolUDP:
		u, data, err := packet.DecodeUDP(payload)
		if err != nil {
			t.Fatal(err)
		}
		return packet.AppendUDP(out, to, netip.AddrPortFrom(h.Destination, u.DestinationPort), data)
	case packet.ProtocolTCP:
		s, data, err := packet.DecodeTCP(payload)
		if err != nil {
			t.Fatal(err)
		}
		s.SourcePort = to.Port()
		return packet.AppendTCP(out, to.Addr(), h.Destination, &s, data)
	}
	m, err := packet.DecodeICMP(payload, h.Source, h.Destination)
	if err != nil {
		t.Fatal(err)
	}
	m.ID = to.Port()
	return packet.AppendEcho(out, to.Addr(), h.Destination, &m)
}

// nodeOf returns a node by name.
func nodeOf(t *testing.T, top *topology.Topology, name string) *topology.Node {
	t.Helper()
	i := slices.IndexFunc(top.Nodes, func(n topology.Node) bool { return n.Name == name })
	if i < 0 {
		t.Fatalf("no node %s", name)
	}
	return &top.Nodes[i]
}

// TestNAT compares what quotes tell with what the kind of NAT leaves of it, and
// wants direct answers as if there were none.
func TestNAT(t *testing.T) {
	for _, kind := range []string{"restore", "keep-checksum", "keep-port", "keep-all"} {
		for _, keys := range []string{"", " nat-ports=keep", " nat-address=203.0.113.5 nat-address6=2001:db8:1::5"} {
			for _, protocol := range protocols {
				t.Run(fmt.Sprint(kind, keys, protocol), func(t *testing.T) {
					both(t, func(t *testing.T, v6 bool) {
						top := topologytest.Parse(t, "node n nat="+kind+keys+"; link s > n > a > b > d")
						f := flow(top, 4000, v6)
						f.Protocol = protocol
						checkNAT(t, top, f, kind)
					})
				})
			}
		}
	}
}

func checkNAT(t *testing.T, top *topology.Topology, f traceflow.Flow, kind string) {
	t.Helper()
	sent := probe(f, 1, 12)
	before := sourceIn(t, sent)
	to := nodeOf(t, top, "n").Translate(netip.AddrPortFrom(before.address, before.port))
	after := sourceIn(t, translated(t, sent, to))
	behind := before
	switch kind {
	case "keep-all":
		behind = after
	case "keep-port":
		behind.port, behind.checksum = after.port, after.checksum
	case "keep-checksum":
		behind.checksum = after.checksum
	}
	for i, name := range []string{"n", "a", "b", "d"} {
		got := exchange(t, top, probe(f, uint8(i+1), 12))
		if len(got) != 1 || got[0].from != name || got[0].ip.Destination != f.Source {
			t.Fatalf("TTL %d: answers %v", i+1, got)
		}
		r := got[0]
		if r.e.Quote.IP.Source.IsValid() {
			want := behind
			if name == "n" {
				want = before // what it quotes has not left it
			}
			quote := r.body[8:]
			if q := sourceIn(t, quote); q != want {
				t.Errorf("%s quotes %+v, want %+v", name, q, want)
			}
			if kind == "restore" && !bytes.Equal(quote[r.e.Quote.IP.HeaderLength:], sent[r.e.Quote.IP.HeaderLength:]) {
				t.Errorf("%s quotes %x of %x", name, quote, sent)
			}
			if !f.Source.Is6() && packet.Checksum(quote[:20]) != 0 {
				t.Errorf("%s: header checksum of the quote is wrong", name)
			}
			continue
		}
		want := map[traceflow.Protocol]string{traceflow.ProtocolTCP: "RST ACK", traceflow.ProtocolICMP: "echo reply"}[f.Protocol]
		if got := describe(t, &f, &r); got != want {
			t.Errorf("%s answers %q, want %q", name, got, want)
		}
	}
}

// TestNATs has two NATs in a row: m behind n, as a carrier's behind that of a
// home. It looks at what a router behind both quotes.
func TestNATs(t *testing.T) {
	const sent, home, carrier = 0, 1, 2 // the source before, between and behind the NATs
	for _, tt := range []struct {
		home, carrier           string
		address, port, checksum int // -1: of none of them
	}{
		{"restore", "restore", sent, sent, sent},
		{"keep-checksum", "restore", sent, sent, home},
		{"keep-port", "restore", sent, home, home},
		{"keep-all", "restore", home, home, home},
		{"keep-all", "keep-all", carrier, carrier, carrier},
		{"keep-checksum", "keep-checksum", sent, sent, carrier},
		{"restore", "keep-checksum", sent, sent, -1},
		// The home's NAT finds an address and a port that it never wrote.
		{"restore", "keep-all", carrier, carrier, carrier},
		{"restore", "keep-port", sent, carrier, -1},
		{"keep-all", "keep-checksum", home, home, carrier},
	} {
		for _, protocol := range protocols {
			t.Run(fmt.Sprint(tt.home, " ", tt.carrier, " ", protocol), func(t *testing.T) {
				both(t, func(t *testing.T, v6 bool) {
					top := topologytest.Parse(t, "node n nat="+tt.home+"; node m nat="+tt.carrier+"; link s > n > m > a > d")
					f := flow(top, 4000, v6)
					f.Protocol = protocol
					packets := [][]byte{probe(f, 3, 12)}
					for _, name := range []string{"n", "m"} {
						last := packets[len(packets)-1]
						source := sourceIn(t, last)
						packets = append(packets, translated(t, last,
							nodeOf(t, top, name).Translate(netip.AddrPortFrom(source.address, source.port))))
					}
					var sources []quotedSource
					for _, p := range packets {
						sources = append(sources, sourceIn(t, p))
					}
					got := exchange(t, top, packets[0], probe(f, 9, 12))
					if len(got) != 2 || got[0].from != "a" || got[1].from != "d" {
						t.Fatalf("answers %v", got)
					}
					q := sourceIn(t, got[0].body[8:])
					if q.address != sources[tt.address].address || q.port != sources[tt.port].port {
						t.Errorf("quotes %+v of %+v", q, sources)
					}
					known := slices.IndexFunc(sources, func(s quotedSource) bool { return s.checksum == q.checksum })
					want := tt.checksum
					if protocol == traceflow.ProtocolICMP && !v6 && tt.carrier == "keep-port" {
						want = carrier // which does not cover the address that was restored
					}
					if known != want {
						t.Errorf("quotes %+v, the checksum of %d of %+v, want that of %d", q, known, sources, want)
					}
				})
			})
		}
	}
}

// TestNATOfShortQuotes has routers behind the NAT quote no more than they must.
func TestNATOfShortQuotes(t *testing.T) {
	for _, protocol := range protocols {
		both(t, func(t *testing.T, v6 bool) {
			top := topologytest.Parse(t, "node n nat=restore; node a quote=28; node b quote=20; link s > n > a > b > d")
			if v6 {
				top = topologytest.Parse(t, "node n nat=restore; node a quote=48; node b quote=40; link s > n > a > b > d")
			}
			f := flow(top, 4000, v6)
			f.Protocol = protocol
			sent := probe(f, 2, 12)
			for _, r := range exchange(t, top, sent, probe(f, 3, 12)) {
				quote := r.body[8:]
				h, _, err := packet.DecodeIP(sent)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(quote[h.HeaderLength:], sent[h.HeaderLength:len(quote)]) || sourceIn(t, quote).address != f.Source {
					t.Errorf("%s, %v: quotes %x of %x", r.from, protocol, quote, sent)
				}
			}
		})
	}
}

// TestNATWithoutPorts translates what has no ports: other protocols, and the
// second piece of a datagram.
func TestNATWithoutPorts(t *testing.T) {
	top := topologytest.Parse(t, "node n nat=keep-all; link s > n > a > d")
	f := flow(top, 4000, false)
	for _, h := range []packet.IP{
		{Source: f.Source, Destination: f.Destination, Protocol: 132, TTL: 2},
		{Source: f.Source, Destination: f.Destination, Protocol: packet.ProtocolUDP, TTL: 2, MoreFragments: true},
	} {
		payload := []byte("0123456789abcdef")
		got := exchange(t, top, append(packet.AppendIP(nil, &h, len(payload)), payload...))
		if len(got) != 1 || sourceIn(t, got[0].body[8:]).address != nodeOf(t, top, "n").Address4 {
			t.Fatalf("answers %v", got)
		}
		if quote := got[0].body[8+20:]; h.Protocol == 132 && string(quote) != string(payload) {
			t.Errorf("quotes %q of %q", quote, payload)
		}
	}
	// A datagram without a checksum stays without one.
	plain := probe(f, 2, 12)
	plain[26], plain[27] = 0, 0
	if got := exchange(t, top, plain); len(got) != 1 || sourceIn(t, got[0].body[8:]).checksum != 0 {
		t.Errorf("answers %v", got)
	}
}
