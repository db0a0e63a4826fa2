// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/internal/diff"
	"traceflow/internal/plan"
	"traceflow/internal/rendertest"
	"traceflow/render"
)

// Ways out of AS64500: by a border with two neighbours, one of them on an exchange,
// by another border with two ports of one member there, and by silence.
const (
	exitLeft  = "192.0.2.1 192.0.2.9 198.51.100.1 198.51.100.9 203.0.113.1 203.0.113.9"
	exitRight = "192.0.2.1 192.0.2.9 198.18.0.21 198.51.100.137 203.0.113.1 203.0.113.9"
	exitPort1 = "192.0.2.1 192.0.2.17 198.18.0.11 198.51.100.9 203.0.113.1 203.0.113.9"
	exitPort2 = "192.0.2.1 192.0.2.17 198.18.0.12 198.51.100.9 203.0.113.1 203.0.113.9"
	exitMute  = "192.0.2.1 192.0.2.9 * 198.51.100.9 203.0.113.1 203.0.113.9"
)

// exitOwners know the addresses of these; the names of the next ASes and of the
// exchange have more in them.
func exitOwners(more string) traceflow.Annotations {
	var out traceflow.Annotations
	own := func(source string, asn uint32, name string, addresses ...string) {
		for _, a := range addresses {
			address := netip.MustParseAddr(a)
			prefix, _ := address.Prefix(26)
			out = append(out, traceflow.Annotation{Address: address, Origin: traceflow.Origin{ASNs: []uint32{asn}, Name: name, Prefix: prefix, Source: source}})
		}
	}
	port := func(a string, asn uint32, name string) {
		out = append(out, traceflow.Annotation{Address: netip.MustParseAddr(a), Port: traceflow.Port{
			IXP: "EX-IX" + more, Prefix: netip.MustParsePrefix("198.18.0.0/24"), Member: asn, MemberName: name, Source: "ixps",
		}})
	}
	own("mine", 64500, "EXAMPLE-NET", "192.0.2.1", "192.0.2.9", "192.0.2.10", "192.0.2.17")
	port("198.18.0.11", 64501, "LEFT"+more)
	port("198.18.0.12", 64501, "LEFT"+more)
	port("198.18.0.21", 64502, "RIGHT"+more)
	own("table", 64501, "LEFT"+more, "198.51.100.1", "198.51.100.9")
	own("table", 64502, "RIGHT"+more, "198.51.100.137")
	own("table", 64503, "FAR", "203.0.113.1", "203.0.113.9")
	slices.SortFunc(out, func(a, b traceflow.Annotation) int { return a.Address.Compare(b.Address) })
	return out
}

// withExits is a trace of flows over these ways.
func withExits(t *testing.T, more string, flows ...string) *traceflow.Trace {
	t.Helper()
	g := golden{name: "exits", ends: ipv4, flows: flows}
	trace := g.trace(t)
	trace.Annotations = exitOwners(more)
	trace.DataSets = []traceflow.DataSet{{Name: "ixps", Kind: "peeringdb"}, {Name: "mine", Kind: traceflow.KindPrefixes}, {Name: "table", Kind: "riswhois"}}
	return trace
}

func manyExits(t *testing.T, more string) *traceflow.Trace {
	t.Helper()
	return withExits(t, more, times(8, exitLeft, exitRight, exitPort1, exitPort2)...)
}

// pageExits is what a page says of exits.
type pageExits struct {
	Exits []struct {
		Status, Class, Word, Sure, From, Near string
		Destinations                          bool
		Evidence                              []string
		Branches                              []struct {
			Leave, Enter   []string
			AS, IXP, Known string
			Flows          int
		}
	}
	Flows []struct{ To string }
}

func exitsOfPage(t *testing.T, page string) (p pageExits) {
	t.Helper()
	data := dataOfPage.FindStringSubmatch(page)
	if data == nil {
		t.Fatal("no data")
	}
	if err := json.Unmarshal([]byte(data[1]), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPageExits(t *testing.T) {
	tests := []struct {
		name  string
		flows []string
		want  []string
	}{
		{"all kinds", times(8, exitLeft, exitRight, exitPort1, exitPort2), []string{
			"multi-exit at 1/192.0.2.1: medium confidence: 2/192.0.2.9 > 3/198.18.0.21 AS64502 RIGHT EX-IX 8, 2/192.0.2.9 > 3/198.51.100.1 AS64501 LEFT 8, 2/192.0.2.17 > 3/198.18.0.11 AS64501 LEFT EX-IX 8, 2/192.0.2.17 > 3/198.18.0.12 AS64501 LEFT EX-IX 8",
			"relax-border at 2/192.0.2.9: medium confidence: 2/192.0.2.9 > 3/198.18.0.21 AS64502 RIGHT EX-IX 8, 2/192.0.2.9 > 3/198.51.100.1 AS64501 LEFT 8",
			"ixp-parallel at 2/192.0.2.17: medium confidence: 2/192.0.2.17 > 3/198.18.0.11 AS64501 LEFT EX-IX 8, 2/192.0.2.17 > 3/198.18.0.12 AS64501 LEFT EX-IX 8",
		}},
		{"undetermined, and why", times(8, exitLeft, exitRight, exitMute), []string{
			"undetermined at 2/192.0.2.9: not every flow was answered where they part: 2/192.0.2.9 > 3/198.18.0.21 AS64502 RIGHT EX-IX 8, 2/192.0.2.9 > 3/198.51.100.1 AS64501 LEFT 8",
		}},
		{"one way", times(8, exitLeft), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, x := range exitsOfPage(t, pageOf(t, withExits(t, "", tt.flows...))).Exits {
				var ways []string
				for _, b := range x.Branches {
					ways = append(ways, strings.Join(strings.Fields(fmt.Sprintf("%s > %s %s %s %d", strings.Join(b.Leave, "+"), strings.Join(b.Enter, "+"), b.AS, b.IXP, b.Flows)), " "))
				}
				got = append(got, fmt.Sprintf("%s at %s: %s: %s", x.Class, x.Near, x.Sure, strings.Join(ways, ", ")))
				if x.Word == "" || len(x.Evidence) == 0 || x.From != "AS64500 EXAMPLE-NET" {
					t.Errorf("no words: %+v", x)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestPageExitsHostile has names that are no text.
func TestPageExitsHostile(t *testing.T) {
	var b strings.Builder
	if err := render.HTML(&b, manyExits(t, evilText), render.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\u202e", "\x1b", "<script>alert"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

// TestFlowsToAddresses tests that what was sent elsewhere is not told as sent to the
// destination.
func TestFlowsToAddresses(t *testing.T) {
	trace := manyExits(t, "")
	for i := range trace.Flows {
		if i%2 == 1 {
			trace.Flows[i].Destination = netip.AddrFrom4([4]byte{203, 0, 113, byte(20 + i)})
		}
	}
	told := exitsOfPage(t, pageOf(t, trace))
	for i, f := range told.Flows {
		want := ""
		if i%2 == 1 {
			want = fmt.Sprintf("203.0.113.%d", 20+i)
		}
		if f.To != want {
			t.Errorf("flow %d goes to %q, want %q", i, f.To, want)
		}
	}
	var b strings.Builder
	if err := render.Summary(&b, trace); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "32 flows to 17 addresses of 203.0.113.0/24, ") {
		t.Errorf("the summary does not say where flows went:\n%s", &b)
	}
}

// TestDifferenceOfExits has relax turned off and on, ports for neighbours, and what
// may be chance: the drawing says no more than the verdict.
func TestDifferenceOfExits(t *testing.T) {
	relax := times(16, exitLeft, exitRight)
	tests := []struct {
		name          string
		before, after []string
		verdict       string   // a kind of change, "" for none
		want          []string // exits of the drawing
	}{
		{"off", relax, times(32, exitLeft), "relax-off", []string{"gone relax-border"}},
		{"on", times(32, exitLeft), relax, "relax-on", []string{"new relax-border"}},
		{"unchanged", relax, relax, "", []string{" relax-border"}},
		{"silent afterwards", relax, times(16, exitLeft, exitMute), "", []string{}},
		{"silent before", times(16, exitLeft, exitMute), relax, "", []string{" relax-border"}},
		{"moved to the other border", relax, times(16, exitPort1, exitPort2), "", []string{" ixp-parallel"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := differenceOf(t, sides{"www.example.net", tt.before, tt.after})
			for _, s := range []*render.Compared{&d.Before, &d.After} {
				for i := range s.Snapshot.Targets {
					for _, pass := range s.Snapshot.Targets[i].Passes {
						of := withExits(t, "", exitLeft)
						pass.Annotations, pass.DataSets = of.Annotations, of.DataSets
					}
				}
			}
			compareAgain(t, d)
			var kinds, got []string
			for i := range d.Report.Changes {
				kinds = append(kinds, string(d.Report.Changes[i].Kind))
			}
			if tt.verdict != "" != slices.ContainsFunc(kinds, func(k string) bool { return strings.HasPrefix(k, "relax-") }) || tt.verdict != "" && !slices.Contains(kinds, tt.verdict) {
				t.Errorf("the verdict has %v, want %q", kinds, tt.verdict)
			}
			page := differenceAs(t, render.DifferenceHTML, d, render.Options{})
			for _, x := range exitsOfPage(t, page).Exits {
				got = append(got, x.Status+" "+x.Class)
			}
			slices.Sort(got)
			slices.Sort(tt.want)
			if diff := cmp.Diff(tt.want, append([]string{}, got...)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if tt.verdict != "" && !strings.Contains(page, tt.verdict) && !strings.Contains(page, "as-path relax") {
				t.Error("the page does not say so")
			}
			svg := differenceAs(t, render.DifferenceSVG, d, render.Options{})
			checkXML(t, svg)
			if strings.Contains(svg, ">− relax<") != (tt.verdict == "relax-off") || strings.Contains(svg, ">+ relax<") != (tt.verdict == "relax-on") {
				t.Error("the SVG says something else")
			}
		})
	}
}

// compareAgain compares what was changed in snapshots.
func compareAgain(t *testing.T, d *render.Difference) {
	t.Helper()
	var err error
	if d.Report, err = diff.Snapshots(d.Before.Snapshot, d.After.Snapshot, nil, plan.Policy{}); err != nil {
		t.Fatal(err)
	}
}

func TestPageExitsInBrowser(t *testing.T) {
	b := rendertest.Chromium(t)
	tests := []struct {
		name string
		test func(t *testing.T, p pageTab)
	}{
		{"says what leaves where", exitsAreTold},
		{"by keyboard", exitsByKeyboard},
		{"table", exitsInTable},
		{"owners", exitsOfOwners},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.test(t, openPage(t, b, manyExits(t, "<b>&amp;"), "", 1280, 800))
		})
	}
	for _, hash := range []string{"", "theme=dark", "node=2/192.0.2.9", "node=3/198.18.0.11&theme=dark", "table=on", "group=as"} {
		t.Run("for everybody "+hash, func(t *testing.T) {
			everybodyCanUse(t, openPage(t, b, manyExits(t, ""), hash, 1280, 800))
		})
	}
	t.Run("undetermined", func(t *testing.T) {
		p := openPage(t, b, withExits(t, "", times(8, exitLeft, exitRight, exitMute)...), "", 1280, 800)
		p.want(`all('.node .tag text').map(e => e.textContent)`, []string{"exits?"})
		p.want(`getComputedStyle(document.querySelector('.tag rect')).strokeDasharray !== 'none'`, true)
		p.want(`document.querySelector('.exits b').textContent`, "undetermined")
		p.want(`document.querySelector('.exits').textContent.includes('not every flow was answered where they part')`, true)
	})
}

func exitsAreTold(_ *testing.T, p pageTab) {
	p.want(`all('.node .tag text').map(e => e.textContent).sort()`, []string{"2 exits", "2 ports", "port 1 of 2", "port 2 of 2", "relax"})
	p.want(`all('.legend span').filter(e => e.textContent.includes('left by several ways')).length`, 1)
	p.want(`all('.card .exits > li').length`, 3)
	p.want(`all('.card .exits > li > b').map(e => e.textContent)`, []string{
		"several exits, as by iBGP multipath or borders at equal distance", "consistent with as-path multipath-relax", "parallel ports of one member",
	})
	p.want(`document.querySelector('.card').textContent.includes('LEFT<b>&amp;')`, true)
	p.want(`all('b b').length`, 0)
	// No tag stands on another, nor on a station.
	p.want(`(() => { const t = all('.tag rect').map(e => e.getBoundingClientRect()), s = all('.node > .s').map(e => e.getBoundingClientRect());
		const over = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
		return t.some((a, i) => t.slice(i + 1).some(b => over(a, b)) || s.some(b => over(a, b))) })()`, false)
	p.click(`(() => { const r = station('192.0.2.17').querySelector('.tag').getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 } })()`)
	p.want(`document.querySelector('.tip').textContent.includes('exits: parallel ports of one member (medium confidence)')`, false)
	p.want(heading, "192.0.2.17")
	p.want(`all('.card h3').map(e => e.textContent).filter(t => t.startsWith('Exits'))`, []string{"Exits from here on", "Exits by it"})
	p.click(`(() => { const r = station('198.18.0.12').querySelector('.s').getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 } })()`)
	p.want(heading, "198.18.0.12")
	p.want(`document.querySelector('.card .exits').textContent.includes('port 2 of 2 parallel ports of AS64501 LEFT<b>&amp; at EX-IX<b>&amp;')`, true)
	p.want(`all('.card .exits button').some(b => b.textContent === '198.18.0.11')`, true)
}

func exitsByKeyboard(_ *testing.T, p pageTab) {
	p.keys("d")
	for range 3 {
		p.keys(kb.ArrowRight)
	}
	p.want(`document.getElementById('live').textContent.includes('exits: ')`, true)
}

func exitsInTable(_ *testing.T, p pageTab) {
	p.keys("t")
	p.want(`all('.twin caption').map(e => e.textContent)[2]`, "Exits (8)")
	p.want(`all('.twin table')[2].textContent.includes('consistent with as-path multipath-relax')`, true)
	p.want(`all('.twin table')[2].querySelectorAll('tbody tr').length`, 8)
}

func exitsOfOwners(_ *testing.T, p pageTab) {
	p.choose("#group", "as")
	p.want(`all('.node .tag text').map(e => e.textContent).sort()`, []string{"2 exits", "2 ports", "relax"})
	p.want(`document.querySelector('.card .exits button').textContent`, "192.0.2.1")
}

// TestExitsLive has exits come while a trace is measured.
func TestExitsLive(t *testing.T) {
	b := rendertest.Chromium(t)
	all := times(8, exitLeft, exitRight, exitPort1, exitPort2)
	p := openLive(t, b, withExits(t, "", all[:1]...), "")
	p.want(`all('.tag').length`, 0)
	p.show(withExits(t, "", all[:16]...), true)
	p.becomes(4)
	p.want(`all('.tag').length > 0`, true)
	p.want(`all('.card h3').map(e => e.textContent).includes('Exits so far')`, true)
	p.show(withExits(t, "", all...), false)
	p.want(`all('.node .tag text').map(e => e.textContent).sort()`, []string{"2 exits", "2 ports", "port 1 of 2", "port 2 of 2", "relax"})
	p.want(`all('.card h3').map(e => e.textContent).includes('Exits')`, true)
}
