// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"traceflow"
	pic "traceflow/internal/picture" // another test has a function picture
	"traceflow/render"
)

// drawings are traces with something to draw that those of tables lack.
var drawings = []struct {
	golden
	annotations traceflow.Annotations
	after       func(*traceflow.Trace)
}{
	{
		golden: golden{name: "owners", ends: "192.0.2.10 203.0.113.9", edit: slow("198.51.100.66", 38*time.Millisecond), flows: []string{
			"192.0.2.1 192.0.2.33 198.51.100.1 * 198.51.100.65 203.0.113.129 203.0.113.9",
			"192.0.2.1 192.0.2.33 198.51.100.2 198.51.100.34 198.51.100.66 203.0.113.130 203.0.113.9",
			"192.0.2.1 192.0.2.34 198.51.100.3 198.51.100.35 * 203.0.113.131 203.0.113.9",
			"192.0.2.1 192.0.2.34 198.18.0.1 203.0.113.132 203.0.113.9",
			"192.0.2.1 192.0.2.34 198.18.0.1 203.0.113.133 203.0.113.9",
		}},
		annotations: owners(),
	},
	{
		golden: golden{name: "loss", ends: ipv4, flows: slices.Concat(
			slices.Repeat([]string{wayA}, 60),
			slices.Repeat([]string{wayB}, 50),
			slices.Repeat([]string{"192.0.2.1 198.51.100.2 * *"}, 40),
			slices.Repeat([]string{"192.0.2.1 * 198.51.100.129 203.0.113.9"}, 4),
		)},
	},
	{
		golden: golden{name: "tunnels", ends: "10.0.0.10 203.0.113.9", tos: 0xb9, edit: odd, flows: []string{
			"10.0.0.1 100.64.0.1 198.51.100.1 198.51.100.2 198.51.100.2 198.51.100.3 198.51.100.4 198.51.100.5 203.0.113.9",
			"10.0.0.1 100.64.0.2 198.51.100.1 198.51.100.2 198.51.100.2 198.51.100.6 198.51.100.4 198.51.100.5 203.0.113.9",
		}},
	},
	{
		golden: golden{name: "ends", ends: ipv4, flows: []string{
			wayA, wayB,
			"192.0.2.1 198.51.100.2 198.51.100.77!3/13",
			"192.0.2.1 198.51.100.2 * * *",
			"192.0.2.1 198.51.100.3 198.51.100.78 * * *",
		}},
	},
	{
		golden: golden{name: "bar", ends: ipv4, flows: wide(80)},
	},
	{
		golden:      golden{name: "exits", ends: ipv4, flows: times(8, exitLeft, exitRight, exitPort1, exitPort2)},
		annotations: exitOwners(""),
		after: func(t *traceflow.Trace) {
			t.DataSets = []traceflow.DataSet{{Name: "mine", Kind: traceflow.KindPrefixes}}
		},
	},
	{golden: golden{name: "hostile", ends: ipv4, flows: []string{wayA, wayB}}, annotations: hostile(), after: func(t *traceflow.Trace) {
		t.Destination.Name, t.VantagePoint.Hostname = evilText+"dst", evilText+"src"
	}},
}

// evilText is what no output may show as it is.
const evilText = "\x1b[31m</text><script>alert(1)</script>&amp;\"'\u202e\u2066\x00\xff]]>"

func slow(address string, by time.Duration) func(*traceflow.Exchange) {
	a := netip.MustParseAddr(address)
	return func(e *traceflow.Exchange) {
		e.Reply.MPLS = nil
		if e.Reply.Address == a || e.Flow == 2 && e.TTL > 5 {
			e.Reply.RTT += by
		}
	}
}

func owners() traceflow.Annotations {
	var out traceflow.Annotations
	add := func(address, host string, asn uint32, name string) {
		out = append(out, traceflow.Annotation{
			Address: netip.MustParseAddr(address), Hostname: traceflow.Hostname{Name: host},
			Origin: traceflow.Origin{ASNs: []uint32{asn}, Name: name},
		})
	}
	const home, transit, far = "EXAMPLE-HOME", "Example Transit Ltd.", "EXAMPLE-FAR-AWAY Example Hosting and Colocation Services Incorporated"
	add("192.0.2.1", "", 64500, home)
	add("192.0.2.10", "", 64500, home)
	add("192.0.2.33", "core1.home.example.net", 64500, home)
	add("192.0.2.34", "core2.home.example.net", 64500, home)
	for i, last := range []string{"1", "2", "3", "34", "35", "65", "66"} {
		add("198.51.100."+last, fmt.Sprintf("ae%d.cr%d.fra1.transit.example.org", i, i), 64501, transit)
	}
	add("203.0.113.9", "www.example.net", 64502, far)
	for last := 129; last < 134; last++ {
		add(fmt.Sprintf("203.0.113.%d", last), "", 64502, far)
	}
	out = append(out, traceflow.Annotation{
		Address: netip.MustParseAddr("198.18.0.1"),
		Port:    traceflow.Port{IXP: "EXAMPLE-IX", Member: 64502, MemberName: far},
	})
	slices.SortFunc(out, func(a, b traceflow.Annotation) int { return a.Address.Compare(b.Address) })
	return out
}

func hostile() traceflow.Annotations {
	return traceflow.Annotations{{
		Address:  netip.MustParseAddr("198.51.100.1"),
		Hostname: traceflow.Hostname{Name: evilText},
		Origin:   traceflow.Origin{ASNs: []uint32{64500}, Name: evilText},
		Place:    traceflow.Place{City: evilText, Country: evilText},
		Port:     traceflow.Port{IXP: evilText, Member: 1, MemberName: evilText},
	}}
}

// wide has n next hops at TTL 2.
func wide(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("192.0.2.1 198.51.100.%d 198.51.101.1 203.0.113.9", i+1))
	}
	return slices.Concat(out, out[:n/3])
}

// long returns flows that take n ways through 28 layers of a few routers each,
// silent ones among them.
func long(n int) []string {
	r := rand.New(rand.NewPCG(uint64(n), 3))
	var out []string
	for range n {
		cells := []string{"192.0.2.1"}
		lane := r.IntN(min(n, 12))
		for ttl := 2; ttl < 30; ttl++ {
			switch {
			case ttl%7 == 0:
				cells = append(cells, fmt.Sprintf("198.51.%d.200", ttl))
				lane = r.IntN(min(n, 12))
			case ttl%5 == 0 && lane%3 == 0:
				cells = append(cells, "*")
			case ttl%7 == 3:
				cells = append(cells, fmt.Sprintf("198.51.%d.%d", ttl, 1+lane*4+r.IntN(4)))
			default:
				cells = append(cells, fmt.Sprintf("198.51.%d.%d", ttl, 1+lane))
			}
		}
		out = append(out, strings.Join(append(cells, "203.0.113.9"), " "))
	}
	return out
}

// twoResults are what a drawing of a difference is made of: a member that went and
// one that came, beside a missed reply; the same by owners, and an owner who went.
func twoResults(t *testing.T) map[string]*pic.Drawing {
	t.Helper()
	of := func(edit func(*traceflow.Exchange), flows ...string) *pic.Drawing {
		g := golden{name: "merged", ends: "192.0.2.10 203.0.113.9", edit: edit, flows: flows}
		trace := g.trace(t)
		trace.Annotations = owners()
		return pic.Of(trace)
	}
	const (
		one   = "192.0.2.1 192.0.2.33 198.51.100.1 198.51.100.34 198.51.100.65 203.0.113.129 203.0.113.9"
		two   = "192.0.2.1 192.0.2.34 198.51.100.2 198.51.100.35 198.51.100.66 203.0.113.130 203.0.113.9"
		three = "192.0.2.1 192.0.2.34 198.51.100.3 198.51.100.35 198.51.100.66 203.0.113.131 203.0.113.9"
		peer  = "192.0.2.1 192.0.2.34 198.18.0.1 203.0.113.132 203.0.113.9"
		quiet = "192.0.2.1 192.0.2.33 198.51.100.1 * 198.51.100.65 203.0.113.129 203.0.113.9"
	)
	before := of(slow("198.51.100.66", 12*time.Millisecond), one, one, two, peer, peer)
	after := of(slow("198.51.100.66", 38*time.Millisecond), quiet, one, two, three, three)
	merged := pic.Merge(before, after)
	return map[string]*pic.Drawing{"merged": merged, "merged-as": merged.Group(pic.ByAS), "as": after.Group(pic.ByAS)}
}

func drawTwo(t *testing.T, d *pic.Drawing) string {
	t.Helper()
	d.Fold(pic.Dense)
	d.Place(nil)
	var b bytes.Buffer
	if err := render.DrawSVG(&b, d, "src → www.example.net (203.0.113.9)", []string{"What became of it"}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func draw(t *testing.T, trace *traceflow.Trace) string {
	t.Helper()
	var b bytes.Buffer
	if err := render.SVG(&b, trace, render.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSVGGolden(t *testing.T) {
	written := make(map[string]bool)
	check := func(file string, trace *traceflow.Trace) {
		t.Run(file, func(t *testing.T) {
			got := draw(t, trace)
			checkXML(t, got)
			checkGolden(t, file, got)
		})
	}
	for _, g := range traces {
		checkXML(t, draw(t, g.trace(t))) // TestGolden has their files
	}
	for _, d := range drawings {
		trace := d.trace(t)
		trace.Annotations = d.annotations
		if d.after != nil {
			d.after(trace)
		}
		check(filepath.Join("testdata", "svg", d.name+".svg"), trace)
		written[d.name+".svg"] = true
	}
	for name, d := range twoResults(t) {
		t.Run(name, func(t *testing.T) {
			got := drawTwo(t, d)
			checkXML(t, got)
			checkGolden(t, filepath.Join("testdata", "svg", name+".svg"), got)
		})
		written[name+".svg"] = true
	}
	files, err := os.ReadDir(filepath.Join("testdata", "svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !written[file.Name()] {
			t.Errorf("testdata/svg/%s belongs to no trace", file.Name())
		}
	}
}

// drawn are the elements and attributes that a drawing is made of: none of them
// runs anything or fetches anything.
var drawn = map[string][]string{
	"svg":   {"xmlns", "class", "width", "height", "viewBox", "role"},
	"title": nil, "desc": nil, "style": nil,
	"g":      {"class", "transform"},
	"rect":   {"class", "x", "y", "width", "height", "rx"},
	"circle": {"class", "cx", "cy", "r"},
	"path":   {"class", "d", "stroke-width"},
	"text":   {"class", "x", "y"},
}

// checkXML reads a drawing as XML and wants nothing in it but drawn, and no text
// with characters that do harm.
func checkXML(t *testing.T, svg string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			attributes, ok := drawn[token.Name.Local]
			if !ok {
				t.Errorf("element %s", token.Name.Local)
			}
			for _, a := range token.Attr {
				if !slices.Contains(attributes, a.Name.Local) {
					t.Errorf("attribute %s of %s", a.Name.Local, token.Name.Local)
				}
			}
		case xml.CharData:
			if s := strings.ReplaceAll(string(token), "\n", ""); s != render.Printable(s) {
				t.Errorf("text %q", s)
			}
		case xml.EndElement:
		default:
			t.Errorf("%T", token)
		}
	}
}

// TestSVGOfManyPaths draws networks that are too large for golden files. With
// TRACEFLOW_SVG=folder in the environment it leaves them there to look at.
func TestSVGOfManyPaths(t *testing.T) {
	for _, n := range []int{4, 16, 64, 255} {
		g := golden{name: fmt.Sprintf("long-%d", n), ends: ipv4, flows: long(n)}
		trace := g.trace(t)
		got := draw(t, trace)
		checkXML(t, got)
		if again := draw(t, trace); again != got {
			t.Errorf("%d paths are not drawn the same again", n)
		}
		if len(got) > 400_000 {
			t.Errorf("%d paths take %d bytes", n, len(got))
		}
		if dir := os.Getenv("TRACEFLOW_SVG"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, g.name+".svg"), []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestSVGNeedsNothing(t *testing.T) {
	svg := draw(t, traces[0].trace(t))
	svg = strings.Replace(svg, `xmlns="http://www.w3.org/2000/svg"`, "", 1)
	for _, bad := range []string{"http", "url(", "@import", "<script", "href", "data:", "@font-face"} {
		if strings.Contains(svg, bad) {
			t.Errorf("has %q", bad)
		}
	}
	if !strings.Contains(svg, "prefers-color-scheme:dark") {
		t.Error("no dark colours")
	}
}

func TestSVGSays(t *testing.T) {
	tests := []struct {
		name      string
		has, lack []string
	}{
		{"owners", []string{"AS64501 Example Transit Ltd.", "EXAMPLE-IX", ">+40 ms<", "N/A", "inferred", ">no answer<", "AS64502 EXAMPLE-FAR-AWAY Example"}, []string{"% lost<"}},
		{"loss", []string{"% lost<", "the loss persists to the destination", `class="d1 lossy"`}, nil},
		{"bar", []string{"80 next hops", "many next hops, by share", "80 links, "}, []string{"198.51.100.7"}},
		{"tunnels", []string{">NAT<", ">MPLS", "tunnel"}, nil},
		{"ends", []string{">refused<", ">silence<", "1 flow no further: 1 silence"}, nil},
		{"exits", []string{">relax<", ">2 exits<", ">2 ports<", ">port 2 of 2<", "consistent with as-path multipath-relax", "parallel ports of one member", "left by several ways"}, []string{"exits?"}},
		{"hostile", []string{"&lt;script&gt;"}, []string{"<script"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", "svg", tt.name+".svg"))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range tt.has {
				if !strings.Contains(string(text), s) {
					t.Errorf("lacks %q", s)
				}
			}
			for _, s := range tt.lack {
				if strings.Contains(string(text), s) {
					t.Errorf("has %q", s)
				}
			}
		})
	}
}

func TestSVGWriteErrors(t *testing.T) {
	if err := render.SVG(brokenWriter{}, traces[0].trace(t), render.Options{}); err == nil {
		t.Error("no error from a writer that is closed")
	}
}
