// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"image/png"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"traceflow"
	"traceflow/internal/rendertest"
)

// Helpers of the page under test.
const pageScript = `
function all(selector) { return [...document.querySelectorAll(selector)] }
function shown(selector) { return all(selector).filter(e => e.checkVisibility() && e.getBoundingClientRect().width > 0) }
function at(selector, i = 0) { const r = all(selector)[i].getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 } }
function station(address) { return all('[data-n]').find(e => e.dataset.n.endsWith('/' + address)) }
0`

// pageTab is a tab with the page of a trace, from disk.
type pageTab struct {
	*rendertest.Tab
	t *testing.T
}

// chromium starts a browser. It is one process among others: the race detector
// sees nothing of it.
func chromium(t *testing.T) *rendertest.Browser {
	t.Helper()
	if testing.Short() {
		t.Skip("looks at pages; make test does so without the race detector")
	}
	return rendertest.Chromium(t)
}

func openPage(t *testing.T, b *rendertest.Browser, trace *traceflow.Trace, hash string, width, height int64) pageTab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(pageOf(t, trace)), 0o644); err != nil {
		t.Fatal(err)
	}
	address := url.URL{Scheme: "file", Path: file, Fragment: hash}
	tab := pageTab{b.Open(t, address.String(), width, height), t}
	rendertest.Eval[int](tab.Tab, pageScript)
	tab.Wait(`document.querySelector('.scene') && !document.querySelector('.sketched')`)
	return tab
}

// want fails unless an expression of JavaScript becomes a value.
func (p pageTab) want(expression string, want any) {
	p.t.Helper()
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(want); err != nil {
		p.t.Fatal(err)
	}
	wanted, got := strings.TrimSpace(text.String()), ""
	for range 40 {
		if got = rendertest.Eval[string](p.Tab, "JSON.stringify("+expression+")"); got == wanted {
			return
		}
		p.Do(chromedp.Sleep(25 * time.Millisecond))
	}
	p.t.Errorf("%s = %s, want %s", expression, got, wanted)
}

// place is where an element is, by an expression that gives x and y.
func (p pageTab) place(expression string) (x, y float64) {
	p.t.Helper()
	at := rendertest.Eval[struct{ X, Y float64 }](p.Tab, expression)
	return at.X, at.Y
}

func (p pageTab) click(expression string, options ...chromedp.MouseOption) {
	p.t.Helper()
	x, y := p.place(expression)
	p.Do(chromedp.MouseClickXY(x, y, options...))
}

func (p pageTab) keys(keys string, options ...chromedp.KeyOption) {
	p.t.Helper()
	p.Do(chromedp.KeyEvent(keys, options...))
}

// heading is what the card is of.
const heading = `document.querySelector('.card h2').textContent`

func TestPageInBrowser(t *testing.T) {
	b := chromium(t)
	tests := []struct {
		name, network, hash string
		test                func(t *testing.T, p pageTab)
	}{
		{"draws what was seen", "owners", "", drawsWhatWasSeen},
		{"loss alone is red", "loss", "", lossAloneIsRed},
		{"hover", "owners", "", hovers},
		{"click", "owners", "", clicks},
		{"search", "owners", "", searches},
		{"compare", "owners", "", compares},
		{"keyboard alone", "owners", "", keyboardAlone},
		{"address holds the view", "owners", "colour=as&bands=off&silent=folded&theme=dark&path=2&with=4&view=1.500,10,20", addressHoldsTheView},
		{"address of strangers", "owners", "colour=nothing&path=99&node=<b>&view=NaN,1,2&share=-1", strangersAddress},
		{"thresholds", "owners", "delay=30", thresholds},
		{"move and scale", "long-64", "", movesAndScales},
		{"table", "bar", "", twinTable},
		{"bar", "bar", "", barOpensTable},
		{"copy", "owners", "path=2", copies},
		{"export SVG", "long-16", "path=3", exportsSVG},
		{"export PNG", "owners", "", exportsPNG},
		{"export CSV", "owners", "", exportsCSV},
		{"255 paths", "long-255", "", manyPaths},
		{"hostile names", "hostile", "", hostileNames},
		{"names of owners", "owners", "", namesAreTrue(t, "owners")},
		{"names of 16 paths", "long-16", "", namesAreTrue(t, "long-16")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.test(t, openPage(t, b, networkNamed(t, tt.network), tt.hash, 1280, 800))
		})
	}
}

func drawsWhatWasSeen(t *testing.T, p pageTab) {
	d := readPage(t, pageOf(t, networkNamed(t, "owners"))).Drawing
	p.want(`all('[data-n]').length`, len(d.Nodes))
	p.want(`all('[data-l]').length`, len(d.Links))
	p.want(`all('.node.silent').length`, 2)
	p.want(`all('.node.exchange').length`, 1)
	// Dashes for links that are inferred, and for no others.
	p.want(`all('g.link').every(g => (getComputedStyle(g.firstChild).strokeDasharray !== 'none') === g.classList.contains('silent'))`, true)
	p.want(`document.querySelector('h1').textContent.includes('www.example.net (203.0.113.9)')`, true)
	p.want(`document.querySelector('.sure').textContent.includes('95 % confidence')`, true)
}

func lossAloneIsRed(_ *testing.T, p pageTab) {
	const red = `all('.scene .links path:not(.hit)').filter(e => getComputedStyle(e).stroke === 'rgb(200, 32, 10)').length`
	for _, colour := range []string{"delta", "rtt", "loss", "path", "as"} {
		p.Do(chromedp.SetValue(chromedp.CSS("#colour"), colour))
		rendertest.Eval[bool](p.Tab, `document.querySelector('#colour').dispatchEvent(new Event('change'))`)
		p.want(red, 1)
	}
	p.want(`shown('.delay.loss').map(e => e.textContent)`, []string{"44 % lost"})
}

func hovers(_ *testing.T, p pageTab) {
	x, y := p.place(`at('.row', 1)`)
	p.Do(chromedp.MouseEvent(chromedp.MouseMoved, x, y))
	p.want(`all('.strips [data-path]').map(e => e.dataset.path)`, []string{"2"})
	x, y = p.place(`(() => { const r = station('203.0.113.132').getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.bottom - 8 } })()`)
	p.Do(chromedp.MouseEvent(chromedp.MouseMoved, x, y))
	p.want(`document.querySelector('.tip').textContent.startsWith('203.0.113.132')`, true)
	p.want(`shown('.row.hover').map(e => e.id)`, []string{"path-4"})
	p.want(`station('198.51.100.1').classList.contains('dim')`, true)
	p.want(`station('198.18.0.1').classList.contains('dim')`, false)
	p.Do(chromedp.MouseEvent(chromedp.MouseMoved, 3, 3))
	p.want(`shown('.tip').length + all('.dim').length`, 0)
}

func clicks(_ *testing.T, p pageTab) {
	p.click(`at('[data-n="3/198.18.0.1"] .s')`)
	p.want(heading, "198.18.0.1")
	p.want(`document.querySelector('.card').textContent.includes('EXAMPLE-IX')`, true)
	p.want(`shown('.row').map(e => e.id)`, []string{"path-4", "path-5"})
	p.want(`decodeURIComponent(location.hash)`, "#node=3/198.18.0.1")
	p.click(`(() => { const l = all('[data-l]').find(e => e.dataset.l.startsWith('4/198.51.100.34~')); const r = l.getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 } })()`)
	p.want(heading, "Link")
	p.want(`document.querySelector('.card').textContent.includes('39.5 ms')`, true)
	p.click(`at('.row:not([hidden])')`)
	p.want(heading, "Path 2")
	p.keys(kb.Escape)
	p.want(heading, "What stands out")
	p.Do(chromedp.MouseEvent(chromedp.MouseMoved, 3, 3)) // off the row that is below it now
	p.want(`all('.dim').length`, 0)
}

func searches(_ *testing.T, p pageTab) {
	tests := []struct {
		find string
		want []string
	}{
		{"core1", []string{"path-1", "path-2"}},
		{"AS64501 cr4", []string{"path-3"}},
		{"203.0.113.133", []string{"path-5"}},
		{"33454", []string{"path-2"}},
		{"example-ix", []string{"path-4", "path-5"}},
		{"nowhere", []string{}},
	}
	for _, tt := range tests {
		p.find(tt.find)
		p.want(`shown('.row').map(e => e.id)`, tt.want)
		p.keys(kb.Escape)
		p.want(`shown('.row').length`, 5)
		rendertest.Eval[any](p.Tab, `document.activeElement.blur()`)
	}
}

// find goes to the field and writes. The protocol of browsers types the character
// of a key even where a page has used the key up: it is taken away.
func (p pageTab) find(text string) {
	p.t.Helper()
	p.keys("/")
	p.want(`document.activeElement.id`, "find")
	rendertest.Eval[string](p.Tab, `document.activeElement.value = ''`)
	p.keys(text)
}

func compares(_ *testing.T, p pageTab) {
	p.click(`at('.row', 1)`)
	p.click(`at('.row', 3)`, chromedp.ButtonModifiers(chromedp.ModifierShift))
	p.want(heading, "Paths 2 and 4")
	p.want(`all('.strips [data-path]').map(e => e.dataset.path)`, []string{"2", "4"})
	p.want(`all('.card tr.apart').length`, 6)
	p.want(`location.hash`, "#path=2&with=4")
	p.want(`shown('.row[aria-selected=true]').map(e => e.id)`, []string{"path-2", "path-4"})
}

func keyboardAlone(_ *testing.T, p pageTab) {
	p.keys("p")
	p.keys(kb.ArrowDown)
	p.keys(kb.Enter)
	p.want(heading, "Path 2")
	p.keys(kb.ArrowDown + kb.ArrowDown)
	p.keys(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierShift))
	p.want(heading, "Paths 2 and 4")
	p.keys(kb.Escape)
	p.want(heading, "What stands out")
	p.keys("d")
	p.want(`document.activeElement.classList.contains('picture')`, true)
	p.keys(kb.ArrowRight + kb.ArrowRight + kb.ArrowRight)
	p.want(`document.querySelector('.cursor').dataset.n.startsWith('2/')`, true)
	p.keys(kb.ArrowDown)
	p.want(`document.getElementById('live').textContent.startsWith('core2')`, true)
	p.keys(kb.Enter)
	p.want(heading, "core2.home.example.net")
	p.keys("c")
	p.want(`document.querySelector('#colour').value`, "rtt")
	p.keys("g")
	p.want(`shown('.bands rect').length`, 0)
	p.keys("s")
	p.want(`shown('.node.silent').length`, 0)
	p.want(`shown('.runs text').map(e => e.textContent)`, []string{"1 silent", "1 silent"})
	p.keys("t")
	p.want(`shown('#twin table').length`, 3)
	p.keys("t")
	p.keys("?")
	p.want(`document.querySelector('dialog').open`, true)
	p.keys(kb.Escape)
	p.want(`document.querySelector('dialog').open`, false)
	p.want(heading, "core2.home.example.net")
}

func addressHoldsTheView(_ *testing.T, p pageTab) {
	p.want(heading, "Paths 2 and 4")
	p.want(`document.documentElement.dataset.theme`, "dark")
	p.want(`document.querySelector('#colour').value`, "as")
	p.want(`shown('.bands rect').length + shown('.node.silent').length`, 0)
	p.want(`/^translate\(-15.00 .*scale\(1.5000\)$/.test(document.querySelector('.scene').getAttribute('transform'))`, true)
	rendertest.Eval[any](p.Tab, `location.hash = '#path=1'`)
	p.want(heading, "Path 1")
	p.want(`document.documentElement.dataset.theme`, "light")
}

func strangersAddress(_ *testing.T, p pageTab) {
	p.want(heading, "What stands out")
	p.want(`all('.dim').length`, 0)
}

func thresholds(_ *testing.T, p pageTab) {
	p.want(`all('g.link:not(.dim)').length`, 1)
	p.keys(kb.Escape)
	p.want(`all('output').map(e => e.textContent)`, []string{"off", "off", "30 ms", "1", "7"})
}

func movesAndScales(_ *testing.T, p pageTab) {
	const scale = `Number(/scale\((.*)\)/.exec(document.querySelector('.scene').getAttribute('transform'))[1])`
	first := rendertest.Eval[float64](p.Tab, scale)
	x, y := p.place(`at('.picture')`)
	p.want(`all('.ruler text').filter(e => e.getAttribute('display') !== 'none').length > 10`, true)
	p.Do(chromedp.MouseEvent(chromedp.MousePressed, x, y, chromedp.ButtonLeft),
		chromedp.MouseEvent(chromedp.MouseMoved, x+50, y+10, chromedp.ButtonLeft), chromedp.MouseEvent(chromedp.MouseMoved, x+100, y+20, chromedp.ButtonLeft),
		chromedp.MouseEvent(chromedp.MouseReleased, x+100, y+20, chromedp.ButtonLeft))
	p.want(`new URLSearchParams(location.hash.slice(1)).has('view')`, true)
	p.want(heading, "What stands out") // it was no click
	p.keys("+++")
	p.Wait(fmt.Sprintf("%s > %g", scale, 1.5*first))
	p.keys("0")
	p.Wait(fmt.Sprintf("Math.abs(%s - %g) < 0.001", scale, first))
}

func twinTable(_ *testing.T, p pageTab) {
	p.keys("t")
	// 80 next hops stand in one bar, and in 80 rows.
	p.want(`all('#twin table')[0].querySelectorAll('tbody tr').length`, 80+4)
	p.want(`all('#twin table')[1].querySelectorAll('tbody tr').length`, 4)
	p.want(`document.querySelector('.picture').getAttribute('aria-details')`, "twin")
	p.want(`location.hash`, "#table=on")
}

func barOpensTable(_ *testing.T, p pageTab) {
	p.click(`at('.node.bar .s')`)
	p.want(heading, "80 next hops at TTL 2")
	p.want(`all('.card tbody tr').length`, 80)
	p.click(`at('.card tbody button')`)
	p.want(`/^198\.51\.100\.\d+$/.test(`+heading+`)`, true)
	p.want(`document.querySelector('.node.bar').classList.contains('picked')`, true)
}

func copies(_ *testing.T, p pageTab) {
	p.want(`all('.copies [data-copy]').map(e => e.dataset.copy)`, []string{
		"udp 192.0.2.10:33454 > 203.0.113.9:33452",
		"traceflow -P 1 --srcport 33453 -p 33452 203.0.113.9",
		"traceroute -U -q 1 --sport=33454 -p 33452 203.0.113.9",
		"iperf3 -u -c 203.0.113.9 -p 33452 --cport 33454",
	})
	p.click(`at('.copies [data-copy]', 2)`)
	p.want(`document.getElementById('live').textContent`, "Copied: traceroute -U -q 1 --sport=33454 -p 33452 203.0.113.9")
}

// export chooses an entry of the menu.
func (p pageTab) export(entry int) {
	p.t.Helper()
	rendertest.Eval[any](p.Tab, `all('.drop button').find(b => b.textContent === 'Export').click()`)
	p.click(fmt.Sprintf(`at('.drop div:not([hidden]) button', %d)`, entry))
}

func exportsSVG(t *testing.T, p pageTab) {
	p.export(0)
	text := string(p.Download(".svg"))
	for _, bad := range []string{"<script", "href", "url(", "var(", "class=", "style="} {
		if strings.Contains(text, bad) {
			t.Errorf("has %q", bad)
		}
	}
	for _, good := range []string{`stroke="rgb(0, 114, 178)"`, "AS64501 EXAMPLE-TRANSIT", "www.example.net (203.0.113.9)", "stroke-dasharray"} {
		if !strings.Contains(text, good) {
			t.Errorf("lacks %q", good)
		}
	}
	if dir := os.Getenv("TRACEFLOW_HTML"); dir != "" {
		_ = os.WriteFile(filepath.Join(dir, "exported.svg"), []byte(text), 0o644)
	}
	var any struct{}
	if err := xml.Unmarshal([]byte(text), &any); err != nil {
		t.Error(err)
	}
}

func exportsPNG(t *testing.T, p pageTab) {
	p.export(1)
	data := p.Download(".png")
	image, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	colours := make(map[any]bool)
	for x := range image.Bounds().Dx() {
		for y := range image.Bounds().Dy() {
			colours[image.At(x, y)] = true
		}
	}
	if len(colours) < 50 || image.Bounds().Dx() < 1000 {
		t.Errorf("%d colours, %v", len(colours), image.Bounds())
	}
	if dir := os.Getenv("TRACEFLOW_HTML"); dir != "" {
		_ = os.WriteFile(filepath.Join(dir, "exported.png"), data, 0o644)
	}
}

func exportsCSV(t *testing.T, p pageTab) {
	p.export(2)
	rows, err := csv.NewReader(bytes.NewReader(p.Download(".csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := 1 + 3*7 + 2*5; len(rows) != want {
		t.Errorf("%d rows, want %d", len(rows), want)
	}
	if got := rows[1][6]; got != "192.0.2.1" {
		t.Errorf("first hop %q", got)
	}
}

func manyPaths(t *testing.T, p pageTab) {
	p.want(`shown('.row').length`, 255)
	p.click(`at('.row', 4)`)
	p.want(heading, "Path 5")
	p.want(`all('.node:not(.dim)').length`, 31)
	p.find("198.51.8.3")
	p.Wait(`shown('.row').length < 255 && shown('.row').length > 0`)
	t.Logf("another colour took %.0f ms", rendertest.Eval[float64](p.Tab,
		`(() => { const t = performance.now(); document.dispatchEvent(new KeyboardEvent('keydown', { key: 'c' })); return performance.now() - t })()`))
	p.want(`document.querySelector('#colour').value`, "rtt")
}

func hostileNames(_ *testing.T, p pageTab) {
	p.want(`document.scripts.length`, 2)
	p.want(`document.querySelector('h1').textContent.includes('<script>alert(1)</script>')`, true)
	p.click(`at('[data-n="2/198.51.100.1"] .s')`)
	p.want(heading+`.includes('<script>alert(1)</script>')`, true)
	p.keys("t")
	p.want(`document.querySelector('#twin').textContent.includes('<script>alert(1)</script>')`, true)
	p.want(`document.body.innerHTML.includes('\u202e') || document.title.includes('\u202e')`, false)
	p.want(`document.scripts.length`, 2)
}

// TestPageForEverybody has axe-core look for what keeps people from using the
// page: colours too alike, elements without a name, and the like.
func TestPageForEverybody(t *testing.T) {
	b := chromium(t)
	tests := []struct {
		name, network, hash string
		width, height       int64
	}{
		{"light", "owners", "", 1280, 800},
		{"dark", "owners", "theme=dark", 1280, 800},
		{"station", "owners", "node=3/198.18.0.1", 1280, 800},
		{"dark path", "loss", "path=2&theme=dark&colour=path", 1280, 800},
		{"compared", "owners", "path=2&with=4", 1280, 800},
		{"table", "loss", "table=on", 1280, 800},
		{"bar", "bar", "node=2/bar", 1280, 800},
		{"group", "owners", "group=as&node=as64501", 1280, 800},
		{"telephone", "long-16", "", 390, 844},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			everybodyCanUse(t, openPage(t, b, networkNamed(t, tt.network), tt.hash, tt.width, tt.height))
		})
	}
}

// everybodyCanUse has axe-core look at a page.
func everybodyCanUse(t *testing.T, p pageTab) {
	t.Helper()
	axe, err := os.ReadFile(filepath.Join("..", "internal", "page", "node_modules", "axe-core", "axe.min.js"))
	rendertest.Require(t, err == nil, "axe-core: make page")
	rendertest.Eval[any](p.Tab, string(axe)+";0")
	got := rendertest.Eval[[]struct {
		ID, Impact, Help string
		Nodes            []struct{ HTML, FailureSummary string }
	}](p.Tab, `axe.run(document, { resultTypes: ['violations'] }).then(r => r.violations)`)
	for _, v := range got {
		if v.Impact == "serious" || v.Impact == "critical" {
			t.Errorf("%s (%s): %s\n%.3v", v.ID, v.Impact, v.Help, v.Nodes[:min(3, len(v.Nodes))])
		} else {
			t.Logf("%s (%s): %s", v.ID, v.Impact, v.Help)
		}
	}
}
