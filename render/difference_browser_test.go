// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"traceflow/internal/rendertest"
	"traceflow/render"
)

// openDifference opens the page of a difference, from disk.
func openDifference(t *testing.T, b *rendertest.Browser, d *render.Difference, hash string) pageTab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "diff.html")
	if err := os.WriteFile(file, []byte(differenceAs(t, render.DifferenceHTML, d, render.Options{})), 0o644); err != nil {
		t.Fatal(err)
	}
	address := url.URL{Scheme: "file", Path: file, Fragment: hash}
	tab := pageTab{b.Open(t, address.String(), 1280, 800), t}
	rendertest.Eval[int](tab.Tab, pageScript)
	tab.Wait(`document.querySelector('.scene') && !document.querySelector('.sketched')`)
	return tab
}

// TestDifferencePageInBrowser wants the verdict first, signs and dashes beside
// colours, and what it was before on every card.
func TestDifferencePageInBrowser(t *testing.T) {
	b := chromium(t)
	d := differenceOf(t, sides{evil, times(6, memberA, memberB, memberC), append(times(5, memberA, memberB, memberB), memberA, away, away)})
	p := openDifference(t, b, d, "")
	p.want(`document.querySelector('.head .verdict b').textContent`, "CHANGE")
	p.want(heading, "What changed")
	p.want(`document.querySelector('#colour').value`, "change")
	p.want(`all('.head .events li').length > 0 && document.querySelector('script:not([type]):not([src])') !== null`, true)

	const lines = `all('.scene .links path:not(.hit)')`
	p.want(`all('.node.gone').map(e => e.dataset.n)`, []string{"2/198.51.100.3"})
	p.want(`all('.node.new').map(e => e.dataset.n)`, []string{"2/198.51.100.66", "3/198.51.100.67"})
	p.want(lines+`.filter(e => e.classList.contains('gone')).every(e => getComputedStyle(e).stroke === 'rgb(200, 32, 10)' && getComputedStyle(e).strokeDasharray !== 'none')`, true)
	p.want(lines+`.filter(e => e.classList.contains('new')).every(e => getComputedStyle(e).stroke === 'rgb(0, 125, 90)' && getComputedStyle(e).strokeDasharray === 'none')`, true)
	p.want(`new Set(`+lines+`.filter(e => !e.classList.contains('gone') && !e.classList.contains('new')).map(e => getComputedStyle(e).stroke)).size`, 1)
	p.want(`all('.link').every(g => (g.querySelector('.sign')?.textContent ?? '') === (g.querySelector('.gone') ? '−' : g.querySelector('.new') ? '+' : ''))`, true)
	p.want(`shown('.legend span').map(e => e.textContent).slice(0, 3)`, []string{"unchanged", "−gone", "+new"})
	p.want(`all('.row .status').map(e => e.textContent.trim())`, []string{"+ new", "− gone"})

	p.click(`(() => { const r = station('198.51.100.2').querySelector('.s').getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.y + r.height / 2 } })()`)
	p.want(heading, "198.51.100.2")
	const fact = `(name => all('.card dt').find(e => e.textContent === name)?.nextSibling.textContent)`
	p.want(fact+`('Flows before')`, "6")
	p.want(fact+`('Answered before')`, "12 of 12 packets")
	p.keys("c") // the next colour
	p.want(`document.querySelector('#colour').value`, "delta")
	p.want(`location.hash.includes('colour=delta')`, true)

	for _, theme := range []string{"light", "dark"} {
		t.Run("axe, "+theme, func(t *testing.T) { everybodyCanUse(t, openDifference(t, b, d, "theme="+theme)) })
	}

	p = openDifference(t, b, d, "path=2&table=on")
	p.want(`shown('.twin td').some(e => e.textContent === 'router, gone')`, true)
	p.want(`document.title.includes('<script>') || all('script').length === 2`, true)
}
