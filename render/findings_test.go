// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/render"
)

// at returns what edits the replies to probes of TTLs from first to last.
func at(first, last uint8, edit func(*traceflow.Reply)) func(*traceflow.Trace) {
	return func(t *traceflow.Trace) {
		for i := range t.Exchanges {
			e := &t.Exchanges[i]
			if e.TTL >= first && e.TTL <= last && e.Reply.Kind.Answered() {
				edit(&e.Reply)
			}
		}
	}
}

// several makes all edits.
func several(edits ...func(*traceflow.Trace)) func(*traceflow.Trace) {
	return func(t *traceflow.Trace) {
		for _, edit := range edits {
			edit(t)
		}
	}
}

// translated is what quotes show behind a NAT.
func translated(source string) func(*traceflow.Reply) {
	return func(r *traceflow.Reply) {
		r.Quote = &traceflow.QuoteChange{Checksum: 77}
		if source != "" {
			r.Quote.Source = netip.MustParseAddrPort(source)
		}
	}
}

func quotedTTL(from int) func(*traceflow.Trace) {
	return func(t *traceflow.Trace) {
		for i := range t.Exchanges {
			if e := &t.Exchanges[i]; int(e.TTL) >= from+2 && int(e.TTL) < from+5 {
				e.Reply.QuotedTTL = e.TTL - uint8(from)
			}
		}
	}
}

func TestFindings(t *testing.T) {
	const (
		plain   = "192.0.2.1 198.51.100.1 198.51.100.2 203.0.113.9"
		long    = "192.0.2.1 198.51.100.1 198.51.100.2 198.51.100.3 198.51.100.4 198.51.100.5 203.0.113.9"
		private = "10.0.0.10 203.0.113.9"
	)
	tests := []struct {
		name  string
		ends  string
		flows []string
		edit  func(*traceflow.Trace)
		want  string
	}{
		{name: "nothing", flows: []string{plain, plain}},
		{name: "no flows"},
		{
			name: "a NAT", flows: []string{plain}, edit: at(2, 4, translated("203.0.113.5:4242")),
			want: "NAT at 192.0.2.1 (TTL 1): from TTL 2 on packets carry source 203.0.113.5 port 4242.",
		},
		{
			name: "a NAT that is known by the checksum", flows: []string{plain}, edit: at(3, 4, translated("")),
			want: "NAT at 198.51.100.1 (TTL 2): from TTL 3 on packets carry another transport checksum; what source they have there is not told.",
		},
		{
			name: "a NAT behind silence", flows: []string{"192.0.2.1 * 198.51.100.2 203.0.113.9"}, edit: at(2, 4, translated("")),
			want: "NAT between TTL 1 (192.0.2.1) and TTL 3: from TTL 3 on packets carry another transport checksum; what source they have there is not told.",
		},
		{
			name: "a NAT before all", flows: []string{plain}, edit: at(1, 4, translated("203.0.113.5:4242")),
			want: "NAT before TTL 1: from TTL 1 on packets carry source 203.0.113.5 port 4242.",
		},
		{
			name: "a NAT of several flows", flows: []string{plain, plain}, edit: at(2, 4, translated("203.0.113.5:4242")),
			want: "NAT at 192.0.2.1 (TTL 1): from TTL 2 on packets carry source 203.0.113.5, those of flow 1 port 4242.",
		},
		{
			name: "a NAT that keeps ports", flows: []string{plain, plain}, edit: several(
				at(2, 4, translated("203.0.113.5:33453")),
				func(t *traceflow.Trace) { t.Graph.Walks[1].Flow.SourcePort = 33453 },
			),
			want: "NAT at 192.0.2.1 (TTL 1): from TTL 2 on packets carry source 203.0.113.5 and keep their ports.",
		},
		{
			name: "a NAT of echoes", flows: []string{plain}, edit: several(
				at(2, 4, translated("203.0.113.5:4242")),
				func(t *traceflow.Trace) { t.Flows[0].Protocol = traceflow.ProtocolICMP },
			),
			want: "NAT at 192.0.2.1 (TTL 1): from TTL 2 on packets carry source 203.0.113.5 echo ID 4242.",
		},
		{
			name: "two NATs", flows: []string{plain}, edit: several(at(2, 4, translated("203.0.113.5:4242")), at(3, 4, translated("203.0.113.77:9001"))),
			want: "NAT at 192.0.2.1 (TTL 1): from TTL 2 on packets carry source 203.0.113.5 port 4242.\n" +
				"NAT at 198.51.100.1 (TTL 2): from TTL 3 on packets carry source 203.0.113.77 port 9001.",
		},
		{
			name: "the last quote", flows: []string{plain, plain}, edit: at(4, 4, translated("")),
			want: "Only the quote of TTL 4, the last, has another source or checksum: a NAT before it, or that host damages what it quotes.",
		},
		{name: "the last quote of one flow, which may be damaged", flows: []string{plain}, edit: at(4, 4, translated(""))},
		{
			name: "private addresses", ends: private, flows: []string{"10.0.0.1 100.64.0.1 198.51.100.2 203.0.113.9"},
			want: "The path leaves private addresses between TTL 2 and 3: a NAT may be there, though no quote shows it.",
		},
		{
			name: "a private address", ends: private, flows: []string{plain},
			want: "The address of this host is private and that of TTL 1 is not: a NAT is likely in between, though no quote shows it.",
		},
		{
			name: "IDs", flows: []string{plain}, edit: at(2, 4, func(r *traceflow.Reply) { r.Quote = &traceflow.QuoteChange{ID: true} }),
			want: "From TTL 2 on packets carry other IP IDs than were sent: something after TTL 1 (192.0.2.1) rewrites them.",
		},
		{
			name: "an explicit tunnel", flows: []string{long, long}, edit: at(2, 4, func(r *traceflow.Reply) { r.MPLS = []traceflow.MPLSLabel{{Label: 16, TTL: 1}} }),
			want: "TTL 2 to 4 lie in an MPLS tunnel that shows its labels.",
		},
		{
			name: "two ways through it", flows: []string{plain, "192.0.2.2 198.51.100.3 198.51.100.2 203.0.113.9"},
			edit: at(2, 2, func(r *traceflow.Reply) { r.MPLS = []traceflow.MPLSLabel{{Label: 16, TTL: 1}} }),
			want: "TTL 2 lies in an MPLS tunnel that shows its labels.",
		},
		{
			name: "an implicit tunnel", flows: []string{long}, edit: quotedTTL(2),
			want: "TTL 4 to 6 lie in an MPLS tunnel that hides its labels (quoted TTL rises from 2 to 4).",
		},
		{
			name: "an opaque tunnel", flows: []string{plain}, edit: at(3, 3, func(r *traceflow.Reply) { r.MPLS = []traceflow.MPLSLabel{{Label: 16, TTL: 254}} }),
			want: "TTL 3 (198.51.100.2) ends an MPLS tunnel that hides about 1 router (label TTL 254).",
		},
		{
			name: "a longer way back", flows: []string{plain}, edit: at(3, 4, func(r *traceflow.Reply) { r.TTL -= 4 }),
			want: "About 4 routers may be hidden in an MPLS tunnel before TTL 3 (198.51.100.2): from there on the way back is that much longer.",
		},
		{
			name: "one address twice", flows: slices.Repeat([]string{"192.0.2.1 198.51.100.1 198.51.100.1 203.0.113.9"}, 4),
			want: "198.51.100.1 answers at TTL 2 and again at TTL 3: an MPLS tunnel that hides its routers may end before it.",
		},
		{
			name: "DSCP", flows: []string{plain}, edit: several(
				func(t *traceflow.Trace) { t.Graph.Walks[0].Flow.TOS = 46 << 2 },
				at(1, 3, func(r *traceflow.Reply) { r.QuotedTOS = 46 << 2 }),
			),
			want: "DSCP is changed from 46 to 0 after TTL 3 (198.51.100.2).",
		},
		{
			name: "ECN, in two places", flows: []string{"192.0.2.1 * 198.51.100.2 203.0.113.9"}, edit: several(
				func(t *traceflow.Trace) { t.Graph.Walks[0].Flow.TOS = 1 },
				at(1, 1, func(r *traceflow.Reply) { r.QuotedTOS = 2 }),
				at(3, 4, func(r *traceflow.Reply) { r.QuotedTOS = 3 }),
			),
			want: "ECN is changed from 1 to 2 before TTL 1.\n" +
				"ECN is changed from 2 to 3 (congestion) between TTL 1 (192.0.2.1) and TTL 3.",
		},
		{
			name: "zero TTL", flows: []string{"192.0.2.1 198.51.100.1 198.51.100.1 203.0.113.9"},
			edit: at(2, 2, func(r *traceflow.Reply) { r.QuotedTTL = 0 }),
			want: "198.51.100.1 answers at TTL 2, with a quoted TTL of 0, and again at TTL 3: " +
				"the router before it, behind 192.0.2.1, sends on packets whose TTL has run out.",
		},
		{
			name: "interfaces", flows: []string{plain}, edit: at(1, 1, func(r *traceflow.Reply) {
				r.Interfaces = []traceflow.Interface{
					{Index: 3, Name: "eth1", Address: netip.MustParseAddr("192.0.2.77"), MTU: 1500},
					{Index: 4},
					{Role: traceflow.OutgoingInterface, Name: "\x1b[2Jeth0\n\u202e\xff"},
					{Role: traceflow.NextHopInterface, Address: netip.MustParseAddr("198.51.100.1")},
					{Role: traceflow.IncomingSubInterface},
				}
			}),
			want: "TTL 1 (192.0.2.1) tells that packets come in by eth1 (index 3, 192.0.2.77, MTU 1500), index 4.\n" +
				"TTL 1 (192.0.2.1) tells that packets leave by \uFFFD[2Jeth0\uFFFD\uFFFD\uFFFD.\n" +
				"TTL 1 (192.0.2.1) tells that packets go to 198.51.100.1.",
		},
		{
			name: "more interfaces than are worth it", flows: []string{plain}, edit: at(1, 1, func(r *traceflow.Reply) {
				for i := range uint32(100) {
					r.Interfaces = append(r.Interfaces, traceflow.Interface{Index: i + 1})
				}
			}),
			want: "TTL 1 (192.0.2.1) tells that packets come in by index 1, index 2, index 3, index 4, index 5, index 6, index 7, index 8 and 92 more.",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ends := tt.ends
			if ends == "" {
				ends = ipv4
			}
			trace := (&golden{name: tt.name, ends: ends, flows: tt.flows}).trace(t)
			at(1, 255, func(r *traceflow.Reply) { r.MPLS = nil })(trace)
			if tt.edit != nil {
				tt.edit(trace)
			}
			var b bytes.Buffer
			if err := render.Findings(&b, trace); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, strings.TrimSuffix(b.String(), "\n")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestFindingsOfAll has one of each.
func TestFindingsOfAll(t *testing.T) {
	i := slices.IndexFunc(traces, func(g golden) bool { return g.name == "findings" })
	var b bytes.Buffer
	if err := render.Findings(&b, traces[i].trace(t)); err != nil {
		t.Fatal(err)
	}
	checkGolden(t, filepath.Join("testdata", "findings.txt"), b.String())
}

func TestFindingsWriteError(t *testing.T) {
	trace := traces[0].trace(t) // which has labels
	if err := render.Findings(brokenWriter{}, trace); err == nil {
		t.Error("no error from a writer that is closed")
	}
}
