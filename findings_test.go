// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The ends of the traces below.
const (
	publicHost  = "192.0.2.10"
	privateHost = "10.0.0.10"
	farHost     = "203.0.113.9"
)

// scene is a trace drawn by hand. Each flow is what answered at TTL 1, 2, …:
// an address and what it said, hops parted by a bar, * for silence.
//
//	q=2            the quoted TTL (1)
//	tos=184        the quoted TOS byte (that of the flow)
//	sum=77         the quoted checksum less the one sent
//	src=A:P        the quoted source
//	id             the quoted IP ID is another
//	ttl=250        the reply's TTL (that of an equally long way back)
//	mpls=24001/1   the top label and its TTL
//	if=3:eth1      the index and the name of the interface it came in by
//	blind          the wire saw no quoted header
type scene struct {
	from, to string // publicHost and farHost by default
	tos      uint8
	flows    []string
}

func (s scene) trace(t *testing.T) *Trace {
	t.Helper()
	from, to := netip.MustParseAddr(cmpOr(s.from, publicHost)), netip.MustParseAddr(cmpOr(s.to, farHost))
	out := &Trace{VantagePoint: VantagePoint{Address: from}, Destination: Destination{Address: to}, Config: Config{Protocol: ProtocolUDP, FirstTTL: 1, Paths: len(s.flows)}}
	var walks []Walk
	for i, text := range s.flows {
		f := Flow{
			ID: i + 1, Protocol: ProtocolUDP, Source: from, Destination: to,
			SourcePort: uint16(40001 + i), DestinationPort: 33434, TOS: s.tos,
		}
		var own []Exchange
		for at, cell := range strings.Split(text, "|") {
			ttl := uint8(at + 1)
			own = append(own, Exchange{Flow: f.ID, TTL: ttl, Attempt: 1, Reply: s.reply(t, strings.Fields(cell), ttl, &f)})
		}
		walks = append(walks, NewWalk(f, 1, own))
		out.Flows, out.Exchanges = append(out.Flows, f), append(out.Exchanges, own...)
	}
	out.Graph = NewGraph(walks, out.Exchanges)
	return out
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func (s scene) reply(t *testing.T, words []string, ttl uint8, f *Flow) Reply {
	t.Helper()
	if words[0] == "*" {
		return Reply{}
	}
	r := Reply{
		Kind: TimeExceeded, Address: netip.MustParseAddr(words[0]), HeaderQuoted: true, QuotedTTL: 1, QuotedTOS: f.TOS, TTL: 65 - ttl,
	}
	if r.Address == f.Destination {
		r.Kind = PortUnreachable
	}
	quote := &QuoteChange{}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		number, _, _ := strings.Cut(value, "/")
		n, _ := strconv.Atoi(number)
		switch key {
		case "q":
			r.QuotedTTL = uint8(n)
		case "tos":
			r.QuotedTOS = uint8(n)
		case "ttl":
			r.TTL = uint8(n)
		case "sum":
			quote.Checksum = uint16(n)
		case "src":
			quote.Source = netip.MustParseAddrPort(value)
		case "id":
			quote.ID = true
		case "mpls":
			_, top, _ := strings.Cut(value, "/")
			m, _ := strconv.Atoi(top)
			r.MPLS = []MPLSLabel{{Label: uint32(n), Bottom: true, TTL: uint8(m)}}
		case "if":
			_, name, _ := strings.Cut(value, ":")
			index, _, _ := strings.Cut(value, ":")
			m, _ := strconv.Atoi(index)
			r.Interfaces = append(r.Interfaces, Interface{Index: uint32(m), Name: name})
		case "blind":
			r.HeaderQuoted, r.QuotedTTL, r.QuotedTOS = false, 0, 0
		default:
			t.Fatalf("unknown word %q", word)
		}
	}
	if *quote != (QuoteChange{}) {
		r.Quote = quote
	}
	return r
}

// noFindings fails the test where any are made.
func noFindings(t *testing.T, s scene) {
	t.Helper()
	if diff := cmp.Diff(Findings{}, s.trace(t).Findings(), equate...); diff != "" {
		t.Errorf("findings in a clean trace (-want +got)\n%s", diff)
	}
}

var equate = []cmp.Option{cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{}), cmpopts.EquateEmpty()}

// TestNoFindings has all that is odd, but no reason to report anything.
func TestNoFindings(t *testing.T) {
	plain := "192.0.2.1|198.51.100.1|198.51.100.2|203.0.113.9"
	tests := []struct {
		name  string
		scene scene
	}{
		{"nothing", scene{}},
		{"one flow", scene{flows: []string{plain}}},
		{"all silent", scene{flows: []string{"*|*|*"}}},
		{"loss", scene{flows: []string{plain, "*|198.51.100.1|*|203.0.113.9", "192.0.2.1|*|*|203.0.113.9", "*|*|*|*"}}},
		{"marked", scene{tos: 0xb9, flows: []string{plain, plain}}},
		{"a wire that sees no quotes", scene{tos: 0xb8, flows: []string{"192.0.2.1 blind|198.51.100.1 blind|203.0.113.9 blind"}}},
		{"balanced per flow", scene{flows: []string{plain, "192.0.2.1|198.51.100.3|198.51.100.2|203.0.113.9"}}},
		{"balanced packet by packet, ways of unequal length", scene{flows: []string{
			"192.0.2.1|198.51.100.1|198.51.100.1|203.0.113.9",
			"192.0.2.1|198.51.100.3|198.51.100.1|203.0.113.9",
			"192.0.2.1|198.51.100.1|203.0.113.9",
			"192.0.2.1|198.51.100.3|203.0.113.9",
			"192.0.2.1|198.51.100.1|198.51.100.1|203.0.113.9",
			"192.0.2.1|198.51.100.1|203.0.113.9",
		}}},
		{"a longer way back", scene{flows: []string{
			"192.0.2.1 ttl=60|198.51.100.1 ttl=59|198.51.100.2 ttl=58|203.0.113.9 ttl=57",
		}}},
		{"a way back that is longer by 2", scene{flows: []string{
			"192.0.2.1 ttl=255|198.51.100.1 ttl=252|198.51.100.2 ttl=251|203.0.113.9 ttl=250",
		}}},
		{"a way back that is longer at one hop", scene{flows: []string{
			"192.0.2.1 ttl=255|198.51.100.1 ttl=248|198.51.100.2 ttl=253|203.0.113.9 ttl=252",
		}}},
		{"a way back that is longer at the last hop", scene{flows: []string{
			"192.0.2.1 ttl=255|198.51.100.1 ttl=254|198.51.100.2 ttl=253|203.0.113.9 ttl=240",
		}}},
		{"a way back that varies by flow", scene{flows: []string{
			"192.0.2.1 ttl=255|198.51.100.1 ttl=254|198.51.100.2 ttl=250|203.0.113.9 ttl=249",
			"192.0.2.1 ttl=255|198.51.100.1 ttl=254|198.51.100.2 ttl=253|203.0.113.9 ttl=252",
		}}},
		{"a way back as long as the longer of two ways there", scene{flows: []string{
			"192.0.2.1|198.51.100.1 ttl=63|198.51.100.7 ttl=59|198.51.100.8 ttl=58|203.0.113.9 ttl=57",
			"192.0.2.1|198.51.100.2 ttl=63|198.51.100.3 ttl=62|198.51.100.4 ttl=61|198.51.100.5 ttl=60|198.51.100.7 ttl=59|198.51.100.8 ttl=58|203.0.113.9 ttl=57",
		}}},
		{"initial TTLs of all kinds", scene{flows: []string{
			"192.0.2.1 ttl=255|198.51.100.1 ttl=63|198.51.100.2 ttl=126|203.0.113.9 ttl=29",
		}}},
		{"a router that quotes a TTL of 2", scene{flows: []string{"192.0.2.1|198.51.100.1 q=2|198.51.100.2|203.0.113.9"}}},
		{"quoted TTLs that do not rise", scene{flows: []string{"192.0.2.1|198.51.100.1 q=3|198.51.100.2 q=3|198.51.100.3 q=2|203.0.113.9"}}},
		{"quoted TTLs that rise from nowhere", scene{flows: []string{"192.0.2.1|198.51.100.1 q=7|198.51.100.2 q=8|203.0.113.9"}}},
		{"a router that quotes the TTL after it has lowered it", scene{flows: []string{"192.0.2.1|198.51.100.1 q=0|198.51.100.2|203.0.113.9"}}},
		{"quoted TTLs that would rise if the end were as far as the probe went", scene{flows: []string{"192.0.2.1|198.51.100.1 q=2|*|*|203.0.113.9 q=3"}}},
		{"a way back that is longer at the last hop that answers", scene{flows: []string{
			"192.0.2.1 ttl=255|198.51.100.1 ttl=254|198.51.100.2 ttl=240|*|*",
		}}},
		{"a way back that was as long before", scene{flows: []string{
			"192.0.2.1 ttl=252|198.51.100.1 ttl=254|198.51.100.2 ttl=250|203.0.113.9 ttl=249",
		}}},
		{"one address twice, but not for all flows", scene{flows: append(
			slices.Repeat([]string{"192.0.2.1|198.51.100.1|198.51.100.1|203.0.113.9"}, 6), "192.0.2.1|198.51.100.1|203.0.113.9",
		)}},
		{"one address three times", scene{flows: slices.Repeat([]string{"192.0.2.1|198.51.100.1|198.51.100.1|198.51.100.1|203.0.113.9"}, 6)}},
		{"one address twice, for few flows", scene{flows: slices.Repeat([]string{"192.0.2.1|198.51.100.1|198.51.100.1|203.0.113.9"}, 3)}},
		{"one address twice, quotes not seen", scene{flows: slices.Repeat([]string{"192.0.2.1|198.51.100.1 blind|198.51.100.1 blind|203.0.113.9"}, 6)}},
		{"a router that damages checksums", scene{flows: []string{
			"192.0.2.1|198.51.100.1 sum=77|198.51.100.2|203.0.113.9", "192.0.2.1|198.51.100.1 sum=1234|198.51.100.2|203.0.113.9",
		}}},
		{"a router that damages ports", scene{flows: []string{"192.0.2.1|198.51.100.1 src=192.0.2.10:55555|198.51.100.2|203.0.113.9"}}},
		{"a router that damages IDs", scene{flows: []string{"192.0.2.1|198.51.100.1 id|198.51.100.2|203.0.113.9 id"}}},
		{"a router that damages the TOS byte", scene{tos: 4, flows: []string{"192.0.2.1|198.51.100.1 tos=0|198.51.100.2|203.0.113.9"}}},
		{"private addresses on the way, none at its beginning", scene{flows: []string{"192.0.2.1|10.1.2.3|192.168.7.7|203.0.113.9"}}},
		{"private addresses throughout", scene{from: privateHost, to: "10.9.9.9", flows: []string{"10.0.0.1|10.1.2.3|10.9.9.9"}}},
		{"private addresses, and nothing else answered", scene{from: privateHost, flows: []string{"10.0.0.1|10.1.2.3|*|*"}}},
		{"a public destination by private addresses only, IPv6", scene{from: "2001:db8::1", to: "2001:db8:9::9", flows: []string{"fd00::1|fe80::2|2001:db8:9::9"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { noFindings(t, tt.scene) })
	}
}

// TestFindingsOfTheEnd has a destination that answers probes of any TTL: what
// they had left is no sign of a tunnel.
func TestFindingsOfTheEnd(t *testing.T) {
	s := scene{flows: []string{"192.0.2.1|198.51.100.1|203.0.113.9|203.0.113.9 q=2 ttl=62|203.0.113.9 q=3 ttl=62|203.0.113.9 q=4 ttl=62"}}
	noFindings(t, s)
	trace := s.trace(t)
	if got := trace.Graph.Walks[0].Distance(); got != 3 {
		t.Fatalf("the end is at TTL %d", got)
	}
}

// TestFindingsOfAnEndNotFound has a destination that answered one probe of a
// high TTL: where that is on the path, nobody knows.
func TestFindingsOfAnEndNotFound(t *testing.T) {
	trace := scene{tos: 4, flows: []string{"192.0.2.1"}}.trace(t)
	far := Exchange{Flow: 1, TTL: 64, Reply: Reply{
		Kind: PortUnreachable, Address: netip.MustParseAddr(farHost), HeaderQuoted: true, QuotedTTL: 1, TTL: 60, Quote: &QuoteChange{Checksum: 7},
	}}
	trace.Exchanges = append(trace.Exchanges, far)
	walk := NewWalk(trace.Flows[0], 1, trace.Exchanges)
	if walk.End != EndUnknown {
		t.Fatalf("the end is known: %v", walk.End)
	}
	trace.Graph = NewGraph([]Walk{walk}, trace.Exchanges)
	if diff := cmp.Diff(Findings{}, trace.Findings(), equate...); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestFingerprints(t *testing.T) {
	trace := scene{flows: []string{
		"192.0.2.1 ttl=255|198.51.100.1 ttl=60|198.51.100.2 ttl=124|*|203.0.113.9 ttl=28",
		"192.0.2.1 ttl=255|198.51.100.1 ttl=62|198.51.100.2 ttl=0|*|203.0.113.9 ttl=28",
		"192.0.2.1 ttl=63|198.51.100.1 ttl=253|198.51.100.2 ttl=124|*|203.0.113.9 ttl=28",
	}}.trace(t)
	want := []Fingerprint{
		{"n1", 255, Span{1, 1}, Span{0, 0}, 2},
		{"n2", 64, Span{3, 5}, Span{1, 3}, 2}, // one of three began with 255
		{"n3", 128, Span{5, 5}, Span{2, 2}, 2},
		{"n5", 32, Span{5, 5}, Span{0, 0}, 3},
	}
	if diff := cmp.Diff(want, trace.Fingerprints()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestInitialTTL(t *testing.T) {
	tests := []struct {
		reply    uint8
		distance int
		want     uint8
	}{
		{255, 1, 255},
		{129, 20, 255},
		{128, 1, 128},
		{65, 20, 128},
		{64, 1, 64},
		{33, 20, 64},
		{32, 1, 32},
		{25, 8, 32},
		{31, 34, 64},
		{20, 45, 64},
		{1, 60, 64},
		{1, 30, 32},
	}
	for _, tt := range tests {
		if got := InitialTTL(tt.reply, tt.distance); got != tt.want {
			t.Errorf("TTL %d from %d hops away began with %d, want %d", tt.reply, tt.distance, got, tt.want)
		}
	}
}

func TestFindInterfaces(t *testing.T) {
	trace := scene{flows: []string{
		"192.0.2.1 if=3:eth1|198.51.100.1 if=7:xe-0/0/1|203.0.113.9 if=2:ens3|203.0.113.9 q=2 if=2:ens3",
		"192.0.2.1 if=4:eth2|198.51.100.1 if=7:xe-0/0/1|203.0.113.9|203.0.113.9 q=2",
	}}.trace(t)
	told := func(ttl uint8, address string, index uint32, name string, flows int) ToldInterface {
		return ToldInterface{TTL: ttl, Address: netip.MustParseAddr(address), Interface: Interface{Index: index, Name: name}, Flows: flows}
	}
	want := []ToldInterface{
		told(1, "192.0.2.1", 3, "eth1", 1),
		told(1, "192.0.2.1", 4, "eth2", 1),
		told(2, "198.51.100.1", 7, "xe-0/0/1", 2),
		told(3, "203.0.113.9", 2, "ens3", 1),
	}
	if diff := cmp.Diff(Findings{Interfaces: want}, trace.Findings(), equate...); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
