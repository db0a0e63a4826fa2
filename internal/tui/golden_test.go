// SPDX-License-Identifier: BSD-3-Clause

package tui

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/internal/watch"
)

// go test ./internal/tui -update writes the golden screens anew; review the diff.
var update = flag.Bool("update", false, "write the golden files")

// evil is a name as somebody may give it to his router.
const evil = "a\x1b[31mb\u202ec\u2066\rd\ne\u009bf\xff\u2028g"

// world is a trace of so many paths that part after the second hop and meet at
// the fifth, and what a watch has measured of them: path 2 loses a fifth of its
// packets from the fork on, the first router answers seldom, path 3 is dead, and
// the fourth has been left.
func world(paths int) (*traceflow.Trace, watch.Snapshot) {
	destination := netip.MustParseAddr("198.51.100.7")
	t := &traceflow.Trace{Destination: traceflow.Destination{Name: "dst", Address: destination}}
	var walks []traceflow.Walk
	for id := 1; id <= paths; id++ {
		f := traceflow.Flow{ID: id, Protocol: traceflow.ProtocolUDP, SourcePort: uint16(40000 + 37*id), Destination: destination}
		t.Flows = append(t.Flows, f)
		var own []traceflow.Exchange
		for ttl := uint8(1); ttl <= 6; ttl++ {
			r := traceflow.Reply{Kind: traceflow.TimeExceeded, Address: netip.AddrFrom4([4]byte{10, ttl, 0, 1})}
			switch ttl {
			case 2:
				r = traceflow.Reply{} // silent
			case 3, 4:
				r.Address = netip.AddrFrom4([4]byte{10, ttl, byte(id >> 8), byte(id)})
			case 6:
				r.Kind, r.Address = traceflow.PortUnreachable, destination
			}
			own = append(own, traceflow.Exchange{Flow: id, TTL: ttl, Attempt: 1, Reply: r})
		}
		walks = append(walks, traceflow.NewWalk(f, 1, own))
		t.Exchanges = append(t.Exchanges, own...)
	}
	t.Graph = traceflow.NewGraph(walks, t.Exchanges)
	t.Annotations = traceflow.Annotations{
		{Address: netip.MustParseAddr("10.1.0.1"), Hostname: traceflow.Hostname{Name: "gateway.example.net"}, Origin: traceflow.Origin{ASNs: []uint32{64496}}},
		{Address: netip.MustParseAddr("10.5.0.1"), Hostname: traceflow.Hostname{Name: evil}, Origin: traceflow.Origin{ASNs: []uint32{4200000000}}},
	}
	s := watch.Snapshot{Round: 125, Elapsed: 3725 * time.Second, States: make([]watch.State, len(t.Graph.Paths))}
	for i := range t.Graph.Paths {
		p := &t.Graph.Paths[i]
		stats := traceflow.PathStats{Path: p.ID, Flows: p.Flows, Reached: true}
		for j, node := range p.Nodes {
			h := traceflow.HopStats{TTL: uint8(j + 1), Node: node, Responder: t.Graph.Nodes[nodeAt(t, node)].Responder}
			var series traceflow.Series
			for n := range 125 {
				dice := (n*7919 + j*104729 + i*31) % 1000
				lost := j == 0 && dice < 600 || j == 1 || p.ID == 2 && j >= 2 && (n*7919+i*31)%1000 < 200 || p.ID == 3 && j > 2 && n > 100
				if lost {
					series.Lost()
				} else {
					series.Answered(time.Duration(j+1)*2*time.Millisecond + time.Duration(dice)*time.Duration(i+1)*10*time.Microsecond/time.Duration(1+i/8))
				}
			}
			h.RTTStats, h.Recent = series.Stats(), series.Recent(maxHistory)
			stats.Hops = append(stats.Hops, h)
		}
		s.Paths = append(s.Paths, stats)
	}
	if paths > 3 {
		s.States[2], s.States[3] = watch.Dead, watch.Left
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.Events = []watch.Event{
		{Time: at, Kind: watch.Died, Path: 3},
		{Time: at, Kind: watch.RouteChanged, Path: 4, Change: traceflow.RouteChange{Flow: 4, TTL: 3, After: netip.MustParseAddr("10.3.9.9")}},
	}
	return t, s
}

func nodeAt(t *traceflow.Trace, id string) int {
	for i := range t.Graph.Nodes {
		if t.Graph.Nodes[i].ID == id {
			return i
		}
	}
	panic("no node " + id)
}

// worlds are those made before: nothing changes them.
var worlds = make(map[int]struct {
	*traceflow.Trace
	watch.Snapshot
})

// screen is a model that shows such a world.
func screen(paths, width, height int, o Options) *model {
	o.Target, o.How = "dst.example (198.51.100.7)", "UDP to port 33452"
	m := newModel(o)
	if _, ok := worlds[paths]; !ok {
		t, s := world(paths)
		worlds[paths] = struct {
			*traceflow.Trace
			watch.Snapshot
		}{t, s}
	}
	t, s := worlds[paths].Trace, worlds[paths].Snapshot
	send(m, tea.WindowSizeMsg{Width: width, Height: height}, foundMsg{t}, measuredMsg(s))
	return m
}

func send(m *model, messages ...tea.Msg) {
	for _, msg := range messages {
		m.Update(msg)
	}
}

// press types keys by their names.
func press(m *model, names ...string) (last tea.Cmd) {
	special := map[string]rune{"tab": tea.KeyTab, "space": tea.KeySpace, "end": tea.KeyEnd, "home": tea.KeyHome, "pgdown": tea.KeyPgDown}
	for _, name := range names {
		k := tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
		if code, ok := special[name]; ok {
			k = tea.KeyPressMsg{Code: code}
		}
		if name == "ctrl+c" {
			k = tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}
		}
		_, last = m.Update(k)
	}
	return last
}

// TestGolden compares screens without colours.
func TestGolden(t *testing.T) {
	type test struct {
		name          string
		paths         int
		width, height int
		options       Options
		keys          []string
	}
	var tests []test
	for _, paths := range []int{4, 64, 255} {
		for _, size := range [][2]int{{80, 24}, {200, 50}, {40, 12}} {
			tests = append(tests, test{fmt.Sprintf("%d-%dx%d", paths, size[0], size[1]), paths, size[0], size[1], Options{}, nil})
		}
	}
	tests = append(tests,
		test{"help", 4, 120, 24, Options{}, []string{"?"}},
		test{"help-narrow", 4, 60, 30, Options{ASCII: true}, []string{"?"}},
		test{"ascii", 4, 80, 30, Options{ASCII: true}, []string{"g", "j"}},
		test{"fork-frozen-sorted", 64, 80, 24, Options{}, []string{"g", "space", "s", "j", "j", "m", "n"}},
		test{"columns-spread", 4, 80, 24, Options{}, []string{"c", "c"}},
		test{"columns-history", 4, 80, 24, Options{}, []string{"c", "end", "tab", "j"}},
	)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := screen(tt.paths, tt.width, tt.height, tt.options)
			press(m, tt.keys...)
			got := m.draw() + "\n"
			// Without colours, attributes are all that is left: they are not compared.
			got = plain(got)
			file := filepath.Join("testdata", tt.name+".golden")
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
		})
	}
}

// plain drops what the styles add, which are attributes without colours.
func plain(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if strings.HasPrefix(s[i:], "\x1b[") {
			i += strings.IndexByte(s[i:], 'm')
			continue
		}
		b.WriteByte(s[i])
	}
	return strings.ReplaceAll(trimRight(b.String()), "\t", " ")
}

// trimRight drops blanks at the ends of lines.
func trimRight(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// TestSizes wants every screen to have as many lines as the terminal, and none
// to be wider, whatever is shown.
func TestSizes(t *testing.T) {
	widths := []int{1, 2, 39, 40, 41, 59, 60, 79, 80, 99, 100, 132, 200, 400}
	if testing.Short() {
		widths = []int{1, 40, 80, 200}
	}
	for _, paths := range []int{1, 4, 255} {
		for _, keys := range [][]string{nil, {"g"}, {"?"}, {"c", "s"}, {"c", "c", "tab", "j", "j"}, {"end", "m"}} {
			m := screen(paths, 80, 24, Options{Color: true})
			press(m, keys...)
			for _, width := range widths {
				for _, height := range []int{1, 2, 9, 10, 11, 12, 13, 16, 24, 25, 33, 34, 35, 50, 70} {
					send(m, tea.WindowSizeMsg{Width: width, Height: height})
					lines := strings.Split(m.draw(), "\n")
					if want := height; len(lines) != want && (width >= MinWidth && height >= MinHeight || len(lines) != 1) {
						t.Fatalf("%d paths, %dx%d, keys %q: %d lines", paths, width, height, keys, len(lines))
					}
					for _, l := range lines {
						if got := lipgloss.Width(l); got > width {
							t.Fatalf("%d paths, %dx%d, keys %q: a line of %d cells: %q", paths, width, height, keys, got, l)
						}
					}
				}
			}
		}
	}
}
