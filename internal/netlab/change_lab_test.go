// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package netlab_test

import (
	"slices"
	"testing"
	"time"

	"traceflow"
	"traceflow/internal/netlab"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
)

// without returns the network less the edges between some nodes.
func without(network *topology.Topology, edges ...[2]string) *topology.Topology {
	t := *network
	t.Nodes, t.Edges = slices.Clone(t.Nodes), slices.Clone(t.Edges)
	t.Edges = slices.DeleteFunc(t.Edges, func(e topology.Edge) bool {
		return slices.Contains(edges, [2]string{t.Nodes[e.From].Name, t.Nodes[e.To].Name})
	})
	return &t
}

// members returns the nodes at the second hop of flows.
func members(t *testing.T, l *netlab.Lab, first traceflow.Flow) []string {
	t.Helper()
	seen := make(map[string]bool)
	var names []string
	for _, path := range paths(t, l, flows(first, 64)) {
		if name := l.Topology().Nodes[path[1]].Name; !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestSetLink cuts the link to a member, twice, and mends it.
func TestSetLink(t *testing.T) {
	l := build(t, topologytest.Parse(t, "node s source\nnode d destination\nlink s > r > a[1..3] > c > d"))
	families(t, l, func(t *testing.T, l *netlab.Lab, f traceflow.Flow) {
		whole, cut := []string{"a1", "a2", "a3"}, []string{"a2", "a3"}
		for range 2 {
			for _, up := range []bool{false, true} {
				// By the first one replies come back.
				if err := l.SetLink("a1", "r", up); err != nil {
					t.Fatal(err)
				}
				want := cut
				if up {
					want = whole
				}
				if got := members(t, l, f); !slices.Equal(got, want) {
					t.Errorf("up %t: by %v, want %v", up, got, want)
				}
				w := newWalker(t, l, f)
				w.send(t, 4)
				w.until(t, f.Destination)
				w.close()
			}
		}
	})
	for _, link := range [][2]string{{"r", "c"}, {"r", "nobody"}} {
		if err := l.SetLink(link[0], link[1], false); err == nil {
			t.Errorf("no error for %v, which no link joins", link)
		}
	}
}

// TestChange makes a network another one and back.
func TestChange(t *testing.T) {
	whole := topologytest.Parse(t, "default delay=0\nnode s source\nnode d destination\nlink s > r > a[1..3] > c > d")
	l := build(t, whole)
	families(t, l, func(t *testing.T, l *netlab.Lab, f traceflow.Flow) {
		c := slices.IndexFunc(whole.Nodes, func(n topology.Node) bool { return n.Name == "c" })
		for range 2 {
			narrow := without(whole, [2]string{"r", "a1"})
			narrow.Nodes[c].Silent, narrow.Nodes[c].ReplyTTL = true, 0
			if err := l.Change(narrow); err != nil {
				t.Fatal(err)
			}
			if got := members(t, l, f); !slices.Equal(got, []string{"a2", "a3"}) {
				t.Errorf("by %v, want a2 and a3", got)
			}
			w := newWalker(t, l, f)
			w.send(t, 3)
			w.send(t, 4)
			if all := w.until(t, f.Destination); len(all) != 1 {
				t.Errorf("answers %v, want one of the destination: c is silent", all)
			}
			w.close()

			other := without(whole)
			other.Nodes[c].ReplyTTL = 100
			if err := l.Change(other); err != nil {
				t.Fatal(err)
			}
			if got := members(t, l, f); len(got) != 3 {
				t.Errorf("by %v, want all", got)
			}
			w = newWalker(t, l, f)
			w.send(t, 3)
			if a, ok := w.next(t); !ok || a.from != at(t, whole, "c", f) || a.ttl != 98 {
				t.Errorf("got %v, %v, want an answer of c with a TTL of 98", a, ok)
			}
			w.close()
		}
	})
	strange := topologytest.Parse(t, "default delay=0\nnode s source\nnode d destination\nlink s > r > a[1..3] > c > d\nlink r > c")
	if err := l.Change(strange); err == nil {
		t.Error("no error for a link that was not built")
	}
	fewer := topologytest.Parse(t, "default delay=0\nnode s source\nnode d destination\nlink s > r > a[1..2] > c > d")
	if err := l.Change(fewer); err == nil {
		t.Error("no error for other nodes")
	}
}

// TestDelay measures round trips over a link that takes time.
func TestDelay(t *testing.T) {
	netlab.Require(t)
	const delay = 20 * time.Millisecond
	network := topologytest.Parse(t, "default delay=0\nnode s source\nnode d destination\nlink s > r > m\nlink m > c delay=20ms\nlink c > d")
	l, err := netlab.Build(network, netlab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	families(t, l, func(t *testing.T, l *netlab.Lab, f traceflow.Flow) {
		w := newWalker(t, l, f)
		defer w.close()
		for ttl, node := range []string{1: "r", 2: "m", 3: "c", 4: "d"} {
			if ttl == 0 {
				continue
			}
			began := time.Now()
			w.send(t, ttl)
			a, ok := w.next(t)
			took := time.Since(began)
			if !ok || a.from != at(t, network, node, f) {
				t.Fatalf("TTL %d: got %v, %v, want %s", ttl, a, ok, node)
			}
			if far := ttl > 2; far && took < 2*delay {
				t.Errorf("TTL %d: round trip of %v, want %v", ttl, took, 2*delay)
			}
		}
	})
}
