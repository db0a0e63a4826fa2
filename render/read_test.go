// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"traceflow"
)

// picture is a graph as it can be read off something: nodes by their name, and
// links between them.
type picture struct {
	nodes []string
	links []string
}

// drawnNode is a node of a picture before silent ones have names.
type drawnNode struct {
	ttl  int
	who  string // "*" for a silent hop
	prev []int
	next []int
}

// name gives each node a name. A silent hop is what lies between its nearest
// neighbours that answered.
func name(nodes []drawnNode) picture {
	neighbour := func(i int, side func(n *drawnNode) []int) string {
		for nodes[i].who == "*" {
			all := side(&nodes[i])
			if len(all) == 0 {
				return "nothing"
			}
			i = all[0]
		}
		return nodes[i].who
	}
	label := func(i int) string {
		n := &nodes[i]
		if n.who != "*" {
			return fmt.Sprintf("%d %s", n.ttl, n.who)
		}
		before := neighbour(i, func(n *drawnNode) []int { return n.prev })
		after := neighbour(i, func(n *drawnNode) []int { return n.next })
		return fmt.Sprintf("%d * between %s and %s", n.ttl, before, after)
	}
	var p picture
	for i := range nodes {
		p.nodes = append(p.nodes, label(i))
		for _, j := range nodes[i].next {
			p.links = append(p.links, label(i)+" > "+label(j))
		}
	}
	slices.Sort(p.nodes)
	slices.Sort(p.links)
	return p
}

// pictureOf is what should be read off a drawing of a graph.
func pictureOf(g *traceflow.Graph) picture {
	index, twins := make(map[string]int), make(map[string]int)
	place := func(n *traceflow.Node) string { return fmt.Sprint(n.TTL, " ", n.Address) }
	for i := range g.Nodes {
		index[g.Nodes[i].ID] = i
		twins[place(&g.Nodes[i])]++
	}
	nodes := make([]drawnNode, len(g.Nodes))
	for i := range g.Nodes {
		n := &g.Nodes[i]
		nodes[i] = drawnNode{ttl: int(n.TTL), who: "*"}
		if n.IsValid() {
			nodes[i].who = n.Address.String()
			if n.Interface != 0 && twins[place(n)] > 1 {
				nodes[i].who += fmt.Sprintf(" if %d", n.Interface)
			}
		}
	}
	for _, l := range g.Links {
		from, to := index[l.From], index[l.To]
		nodes[from].next = append(nodes[from].next, to)
		nodes[to].prev = append(nodes[to].prev, from)
	}
	return name(nodes)
}

// reader reads the tree of Text as a person does. What stands below a node at
// its depth is its next hop; what is indented below it are branches; where they
// end, what stands on the left is the next hop of each, but for those that say
// otherwise. A branch that somebody leads to by name does not start above it.
type reader struct {
	t     *testing.T
	nodes []drawnNode
	refs  map[string]int
	// named is what is said by name.
	named   map[int][]string
	told    map[string]bool // names that somebody leads to
	heads   [][]int         // by depth: what the branches of that depth start from
	ends    [][]int         // by depth: where branches that are over have ended
	at      [][]int         // by depth: what the next line at that depth follows
	deaf    map[int]bool    // "→ not seen": the link from here is none
	strange map[int]bool    // on no flow's path
}

// drawnLine is a line of the tree, and those that belong to it.
type drawnLine struct {
	ttl, tree, address, rest string
}

func readText(t *testing.T, text string) picture {
	t.Helper()
	r := reader{
		t: t, refs: make(map[string]int), named: make(map[int][]string), told: make(map[string]bool), deaf: make(map[int]bool), strange: make(map[int]bool),
		heads: make([][]int, 1), ends: make([][]int, 1), at: make([][]int, 1),
	}
	lines := drawnLines(text)
	for _, l := range lines {
		for ref := range strings.FieldsSeq(arrow(l.rest)) {
			r.told[strings.TrimPrefix(ref, "~")] = true
			if ref == "all" {
				from, _, _, _ := r.ttl(l.ttl)
				r.told[fmt.Sprint("all ", from+1)] = true
			}
		}
	}
	for _, l := range lines {
		r.read(l)
	}
	for from, refs := range r.named {
		for _, ref := range refs {
			if ref == "all" {
				for to := range r.nodes {
					if r.nodes[to].ttl == r.nodes[from].ttl+1 && !r.strange[to] {
						r.link(from, to)
					}
				}
				continue
			}
			to, ok := r.refs[strings.TrimPrefix(ref, "~")]
			if !ok {
				t.Errorf("TTL %d %s leads to %s, which is nowhere", r.nodes[from].ttl, r.nodes[from].who, ref)
				continue
			}
			r.link(from, to)
		}
	}
	return name(r.nodes)
}

// signs are those of an ASCII drawing.
var signs = strings.NewReplacer("->", "→", "<-", "←")

// drawnLines takes the tree out of the text.
func drawnLines(text string) []drawnLine {
	var out []drawnLine
	address, rest, notes := 0, 0, 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "TTL ") {
			address = strings.Index(line, "Address")
			rest, notes = address+len("Address"), len(line) // the figures end with their titles
			for rest < len(line) && line[rest] == ' ' {
				rest++
			}
			continue
		}
		if address == 0 {
			continue
		}
		if line == "" {
			break
		}
		runes := []rune(line)
		cell := func(from, to int) string {
			from, to = min(from, len(runes)), min(to, len(runes))
			return string(runes[from:to])
		}
		l := drawnLine{ttl: strings.TrimSpace(cell(0, address-2)), address: cell(address, rest), rest: signs.Replace(cell(notes, len(runes)))}
		if l.ttl == "" {
			// Only what stands under the notes is one: names may be below an address.
			out[len(out)-1].rest += " " + strings.TrimSpace(l.rest)
			continue
		}
		n := 0
		for i, c := range l.address {
			if !strings.ContainsRune("├└│─┬ +`|-", c) {
				n = i
				break
			}
		}
		l.tree, l.address = l.address[:n], strings.TrimSpace(l.address[n:])
		l.rest = strings.TrimSpace(l.rest)
		out = append(out, l)
	}
	return out
}

// arrow returns what follows "→" in a note.
func arrow(rest string) string {
	_, names, ok := strings.Cut(rest, "→ ")
	if !ok {
		return ""
	}
	names, _, _ = strings.Cut(names, ",")
	return strings.TrimSpace(names)
}

func (r *reader) read(l drawnLine) {
	rest := l.rest
	from, to, ref, tail := r.ttl(l.ttl)
	if strings.Contains(rest, "on no flow's path") {
		r.strange[r.add(from, l.address)] = true
		return
	}
	depth, start := r.depth(l.tree)
	base := depth
	if start > 0 {
		base = start - 1
	}
	r.close(base, start > 0)
	for d := start; start > 0 && d <= depth; d++ {
		r.open(d)
	}
	if tail {
		r.at[depth] = nil
		return
	}
	previous := r.at[depth]
	if start > 0 && ref != "" && (r.told[ref] || r.told[fmt.Sprint("all ", from)]) || strings.Contains(rest, "← not seen") || strings.Contains(rest, "← same router") {
		previous = nil
	}
	who := strings.Fields(l.address)
	var node int
	for ttl := from; ttl <= to; ttl++ {
		text := who[0]
		if len(who) > 2 && who[1] == "if" {
			text = strings.Join(who[:3], " ")
		}
		if text == "?" {
			text = "*"
		}
		node = r.add(ttl, text)
		for _, p := range previous {
			if !r.deaf[p] {
				r.link(p, node)
			}
		}
		previous = []int{node}
	}
	if ref != "" {
		r.refs[ref] = node
	}
	r.at[depth] = []int{node}
	names := arrow(rest)
	switch {
	case names == "not seen":
		r.deaf[node] = true
	case names == "none seen":
		r.at[depth] = nil
	case names != "" && names != "inferred" && names != "same router":
		r.named[node] = strings.Fields(names)
		r.at[depth] = nil
	}
	for note := range strings.SplitSeq(rest, ",") {
		if note = strings.TrimSpace(note); strings.HasSuffix(note, "destination") || strings.Contains(note, "destination:") ||
			strings.HasSuffix(note, "flows end here") && !strings.ContainsAny(strings.TrimSuffix(note[max(0, len(note)-18):], "flows end here"), "0123456789") {
			r.at[depth] = nil
		}
	}
}

// ttl reads the first column: "3", "3a", "3–5", "3+".
func (r *reader) ttl(cell string) (from, to int, ref string, tail bool) {
	r.t.Helper()
	first, last, folded := strings.Cut(strings.ReplaceAll(cell, "-", "–"), "–")
	digits := strings.TrimRight(first, "abcdefghijklmnopqrstuvwxyz+")
	from, err := strconv.Atoi(digits)
	if err != nil {
		r.t.Fatalf("%q is no TTL", cell)
	}
	to = from
	if folded {
		if to, err = strconv.Atoi(last); err != nil {
			r.t.Fatalf("%q is no TTL", cell)
		}
	}
	switch rest := strings.TrimPrefix(first, digits); rest {
	case "":
	case "+":
		tail = true
	default:
		ref = first
	}
	return from, to, ref, tail
}

// depth returns how many branches deep a line is, and the first depth at which
// one starts there, or 0.
func (r *reader) depth(tree string) (depth, start int) {
	for i, c := range []rune(tree) {
		if i%2 == 1 {
			continue
		}
		depth++
		if strings.ContainsRune("├└┬+`", c) && start == 0 {
			start = depth
		}
	}
	return depth, start
}

// close ends what is deeper than a depth. If another branch follows at the next
// depth, its siblings' ends are kept until all of them are over.
func (r *reader) close(depth int, another bool) {
	for d := len(r.at) - 1; d > depth; d-- {
		r.ends[d] = append(r.ends[d], r.at[d]...)
		if d == depth+1 && another {
			r.at = r.at[:d+1]
			r.ends, r.heads = r.ends[:d+1], r.heads[:d+1]
			return
		}
		r.at[d-1] = r.ends[d]
		r.at, r.ends, r.heads = r.at[:d], r.ends[:d], r.heads[:d]
	}
}

// open starts a branch at a depth.
func (r *reader) open(depth int) {
	if depth == len(r.at) {
		head := r.at[depth-1]
		r.heads, r.ends, r.at = append(r.heads, head), append(r.ends, nil), append(r.at, nil)
	}
	r.at[depth] = r.heads[depth]
}

func (r *reader) add(ttl int, who string) int {
	r.nodes = append(r.nodes, drawnNode{ttl: ttl, who: who})
	return len(r.nodes) - 1
}

func (r *reader) link(from, to int) {
	if slices.Contains(r.nodes[from].next, to) {
		return
	}
	if r.nodes[to].ttl != r.nodes[from].ttl+1 {
		r.t.Errorf("a link from TTL %d to TTL %d", r.nodes[from].ttl, r.nodes[to].ttl)
	}
	r.nodes[from].next = append(r.nodes[from].next, to)
	r.nodes[to].prev = append(r.nodes[to].prev, from)
}
