// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"slices"
	"strings"

	"traceflow"
)

// nodeKind is what a node is to the trace.
type nodeKind string

const (
	kindRouter      nodeKind = "router"
	kindExchange    nodeKind = "ixp" // a router at an exchange point
	kindSilent      nodeKind = "silent"
	kindDestination nodeKind = "destination"
)

// nodes is what formats that draw graphs, or list them, write of each node. All
// text in it is one line of printable characters, of a length that is bounded.
type nodes struct {
	all  []nodeText
	byID map[string]*nodeText
}

type nodeText struct {
	*traceflow.Node
	note traceflow.Annotation
	kind nodeKind
	// refusals are the marks of what it said instead of an ordinary step.
	refusals []string
	mpls     []traceflow.MPLSLabel // of the first reply that shows some
	flows    []int                 // Flow.ID, ascending, of the paths through it
}

func newNodes(t *traceflow.Trace) *nodes {
	n := &nodes{all: make([]nodeText, len(t.Graph.Nodes)), byID: make(map[string]*nodeText, len(t.Graph.Nodes))}
	for i := range t.Graph.Nodes {
		x := &n.all[i]
		*x = nodeText{Node: &t.Graph.Nodes[i], kind: kindSilent}
		if x.IsValid() {
			x.note, x.kind = t.Annotations.Of(x.Address), kindRouter
		}
		switch {
		case x.IsValid() && x.Address == t.Destination.Address:
			x.kind = kindDestination
		case x.note.Port.IXP != "":
			x.kind = kindExchange
		}
		n.byID[x.ID] = x
	}
	for i := range t.Graph.Paths {
		for _, id := range t.Graph.Paths[i].Nodes {
			n.byID[id].flows = append(n.byID[id].flows, t.Graph.Paths[i].Flows...)
		}
	}
	for i := range n.all {
		slices.Sort(n.all[i].flows)
	}
	n.look(t)
	return n
}

// look adds what the replies of each node hold.
func (n *nodes) look(t *traceflow.Trace) {
	for i := range t.Graph.Walks {
		w := &t.Graph.Walks[i]
		if w.Path == 0 {
			continue
		}
		path := t.Graph.Paths[w.Path-1].Nodes
		for j := range min(len(w.Hops), len(path)) {
			x, r := n.byID[path[j]], &w.Hops[j]
			if w.Responder(r).Address != x.Address {
				continue
			}
			if x.mpls == nil {
				x.mpls = r.MPLS
			}
			if m := refusal(w, r); m != "" && !slices.Contains(x.refusals, m) {
				x.refusals = append(x.refusals, m)
			}
		}
	}
}

// owner is the AS whose router has the address (see [traceflow.Annotation.Owner]);
// "" if it is not known.
func (x *nodeText) owner() string {
	as, name := x.note.Owner()
	if as == 0 {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("AS%d %s", as, stranger(name)))
}

// lines are the label of a node.
func (x *nodeText) lines() []string {
	if x.kind == kindSilent {
		return []string{"no answer", fmt.Sprintf("TTL %d", x.TTL)}
	}
	address := x.Address.String()
	if x.Interface != 0 {
		address += fmt.Sprintf(" if %d", x.Interface)
	}
	if len(x.refusals) > 0 {
		address += " " + strings.Join(x.refusals, " ")
	}
	out := []string{address}
	for _, more := range []string{stranger(x.note.Hostname.Name), x.owner(), stranger(x.note.Port.IXP)} {
		if more != "" {
			out = append(out, more)
		}
	}
	if x.Replies > 0 {
		out = append(out, milliseconds(x.RTT.Median)+" ms")
	}
	return out
}

// stranger makes text that strangers wrote fit for a label.
func stranger(s string) string { return Printable(shorten(s, mostName)) }

// arrow is a link, and how to draw it.
type arrow struct {
	from, to string // "" is the vantage point
	// share is the part of the flows that took it, of those that took any link
	// between the two TTLs.
	share    float64
	inferred bool
	flows    []int // of the paths through it
}

// arrows are the links, after those from the vantage point to the first nodes.
func (n *nodes) arrows(t *traceflow.Trace) []arrow {
	type pair struct{ from, to string }
	flows := make(map[pair][]int)
	var total [256]int // flows by the TTL of the farther end
	for i := range t.Graph.Paths {
		p := &t.Graph.Paths[i]
		from := ""
		for _, id := range p.Nodes {
			flows[pair{from, id}] = append(flows[pair{from, id}], p.Flows...)
			total[n.byID[id].TTL] += len(p.Flows)
			from = id
		}
	}
	var out []arrow
	add := func(from, to string, inferred bool) {
		through := slices.Sorted(slices.Values(flows[pair{from, to}]))
		share := float64(len(through)) / float64(max(1, total[n.byID[to].TTL]))
		out = append(out, arrow{from: from, to: to, share: share, inferred: inferred, flows: through})
	}
	for i := range n.all {
		if x := &n.all[i]; len(flows[pair{"", x.ID}]) > 0 {
			add("", x.ID, x.kind == kindSilent || x.TTL > 1)
		}
	}
	for _, l := range t.Graph.Links {
		add(l.From, l.To, l.Inferred)
	}
	return out
}

// mostRanges of flow IDs are written out.
const mostRanges = 12

// ranges writes ascending numbers, such as "1-3, 7".
func ranges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if len(parts) == mostRanges {
			parts = append(parts, "…")
			break
		}
		if j > i {
			parts = append(parts, fmt.Sprintf("%d-%d", numbers[i], numbers[j]))
		} else {
			parts = append(parts, fmt.Sprint(numbers[i]))
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}
