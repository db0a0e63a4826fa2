// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"traceflow"
	"traceflow/render"
)

// annotated gives the addresses of a trace names and owners: long ones, wide
// ones, and such as would break the drawing.
func annotated(t *testing.T, g *golden) *traceflow.Trace {
	t.Helper()
	trace := g.trace(t)
	known := []struct {
		hostname string
		origin   traceflow.Origin
		port     traceflow.Port
	}{
		{"gw.example.net", traceflow.Origin{ASNs: []uint32{64500}, Name: "EXAMPLE-NET Example Networks"}, traceflow.Port{}},
		{"xe-0-0-1.core1.frankfurt.de.example.net", traceflow.Origin{ASNs: []uint32{64501, 64502}, Name: "TRANSIT Some Transit Company of Some Size"}, traceflow.Port{}},
		{"ae7.東京.example.net", traceflow.Origin{ASNs: []uint32{4200000000}, Name: "日本のネットワーク"}, traceflow.Port{}},
		{"peer.example.net", traceflow.Origin{}, traceflow.Port{IXP: "Example Internet Exchange", Member: 64503, MemberName: "MEMBER"}},
		{"evil\x1b[2J\u202ename\n└ 192.0.2.99`|<b>.example.net", traceflow.Origin{ASNs: []uint32{64504}, Name: "a\tb`|*c"}, traceflow.Port{}},
		{"", traceflow.Origin{ASNs: []uint32{64505}}, traceflow.Port{}},
	}
	var addresses []netip.Addr
	for i := range trace.Graph.Nodes {
		if n := &trace.Graph.Nodes[i]; n.IsValid() && !slices.Contains(addresses, n.Address) {
			addresses = append(addresses, n.Address)
		}
	}
	for i, address := range addresses {
		k := &known[i%len(known)]
		trace.Annotations = append(trace.Annotations, traceflow.Annotation{
			Address: address, Origin: k.origin, Port: k.port, Hostname: traceflow.Hostname{Name: k.hostname, Source: "dns"},
		})
	}
	slices.SortFunc(trace.Annotations, func(a, b traceflow.Annotation) int { return a.Address.Compare(b.Address) })
	trace.DataSets = []traceflow.DataSet{
		{Name: "dns", Kind: "dns"},
		{Name: "table.txt", Kind: "pfx2as", Date: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	return trace
}

var (
	named4 = golden{name: "named4", ends: ipv4, edit: labelled, flows: []string{
		"192.0.2.1 198.51.100.1 198.51.100.11 * * 198.51.100.129 203.0.113.9",
		"192.0.2.1 198.51.100.2 198.51.100.12 * * 198.51.100.129 203.0.113.9",
		"192.0.2.1 198.51.100.1 198.51.100.12 * * 198.51.100.129 203.0.113.9",
		"192.0.2.1 198.51.100.3 198.51.100.12!3/13",
	}}
	named6 = golden{name: "named6", ends: ipv6, flows: []string{
		"2001:db8::1 2001:db8:1111:2222:3333:4444:5555:6666 2001:db8:1111:2222:3333:4444:5555:8888 2001:db8:9999:8888:7777:6666:5555:4444",
		"2001:db8::1 2001:db8:1111:2222:3333:4444:5555:7777 2001:db8:1111:2222:3333:4444:5555:9999 2001:db8:9999:8888:7777:6666:5555:4444",
		"2001:db8::1 2001:db8:1111:2222:3333:4444:5555:6666 2001:db8:1111:2222:3333:4444:5555:9999 2001:db8:9999:8888:7777:6666:5555:4444",
	}}
)

// labelled gives the third hop a label stack for each flow.
func labelled(e *traceflow.Exchange) {
	if e.TTL == 3 {
		e.Reply.MPLS = []traceflow.MPLSLabel{{Label: uint32(24000 + e.Flow), Bottom: true}}
	}
}

// TestTextWidths writes what is annotated to terminals of several widths, and
// wants no line wider but those that hold an address that is.
func TestTextWidths(t *testing.T) {
	var files []string
	for _, g := range []*golden{&named4, &named6} {
		trace := annotated(t, g)
		for _, tt := range []struct {
			name string
			o    render.Options
		}{
			{"pipe", render.Options{}},
			{"160", render.Options{Width: 160}},
			{"100", render.Options{Width: 100}},
			{"80", render.Options{Width: 80}},
			{"80-color", render.Options{Width: 80, Color: true}},
			{"60-ascii", render.Options{Width: 60, ASCII: true}},
			{"20", render.Options{Width: 20}},
		} {
			file := g.name + "-" + tt.name + ".txt"
			files = append(files, file)
			t.Run(file, func(t *testing.T) {
				var b strings.Builder
				if err := render.Text(&b, trace, tt.o); err != nil {
					t.Fatal(err)
				}
				checkGolden(t, filepath.Join("testdata", "text", file), b.String())
				if tt.o.Color || tt.o.Width < 60 || tt.o.Width < 80 && g == &named6 {
					return // there is no room for an address of IPv6 and what it does
				}
				for line := range strings.Lines(b.String()) {
					if n := columns(strings.TrimRight(line, "\n")); tt.o.Width > 0 && n > tt.o.Width {
						t.Errorf("%d columns: %s", n, line)
					}
				}
			})
		}
	}
	for _, g := range []*golden{&named4, &named6} {
		file := g.name + "-markdown.md"
		files = append(files, file)
		var b strings.Builder
		if err := render.Markdown(&b, annotated(t, g), render.Options{}); err != nil {
			t.Fatal(err)
		}
		checkGolden(t, filepath.Join("testdata", "text", file), b.String())
	}
	found, err := os.ReadDir(filepath.Join("testdata", "text"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if !slices.Contains(files, f.Name()) {
			t.Errorf("testdata/text/%s belongs to no test", f.Name())
		}
	}
}

// columns counts those of a terminal: the wide characters here are Han and Kana.
func columns(line string) int {
	n := 0
	for _, r := range line {
		if n++; r >= 0x3000 && r < 0xa000 {
			n++
		}
	}
	return n
}

// TestTextColours wants colours to be all that they change.
func TestTextColours(t *testing.T) {
	for i := range traces {
		trace := traces[i].trace(t)
		var plain, coloured strings.Builder
		if err := render.Text(&plain, trace, render.Options{Width: 70}); err != nil {
			t.Fatal(err)
		}
		if err := render.Text(&coloured, trace, render.Options{Width: 70, Color: true}); err != nil {
			t.Fatal(err)
		}
		text := coloured.String()
		for _, code := range []string{"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m"} {
			text = strings.ReplaceAll(text, code, "")
		}
		if text != plain.String() {
			t.Errorf("%s: colours change the text:\n%s\n%s", traces[i].name, plain.String(), text)
		}
	}
}
