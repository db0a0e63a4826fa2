// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"traceflow/packet"
)

// natted returns what packets of the flow of a source port carry behind a NAT,
// as words of a scene.
func natted(port uint16, to string) (both, checksum string) {
	public := netip.MustParseAddrPort(to)
	sum := packet.TranslatedChecksum(0x1234, netip.AddrPortFrom(netip.MustParseAddr(publicHost), port), public)
	checksum = fmt.Sprintf("sum=%d", packet.ChecksumDelta(0x1234, sum))
	return checksum + " src=" + to, checksum
}

func onset(ttl, after uint8, before string) Onset {
	o := Onset{TTL: ttl, After: after}
	if before != "" {
		o.Before = netip.MustParseAddr(before)
	}
	return o
}

func TestFindNATs(t *testing.T) {
	source := netip.MustParseAddrPort
	both1, sum1 := natted(40001, "203.0.113.5:4242")
	both2, sum2 := natted(40002, "203.0.113.5:4243")
	kept1, _ := natted(40001, "203.0.113.5:40001")
	kept2, keptSum2 := natted(40002, "203.0.113.5:40002")
	cgn1, cgnSum1 := natted(40001, "203.0.113.77:9001")
	tests := []struct {
		name  string
		scene scene
		want  []Translation
	}{
		{
			"source and port are quoted",
			scene{flows: []string{"192.0.2.1|198.51.100.1 " + both1 + "|203.0.113.9 " + both1}},
			[]Translation{{Onset: onset(2, 1, "192.0.2.1"), Evidence: QuotedSource, Source: source("203.0.113.5:4242"), Flow: 1, Flows: 1}},
		},
		{
			"the checksum alone, for the rest of the way",
			scene{flows: []string{"192.0.2.1|198.51.100.1 " + sum1 + "|198.51.100.2 " + sum1 + "|203.0.113.9 " + sum1}},
			[]Translation{{Onset: onset(2, 1, "192.0.2.1"), Evidence: QuotedChecksum, Flow: 1, Flows: 1}},
		},
		{
			"the source alone, as TCP quotes it",
			scene{flows: []string{"192.0.2.1|198.51.100.1 src=203.0.113.5:4242|203.0.113.9 src=203.0.113.5:4242"}},
			[]Translation{{Onset: onset(2, 1, "192.0.2.1"), Evidence: QuotedSource, Source: source("203.0.113.5:4242"), Flow: 1, Flows: 1}},
		},
		{
			"one router quotes what others restore",
			scene{flows: []string{"192.0.2.1|198.51.100.1 " + sum1 + "|198.51.100.2 " + both1 + "|203.0.113.9 " + sum1}},
			[]Translation{{Onset: onset(2, 1, "192.0.2.1"), Evidence: QuotedSource, Source: source("203.0.113.5:4242"), Flow: 1, Flows: 1}},
		},
		{
			"the port follows from the checksum where another flow tells the address",
			scene{flows: []string{
				"192.0.2.1|198.51.100.1 " + sum1 + "|203.0.113.9 " + sum1,
				"192.0.2.1|198.51.100.1 " + both2 + "|203.0.113.9 " + both2,
			}},
			[]Translation{{Onset: onset(2, 1, "192.0.2.1"), Evidence: QuotedSource, Source: source("203.0.113.5:4242"), Flow: 1, Flows: 2}},
		},
		{
			"ports that stay",
			scene{flows: []string{
				"192.0.2.1|198.51.100.1 " + kept1 + "|203.0.113.9 " + kept1,
				"192.0.2.1|198.51.100.1 " + kept2 + "|203.0.113.9 " + keptSum2,
			}},
			[]Translation{{Onset: onset(2, 1, "192.0.2.1"), Evidence: QuotedSource, Source: source("203.0.113.5:40001"), Flow: 1, KeepsPorts: true, Flows: 2}},
		},
		{
			"a carrier's NAT behind a NAT",
			scene{flows: []string{
				"192.0.2.1|198.51.100.1 " + sum1 + "|198.51.100.2 " + sum1 + "|198.51.100.3 " + cgnSum1 + "|203.0.113.9 " + cgn1,
				"192.0.2.1|198.51.100.1 " + sum2 + "|*|198.51.100.3 " + sum2 + "|203.0.113.9 " + sum2,
			}},
			[]Translation{
				{Onset: onset(2, 1, "192.0.2.1"), Evidence: QuotedChecksum, Flow: 1, Flows: 2},
				{Onset: onset(4, 3, "198.51.100.2"), Evidence: QuotedSource, Source: source("203.0.113.77:9001"), Flow: 1, Flows: 1},
			},
		},
		{
			"two NATs in a row",
			scene{flows: []string{"192.0.2.1|198.51.100.1 " + both1 + "|198.51.100.3 " + cgn1 + "|203.0.113.9 " + cgn1}},
			[]Translation{
				{Onset: onset(2, 1, "192.0.2.1"), Evidence: QuotedSource, Source: source("203.0.113.5:4242"), Flow: 1, Flows: 1},
				{Onset: onset(3, 2, "198.51.100.1"), Evidence: QuotedSource, Source: source("203.0.113.77:9001"), Flow: 1, Flows: 1},
			},
		},
		{
			"behind silence",
			scene{flows: []string{"192.0.2.1|*|*|198.51.100.2 " + sum1 + "|203.0.113.9 " + sum1}},
			[]Translation{{Onset: onset(4, 1, "192.0.2.1"), Evidence: QuotedChecksum, Flow: 1, Flows: 1}},
		},
		{
			"what one flow did not see, another did",
			scene{flows: []string{
				"192.0.2.1|*|198.51.100.2 " + sum1 + "|203.0.113.9 " + sum1,
				"*|198.51.100.1 " + sum2 + "|198.51.100.2 " + sum2 + "|203.0.113.9 " + sum2,
			}},
			[]Translation{{Onset: onset(2, 1, "192.0.2.1"), Evidence: QuotedChecksum, Flow: 1, Flows: 2}},
		},
		{
			"two NATs side by side",
			scene{flows: []string{
				"192.0.2.1|198.51.100.1|198.51.100.3 " + sum1 + "|203.0.113.9 " + sum1,
				"192.0.2.1|198.51.100.2|198.51.100.3 " + sum2 + "|203.0.113.9 " + sum2,
			}},
			[]Translation{
				{Onset: onset(3, 2, "198.51.100.1"), Evidence: QuotedChecksum, Flow: 1, Flows: 1},
				{Onset: onset(3, 2, "198.51.100.2"), Evidence: QuotedChecksum, Flow: 2, Flows: 1},
			},
		},
		{
			"two NATs side by side, behind one of which no quote was seen",
			scene{flows: []string{
				"192.0.2.1|198.51.100.1|198.51.100.3 " + sum1 + "|203.0.113.9 " + sum1,
				"192.0.2.1|198.51.100.2 blind|198.51.100.3 " + sum2 + "|203.0.113.9 " + sum2,
			}},
			[]Translation{
				{Onset: onset(3, 2, "198.51.100.1"), Evidence: QuotedChecksum, Flow: 1, Flows: 1},
				{Onset: onset(3, 1, "192.0.2.1"), Evidence: QuotedChecksum, Flow: 2, Flows: 1},
			},
		},
		{
			"from the first hop on",
			scene{flows: []string{"192.0.2.1 " + sum1 + "|198.51.100.1 " + sum1 + "|203.0.113.9 " + sum1}},
			[]Translation{{Onset: onset(1, 0, ""), Evidence: QuotedChecksum, Flow: 1, Flows: 1}},
		},
		{
			"the last quote alone, and the checksum confirms the source",
			scene{flows: []string{"192.0.2.1|198.51.100.1|203.0.113.9 " + both1}},
			[]Translation{{Onset: onset(3, 2, "198.51.100.1"), Evidence: QuotedSource, Source: source("203.0.113.5:4242"), Flow: 1, Flows: 1}},
		},
		{
			"the last checksum alone",
			scene{flows: []string{"192.0.2.1|198.51.100.1|203.0.113.9 sum=77", "192.0.2.1|198.51.100.1|203.0.113.9 sum=77"}},
			[]Translation{{Onset: onset(3, 2, "198.51.100.1"), Evidence: LastQuote, Flow: 1, Flows: 2}},
		},
		{
			"the last checksum alone, of one flow",
			scene{flows: []string{"192.0.2.1|198.51.100.1|203.0.113.9 sum=77", "192.0.2.1|198.51.100.1|*"}},
			nil,
		},
		{
			"the last checksum alone, and flows differ in it",
			scene{flows: []string{"192.0.2.1|198.51.100.1|203.0.113.9 sum=77", "192.0.2.1|198.51.100.1|203.0.113.9 sum=78"}},
			nil,
		},
		{
			"the last quote has another port, and its checksum does not know",
			scene{flows: []string{"192.0.2.1|198.51.100.1|203.0.113.9 src=192.0.2.10:55555"}},
			[]Translation{{Onset: onset(3, 2, "198.51.100.1"), Evidence: LastQuote, Source: source("192.0.2.10:55555"), Flow: 1, Flows: 1}},
		},
		{
			"private addresses are left",
			scene{from: privateHost, flows: []string{"10.0.0.1|100.64.0.1|198.51.100.2|203.0.113.9", "10.0.0.1|*|198.51.100.2|203.0.113.9"}},
			[]Translation{{Onset: onset(3, 2, "100.64.0.1"), Evidence: PrivateAddresses, Flow: 1, Flows: 2}},
		},
		{
			"private addresses are left at once",
			scene{from: privateHost, flows: []string{"*|198.51.100.2|203.0.113.9"}},
			[]Translation{{Onset: onset(2, 0, ""), Evidence: PrivateAddresses, Flow: 1, Flows: 1}},
		},
		{
			"private addresses of IPv6",
			scene{from: "fd00::10", to: "2001:db8:9::9", flows: []string{"fe80::1|fd00:1::1|2001:db8::2|2001:db8:9::9"}},
			[]Translation{{Onset: onset(3, 2, "fd00:1::1"), Evidence: PrivateAddresses, Flow: 1, Flows: 1}},
		},
		{
			"private addresses are no news where a quote tells more",
			scene{from: privateHost, flows: []string{"10.0.0.1|198.51.100.1 src=203.0.113.5:4242|203.0.113.9 src=203.0.113.5:4242"}},
			[]Translation{{Onset: onset(2, 1, "10.0.0.1"), Evidence: QuotedSource, Source: source("203.0.113.5:4242"), Flow: 1, Flows: 1}},
		},
		{
			"IDs are rewritten",
			scene{flows: []string{"192.0.2.1|198.51.100.1 id|198.51.100.2 id|203.0.113.9 id", "192.0.2.1|198.51.100.1 id|*|203.0.113.9 id"}},
			[]Translation{{Onset: onset(2, 1, "192.0.2.1"), Evidence: QuotedID, Flow: 1, Flows: 2}},
		},
		{
			"IDs rewritten by a NAT are no news",
			scene{flows: []string{"192.0.2.1|198.51.100.1 id " + sum1 + "|203.0.113.9 id " + sum1}},
			[]Translation{{Onset: onset(2, 1, "192.0.2.1"), Evidence: QuotedChecksum, Flow: 1, Flows: 1}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.scene.trace(t).Findings()
			if diff := cmp.Diff(Findings{NATs: tt.want}, got, equate...); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Where replies at one TTL disagree, nothing is read.
func TestNATOfRepliesThatDiffer(t *testing.T) {
	trace := scene{flows: []string{"192.0.2.1|198.51.100.1 sum=77|198.51.100.2 sum=77|203.0.113.9 sum=77"}}.trace(t)
	e := trace.Exchanges[1]
	e.Attempt, e.Reply.Quote = 2, &QuoteChange{Checksum: 1234}
	trace.Exchanges = append(trace.Exchanges, e)
	want := []Translation{{Onset: onset(3, 1, "192.0.2.1"), Evidence: QuotedChecksum, Flow: 1, Flows: 1}}
	if diff := cmp.Diff(want, trace.Findings().NATs, equate...); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestNATCertain(t *testing.T) {
	want := map[NATEvidence]bool{QuotedSource: true, QuotedChecksum: true, LastQuote: false, PrivateAddresses: false, QuotedID: false}
	for e, certain := range want {
		if e.Certain() != certain {
			t.Errorf("%s: certain %t", e, !certain)
		}
	}
}

// What the arithmetic of package packet says of 20,000 NATs, this one does.
func TestTranslatedPort(t *testing.T) {
	r := rand.New(rand.NewPCG(5837, 4884))
	random := func(v4 bool) netip.Addr {
		var b [16]byte
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if v4 {
			return netip.AddrFrom4([4]byte(b[:4]))
		}
		return netip.AddrFrom16(b)
	}
	protocols := []Protocol{ProtocolUDP, ProtocolTCP, ProtocolICMP}
	for n := range 20000 {
		v4 := n%2 == 0
		f := Flow{Protocol: protocols[n%3], Source: random(v4), Destination: random(v4), SourcePort: uint16(r.Uint32())}
		public, port := random(v4), uint16(1+r.IntN(65535))
		from, to := f.Source, public
		if f.Protocol == ProtocolICMP && v4 {
			to = from
		}
		checksum := uint16(r.Uint32())
		delta := packet.ChecksumDelta(checksum, packet.TranslatedChecksum(checksum, netip.AddrPortFrom(from, f.SourcePort), netip.AddrPortFrom(to, port)))
		if got := translatedPort(&f, public, delta); got != port {
			t.Fatalf("%+v to %s port %d: %d", f, public, port, got)
		}
		if got, ok := packet.TranslatedPort(delta, from, to, f.SourcePort); !ok || got != port {
			t.Fatalf("packet: %+v to %s port %d: %d, %t", f, public, port, got, ok)
		}
	}
}
