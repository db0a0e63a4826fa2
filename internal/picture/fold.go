// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"fmt"
	"math"
)

// Dense is how many next hops a column shows one by one: more are one bar.
const Dense = 64

// Fold makes one bar of the routers and silent hops of each column that has more
// than most of them. Paths lead through the bar. What is gone or new stays as it
// is, unless there is more than most of that alone.
func (d *Drawing) Fold(most int) {
	counts, changes := make(map[int]int), make(map[int]int)
	for i := range d.Nodes {
		if n := &d.Nodes[i]; n.folds() {
			counts[n.TTL]++
			if n.Status != Unchanged {
				changes[n.TTL]++
			}
		}
	}
	into := make(map[string]string) // bar by ID of a node in it
	bars := make(map[int]int)       // index in nodes by TTL
	var nodes []Node
	for _, n := range d.Nodes {
		if !n.folds() || counts[n.TTL] <= most || n.Status != Unchanged && changes[n.TTL] <= most {
			nodes = append(nodes, n)
			continue
		}
		at, ok := bars[n.TTL]
		if !ok {
			at = len(nodes)
			bars[n.TTL] = at
			nodes = append(nodes, Node{ID: fmt.Sprintf("%d/bar", n.TTL), TTL: n.TTL, Kind: Bar, ASN: n.ASN, ASName: n.ASName, Status: n.Status, RTT: RTT{Min: math.MaxInt64}})
		}
		into[n.ID] = nodes[at].ID
		nodes[at].take(n)
	}
	if len(bars) == 0 {
		return
	}
	for _, at := range bars {
		if nodes[at].RTT.Min == math.MaxInt64 {
			nodes[at].RTT.Min = 0
		}
	}
	d.Nodes = nodes
	d.foldLinks(into)
	for i := range d.Paths {
		for j, id := range d.Paths[i].Nodes {
			if bar, ok := into[id]; ok {
				d.Paths[i].Nodes[j] = bar
			}
		}
	}
	for i := range d.Marks {
		if bar, ok := into[d.Marks[i].After]; ok {
			d.Marks[i].After = bar
		}
	}
	for i := range d.Pipes {
		p := &d.Pipes[i]
		var kept []string
		seen := make(map[string]bool)
		for _, id := range p.Nodes {
			if bar, ok := into[id]; ok {
				id = bar
			}
			if !seen[id] {
				kept = append(kept, id)
			}
			seen[id] = true
		}
		p.Nodes = kept
	}
}

func (n *Node) folds() bool {
	switch n.Kind {
	case Router, Exchange, Silent, Group:
		return true
	case Source, Destination, Bar:
	}
	return false
}

// take adds a node to a bar. The median of a bar is the largest of its nodes':
// it is the slow one that is looked for.
func (n *Node) take(m Node) {
	n.Members = append(n.Members, m)
	n.Flows, n.Sent, n.Replies, n.Share = n.Flows+m.Flows, n.Sent+m.Sent, n.Replies+m.Replies, n.Share+m.Share
	n.Verdict = worse(n.Verdict, m.Verdict)
	if m.ASN != n.ASN {
		n.ASN, n.ASName = 0, ""
	}
	if m.Status != n.Status {
		n.Status = Unchanged
	}
	if m.Replies > 0 {
		n.RTT.Min = min(n.RTT.Min, m.RTT.Min)
		n.RTT.Median, n.RTT.P95, n.RTT.Max = max(n.RTT.Median, m.RTT.Median), max(n.RTT.P95, m.RTT.P95), max(n.RTT.Max, m.RTT.Max)
	}
	n.endHere(m.Ends)
	n.inheritTags(&m)
}

// foldLinks bundles links that begin and end together now.
func (d *Drawing) foldLinks(into map[string]string) {
	var links []Link
	at := make(map[ends]int)
	for _, l := range d.Links {
		_, a := into[l.From]
		_, b := into[l.To]
		if a {
			l.From = into[l.From]
		}
		if b {
			l.To = into[l.To]
		}
		key := ends{l.From, l.To}
		i, ok := at[key]
		if !ok || !a && !b {
			at[key] = len(links)
			links = append(links, l)
			continue
		}
		k := &links[i]
		k.Flows, k.Share, k.Bundle, k.Samples = k.Flows+l.Flows, k.Share+l.Share, k.Bundle+l.Bundle, k.Samples+l.Samples
		k.Inferred = k.Inferred && l.Inferred
		k.Before = nil // of each it may be told in a table
		if l.Delta != nil && (k.Delta == nil || *k.Delta < *l.Delta) {
			k.Delta = l.Delta
		}
		if l.Lost > k.Lost {
			k.Lost, k.Label = l.Lost, l.Label
		} else if k.Lost == 0 && k.Label+l.Label != "" {
			k.Label = "up to +" + Milliseconds(*k.Delta) // each has a delay of its own
		}
		if l.Status != k.Status {
			k.Status = Unchanged
		}
	}
	d.Links = links
}
