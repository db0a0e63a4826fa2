// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"traceflow"
	"traceflow/internal/rendertest"
	"traceflow/internal/web"
	"traceflow/render"
)

// livePage is a page that a server shows while a trace goes on, in a tab.
type livePage struct {
	pageTab
	server *web.Server
	wire   *cutListener
	pages  render.Pages
}

// cutListener listens where connections may be cut, as if the program had been
// killed: who connects meanwhile is sent away.
type cutListener struct {
	net.Listener

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

func (l *cutListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		l.mu.Lock()
		cut := l.cut
		l.conns = append(l.conns, c)
		l.mu.Unlock()
		if !cut {
			return c, nil
		}
		_ = c.Close()
	}
}

func (l *cutListener) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if cut {
		for _, c := range l.conns {
			_ = c.Close()
		}
		l.conns = nil
	}
}

// growing is a trace after so many of the flows of a larger one.
func growing(t *testing.T, flows, of int) *traceflow.Trace {
	t.Helper()
	g := golden{name: "growing", ends: ipv4, flows: long(of)[:flows], edit: far}
	trace := g.trace(t)
	trace.Annotations = regions()
	return trace
}

// openLive opens the page of a trace that is being measured.
func openLive(t *testing.T, b *rendertest.Browser, first *traceflow.Trace, hash string) *livePage {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &livePage{wire: &cutListener{Listener: l}}
	p.t = t
	title, data := p.next(first, true)
	p.server = web.New(p.wire, title, data)
	done := make(chan error, 1)
	go func() { done <- p.server.Serve() }()
	t.Cleanup(func() {
		p.server.Close("The test is over.")
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	p.Tab = b.OpenServed(t, "http://"+l.Addr().String(), "/"+hash, 1280, 800)
	rendertest.Eval[int](p.Tab, pageScript)
	p.Wait(`document.querySelector('.node')`)
	return p
}

func (p *livePage) next(trace *traceflow.Trace, measuring bool) (title string, data []byte) {
	p.t.Helper()
	title, data, err := p.pages.Next(trace, measuring)
	if err != nil {
		p.t.Fatal(err)
	}
	return title, data
}

// show has the page show another state of the trace.
func (p *livePage) show(trace *traceflow.Trace, measuring bool) {
	p.t.Helper()
	p.server.Show(p.next(trace, measuring))
}

// becomes waits for the page to have so many paths. How soon it has depends on what
// else the machine does.
func (p *livePage) becomes(paths int) {
	p.t.Helper()
	p.Wait(fmt.Sprintf(`document.querySelector('.facts b').textContent === '%d paths'`, paths))
}

// What the header says, and where the drawing is.
const (
	pathCount = `document.querySelector('.facts b').textContent`
	banner    = `shown('.banner').map(e => e.textContent.split('.')[0])`
	transform = `document.querySelector('.scene').getAttribute('transform')`
)

// TestPageLive has a page grow under the hands of its user.
func TestPageLive(t *testing.T) {
	b := chromium(t)
	tests := []struct {
		name string
		test func(t *testing.T, b *rendertest.Browser)
	}{
		{"fits itself to what grows", growsToFit},
		{"keeps what the user did", keepsHands},
		{"what is gone is unpicked", unpicksGone},
		{"nothing is exchanged under a finger", waitsForFinger},
		{"pause", pauses},
		{"hidden tab", restsWhileHidden},
		{"goodbye", saysGoodbye},
		{"server goes away and comes back", comesBack},
		{"255 paths, again and again", bearsManyPaths},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, b) })
	}
}

func growsToFit(t *testing.T, b *rendertest.Browser) {
	p := openLive(t, b, growing(t, 2, 16), "")
	p.becomes(2)
	p.want(`shown('.progress').map(e => e.querySelector('[role=status] span').textContent)`, []string{"measuring…"})
	p.want(`document.title.endsWith('· traceflow')`, true)
	before := rendertest.Eval[string](p.Tab, transform)
	p.show(growing(t, 16, 16), true)
	p.becomes(16)
	p.want(`shown('.row').length`, 16)
	p.want(`all('.scene').length`, 1)
	if now := rendertest.Eval[string](p.Tab, transform); now == before {
		t.Errorf("still %s", now)
	}
	p.want(`(() => { const s = document.querySelector('.picture').getBoundingClientRect();
		return all('.node .s').every(e => { const r = e.getBoundingClientRect(); return r.left >= s.left && r.right <= s.right && r.top >= s.top && r.bottom <= s.bottom }) })()`, true)
	p.show(growing(t, 16, 16), false)
	p.Wait(`shown('.progress').length === 0`)
}

func keepsHands(t *testing.T, b *rendertest.Browser) {
	p := openLive(t, b, growing(t, 12, 16), "#view=1.200,300,10&theme=dark&colour=rtt&path=3&with=5")
	const kept = `[document.activeElement.className, document.activeElement.textContent, document.querySelector('.card').scrollTop, document.querySelector('.rows').scrollTop,
		shown('.drop div').length, /^translate\(\S+ /.exec(` + transform + `)[0], ` + heading + `, document.documentElement.dataset.theme,
		all('.strips [data-path]').map(e => e.dataset.path).join(), document.querySelector('.card dt') === window.first]`
	p.Wait(`shown('.row').length === 12`)
	rendertest.Eval[any](p.Tab, `(() => {
		all('.drop > button')[0].click();
		all('.card button.link')[12].focus({ preventScroll: true });
		document.querySelector('.card').scrollTop = 150;
		document.querySelector('.rows').scrollTop = 90;
		window.first = document.querySelector('.card dt');
	})()`)
	before := rendertest.Eval[[]any](p.Tab, kept)
	if before[2] != 150.0 || before[3] != 90.0 || before[5] != "translate(-360.00 " || before[6] != "Paths 3 and 5" {
		t.Fatal(before)
	}
	for _, flows := range []int{13, 16} {
		p.show(growing(t, flows, 16), true)
		p.becomes(flows)
		p.want(kept, before)
	}
	// What lies under the mouse stays marked, and what is written stays written.
	p.find("198.51.9")
	x, y := p.place(`at('.row:not([hidden])', 1)`)
	p.Do(chromedp.MouseEvent(chromedp.MouseMoved, x, y))
	strip := rendertest.Eval[string](p.Tab, `document.querySelector('.strips [data-path]').dataset.path`)
	p.show(growing(t, 15, 16), true)
	p.becomes(15)
	p.want(`document.querySelector('.strips [data-path]').dataset.path`, strip)
	p.want(`document.activeElement.id + document.activeElement.value`, "find198.51.9")
}

func unpicksGone(t *testing.T, b *rendertest.Browser) {
	p := openLive(t, b, growing(t, 16, 16), "#path=16")
	p.want(heading, "Path 16")
	p.show(growing(t, 4, 16), true)
	p.becomes(4)
	p.want(heading, "What stands out")
	p.want(`document.getElementById('live').textContent`, "What was picked is no longer in the picture.")
	p.want(`location.hash`, "")
	p.want(`all('.dim').length`, 0)
}

func waitsForFinger(t *testing.T, b *rendertest.Browser) {
	p := openLive(t, b, growing(t, 4, 16), "")
	rendertest.Eval[any](p.Tab, `(() => { window.row = all('.row')[2]; window.scene = document.querySelector('.scene') })()`)
	x, y := p.place(`at('.node.source .s')`)
	p.Do(chromedp.MouseEvent(chromedp.MousePressed, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	p.show(growing(t, 8, 16), true)
	rendertest.Eval[any](p.Tab, `new Promise(done => setTimeout(done, 500))`)
	p.want(`document.querySelector('.scene') === window.scene`, true)
	p.Do(chromedp.MouseEvent(chromedp.MouseReleased, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	p.want(heading, "Source host1.example.net")
	p.becomes(8)
	p.want(`all('.row')[2] === window.row`, true) // a row is not made anew
}

func pauses(t *testing.T, b *rendertest.Browser) {
	p := openLive(t, b, growing(t, 2, 16), "")
	p.click(`at('.progress button')`)
	p.want(`document.querySelector('.progress').textContent.startsWith('paused')`, true)
	p.show(growing(t, 3, 16), true)
	p.show(growing(t, 5, 16), false)
	rendertest.Eval[any](p.Tab, `new Promise(done => setTimeout(done, 600))`)
	p.want(pathCount, "2 paths")
	p.keys("l")
	p.becomes(5)
	p.Wait(`shown('.progress').length === 0`)
}

func restsWhileHidden(t *testing.T, b *rendertest.Browser) {
	p := openLive(t, b, growing(t, 2, 16), "")
	const hide = `(yes => { Object.defineProperty(document, 'hidden', { value: yes, configurable: true }); document.dispatchEvent(new Event('visibilitychange')) })`
	const asked = `performance.getEntriesByType('resource').filter(e => e.name.endsWith('/data')).length`
	rendertest.Eval[any](p.Tab, hide+"(true)")
	before := rendertest.Eval[int](p.Tab, asked)
	p.show(growing(t, 6, 16), true)
	rendertest.Eval[any](p.Tab, `new Promise(done => setTimeout(done, 500))`)
	p.want(asked, before)
	p.want(pathCount, "2 paths")
	rendertest.Eval[any](p.Tab, hide+"(false)")
	p.becomes(6)
	p.want(asked, before+1)
}

func saysGoodbye(t *testing.T, b *rendertest.Browser) {
	p := openLive(t, b, growing(t, 4, 16), "")
	p.want(banner, []string{})
	p.server.Close("traceflow has <b>ended</b>.")
	p.want(banner, []string{"traceflow has <b>ended</b>"})
	p.Wait(`shown('.progress').length === 0`)
	p.find("198.51.3")
	p.want(`shown('.row').length > 0`, true)
	rendertest.Eval[any](p.Tab, `document.activeElement.blur()`)
	p.export(2)
	if rows := strings.Count(string(p.Download(".csv")), "\n"); rows != 1+4*30 {
		t.Errorf("%d rows", rows)
	}
	rendertest.Eval[any](p.Tab, `all('.drop button').find(b => b.textContent.startsWith('Copy link')).click()`)
	p.want(`document.getElementById('live').textContent.startsWith('Copied: http://127.0.0.1:')`, true)
	p.want(`document.getElementById('live').textContent.endsWith('/#find=198.51.3')`, true)
}

func comesBack(t *testing.T, b *rendertest.Browser) {
	p := openLive(t, b, growing(t, 4, 16), "")
	p.wire.set(true)
	rendertest.Eval[any](p.Tab, `new Promise(done => setTimeout(done, 300))`)
	p.want(`shown('.banner').length`, 0) // not at once
	p.Wait(`shown('.banner').length`)
	p.want(banner, []string{"No connection to traceflow; trying again"})
	p.click(`at('.row', 1)`)
	p.want(heading, "Path 2")
	p.show(growing(t, 9, 16), true)
	p.wire.set(false)
	p.Wait(`shown('.banner').length === 0`)
	p.becomes(9)
	p.want(heading, "Path 2")
}

// bearsManyPaths logs what taking new data costs where there are many.
func bearsManyPaths(t *testing.T, b *rendertest.Browser) {
	p := openLive(t, b, growing(t, 250, 255), "#path=7")
	p.Wait(`shown('.row').length === 250`)
	rendertest.Eval[any](p.Tab, `(() => { window.longest = window.beats = window.taken = 0; let last = performance.now();
		setInterval(() => { const now = performance.now(); longest = Math.max(longest, now - last); last = now; beats++ }, 10);
		new MutationObserver(() => taken++).observe(document.querySelector('.facts'), { childList: true, subtree: true, characterData: true }) })()`)
	states := make([]*traceflow.Trace, 0, 5)
	for flows := 251; flows <= 255; flows++ {
		states = append(states, growing(t, flows, 255))
	}
	for range 2 {
		for _, s := range states {
			p.show(s, true)
			rendertest.Eval[any](p.Tab, `new Promise(done => setTimeout(done, 250))`)
		}
	}
	p.becomes(255)
	p.want(heading, "Path 7")
	p.want(`all('.scene').length`, 1)
	longest := rendertest.Eval[float64](p.Tab, `longest`)
	t.Logf("%d of 10 states shown; the user waited for %.0f ms at most", rendertest.Eval[int](p.Tab, `taken`), longest)
}
