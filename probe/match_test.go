// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"traceflow"
	"traceflow/internal/simnet"
	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

var (
	liar4 = netip.MustParseAddr("203.0.113.66")
	liar6 = netip.MustParseAddr("2001:db8:bad::66")
)

// flip returns a copy of b with one byte changed.
func flip(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at] ^= 0x10
	return b
}

// TestForged injects replies that nearly fit into a run in which nothing else
// answers.
func TestForged(t *testing.T) {
	const cookieAt = 8 + cookieOffset
	tests := []struct {
		name  string
		forge func(from netip.Addr, sent []byte, header int) []byte
		want  traceflow.Stats // without Probes
	}{
		{"wrong checksum", func(from netip.Addr, sent []byte, header int) []byte {
			return timeExceeded(from, flip(flip(sent, header+6), header+cookieAt))
		}, traceflow.Stats{Unmatched: 1}},
		{"wrong first carrier", func(from netip.Addr, sent []byte, header int) []byte {
			if from.Is4() {
				return timeExceeded(from, flip(flip(sent, 4), header+cookieAt))
			}
			return timeExceeded(from, flip(flip(sent, header+5), header+cookieAt))
		}, traceflow.Stats{Unmatched: 1}},
		{"wrong cookie", func(from netip.Addr, sent []byte, header int) []byte {
			return timeExceeded(from, flip(sent, header+cookieAt))
		}, traceflow.Stats{Unmatched: 1}},
		{"wrong end of the cookie", func(from netip.Addr, sent []byte, header int) []byte {
			return timeExceeded(from, flip(sent, header+cookieAt+7))
		}, traceflow.Stats{Unmatched: 1}},
		{"wrong checksum, short quote", func(from netip.Addr, sent []byte, header int) []byte {
			return timeExceeded(from, flip(sent[:header+8], header+6))
		}, traceflow.Stats{Unmatched: 1}},
		{"no identity", func(from netip.Addr, sent []byte, header int) []byte {
			b := slices.Clone(sent[:header+8])
			b[header+6], b[header+7] = 0, 0
			if from.Is4() {
				b[4], b[5] = 0, 0
			}
			return timeExceeded(from, b)
		}, traceflow.Stats{Unmatched: 1}},
		{"other source port", func(from netip.Addr, sent []byte, header int) []byte {
			return timeExceeded(from, flip(flip(sent, header), header+cookieAt))
		}, traceflow.Stats{Unmatched: 1, Foreign: 1}},
		{"other destination port", func(from netip.Addr, sent []byte, header int) []byte {
			return timeExceeded(from, flip(sent, header+3))
		}, traceflow.Stats{Unmatched: 1, Foreign: 1}},
		{"other destination", func(from netip.Addr, sent []byte, header int) []byte {
			return timeExceeded(from, flip(sent, header-1))
		}, traceflow.Stats{Unmatched: 1, Foreign: 1}},
		{"other source", func(from netip.Addr, sent []byte, header int) []byte {
			at := 15
			if !from.Is4() {
				at = 23
			}
			return timeExceeded(from, flip(flip(sent, at), header+cookieAt))
		}, traceflow.Stats{Unmatched: 1, Foreign: 1}},
		{"other protocol", func(from netip.Addr, sent []byte, _ int) []byte {
			b := slices.Clone(sent)
			at := 9
			if !from.Is4() {
				at = 6
			}
			b[at] = packet.ProtocolTCP
			return timeExceeded(from, b)
		}, traceflow.Stats{Unmatched: 1, Foreign: 1}},
		{"fragment", func(from netip.Addr, sent []byte, _ int) []byte {
			if !from.Is4() {
				return timeExceeded(from, sent)[:70]
			}
			b := slices.Clone(sent)
			b[7] = 1
			return timeExceeded(from, b)
		}, traceflow.Stats{Malformed: 1}},
		{"quote cut in the transport header", func(from netip.Addr, sent []byte, header int) []byte {
			return timeExceeded(from, sent[:header+7])
		}, traceflow.Stats{Malformed: 1}},
		{"quote of the other family", func(from netip.Addr, sent []byte, _ int) []byte {
			reply := timeExceeded(from, sent)
			if from.Is4() {
				reply[28] = 6<<4 | reply[28]&0xf
			} else {
				reply[48] = 4<<4 | reply[48]&0xf
			}
			return reply
		}, traceflow.Stats{Malformed: 1}},
		{"nothing", func(netip.Addr, []byte, int) []byte { return nil }, traceflow.Stats{Malformed: 1}},
		{"no IP", func(netip.Addr, []byte, int) []byte { return []byte("hello") }, traceflow.Stats{Malformed: 1}},
		{"the probe itself", func(_ netip.Addr, sent []byte, _ int) []byte { return sent }, traceflow.Stats{}},
		{"echo", func(from netip.Addr, sent []byte, _ int) []byte {
			h, _, _ := packet.DecodeIP(sent)
			outer := packet.IP{Source: from, Destination: h.Source, Protocol: packet.ProtocolICMP, TTL: 9}
			typ := packet.ICMPv4EchoReply
			if !from.Is4() {
				outer.Protocol, typ = packet.ProtocolICMPv6, packet.ICMPv6EchoReply
			}
			m := packet.AppendEcho(nil, from, h.Source, &packet.ICMP{Type: typ, Body: sent})
			return append(packet.AppendIP(nil, &outer, len(m)), m...)
		}, traceflow.Stats{}},
		{"fragment reassembly exceeded", func(from netip.Addr, sent []byte, _ int) []byte {
			typ := packet.ICMPv4TimeExceeded
			if !from.Is4() {
				typ = packet.ICMPv6TimeExceeded
			}
			return errorFrom(from, typ, 1, sent)
		}, traceflow.Stats{}},
		{"intact, as a check of this test", timeExceededOf, traceflow.Stats{Replies: 1}},
		{"intact, short quote", func(from netip.Addr, sent []byte, header int) []byte {
			return timeExceeded(from, sent[:header+8])
		}, traceflow.Stats{Replies: 1}},
	}
	for _, tt := range tests {
		for _, liar := range []netip.Addr{liar4, liar6} {
			t.Run(tt.name+"/"+liar.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					network := topologytest.Parse(t, "node r1 silent; node d destination silent; link s > r1 > d")
					w := &tap{Wire: simnet.New(network).Open()}
					e := open(t, w, sees, Config{})
					finish := started(t.Context(), e, probesTo(flowOf(network, 1, liar.Is6()), 1))
					time.Sleep(10 * ms)
					sent := w.packets()[0].data
					header := 20
					if liar.Is6() {
						header = 40
					}
					w.Inject(tt.forge(liar, sent, header))
					exchanges, err := finish()
					if err != nil {
						t.Fatal(err)
					}
					got := e.Stats()
					got.Probes = 0
					if got != tt.want {
						t.Errorf("stats %+v, want %+v", got, tt.want)
					}
					if got := exchanges[0].Reply.Kind != traceflow.NoReply; got != (tt.want.Replies > 0) {
						t.Errorf("believed %v: %+v", got, exchanges[0].Reply)
					}
				})
			})
		}
	}
}

func timeExceededOf(from netip.Addr, sent []byte, _ int) []byte { return timeExceeded(from, sent) }

// TestFlood injects 100 000 packets into a run: random ones, and true replies
// of which some bit of the identity was changed. Nothing in the result changes.
func TestFlood(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			network := topologytest.Parse(t, "node a2 silent; link s > r1 > a[1..3] > c > d")
			liar := liar4
			if v6 {
				liar = liar6
			}
			var flows []traceflow.Flow
			var probes []traceflow.Probe
			for id := range 20 {
				flows = append(flows, flowOf(network, id+1, v6))
				probes = append(probes, probesTo(flows[id], 4)...)
			}
			run := func(flood int) []traceflow.Exchange {
				w := &tap{Wire: simnet.New(network).Open()}
				e := open(t, w, sees, Config{Rate: 500, Retries: 1})
				finish := started(t.Context(), e, probes)
				random := rand.New(rand.NewPCG(1, 2))
				for n := range flood {
					if n%500 == 0 {
						time.Sleep(ms)
					}
					w.Inject(noise(random, liar, w))
				}
				exchanges, err := finish()
				if err != nil {
					t.Fatal(err)
				}
				s := e.Stats()
				if s.Duplicates+s.Late > 0 || s.Unmatched+s.Malformed < flood/2 {
					t.Errorf("stats %+v", s)
				}
				return exchanges
			}
			want := run(0)
			got := run(100_000)
			checkTrue(t, network, flows, got)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(traceflow.Exchange{}, "Sent"), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("with a flood (-without +with)\n%s", diff)
			}
		})
	}
}

// noise makes one packet that is no reply to anything that w has sent.
func noise(random *rand.Rand, liar netip.Addr, w *tap) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sent) == 0 || random.IntN(4) == 0 {
		b := make([]byte, random.IntN(200))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	sent := w.sent[random.IntN(len(w.sent))].data
	b := slices.Clone(sent)
	header := 20
	if liar.Is6() {
		header = 40
	}
	// One bit of the cookie, and any other bytes but those: two changes must not
	// cancel each other out.
	b[header+10+random.IntN(8)] ^= 1 << random.IntN(8)
	for range random.IntN(3) {
		b[header+18+random.IntN(len(b)-header-18)] ^= byte(random.Uint32())
	}
	reply := timeExceeded(liar, b)
	if random.IntN(4) == 0 {
		reply = reply[:random.IntN(header+8+header+8)]
	}
	return reply
}

func contains(b, part []byte) bool {
	for i := 0; i+len(part) <= len(b); i++ {
		if slices.Equal(b[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// TestIdentityRoundTrip reads back out of quotes what was encoded.
func TestIdentityRoundTrip(t *testing.T) {
	ids := newIdentities([]byte("secret"))
	never := func(tag) bool { return false }
	for _, flow := range []traceflow.Flow{
		{Protocol: 17, Source: netip.MustParseAddr("192.0.2.1"), Destination: netip.MustParseAddr("192.0.2.9"), SourcePort: 1, DestinationPort: 65535},
		{Protocol: 17, Source: netip.MustParseAddr("2001:db8::1"), Destination: netip.MustParseAddr("2001:db8::9"), SourcePort: 65535, DestinationPort: 1, Label: 0xfffff},
	} {
		seen := make(map[identity]bool)
		for n := range 5000 {
			p := traceflow.Probe{Flow: flow, TTL: uint8(1 + n%255)}
			id := ids.next(firstValues(&p, false), never)
			if id.tag.first() == 0 || id.tag.second() == 0 || id.tag.second() == 0xffff {
				t.Fatalf("identity %+v has a carrier that does not survive", id)
			}
			if seen[id] {
				t.Fatalf("identity %+v twice", id)
			}
			seen[id] = true
			b := appendProbe(nil, &p, id, false)
			h, body, err := packet.DecodeIP(b)
			if err != nil {
				t.Fatal(err)
			}
			u, _, err := packet.DecodeUDP(body)
			if err != nil {
				t.Fatal(err)
			}
			if h.Length != len(b) || u.Length != len(body) || h.TTL != p.TTL || h.Label != flow.Label || h.DontFragment ||
				u.SourcePort != flow.SourcePort || u.DestinationPort != flow.DestinationPort {
				t.Fatalf("encoded as %+v %+v", h, u)
			}
			if !packet.ValidChecksum(body, flow.Source, flow.Destination, packet.ProtocolUDP) {
				t.Fatal("wrong UDP checksum")
			}
			for _, length := range []int{len(b), h.HeaderLength + 8, h.HeaderLength + 8 + textOffset, h.HeaderLength + 8 + textOffset - 1} {
				q, err := packet.DecodeQuote(b[:length])
				if err != nil {
					t.Fatal(err)
				}
				var a answer
				readUDPQuote(&a, &q, true)
				if a.tag != id.tag || a.mask != wholeTag || a.hasCookie != (length >= h.HeaderLength+8+textOffset) || a.hasCookie && a.cookie != id.cookie {
					t.Fatalf("quote of %d bytes: %+v, want %+v", length, a, id)
				}
			}
		}
	}
	// Another key, other identities; the same key, the same.
	a, b, c := newIdentities([]byte("a")), newIdentities([]byte("a")), newIdentities([]byte("b"))
	x, y, z := a.next(idValues, never), b.next(idValues, never), c.next(idValues, never)
	if x != y || x == z {
		t.Errorf("keys a, a, b: %+v %+v %+v", x, y, z)
	}
	if p, q := newIdentities(nil).next(idValues, never), newIdentities(nil).next(idValues, never); p == q {
		t.Errorf("two keys drawn give %+v both", p)
	}
	taken := x.tag
	if got := newIdentities([]byte("a")).next(idValues, func(g tag) bool { return g == taken }); got.tag == taken {
		t.Errorf("tag %x was taken", got.tag)
	}
}

// speedCase is a probe and the reply to it.
func speedCase(v6 bool) (p traceflow.Probe, id identity, reply traceflow.Datagram) {
	liar := liar4
	p = traceflow.Probe{TTL: 7, Flow: traceflow.Flow{
		ID: 1, Protocol: traceflow.ProtocolUDP, SourcePort: 33453, DestinationPort: 33452,
		Source: netip.MustParseAddr("192.0.2.1"), Destination: netip.MustParseAddr("192.0.2.9"),
	}}
	if v6 {
		liar = liar6
		p.Flow.Source, p.Flow.Destination = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::9")
	}
	id = newIdentities([]byte("k")).next(firstValues(&p, false), func(tag) bool { return false })
	reply.Data = timeExceeded(liar, appendProbe(nil, &p, id, false))
	return p, id, reply
}

// TestAllocations asserts that the hot paths allocate nothing.
func TestAllocations(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		p, id, reply := speedCase(v6)
		b := make([]byte, 0, 2048)
		if got := testing.AllocsPerRun(100, func() { b = appendProbe(b[:0], &p, id, false) }); got != 0 {
			t.Errorf("IPv6 %v: encode allocates %v times", v6, got)
		}
		var a answer
		var err error
		if got := testing.AllocsPerRun(100, func() { a, err = decodeAnswer(&reply, true) }); got != 0 || err != nil {
			t.Errorf("IPv6 %v: decode allocates %v times, error %v", v6, got, err)
		}
		f := flowState{packets: map[tag]*attempt{id.tag: {id: id}}}
		if got := testing.AllocsPerRun(100, func() { _ = f.find(&a) }); got != 0 || f.find(&a) == nil {
			t.Errorf("IPv6 %v: match allocates %v times", v6, got)
		}
		ids := newIdentities([]byte("k"))
		if got := testing.AllocsPerRun(100, func() { _ = ids.next(idValues, func(tag) bool { return false }) }); got > 1 {
			t.Errorf("an identity allocates %v times", got)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, v6 := range []bool{false, true} {
		b.Run(map[bool]string{false: "IPv4", true: "IPv6"}[v6], func(b *testing.B) {
			p, id, _ := speedCase(v6)
			room := make([]byte, 0, 2048)
			b.ReportAllocs()
			for b.Loop() {
				room = appendProbe(room[:0], &p, id, false)
			}
		})
	}
}

func BenchmarkDecodeMatch(b *testing.B) {
	for _, v6 := range []bool{false, true} {
		b.Run(map[bool]string{false: "IPv4", true: "IPv6"}[v6], func(b *testing.B) {
			p, id, reply := speedCase(v6)
			flows := map[flowKey]*flowState{keyOf(p.Flow): {packets: map[tag]*attempt{id.tag: {id: id}}}}
			b.ReportAllocs()
			for b.Loop() {
				a, err := decodeAnswer(&reply, true)
				if err != nil || flows[a.flow].find(&a) == nil {
					b.Fatal("no match")
				}
			}
		})
	}
}

func BenchmarkIdentity(b *testing.B) {
	ids := newIdentities([]byte("k"))
	b.ReportAllocs()
	for b.Loop() {
		ids.next(idValues, func(tag) bool { return false })
	}
}
