// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"traceflow/internal/topology"
)

// WriteMap writes who forwards to whom, in the order of the hops. Neighbours
// in that order with the same next hops share a line.
func WriteMap(w io.Writer, t *topology.Topology) error {
	rank, err := order(t)
	if err != nil {
		return err
	}
	nodes := make([]int, len(t.Nodes))
	for i, r := range rank {
		nodes[r] = i
	}
	next := make([]string, len(t.Nodes))
	for i, edges := range outgoing(t) {
		names := make([]string, 0, len(edges))
		for _, e := range edges {
			name := t.Nodes[t.Edges[e].To].Name
			if t.Edges[e].Weight > 1 {
				name = fmt.Sprintf("%s*%d", name, t.Edges[e].Weight)
			}
			names = append(names, name)
		}
		next[i] = shorten(names, 4)
	}
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for len(nodes) > 0 {
		same := slices.IndexFunc(nodes, func(i int) bool { return next[i] != next[nodes[0]] })
		if same < 0 {
			same = len(nodes)
		}
		var names, ipv4, ipv6 []string
		for _, i := range nodes[:same] {
			n := &t.Nodes[i]
			names = append(names, n.Name)
			if t.IPv4 {
				ipv4 = append(ipv4, n.Address4.String())
			}
			if t.IPv6 {
				ipv6 = append(ipv6, n.Address6.String())
			}
		}
		line := []string{shorten(names, 4), shorten(ipv4, 1), shorten(ipv6, 1), ""}
		if next[nodes[0]] != "" {
			line[3] = "> " + next[nodes[0]]
		}
		if _, err := fmt.Fprintln(tab, strings.TrimRight(strings.Join(line, "\t"), "\t")); err != nil {
			return err
		}
		nodes = nodes[same:]
	}
	return tab.Flush()
}

// shorten joins words, leaving out the middle of more than most.
func shorten(words []string, most int) string {
	switch n := len(words); {
	case n <= most:
		return strings.Join(words, " ")
	case n <= 4:
		return words[0] + " … " + words[n-1]
	default:
		return fmt.Sprintf("%s … %s (%d)", words[0], words[n-1], n)
	}
}
