// SPDX-License-Identifier: BSD-3-Clause

package tui

import (
	"cmp"
	"slices"

	"traceflow"
)

// fork is the graph of the paths as it is drawn: a column for each TTL, the
// nodes of each below one another.
type fork struct {
	columns []forkColumn
	height  int            // of the highest column
	row     map[string]int // of each node in its column, by Node.ID
	links   map[string]map[string]bool
}

// forkColumn has the nodes of a TTL, or of several with one node each.
type forkColumn struct {
	first, last uint8 // TTL
	nodes       []string
}

// newFork lays a graph out. Nodes stand in the order of those that they are
// linked to at the TTL before.
func newFork(t *traceflow.Trace) fork {
	f := fork{row: make(map[string]int), links: make(map[string]map[string]bool)}
	ttl := make(map[string]uint8)
	for i := range t.Graph.Nodes {
		ttl[t.Graph.Nodes[i].ID] = t.Graph.Nodes[i].TTL
	}
	before := make(map[string][]string)
	at := make(map[uint8][]string)
	seen := make(map[string]bool)
	for i := range t.Graph.Paths {
		nodes := t.Graph.Paths[i].Nodes
		for j, id := range nodes {
			if !seen[id] {
				seen[id] = true
				at[ttl[id]] = append(at[ttl[id]], id)
			}
			if j == 0 {
				continue
			}
			from := nodes[j-1]
			if f.links[from] == nil {
				f.links[from] = make(map[string]bool)
			}
			if !f.links[from][id] {
				f.links[from][id] = true
				before[id] = append(before[id], from)
			}
		}
	}
	for n := range 256 {
		nodes := at[uint8(n)]
		if len(nodes) == 0 {
			continue
		}
		centre := make(map[string]float64)
		for _, id := range nodes {
			for _, from := range before[id] {
				centre[id] += float64(f.row[from]) / float64(len(before[id]))
			}
		}
		slices.SortStableFunc(nodes, func(a, b string) int { return cmp.Compare(centre[a], centre[b]) })
		for i, id := range nodes {
			f.row[id] = i
		}
		f.columns = append(f.columns, forkColumn{uint8(n), uint8(n), nodes})
		f.height = max(f.height, len(nodes))
	}
	f.height++ // the TTLs stand above
	return f
}

// folded joins runs of TTLs with one node each, the ends of a run excepted.
func (f *fork) folded() []forkColumn {
	var out []forkColumn
	for i := 0; i < len(f.columns); i++ {
		end := i
		for end+1 < len(f.columns) && len(f.columns[i].nodes) == 1 && len(f.columns[end+1].nodes) == 1 {
			end++
		}
		if end-i < 3 {
			out = append(out, f.columns[i])
			continue
		}
		run := forkColumn{f.columns[i+1].first, f.columns[end-1].last, nil}
		for _, c := range f.columns[i+1 : end] {
			run.nodes = append(run.nodes, c.nodes...)
		}
		out = append(out, f.columns[i], run)
		i = end - 1
	}
	return out
}

// span is a set of rows that links join, between two columns.
type span struct{ from, to int }

// spans groups the links between two columns by what they join. Where groups
// would cross, they are drawn as one.
func (f *fork) spans(left, right []string, row func(string) int) []span {
	var all []span
	for _, a := range left {
		for _, b := range right {
			if f.links[a][b] {
				all = append(all, span{min(row(a), row(b)), max(row(a), row(b))})
			}
		}
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var out []span
	for _, s := range all {
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
		} else {
			out = append(out, s)
		}
	}
	return out
}
