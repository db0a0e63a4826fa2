// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"traceflow"
	"traceflow/internal/rendertest"
)

// unasked is a trace with a path that is known from what flows have in common: none
// of its own was sent as far as the destination.
func unasked(t *testing.T) *traceflow.Trace {
	t.Helper()
	trace := networkNamed(t, "owners")
	last := trace.Graph.Paths[len(trace.Graph.Paths)-1]
	kept := trace.Exchanges[:0]
	for _, e := range trace.Exchanges {
		if e.Flow != last.Flows[0] || int(e.TTL) < 4 {
			kept = append(kept, e)
		}
	}
	trace.Exchanges = kept
	return trace
}

// TestPageOfHands tries groups, TTLs from and to, fingers, and a path that was not
// followed to its end.
func TestPageOfHands(t *testing.T) {
	b := chromium(t)
	tests := []struct {
		name, hash    string
		trace         func(t *testing.T) *traceflow.Trace
		width, height int64
		test          func(t *testing.T, p pageTab)
	}{
		{"groups", "path=2", owned, 1280, 800, groups},
		{"group of an address", "group=as&node=3/198.51.100.1", owned, 1280, 800, groupOfAddress},
		{"group that is not there", "group=router&path=1", owned, 1280, 800, groupNotThere},
		{"TTLs from and to", "", owned, 1280, 800, cuts},
		{"TTLs of an address", "from=2&to=4", owned, 1280, 800, cutOfAddress},
		{"fingers", "", owned, 390, 844, fingers},
		{"destination not asked", "", unasked, 1280, 800, notAsked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.test(t, openPage(t, b, tt.trace(t), tt.hash, tt.width, tt.height))
		})
	}
}

func owned(t *testing.T) *traceflow.Trace {
	t.Helper()
	return networkNamed(t, "owners")
}

func (p pageTab) choose(id, value string) {
	p.t.Helper()
	p.Do(chromedp.SetValue(chromedp.CSS(id), value))
	rendertest.Eval[bool](p.Tab, `document.querySelector('`+id+`').dispatchEvent(new Event(document.querySelector('`+id+`').type === 'range' ? 'input' : 'change'))`)
}

func groups(t *testing.T, p pageTab) {
	stations := rendertest.Eval[int](p.Tab, `all('[data-n]').length`)
	p.want(`[...document.querySelector('#group').options].map(o => o.text)`, []string{"none", "AS"})
	p.choose("#group", "as")
	p.Wait(`all('.node.group').length > 2`)
	if n := rendertest.Eval[int](p.Tab, `all('[data-n]').length`); n >= stations {
		t.Errorf("%d stations, %d without groups", n, stations)
	}
	p.want(heading, "Path 2") // and its hops
	p.want(`all('.card tbody tr').length`, 8)
	p.want(`all('.strips [data-path]').length`, 1)
	p.want(`location.hash`, "#group=as&path=2")
	p.click(`at('.node.group .s', 1)`)
	p.Wait(`document.querySelector('.card h2').textContent !== 'Path 2'`)
	p.Wait(`all('.card tbody tr').length > 0`)
	p.find("core1")
	p.want(`all('.row:not([hidden])').length > 0 && all('.found').length > 0`, true)
	p.keys(kb.Escape + kb.Escape)
	rendertest.Eval[any](p.Tab, `document.activeElement.blur()`)
	p.click(`at('.node.group .s', 1)`)
	p.Wait(`all('.node.picked').length`)
	// What is only in the groups is picked no longer without them.
	p.choose("#group", "")
	p.want(heading, "What stands out")
	p.want(`all('[data-n]').length`, stations)
	p.want(`document.getElementById('live').textContent`, "What was picked is no longer in the picture.")
}

func groupOfAddress(_ *testing.T, p pageTab) {
	p.want(`document.querySelector('#group').value`, "as")
	p.want(`all('.node.picked').length`, 1) // the group that the station is in
	p.keys("t")
	p.want(`shown('#twin table').length`, 3)
	p.keys("t")
	p.want(`shown('#from').length`, 0) // columns are no TTLs
}

func groupNotThere(_ *testing.T, p pageTab) {
	p.want(heading, "Path 1")
	p.want(`all('.node.silent').length`, 2)
}

func cuts(_ *testing.T, p pageTab) {
	const scale = `Number(/scale\((.*)\)/.exec(document.querySelector('.scene').getAttribute('transform'))[1])`
	const covered = `all('.node').filter(n => { const r = n.querySelector('.s').getBoundingClientRect();
		return document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2)?.closest('.node') !== n }).length`
	all := rendertest.Eval[float64](p.Tab, scale)
	p.want(`all('.veil rect').length`, 0)
	p.choose("#from", "3")
	p.choose("#to", "5")
	p.want(`location.hash`, "#from=3&to=5")
	p.want(`all('output').map(e => e.textContent)`, []string{"off", "off", "off", "3", "5"})
	p.want(`all('.veil rect').length`, 2)
	p.want(covered+` > 4`, true)
	if now := rendertest.Eval[float64](p.Tab, scale); now <= all {
		p.t.Errorf("scale %g, %g with all columns", now, all)
	}
	p.keys("t")
	p.want(`all('#twin table')[0].querySelectorAll('tbody tr').length`, 4+5+4)
	p.keys("t")
	p.keys("d" + kb.ArrowRight)
	p.want(`document.querySelector('.cursor').dataset.n[0]`, "3")
	p.choose("#to", "2") // takes the other end with it
	p.want(`location.hash`, "#from=2&to=2")
}

func cutOfAddress(_ *testing.T, p pageTab) {
	p.want(`all('.veil rect').length`, 2)
	p.want(`all('output').map(e => e.textContent).slice(3)`, []string{"2", "4"})
}

func notAsked(_ *testing.T, p pageTab) {
	p.want(`all('.row').at(-1).querySelector('.figure').textContent`, "N/A")
	p.want(`/to TTL 3: [0-9.]+ ms/.test(all('.row').at(-1).textContent)`, true)
	p.want(`all('.row')[0].querySelector('.figure').textContent.endsWith(' ms')`, true)
	p.click(`at('.row', 4)`)
	p.want(`/^N\/A; to TTL 3: /.test(all('.card dt').find(e => e.textContent === 'Round trip').nextElementSibling.textContent)`, true)
	p.want(`all('.card dt').find(e => e.textContent === 'Reached').nextElementSibling.textContent.startsWith('as other flows do')`, true)
	p.click(`at('.row', 0)`, chromedp.ButtonModifiers(chromedp.ModifierShift))
	p.want(`/^N\/A and [0-9.]+ ms/.test(all('.card dt').find(e => e.textContent === 'Round trip').nextElementSibling.textContent)`, true)
}

// touch puts fingers on the screen, moves them, and with none takes them away.
func (p pageTab) touch(kind input.DispatchTouchEventType, points ...float64) {
	p.t.Helper()
	at := []*input.TouchPoint{}
	for i := 0; i+1 < len(points); i += 2 {
		id := float64(i)
		at = append(at, &input.TouchPoint{X: points[i], Y: points[i+1], ID: &id})
	}
	p.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: at})
		return err
	}))
}

func fingers(_ *testing.T, p pageTab) {
	p.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true, MaxTouchPoints: 2})
		return err
	}))
	const place = `/translate\(([-0-9.]+) ([-0-9.]+)\) scale\((.*)\)/.exec(document.querySelector('.scene').getAttribute('transform')).slice(1).map(Number)`
	const start, move, end = input.DispatchTouchEventTypeTouchStart, input.DispatchTouchEventTypeTouchMove, input.DispatchTouchEventTypeTouchEnd
	x, y := p.place(`at('.picture')`)
	before := rendertest.Eval[[]float64](p.Tab, place)
	p.touch(start, x, y)
	for i := range 5 {
		p.touch(move, x-float64(8*i), y)
	}
	p.touch(end)
	p.Wait(place + `[0] < ` + fmt.Sprint(before[0]-20))
	p.want(`scrollY`, 0) // it was the drawing that moved
	dragged := rendertest.Eval[[]float64](p.Tab, place)
	p.touch(start, x-20, y, x+20, y)
	for i := range 6 {
		p.touch(move, x-20-float64(8*i), y, x+20+float64(8*i), y)
	}
	p.touch(end)
	p.Wait(place + `[2] > ` + fmt.Sprint(1.8*dragged[2]))
	p.want(heading, "What stands out") // that was no click
	p.keys("0")
	sx, sy := p.place(`at('.node.source .s')`)
	p.touch(start, sx, sy)
	p.touch(end)
	p.want(heading, "Source host1.example.net")
	// Beside the drawing the page scrolls.
	lx, ly := p.place(`(() => { const r = document.querySelector('.legend').getBoundingClientRect(); return { x: r.x + r.width / 2, y: r.bottom - 6 } })()`)
	p.touch(start, lx, ly)
	for i := range 10 {
		p.touch(move, lx, ly-float64(20*i))
	}
	p.touch(end)
	p.Wait(`scrollY > 50`)
}
