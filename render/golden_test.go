// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/render"
)

// go test ./render -update writes the golden files anew; review the diff.
var update = flag.Bool("update", false, "write the golden files")

const (
	ipv4 = "192.0.2.10 203.0.113.9"
	ipv6 = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff 2001:db8:9999:8888:7777:6666:5555:4444"
)

// golden is a trace drawn by hand: what each flow met, TTL by TTL. An address
// is a router, or the destination; after it may stand the mark of what it
// said instead. * is silence.
type golden struct {
	name      string
	ends      string // of the vantage point and of the destination
	first     uint8  // 0 means 1
	flows     []string
	options   render.Options
	cancelled bool
	tos       uint8
	edit      func(*traceflow.Exchange) // of what was answered
	notes     traceflow.Annotations
}

var traces = []golden{
	{name: "ipv4", ends: ipv4, flows: []string{
		"192.0.2.1 198.51.100.1 198.51.100.129 203.0.113.9",
		"192.0.2.1 198.51.100.2 198.51.100.129 203.0.113.9",
	}},
	{name: "ipv6", ends: ipv6, flows: []string{
		"2001:db8::1 2001:db8:1111:2222:3333:4444:5555:6666 2001:db8:9999:8888:7777:6666:5555:4444",
		"2001:db8::1 2001:db8:1111:2222:3333:4444:5555:7777 2001:db8:9999:8888:7777:6666:5555:4444",
	}},
	{name: "unreachable4", ends: ipv4, flows: []string{
		"192.0.2.1 198.51.100.1!3/0",
		"192.0.2.1 198.51.100.1!3/1",
		"192.0.2.1 198.51.100.1!3/2",
		"192.0.2.1 198.51.100.1!3/3",
		"192.0.2.1 198.51.100.1!3/4",
		"192.0.2.1 198.51.100.1!3/5",
		"192.0.2.1 198.51.100.1!3/9",
		"192.0.2.1 198.51.100.1!3/13",
		"192.0.2.1 198.51.100.1!3/15",
		"192.0.2.1 198.51.100.1!12/0",
		"192.0.2.1 203.0.113.9!3/13",
		"192.0.2.1 203.0.113.9",
	}},
	{name: "unreachable6", ends: ipv6, flows: []string{
		"2001:db8::1 2001:db8::2!1/0",
		"2001:db8::1 2001:db8::2!1/1",
		"2001:db8::1 2001:db8::2!1/2",
		"2001:db8::1 2001:db8::2!1/3",
		"2001:db8::1 2001:db8::2!1/4",
		"2001:db8::1 2001:db8::2!1/5",
		"2001:db8::1 2001:db8::2!1/6",
		"2001:db8::1 2001:db8::2!1/7",
		"2001:db8::1 2001:db8::2!2/0",
		"2001:db8::1 2001:db8::2!4/1",
	}},
	{name: "silent-hops", ends: ipv4, flows: []string{
		"* 198.51.100.1 * * 198.51.100.129 203.0.113.9",
		"* 198.51.100.2 * * 198.51.100.129 203.0.113.9",
	}},
	{name: "silent-end", ends: ipv4, flows: []string{
		"192.0.2.1 198.51.100.1 * * * * *",
		"192.0.2.1 198.51.100.2 198.51.100.129 203.0.113.9",
	}},
	{name: "no-reply", ends: ipv4, flows: []string{"* * * * *", "* * * * *"}},
	{name: "unequal", ends: ipv4, flows: []string{
		"192.0.2.1 198.51.100.1 198.51.100.2 198.51.100.129 203.0.113.9",
		"192.0.2.1 198.51.100.129 203.0.113.9",
	}},
	{name: "dedup", ends: ipv4, options: render.Options{Dedup: true}, flows: []string{
		"192.0.2.1 * 198.51.100.129 203.0.113.9",
		"192.0.2.1 198.51.100.2 198.51.100.129 203.0.113.9",
		"192.0.2.1 198.51.100.1 198.51.100.129 203.0.113.9",
		"192.0.2.1 198.51.100.2 198.51.100.129 203.0.113.9",
		"192.0.2.1 198.51.100.1 * 203.0.113.9",
	}},
	{name: "first-ttl", ends: ipv4, first: 3, flows: []string{"198.51.100.129 203.0.113.9"}},
	{name: "destination-only", ends: ipv4, flows: []string{"203.0.113.9"}},
	{name: "many-flows", ends: ipv4, flows: slices.Repeat([]string{"192.0.2.1 203.0.113.9"}, 101)},
	{name: "zero-flows", ends: ipv4},
	{name: "zero-flows-dedup", ends: ipv4, options: render.Options{Dedup: true}},
	{name: "cancelled-with-nothing", ends: ipv4, cancelled: true, flows: []string{"", ""}},
	{name: "findings", ends: "10.0.0.10 203.0.113.9", tos: 0xb9, edit: odd, flows: []string{
		"10.0.0.1 100.64.0.1 198.51.100.1 198.51.100.2 198.51.100.2 198.51.100.3 198.51.100.4 198.51.100.5 203.0.113.9",
		"10.0.0.1 100.64.0.1 198.51.100.1 198.51.100.2 198.51.100.2 198.51.100.3 198.51.100.4 198.51.100.5 203.0.113.9",
	}},
	{name: "parallel-links", ends: ipv4, edit: parallel, flows: []string{
		"192.0.2.1 198.51.100.1 198.51.100.2 203.0.113.9",
		"192.0.2.1 198.51.100.1 198.51.100.2 203.0.113.9",
		"192.0.2.1 198.51.100.1 198.51.100.2 203.0.113.9",
		"192.0.2.1 198.51.100.1!3/13",
	}},
	{name: "annotated", ends: ipv4, notes: notes, flows: []string{
		"192.0.2.1 198.51.100.1 198.51.100.129 * 203.0.113.9",
		"192.0.2.1 198.51.100.2 198.51.100.129 * 203.0.113.9",
		"192.0.2.1 198.51.100.2 198.51.100.129 * 203.0.113.9",
	}},
	{name: "cancelled-midway", ends: ipv4, cancelled: true, flows: []string{"192.0.2.1 198.51.100.1", "192.0.2.1", ""}},
}

// notes are all that can be known of addresses, a name that is too long, and an
// exchange point.
var notes = traceflow.Annotations{
	{
		Address:  netip.MustParseAddr("192.0.2.1"),
		Hostname: traceflow.Hostname{Name: "gw.example.net", Source: "dns"},
		Origin:   traceflow.Origin{ASNs: []uint32{64500}, Name: "EXAMPLE-ACCESS Example Access & Sons", Prefix: netip.MustParsePrefix("192.0.2.0/24"), Source: "ris"},
		Place:    traceflow.Place{Country: "DE", City: "Köln", Source: "places"},
	},
	{Address: netip.MustParseAddr("198.51.100.1"), Origin: traceflow.Origin{ASNs: []uint32{64500, 64501}, Source: "ris"}},
	{
		Address:  netip.MustParseAddr("198.51.100.2"),
		Hostname: traceflow.Hostname{Name: strings.Repeat("a-very-long-name.", 8) + "example.net", Source: "dns"},
		Origin:   traceflow.Origin{ASNs: []uint32{64500}, Name: "EXAMPLE-ACCESS Example Access & Sons", Source: "ris"},
	},
	{
		Address:  netip.MustParseAddr("198.51.100.129"),
		Hostname: traceflow.Hostname{Name: "as64502.ix.example.org", Source: "dns"},
		Port: traceflow.Port{
			IXP: "Example-IX", Prefix: netip.MustParsePrefix("198.51.100.128/25"),
			Member: 64502, MemberName: "Example Hosting", Source: "peeringdb",
		},
	},
	{
		Address:  netip.MustParseAddr("203.0.113.9"),
		Hostname: traceflow.Hostname{Name: "www.example.net", Source: "dns"},
		Origin:   traceflow.Origin{ASNs: []uint32{64502}, Name: "Example \"Hosting\"", Source: "ris"},
		Place:    traceflow.Place{Country: "NL", Source: "places"},
	},
}

// parallel makes TTL 2 the far end of links in parallel, one for each flow but
// for the third, which does not tell. Elsewhere a router tells of one link, and
// the destination of several.
func parallel(e *traceflow.Exchange) {
	index := uint32(e.Flow)
	switch {
	case e.TTL == 1, e.TTL == 2 && e.Flow == 3:
		return
	case e.TTL == 3:
		index = 1073741824
	}
	e.Reply.Interfaces = []traceflow.Interface{{Index: index, Name: "xe-0/0/" + strconv.Itoa(int(index))}}
}

// odd makes a reply one of a path on which everything happens: a NAT behind TTL
// 1, another behind TTL 3, the DSCP set to 0 in between, a router that forwards
// at TTL 0 and two kinds of tunnels.
func odd(e *traceflow.Exchange) {
	r := &e.Reply
	r.QuotedTOS, r.MPLS = 0xb9, nil
	if e.TTL > 2 {
		r.QuotedTOS = 1
	}
	switch {
	case e.TTL > 3:
		r.Quote = &traceflow.QuoteChange{Checksum: 1234, ID: true, Source: netip.AddrPortFrom(netip.MustParseAddr("203.0.113.77"), 9000+uint16(e.Flow))}
	case e.TTL > 1:
		r.Quote = &traceflow.QuoteChange{Checksum: 77}
	}
	switch e.TTL {
	case 2:
		r.Interfaces = []traceflow.Interface{
			{Index: 3, Name: "ge-0/0/1.100", Address: netip.MustParseAddr("100.64.0.1"), MTU: 1500},
			{Role: traceflow.OutgoingInterface, Name: "\x1b[2J"},
		}
	case 3:
		r.MPLS = []traceflow.MPLSLabel{{Label: 24017, Bottom: true, TTL: 251}}
	case 4:
		r.QuotedTTL = 0
	case 6, 7, 8:
		r.QuotedTTL = e.TTL - 4
	}
}

func (g *golden) trace(t *testing.T) *traceflow.Trace {
	t.Helper()
	started := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC)
	from, to, _ := strings.Cut(g.ends, " ")
	out := &traceflow.Trace{
		Version:      "0.0.0-test",
		Destination:  traceflow.Destination{Name: "www.example.net", Address: netip.MustParseAddr(to)},
		VantagePoint: traceflow.VantagePoint{Hostname: "host1.example.net", Address: netip.MustParseAddr(from), Interface: "eth0"},
		Started:      started, Ended: started.Add(500 * time.Millisecond),
		Config: traceflow.Config{
			Protocol: traceflow.ProtocolUDP, Paths: len(g.flows), Confidence: 0.95,
			FirstTTL: max(1, g.first), MaxTTL: 64, SourcePort: 33452, DestinationPort: 33452,
			Rate: 500, Retries: 2, Repeats: 1, Timeout: 3 * time.Second, Seed: 1234567, Wire: "sim",
		},
		Complete: !g.cancelled, StopReason: traceflow.StopFlowsExhausted,
		Guarantee: traceflow.Guarantee{Confidence: 0.95, Alpha: 1, MinShare: 0.75, LimitedHops: []uint8{4}},
	}
	if g.cancelled {
		out.StopReason = traceflow.StopCancelled
	}
	var walks []traceflow.Walk
	for i, line := range g.flows {
		flow := traceflow.Flow{
			ID: i + 1, Protocol: traceflow.ProtocolUDP,
			Source: out.VantagePoint.Address, Destination: out.Destination.Address,
			SourcePort: uint16(33453 + i), DestinationPort: 33452, TOS: g.tos,
		}
		var exchanges []traceflow.Exchange
		for j, cell := range strings.Fields(line) {
			ttl := out.Config.FirstTTL + uint8(j)
			e := traceflow.Exchange{
				Flow: flow.ID, TTL: ttl, Attempt: 1,
				Sent:  started.Add(time.Duration(i*100+j) * time.Millisecond),
				Reply: reply(t, cell, flow.Destination, ttl),
			}
			if g.edit != nil && e.Reply.Kind.Answered() {
				g.edit(&e)
			}
			exchanges = append(exchanges, e)
			out.Stats.Probes++
			if e.Reply.Kind != traceflow.NoReply {
				out.Stats.Replies++
			}
		}
		walk := traceflow.NewWalk(flow, out.Config.FirstTTL, exchanges)
		if walk.End == traceflow.EndUnknown && !g.cancelled {
			walk.End = traceflow.EndSilent
		}
		out.Flows, walks = append(out.Flows, flow), append(walks, walk)
		out.Exchanges = append(out.Exchanges, exchanges...)
	}
	out.Graph = traceflow.NewGraph(walks, out.Exchanges)
	out.Annotations = g.notes
	return out
}

// reply reads a cell of golden.flows.
func reply(t *testing.T, cell string, destination netip.Addr, ttl uint8) traceflow.Reply {
	t.Helper()
	if cell == "*" {
		return traceflow.Reply{}
	}
	address, mark, marked := strings.Cut(cell, "!")
	r := traceflow.Reply{
		Kind: traceflow.TimeExceeded, Address: netip.MustParseAddr(address), ICMPType: 11,
		RTT: time.Duration(ttl) * 1500 * time.Microsecond, TTL: 65 - ttl, HeaderQuoted: true, QuotedTTL: 1,
	}
	if r.Address.Is6() {
		r.ICMPType = 3
	}
	if r.Address == destination && !marked {
		mark, marked = "3/3", true
		if r.Address.Is6() {
			mark = "1/4"
		}
	}
	if !marked {
		if ttl == 2 {
			r.MPLS = []traceflow.MPLSLabel{{Label: 16004, TTL: 1}, {Label: 24001, TC: 5, Bottom: true, TTL: 254}}
		}
		return r
	}
	kinds := map[string]traceflow.ReplyKind{
		"false 3/3": traceflow.PortUnreachable, "false 3/4": traceflow.PacketTooBig, "false 12/0": traceflow.ParameterProblem,
		"true 1/4": traceflow.PortUnreachable, "true 2/0": traceflow.PacketTooBig, "true 4/1": traceflow.ParameterProblem,
	}
	family := "false "
	if r.Address.Is6() {
		family = "true "
	}
	r.Kind = traceflow.Unreachable
	if kind, ok := kinds[family+mark]; ok {
		r.Kind = kind
	}
	icmpType, code, _ := strings.Cut(mark, "/")
	r.ICMPType, r.ICMPCode = number(t, icmpType), number(t, code)
	return r
}

func number(t *testing.T, text string) uint8 {
	t.Helper()
	n := 0
	for _, c := range text {
		n = 10*n + int(c-'0')
	}
	return uint8(n)
}

type format func(io.Writer, *traceflow.Trace, render.Options) error

// writers are the formats by the ends of the golden files' names.
var writers = map[string]format{
	"atlas": render.Atlas, "csv": render.CSV, "dot": render.DOT, "horiz": render.Horiz, "json": render.JSON, "markdown": render.Markdown,
	"mermaid": render.Mermaid, "ndjson": render.NDJSON, "report": render.Report, "scamper": render.Scamper, "text": render.Text, "vert": render.Vert,
}

func TestGolden(t *testing.T) {
	for _, tt := range traces {
		trace := tt.trace(t)
		for format, write := range writers {
			if format == "ndjson" && tt.name != "ipv4" || format != "vert" && format != "horiz" && tt.name == "many-flows" {
				continue // one is enough, and one is large
			}
			t.Run(tt.name+"."+format, func(t *testing.T) {
				var b bytes.Buffer
				if err := write(&b, trace, tt.options); err != nil {
					t.Fatal(err)
				}
				checkGolden(t, filepath.Join("testdata", tt.name+"."+format), b.String())
			})
		}
	}
}

// checkGolden compares what was written with a file.
func checkGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestGoldenFilesInUse finds files that no test writes any more.
func TestGoldenFilesInUse(t *testing.T) {
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file.IsDir() {
			continue // TestSummary's
		}
		name := strings.TrimSuffix(file.Name(), filepath.Ext(file.Name()))
		if !slices.ContainsFunc(traces, func(g golden) bool { return g.name == name }) {
			t.Errorf("testdata/%s belongs to no trace", file.Name())
		}
	}
}

// TestTablesAreTables checks what a script that splits a table relies on:
// every row has the same number of cells, and all cells one width.
func TestTablesAreTables(t *testing.T) {
	for _, tt := range traces {
		for name, write := range map[string]func(io.Writer, *traceflow.Trace, render.Options) error{"vert": render.Vert, "horiz": render.Horiz} {
			t.Run(tt.name+"."+name, func(t *testing.T) {
				var b strings.Builder
				if err := write(&b, tt.trace(t), tt.options); err != nil {
					t.Fatal(err)
				}
				var want []int
				for line := range strings.Lines(b.String()) {
					var got []int
					for cell := range strings.SplitSeq(strings.TrimSuffix(line, " | \n"), " | ") {
						got = append(got, len(cell))
					}
					if want == nil {
						want = got
					}
					if !cmp.Equal(got, want) {
						t.Errorf("cells are %v wide, those of the first row %v: %s", got, want, line)
					}
				}
			})
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWriteErrors(t *testing.T) {
	trace := traces[0].trace(t)
	for name, write := range writers {
		if err := write(brokenWriter{}, trace, render.Options{}); err == nil {
			t.Errorf("%s: no error from a writer that is closed", name)
		}
	}
}
