// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// links makes walks and exchanges of rows of replies, one for each flow:
// "2%7" is router 2 that names interface 7, "0" silence, "254" the destination
// and "?" a TTL that was not probed. "2,2%7" are two replies at one TTL.
func links(t *testing.T, rows ...string) ([]Walk, []Exchange) {
	t.Helper()
	var walks []Walk
	var exchanges []Exchange
	for i, row := range rows {
		flow := Flow{ID: i + 1, Destination: far}
		var own []Exchange
		for at, cell := range strings.Fields(row) {
			if cell == "?" {
				continue
			}
			for text := range strings.SplitSeq(cell, ",") {
				var n int
				var index uint32
				if _, err := fmt.Sscanf(text+"%0", "%d%%%d", &n, &index); err != nil {
					t.Fatalf("%q: %v", text, err)
				}
				e := reply(at+1, n, 1)
				e.Flow = flow.ID
				if index != 0 {
					e.Reply.Interfaces = []Interface{{Role: IncomingInterface, Index: index, Name: fmt.Sprint("eth", index)}}
				}
				own = append(own, e)
			}
		}
		walks = append(walks, NewWalk(flow, 1, own))
		exchanges = append(exchanges, own...)
	}
	return walks, exchanges
}

// withInterfaces writes paths and links like text, with interfaces.
func withInterfaces(g *Graph) (paths, links []string) {
	name := make(map[string]string)
	for _, n := range g.Nodes {
		name[n.ID] = "*"
		if n.IsValid() {
			name[n.ID] = fmt.Sprint(n.Address.As4()[3])
		}
		if n.Interface != 0 {
			name[n.ID] += fmt.Sprintf("%%%d", n.Interface)
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
		links = append(links, fmt.Sprintf("%s-%s %d", name[l.From], name[l.To], l.Flows))
	}
	return paths, links
}

func TestGraphInterfaces(t *testing.T) {
	tests := []struct {
		name         string
		rows         []string
		paths, links []string
		nodes        int
	}{
		{
			"links in parallel",
			[]string{"1 2%7 254", "1 2%8 254", "1 2%7 254"},
			[]string{"[1 3] 1 2%7 254", "[2] 1 2%8 254"},
			[]string{"1-2%7 2", "1-2%8 1", "2%7-254 2", "2%8-254 1"},
			4,
		},
		{
			"one that is not always told is one",
			[]string{"1 2 3 254", "1 2%7 3 254", "1 2 3 254"},
			[]string{"[1 2 3] 1 2%7 3 254"},
			[]string{"1-2%7 3", "2%7-3 3", "3-254 3"},
			4,
		},
		{
			"of several, nobody knows which was not told",
			[]string{"1 2 254", "1 2%7 254", "1 2%8 254", "1 2 254"},
			[]string{"[1 4] 1 2 254", "[2] 1 2%7 254", "[3] 1 2%8 254"},
			[]string{"1-2 2", "1-2%7 1", "1-2%8 1", "2-254 2", "2%7-254 1", "2%8-254 1"},
			5,
		},
		{
			"told at another TTL only",
			[]string{"1 2%7 2 254", "1 2%7 2 254"},
			[]string{"[1 2] 1 2%7 2 254"},
			[]string{"1-2%7 2", "2%7-2 2", "2-254 2"},
			4,
		},
		{
			"appears in a flow's second reply and vanishes again",
			[]string{"1 2,2%7,2 254", "1 2%8 254"},
			[]string{"[1] 1 2%7 254", "[2] 1 2%8 254"},
			[]string{"1-2%7 1", "1-2%8 1", "2%7-254 1", "2%8-254 1"},
			4,
		},
		{
			"the destination is one",
			[]string{"1 254%3", "1 254%4", "1 254"},
			[]string{"[1 2 3] 1 254"},
			[]string{"1-254 3"},
			2,
		},
		{
			"a silent hop between a node and each interface behind it",
			[]string{"1 0 2%7 254", "1 0 2%8 254"},
			[]string{"[1] 1 * 2%7 254", "[2] 1 * 2%8 254"},
			[]string{"1-* 1", "1-* 1", "*-2%7 1", "*-2%8 1", "2%7-254 1", "2%8-254 1"},
			6,
		},
		{
			"a reply that was lost splits nothing",
			[]string{"1 2%7 254", "1 2%8 254", "1 2%8 254", "1 0 254"},
			[]string{"[1] 1 2%7 254", "[2 3 4] 1 2%8 254"},
			[]string{"1-2%7 1", "1-2%8 2", "2%7-254 1", "2%8-254 2"},
			4,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			walks, exchanges := links(t, tt.rows...)
			g := NewGraph(walks, exchanges)
			paths, links := withInterfaces(&g)
			if diff := cmp.Diff(tt.paths, paths); diff != "" {
				t.Errorf("paths (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(tt.links, links); diff != "" {
				t.Errorf("links (-want +got)\n%s", diff)
			}
			if len(g.Nodes) != tt.nodes {
				t.Errorf("got %d nodes, want %d: %+v", len(g.Nodes), tt.nodes, g.Nodes)
			}
			replies := 0 // of the nodes, less those that came
			for i := range exchanges {
				if exchanges[i].Reply.Kind != NoReply {
					replies--
				}
			}
			for _, n := range g.Nodes {
				replies += n.Replies
				if (n.InterfaceName != "") != (n.Interface != 0) {
					t.Errorf("interface %d is named %q", n.Interface, n.InterfaceName)
				}
			}
			if replies != 0 {
				t.Errorf("the nodes have %d replies more than came", replies)
			}
		})
	}
}

// TestDiamondOfLinks has two links to one address: that is where paths part,
// not where they meet.
func TestDiamondOfLinks(t *testing.T) {
	g := NewGraph(links(t, "1 2%7 3 254", "1 2%8 3 254"))
	if len(g.Diamonds) != 1 {
		t.Fatalf("got %+v, want one diamond", g.Diamonds)
	}
	if d := g.Diamonds[0]; d.Divergence != "n1" || d.Convergence != "n4" || d.Width != 2 || d.Length != 2 {
		t.Errorf("got %+v, want one from n1 to n4, 2 wide and 2 long", d)
	}
}

// TestVariedInterface has a balancer that sends each packet of a flow by either
// of two links.
func TestVariedInterface(t *testing.T) {
	tests := []struct {
		row  string
		want []uint8
	}{
		{"1 2%7,2%8 254", []uint8{2}},
		{"1 2%7,2,2%8 254", []uint8{2}},
		{"1 2,2%7 254", nil},
		{"1 2%7,2 254", nil},
		{"1 2%7,2%7 254", nil},
		{"1 2,2%7,2%8 254", []uint8{2}},
		{"1 2 254%3,254%4", nil},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			walks, _ := links(t, tt.row)
			if diff := cmp.Diff(tt.want, walks[0].Varied); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestInferInterfaces fills in hops that were not asked: only where one
// interface is left, and with that one.
func TestInferInterfaces(t *testing.T) {
	tests := []struct {
		name string
		rows []string
		want []string // paths
	}{
		{
			"forward by the only link",
			[]string{"1 2%7 3 254", "1 ? 3 254"},
			[]string{"[1 2] 1 2%7 3 254"},
		},
		{
			"by the link that leads there",
			[]string{"1 2%7 3 254", "1 2%8 4 254", "1 ? 4 254"},
			[]string{"[1] 1 2%7 3 254", "[2 3] 1 2%8 4 254"},
		},
		{
			"from a node that does not always tell",
			[]string{"1 2%7 3 254", "1 2 ? 254", "1 ? 3 254"},
			[]string{"[1 2 3] 1 2%7 3 254"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			walks, exchanges := links(t, tt.rows...)
			InferHops(walks, exchanges, &Guarantee{})
			for i := range walks {
				for j := range walks[i].Hops {
					if walks[i].Hops[j].Kind == NotAsked {
						t.Errorf("flow %d, TTL %d is not inferred", i+1, j+1)
					}
				}
			}
			g := NewGraph(walks, exchanges)
			if paths, _ := withInterfaces(&g); !cmp.Equal(paths, tt.want) {
				t.Errorf("got %q, want %q", paths, tt.want)
			}
		})
	}
	t.Run("two links to one node", func(t *testing.T) {
		walks, exchanges := links(t, "1 2%7 3 254", "1 2%8 3 254", "1 ? 3 254")
		InferHops(walks, exchanges, &Guarantee{})
		if kind := walks[2].Hops[1].Kind; kind != NotAsked {
			t.Errorf("a hop that can be either of two is %s", kind)
		}
	})
}

// TestNewInterfaceInEachReply has a router that lies: nodes are no more than
// the replies, and what it tells is taken for a balancer of packets.
func TestNewInterfaceInEachReply(t *testing.T) {
	const flows, tries = 20, 5
	var rows []string
	for i := range flows {
		var cells []string
		for j := range tries {
			cells = append(cells, fmt.Sprintf("2%%%d", 1+i*tries+j))
		}
		rows = append(rows, "1 "+strings.Join(cells, ",")+" 254")
	}
	g := NewGraph(links(t, rows...))
	if len(g.Nodes) != 2+flows*tries || len(g.Paths) != flows {
		t.Errorf("got %d nodes and %d paths", len(g.Nodes), len(g.Paths))
	}
	if len(g.Diamonds) != 1 || g.Diamonds[0].Balancer != BalancerPerPacket {
		t.Errorf("got diamonds %+v, want one that balances per packet", g.Diamonds)
	}
}

// TestResponders learns walk by walk what an address tells.
func TestResponders(t *testing.T) {
	walks, _ := links(t, "1 2", "1 2%7", "1 2%7", "1 2%8", "1 2%9", "1 254%5")
	var s Responders
	tests := []struct {
		changed bool
		want    uint32 // interface of the first walk's reply
	}{{false, 0}, {true, 7}, {false, 7}, {true, 0}, {false, 0}, {false, 0}}
	for i, tt := range tests {
		if changed := s.Learn(&walks[i]); changed != tt.changed {
			t.Errorf("after walk %d: changed %v, want %v", i+1, changed, tt.changed)
		}
		if who := s.hop(&walks[0], 1); who != (Responder{addr(2), tt.want}) {
			t.Errorf("after walk %d: %v, want interface %d", i+1, who, tt.want)
		}
	}
	walks[5].Alias = addr(100)
	if who := s.hop(&walks[5], 1); who != (Responder{Address: addr(100)}) {
		t.Errorf("the destination is %v, want its alias without an interface", who)
	}
}

func TestJSONInterfaces(t *testing.T) {
	trace := scene{flows: []string{
		"192.0.2.1 if=3:eth1|198.51.100.1 if=7:xe-0/0/1|203.0.113.9 if=2:ens3",
		"192.0.2.1 if=4:eth2|198.51.100.1|203.0.113.9 if=3:ens4",
		"192.0.2.1|198.51.100.1 if=7:xe-0/0/1|203.0.113.9",
	}}.trace(t)
	if len(trace.Graph.Nodes) != 5 || len(trace.Graph.Paths) != 3 {
		t.Fatalf("got %+v, want 5 nodes on 3 paths", trace.Graph.Nodes)
	}
	data, err := json.Marshal(trace)
	if err != nil {
		t.Fatal(err)
	}
	var read Trace
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	options := append([]cmp.Option{cmp.AllowUnexported(Walk{})}, equate...)
	if diff := cmp.Diff(trace.Graph, read.Graph, options...); diff != "" {
		t.Errorf("graph (-written +read)\n%s", diff)
	}
	var document struct {
		Nodes []struct {
			Index *uint32 `json:"interface_index"`
			Name  *string `json:"interface_name"`
		} `json:"nodes"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, n := range document.Nodes {
		switch {
		case n.Index != nil && n.Name != nil:
			told = append(told, fmt.Sprint(*n.Index, " ", *n.Name))
		case n.Index == nil && n.Name == nil:
			told = append(told, "")
		default:
			t.Errorf("only one of index and name is there: %+v", n)
		}
	}
	if want := []string{"", "3 eth1", "4 eth2", "7 xe-0/0/1", ""}; !cmp.Equal(told, want) {
		t.Errorf("nodes tell %q, want %q", told, want)
	}
}
