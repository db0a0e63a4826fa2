// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// network makes walks and exchanges of rows of routers, one for each flow: 0
// is silence, 254 the destination, which ends a walk; -1 stands for a silent
// end.
func network(rows ...[]int) ([]Walk, []Exchange) {
	var walks []Walk
	var exchanges []Exchange
	for i, row := range rows {
		flow := Flow{ID: i + 1, Destination: far}
		var own []Exchange
		for at, n := range row {
			e := reply(at+1, max(n, 0), 1)
			e.Flow = flow.ID
			e.Reply.RTT = time.Duration(10*(i+1)+at) * time.Millisecond
			own = append(own, e)
		}
		w := NewWalk(flow, 1, own)
		if w.End == EndUnknown {
			w.End = EndSilent
		}
		walks = append(walks, w)
		exchanges = append(exchanges, own...)
	}
	return walks, exchanges
}

// text writes a graph's nodes, links and paths with the numbers of routers.
func text(g *Graph) (paths, links []string) {
	name := make(map[string]string)
	for _, n := range g.Nodes {
		name[n.ID] = fmt.Sprintf("*%d", n.TTL)
		if n.Address.IsValid() {
			name[n.ID] = fmt.Sprint(n.Address.As4()[3])
		}
	}
	for _, p := range g.Paths {
		s := fmt.Sprint(p.Flows)
		for _, id := range p.Nodes {
			s += " " + name[id]
		}
		paths = append(paths, s)
	}
	for _, l := range g.Links {
		s := fmt.Sprintf("%s-%s %d", name[l.From], name[l.To], l.Flows)
		if l.Inferred {
			s += " inferred"
		}
		links = append(links, s)
	}
	return paths, links
}

func TestNewGraph(t *testing.T) {
	tests := []struct {
		name         string
		rows         [][]int
		paths, links []string
		nodes        int
	}{
		{"empty", nil, nil, nil, 0},
		{"one path", [][]int{{1, 2, 254}, {1, 2, 254}}, []string{"[1 2] 1 2 254"}, []string{"1-2 2", "2-254 2"}, 3},
		{
			"a lost reply does not split a path",
			[][]int{{1, 2, 3, 254}, {1, 0, 3, 254}, {0, 2, 0, 254}, {1, 2, 3, 0, 0}},
			[]string{"[1 2 3 4] 1 2 3 254"},
			[]string{"1-2 2", "2-3 2", "3-254 2"},
			4,
		},
		{
			// The silent end of flow 2 must not make the path longer than flow
			// 3 knows it to be.
			"silence beyond the end",
			[][]int{{1, 2, 3, 254}, {1, 2, 3, 0, 0, 0, 0, 0}, {1, 0, 0, 254}},
			[]string{"[1 2 3] 1 2 3 254"},
			[]string{"1-2 2", "2-3 2", "3-254 1"},
			4,
		},
		{
			"ambiguous: joins the larger",
			[][]int{{1, 2, 254}, {1, 3, 254}, {1, 3, 254}, {1, 0, 254}},
			[]string{"[1] 1 2 254", "[2 3 4] 1 3 254"},
			[]string{"1-2 1", "1-3 2", "2-254 1", "3-254 2"},
			4,
		},
		{
			"unequal lengths",
			[][]int{{1, 2, 254}, {1, 3, 4, 254}, {1, 0, 254}},
			[]string{"[1 3] 1 2 254", "[2] 1 3 4 254"},
			[]string{"1-2 1", "1-3 1", "2-254 1", "3-4 1", "4-254 1"},
			6,
		},
		{
			"a silent hop for each pair of neighbours",
			[][]int{{1, 0, 3, 254}, {1, 0, 4, 254}, {2, 0, 4, 254}},
			[]string{"[1] 1 *2 3 254", "[2] 1 *2 4 254", "[3] 2 *2 4 254"},
			[]string{"1-*2 1 inferred", "1-*2 1 inferred", "2-*2 1 inferred", "*2-3 1 inferred", "*2-4 1 inferred", "*2-4 1 inferred", "3-254 1", "4-254 2"},
			8,
		},
		{
			"two silent hops in a row",
			[][]int{{1, 0, 0, 254}},
			[]string{"[1] 1 *2 *3 254"},
			[]string{"1-*2 1 inferred", "*2-*3 1 inferred", "*3-254 1 inferred"},
			4,
		},
		{
			// Merged they are, but nobody crossed from 2 to 3.
			"no link that no flow has seen",
			[][]int{{1, 2, 0, 254}, {1, 0, 3, 254}},
			[]string{"[1 2] 1 2 3 254"},
			[]string{"1-2 1", "3-254 1"},
			4,
		},
		{"silence after the last answer", [][]int{{1, 2, 0, 0, 0}}, []string{"[1] 1 2"}, []string{"1-2 1"}, 2},
		{"all silent", [][]int{{0, 0, 0}}, []string{"[1]"}, nil, 0},
		{"one address at two TTLs", [][]int{{1, 2, 2, 254}}, []string{"[1] 1 2 2 254"}, []string{"1-2 1", "2-2 1", "2-254 1"}, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			walks, exchanges := network(tt.rows...)
			g := NewGraph(walks, exchanges)
			paths, links := text(&g)
			if diff := cmp.Diff(tt.paths, paths); diff != "" {
				t.Errorf("paths (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(tt.links, links); diff != "" {
				t.Errorf("links (-want +got)\n%s", diff)
			}
			if len(g.Nodes) != tt.nodes {
				t.Errorf("%d nodes, want %d", len(g.Nodes), tt.nodes)
			}
			checkGraph(t, &g)
		})
	}
}

// checkGraph holds a graph against what must be true of every graph.
func checkGraph(t *testing.T, g *Graph) {
	t.Helper()
	nodes := make(map[string]*Node)
	for i := range g.Nodes {
		if nodes[g.Nodes[i].ID] != nil {
			t.Errorf("node %s twice", g.Nodes[i].ID)
		}
		nodes[g.Nodes[i].ID] = &g.Nodes[i]
	}
	on := make(map[int]int)
	for _, p := range g.Paths {
		for _, f := range p.Flows {
			if on[f] != 0 {
				t.Errorf("flow %d is on paths %d and %d", f, on[f], p.ID)
			}
			on[f] = p.ID
		}
	}
	for i := range g.Walks {
		w := &g.Walks[i]
		if on[w.Flow.ID] != w.Path || w.Path == 0 {
			t.Errorf("flow %d: path %d, on %d", w.Flow.ID, w.Path, on[w.Flow.ID])
		}
	}
	for _, l := range g.Links {
		from, to := nodes[l.From], nodes[l.To]
		if from == nil || to == nil || from.TTL+1 != to.TTL {
			t.Errorf("link %+v joins %+v and %+v", l, from, to)
			continue
		}
		if l.Inferred {
			continue
		}
		crossed := 0
		for i := range g.Walks {
			w := &g.Walks[i]
			at := int(from.TTL) - int(w.First)
			if at >= 0 && at+1 < len(w.Hops) && w.Hops[at].Address == from.Address && w.Hops[at+1].Address == to.Address {
				crossed++
			}
		}
		if crossed != l.Flows || crossed == 0 {
			t.Errorf("link %v-%v has %d flows, %d crossed it", from.Address, to.Address, l.Flows, crossed)
		}
	}
}

// TestNodes checks what is added up at each node.
func TestNodes(t *testing.T) {
	walks, exchanges := network([]int{1, 2, 254}, []int{1, 0, 254})
	retry := reply(2, 0, 0)
	retry.Flow, retry.Attempt = 2, 2
	lost := failed(2)
	stranger := reply(1, 9, 1)
	stranger.Flow = 77
	beyond := reply(9, 254, 7)
	beyond.Reply.RTT = 99 * time.Millisecond
	g := NewGraph(walks, append(exchanges, retry, lost, stranger, beyond))
	ms := func(n ...time.Duration) RTTSummary {
		return RTTSummary{n[0] * time.Millisecond, n[1] * time.Millisecond, n[2] * time.Millisecond, n[3] * time.Millisecond}
	}
	want := []Node{
		{ID: "n1", TTL: 1, Responder: Responder{Address: addr(1)}, Flows: 2, Sent: 2, Replies: 2, RTT: ms(10, 10, 20, 20)},
		{ID: "n2", TTL: 2, Responder: Responder{Address: addr(2)}, Flows: 2, Sent: 3, Replies: 1, RTT: ms(11, 11, 11, 11)},
		{ID: "n3", TTL: 3, Responder: Responder{Address: far}, Flows: 2, Sent: 3, Replies: 3, RTT: ms(12, 22, 99, 99)},
	}
	if !slices.Equal(g.Nodes, want) {
		t.Errorf("got  %+v\nwant %+v", g.Nodes, want)
	}
}

func TestSummarise(t *testing.T) {
	var d []time.Duration
	for i := range 100 {
		d = append(d, time.Duration(100-i))
	}
	if got, want := summarise(d), (RTTSummary{1, 50, 95, 100}); got != want {
		t.Errorf("1 to 100: %+v, want %+v", got, want)
	}
	if got, want := summarise([]time.Duration{7}), (RTTSummary{7, 7, 7, 7}); got != want {
		t.Errorf("one: %+v, want %+v", got, want)
	}
	if got, want := summarise([]time.Duration{4, 1, 3}), (RTTSummary{1, 3, 4, 4}); got != want {
		t.Errorf("three: %+v, want %+v", got, want)
	}
}

// TestMeasureBeyond has another router answer a probe that went further than
// the flow's end: it stands at the TTL that was sent, not at the end's.
func TestMeasureBeyond(t *testing.T) {
	walks, exchanges := network([]int{1, 254})
	other, no := reply(3, 7, 1), refused(4, 8, 1)
	g := NewGraph(walks, append(exchanges, other, no))
	for _, n := range g.Nodes {
		if n.Address == addr(7) && n.TTL != 3 {
			t.Errorf("router 7 at TTL %d, want 3", n.TTL)
		}
		if n.Address == addr(8) {
			t.Errorf("router 8 at TTL %d, though nobody knows where it is", n.TTL)
		}
	}
}

func TestStrings(t *testing.T) {
	if got := Protocol(99).String() + End(99).String() + ReplyKind(99).String(); got != "protocol-99unknownunknown" {
		t.Errorf("unknown values are written %q", got)
	}
}
