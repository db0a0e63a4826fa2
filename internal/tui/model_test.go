// SPDX-License-Identifier: BSD-3-Clause

package tui

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"traceflow"
)

// TestKeys presses each key and looks at what it has changed.
func TestKeys(t *testing.T) {
	tests := []struct {
		name string
		keys []string
		want func(*model) bool
	}{
		{"down", []string{"j"}, func(m *model) bool { return m.picked == 2 }},
		{"down and up", []string{"j", "j", "k"}, func(m *model) bool { return m.picked == 2 }},
		{"above the first", []string{"k"}, func(m *model) bool { return m.picked == 1 }},
		{"the last", []string{"end"}, func(m *model) bool { return m.picked == 64 }},
		{"below the last", []string{"end", "j"}, func(m *model) bool { return m.picked == 64 }},
		{"and back", []string{"end", "home"}, func(m *model) bool { return m.picked == 1 }},
		{"a page", []string{"pgdown"}, func(m *model) bool { return m.picked > 5 && m.picked < 24 }},
		{"hops", []string{"tab", "j"}, func(m *model) bool { return m.inHops && m.picked == 1 }},
		{"sort", []string{"s"}, func(m *model) bool { return m.shown.Paths[m.order[0]].Path == 2 && m.picked == 1 }},
		{"sort by median", []string{"s", "s"}, func(m *model) bool {
			return slices.IsSortedFunc(m.order, func(a, b int) int {
				x, y := m.shown.Paths[a].Hops, m.shown.Paths[b].Hops
				return int(y[len(y)-1].Median - x[len(x)-1].Median)
			})
		}},
		{"sorted as at first", []string{"s", "s", "s", "s"}, func(m *model) bool { return slices.IsSorted(m.order) }},
		{"mask", []string{"m"}, func(m *model) bool {
			return strings.Contains(m.draw(), hidden) && !strings.Contains(m.draw(), "gateway")
		}},
		{"addresses", []string{"n"}, func(m *model) bool { return !strings.Contains(m.draw(), "gateway") }},
		{"fork", []string{"g"}, func(m *model) bool { return strings.Contains(m.draw(), "63 others") }},
		{"no fork", []string{"g", "g"}, func(m *model) bool { return !strings.Contains(m.draw(), "63 others") }},
		{"theme", []string{"t", "t"}, func(m *model) bool { return m.theme == lightTheme }},
		{"help and back", []string{"?", "x"}, func(m *model) bool { return !m.help && m.picked == 1 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := screen(64, 80, 24, Options{})
			press(m, tt.keys...)
			if !tt.want(m) {
				t.Errorf("not so after %q:\n%s", tt.keys, plain(m.draw()))
			}
		})
	}
}

// TestFreeze goes on with what came meanwhile.
func TestFreeze(t *testing.T) {
	m := screen(4, 80, 24, Options{})
	press(m, "space")
	later := m.shown
	later.Round = 999
	send(m, measuredMsg(later))
	if text := m.draw(); !strings.Contains(text, "FROZEN") || m.shown.Round != 125 {
		t.Errorf("round %d while frozen:\n%s", m.shown.Round, text)
	}
	press(m, "space")
	if m.shown.Round != 999 {
		t.Errorf("round %d afterwards", m.shown.Round)
	}
}

// TestLeaving has q and Ctrl-C leave, r call back, and both do so in any state.
func TestLeaving(t *testing.T) {
	resets := 0
	found := screen(4, 80, 24, Options{Reset: func() { resets++ }})
	looking := newModel(Options{Reset: func() { resets++ }})
	help := screen(4, 80, 24, Options{})
	press(help, "?")
	for _, m := range []*model{found, looking, help} {
		press(m, "r")
		for _, name := range []string{"q", "ctrl+c"} {
			cmd := press(m, name)
			if cmd == nil {
				t.Fatalf("%s does nothing", name)
			}
			if _, ok := cmd().(tea.QuitMsg); !ok {
				t.Errorf("%s does not leave", name)
			}
		}
	}
	if resets != 1 {
		t.Errorf("%d resets, want 1: there is nothing to reset before the paths are known", resets)
	}
}

// TestNoPath shows a trace that nothing has answered.
func TestNoPath(t *testing.T) {
	m := newModel(Options{Target: evil})
	send(m, tea.WindowSizeMsg{Width: 80, Height: 24}, lookingMsg(traceflow.Stats{Probes: 12, Replies: 3}))
	if text := m.draw(); !strings.Contains(text, "12 packets sent, 3 answered") {
		t.Errorf("while looking:\n%s", text)
	}
	send(m, foundMsg{&traceflow.Trace{}})
	press(m, "j", "tab", "j", "s", "g", "end", "pgdown")
	if text := m.draw(); !strings.Contains(text, "no path") {
		t.Errorf("without a path:\n%s", text)
	}
}

// TestHarmless wants nothing on the screen that is no printable character or
// style of ours, whatever names there are.
func TestHarmless(t *testing.T) {
	for _, o := range []Options{{}, {Color: true}} {
		m := screen(4, 120, 50, o)
		m.options.Target = newModel(Options{Target: evil}).options.Target
		for _, keys := range [][]string{nil, {"j"}, {"?"}, {"g"}} {
			press(m, keys...)
			for _, r := range strings.ReplaceAll(styled(m.draw()), "\n", "") {
				if !unicode.IsPrint(r) {
					t.Fatalf("%q on the screen", r)
				}
			}
		}
	}
}

// styled drops SGR sequences, and nothing else that begins with an escape.
func styled(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		if rest, ok := strings.CutPrefix(s, "\x1b["); ok {
			if n := strings.IndexFunc(rest, func(r rune) bool { return r != ';' && (r < '0' || r > '9') }); n >= 0 && rest[n] == 'm' {
				s = rest[n+1:]
				continue
			}
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}

// TestThemes wants every colour readable: a contrast of 4.5 (WCAG 2.1, 1.4.3)
// against black or a dark grey, or white.
func TestThemes(t *testing.T) {
	for _, dark := range []bool{true, false} {
		s := newStyles(true, dark)
		background := [3]float64{0x1e, 0x1e, 0x1e}
		if !dark {
			background = [3]float64{0xff, 0xff, 0xff}
		}
		for name, style := range map[string]interface{ Render(...string) string }{
			"dim": s.dim, "title": s.title, "head": s.head, "bad": s.bad, "warn": s.warn, "good": s.good, "key": s.key,
		} {
			var r, g, b float64
			text := style.Render("x")
			at := strings.Index(text, "38;2;")
			if _, err := fmt.Sscanf(text[max(0, at):], "38;2;%f;%f;%f", &r, &g, &b); err != nil {
				t.Fatalf("%s: no colour in %q", name, text)
			}
			if c := contrast([3]float64{r, g, b}, background); c < 4.5 {
				t.Errorf("%s, dark %t: contrast %.1f", name, dark, c)
			}
		}
	}
}

// contrast is that of WCAG 2.1.
func contrast(a, b [3]float64) float64 {
	luminance := func(c [3]float64) float64 {
		var sum float64
		for i, weight := range [3]float64{0.2126, 0.7152, 0.0722} {
			v := c[i] / 255
			if v <= 0.03928 {
				v /= 12.92
			} else {
				v = math.Pow((v+0.055)/1.055, 2.4)
			}
			sum += weight * v
		}
		return sum
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestSpark draws.
func TestSpark(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name   string
		recent []time.Duration
		width  int
		want   string
	}{
		{"nothing", nil, 3, "   "},
		{"no room", []time.Duration{ms}, 0, ""},
		{"steady", []time.Duration{100 * ms, 100 * ms, 101 * ms}, 3, "▁▁▁"},
		{"twice as slow", []time.Duration{10 * ms, 20 * ms}, 2, "▁█"},
		{"much slower", []time.Duration{10 * ms, 20 * ms, 100 * ms}, 3, "▁▁█"},
		{"lost", []time.Duration{10 * ms, -1, 20 * ms}, 4, " ▁×█"},
		{"all lost", []time.Duration{-1, -1}, 2, "××"},
		{"the latest", []time.Duration{-1, 10 * ms, 20 * ms}, 2, "▁█"},
		{"far below a millisecond", []time.Duration{ms / 10, ms / 5}, 2, "▁▁"},
	}
	g := newGlyphs(false)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := g.spark(tt.recent, tt.width); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestFigures has a text for each range, none wider than five cells.
func TestFigures(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.00", 120 * time.Microsecond: "0.12", 9994 * time.Microsecond: "9.99", 9996 * time.Microsecond: "10.0",
		99940 * time.Microsecond: "99.9", 100 * time.Millisecond: "100", 99999 * time.Millisecond: "99999", 100 * time.Second: "100s",
	} {
		if got := millis(d); got != want || len(got) > 5 {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	for share, want := range map[float64]string{0: "0.0%", 0.0004: "<0.1%", 0.5: "50.0%", 0.9994: "99.9%", 0.9999: "100%", 1: "100%"} {
		if got := percent(share); got != want || len(got) > 5 {
			t.Errorf("%v: %q, want %q", share, got, want)
		}
	}
}
