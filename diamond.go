// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import "slices"

// Balancer is how a router spreads packets over its next hops.
type Balancer string

// The kinds of balancers.
const (
	BalancerUnknown   Balancer = "unknown" // not tested, or not told
	BalancerPerFlow   Balancer = "per-flow"
	BalancerPerPacket Balancer = "per-packet"
	// BalancerPerDestination looks at addresses only: found by varying the
	// destination (discover.VaryDestination).
	BalancerPerDestination Balancer = "per-destination"
)

// Diamond is everything between a node where paths part and the next node
// where all of them are together again (Augustin et al., "Measuring
// Load-balanced Paths in the Internet", IMC 2007). A diamond inside another is
// part of it and not listed.
type Diamond struct {
	// Divergence and Convergence are Node.IDs; Convergence is empty where the
	// paths were not seen to meet again.
	Divergence, Convergence string
	// Width is the largest number of nodes at one TTL between the two.
	Width int
	// Length is how many hops the longest way through takes.
	Length int
	// Meshed is true if inside it two nodes at one TTL share a neighbour where
	// they need not: a node of the wider of two neighbouring TTLs, or of either
	// if they are as wide, has several links to the other (Vermeulen et al.,
	// "Multilevel MDA-Lite Paris Traceroute", IMC 2018).
	Meshed   bool
	Balancer Balancer
}

// findDiamonds walks down all paths together, from each divergence that no
// diamond covers yet.
func findDiamonds(g *Graph) []Diamond {
	next := make(map[string]map[string]bool)
	for _, p := range g.Paths {
		for i := 1; i < len(p.Nodes); i++ {
			if next[p.Nodes[i-1]] == nil {
				next[p.Nodes[i-1]] = make(map[string]bool)
			}
			next[p.Nodes[i-1]][p.Nodes[i]] = true
		}
	}
	node := make(map[string]*Node, len(g.Nodes))
	for i := range g.Nodes {
		node[g.Nodes[i].ID] = &g.Nodes[i]
	}
	covered := make(map[string]bool)
	var out []Diamond
	for i := range g.Nodes {
		id := g.Nodes[i].ID
		if len(next[id]) < 2 || covered[id] {
			continue
		}
		var tails [][]string // what follows the divergence, on each path through it
		for _, p := range g.Paths {
			if at := slices.Index(p.Nodes, id); at >= 0 {
				tails = append(tails, p.Nodes[at+1:])
			}
		}
		d := measureDiamond(id, tails, node, covered)
		d.Meshed = g.meshed(tails, node, d.Length)
		if g.variesAfter(id, node[id].TTL) {
			d.Balancer = BalancerPerPacket
		}
		out = append(out, d)
	}
	return out
}

// variesAfter reports whether a flow that passed a node was answered by several
// responders one TTL further on.
func (g *Graph) variesAfter(id string, ttl uint8) bool {
	return slices.ContainsFunc(g.Walks, func(w Walk) bool {
		return w.Path > 0 && slices.Contains(w.Varied, ttl+1) && slices.Contains(g.Paths[w.Path-1].Nodes, id)
	})
}

func measureDiamond(divergence string, tails [][]string, node map[string]*Node, covered map[string]bool) Diamond {
	d := Diamond{Divergence: divergence, Balancer: BalancerUnknown}
	// The convergence is the first node of one tail whose responder is on all of
	// them; paths of unequal length meet at different TTLs.
	meets := func(tail []string, n *Node) int {
		return slices.IndexFunc(tail, func(id string) bool {
			return n.IsValid() && node[id].Responder == n.Responder
		})
	}
	for _, id := range tails[0] {
		if !slices.ContainsFunc(tails, func(t []string) bool { return meets(t, node[id]) < 0 }) {
			d.Convergence = id
			break
		}
	}
	width := make(map[uint8]map[string]bool)
	for _, tail := range tails {
		end := len(tail)
		if d.Convergence != "" {
			end = meets(tail, node[d.Convergence])
			d.Length = max(d.Length, end+1)
		} else {
			d.Length = max(d.Length, end)
		}
		for _, id := range tail[:end] {
			covered[id] = true
			ttl := node[id].TTL
			if width[ttl] == nil {
				width[ttl] = make(map[string]bool)
			}
			width[ttl][id] = true
			d.Width = max(d.Width, len(width[ttl]))
		}
	}
	return d
}

// meshed looks at the links of a diamond, given by what follows its divergence
// on each path and its length.
func (g *Graph) meshed(tails [][]string, node map[string]*Node, length int) bool {
	type sides struct{ next, previous map[string]map[string]bool }
	pairs := make(map[uint8]*sides) // by the TTL of the nearer end
	add := func(m map[string]map[string]bool, from, to string) {
		if m[from] == nil {
			m[from] = make(map[string]bool)
		}
		m[from][to] = true
	}
	for _, tail := range tails {
		// The last hop of the longest way is the convergence.
		for i := 1; i < min(len(tail), length-1); i++ {
			ttl := node[tail[i-1]].TTL
			if pairs[ttl] == nil {
				pairs[ttl] = &sides{make(map[string]map[string]bool), make(map[string]map[string]bool)}
			}
			add(pairs[ttl].next, tail[i-1], tail[i])
			add(pairs[ttl].previous, tail[i], tail[i-1])
		}
	}
	several := func(m map[string]map[string]bool) bool {
		for _, neighbours := range m {
			if len(neighbours) > 1 {
				return true
			}
		}
		return false
	}
	for _, p := range pairs {
		switch near, far := len(p.next), len(p.previous); {
		case near < 2 || far < 2:
		case near >= far && several(p.next), far >= near && several(p.previous):
			return true
		}
	}
	return false
}
