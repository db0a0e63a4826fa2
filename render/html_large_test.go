// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"strings"
	"testing"

	"traceflow"
	"traceflow/internal/rendertest"
)

// TestPageTooLarge wants one line and tables in place of a drawing that is too
// large, no switch that does nothing, and what is left to work.
func TestPageTooLarge(t *testing.T) {
	p := openPage(t, chromium(t), huge(t, 20), "", 1280, 800)
	p.want(`shown('#twin .trouble').map(e => e.textContent)`, []string{"Too large to draw: 5082 stations, 5100 links. Here it is as tables."})
	p.want(`all('#twin table').map(e => e.tBodies[0].rows.length)`, []int{2000, 2000})
	p.want(`shown('.stage .picture, .legend, .zoom').length`, 0)
	p.want(`all('[data-n], [data-l]').length`, 0)
	p.want(`shown('.tools button').map(e => e.textContent)`, []string{"Filter", "Export", "Keys"})
	p.want(`all('.drop button').filter(e => !e.hidden).map(e => e.textContent)`, []string{"Filter", "Export", "CSV, all paths"})
	p.want(`all('.row').length`, 20)
	p.keys("t") // there is nothing else to be shown
	p.want(`shown('#twin table').length`, 2)
	p.click(`at('#twin tbody button', 1)`)
	p.want(heading, "198.1.0.1")
	rendertest.Eval[bool](p.Tab, `document.querySelector('#from').max === '255' && (location.hash = 'from=254') !== ''`)
	p.want(`all('#twin table').map(e => e.tBodies[0].rows.length)`, []int{21, 20})
}

// TestPageLossInWords wants the page to claim no more of loss than is known.
func TestPageLossInWords(t *testing.T) {
	const (
		through = "192.0.2.1 198.51.100.1 203.0.113.9"
	)
	tests := []struct {
		name  string
		flows []string
		lost  int // packets of the first flow to the destination
		want  string
	}{
		{"none", []string{through, through}, 0, "No loss that persists to the destination."},
		{"nothing answered", []string{"* * * * *"}, 0, "Loss is not known: the destination answered nothing."},
		{"not reached", []string{"192.0.2.1 198.51.100.1 * * *"}, 0, "Loss is not known: the destination answered nothing."},
		{"too few", []string{through, through}, 2, "2 of 4 packets to the destination got no answer: too few on each path to tell whether loss persists."},
		{"enough", []string{through, through}, 3, "60 % lost from this link on, to the destination"},
		{"a first hop that once was silent", []string{through, "* 198.51.100.1 203.0.113.9"}, 0, "1 path"},
	}
	b := chromium(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := golden{name: tt.name, ends: ipv4, flows: tt.flows}
			trace := g.trace(t)
			for i := range tt.lost {
				trace.Exchanges = append(trace.Exchanges, traceflow.Exchange{Flow: 1, TTL: 3, Attempt: 2 + i})
			}
			p := openPage(t, b, trace, "", 1280, 800)
			told := rendertest.Eval[string](p.Tab, `document.querySelector('.card').textContent`)
			if !strings.Contains(told, tt.want) {
				t.Errorf("%q does not say %q", told, tt.want)
			}
			if strings.Contains(told, "part at host1") {
				t.Errorf("%q: paths part at the source", told)
			}
		})
	}
}

// TestPageCommandsOfFiles wants nothing to be copied into a shell that the zone of an
// address in a file could have it run.
func TestPageCommandsOfFiles(t *testing.T) {
	b := chromium(t)
	for address, want := range map[string]int{"fe80::9": 4, "fe80::9%eth0.7": 4, "fe80::9%$(reboot)": 1, "fe80::9%;reboot": 1, "fe80::9%`reboot`": 1} {
		g := golden{name: "zone", ends: "fe80::10 " + address, flows: []string{"fe80::1 " + address}}
		p := openPage(t, b, g.trace(t), "path=1", 1280, 800)
		p.want(`all('[data-copy]').map(e => e.dataset.copy).filter(c => /^(udp|traceflow|traceroute|iperf3) /.test(c)).length`, want)
	}
}
