// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"encoding/binary"
	"net/netip"
)

// finish fills in what the file left to the rules, then checks the whole.
// first is the line to blame when nothing better is known.
func (p *parser) finish(first int) error {
	t := p.t
	if t.Source < 0 {
		return p.errorf(first, "no source; write: node src source")
	}
	if t.Destination < 0 {
		return p.errorf(first, "no destination; write: node dst destination")
	}
	if t.Source == t.Destination {
		return p.errorf(p.lineDecl[t.Source], "%s is both source and destination; write two nodes", t.Nodes[t.Source].Name)
	}
	for _, u := range p.uses {
		if role, word := t.role(u.node); u.key.roles&role == 0 {
			return p.errorf(u.line, "%s has no effect on %s, which is %s; leave it out", u.key.name, t.Nodes[u.node].Name, word)
		}
	}
	for i := range t.Nodes {
		if !p.seedGiven[i] {
			t.Nodes[i].HashSeed = mix(t.Seed + uint64(i+1)*0x9e3779b97f4a7c15)
		}
	}
	if err := p.addresses(); err != nil {
		return err
	}
	if err := p.sizes(); err != nil {
		return err
	}
	return p.shape()
}

// leastIPv6 is the least MTU of a link that carries IPv6 (RFC 8200, section 5).
const leastIPv6 = 1280

// sizes refuses limits of links that cannot be.
func (p *parser) sizes() error {
	for i, e := range p.t.Edges {
		switch {
		case e.MTU == 0:
		case e.From == p.t.Source:
			return p.errorf(p.lineEdge[i], "mtu of a link out of %s, the source, whose own kernel would refuse to send; write the key on the links behind",
				p.t.Nodes[e.From].Name)
		case p.t.IPv6 && e.MTU < leastIPv6:
			return p.errorf(p.lineEdge[i], "mtu %d is less than the %d bytes that IPv6 needs; write: family 4", e.MTU, leastIPv6)
		}
	}
	return nil
}

// role returns what a node is, as a set of one and in words.
func (t *Topology) role(i int) (roles, string) {
	switch i {
	case t.Source:
		return onSource, "the source"
	case t.Destination:
		return onDestination, "the destination"
	}
	return onRouter, "a router"
}

// addresses gives every node its addresses and refuses double ones.
func (p *parser) addresses() error {
	owner := make(map[netip.Addr]int, 2*len(p.t.Nodes))
	for i := range p.t.Nodes {
		n := &p.t.Nodes[i]
		if n.Address4.IsValid() && !p.t.IPv4 || n.Address6.IsValid() && !p.t.IPv6 {
			return p.errorf(p.lineDecl[i], "%s has an address of a family that the network has not; write: family 4 6", n.Name)
		}
		if p.t.IPv4 && !n.Address4.IsValid() {
			n.Address4 = address4(i)
		}
		if p.t.IPv6 && !n.Address6.IsValid() {
			n.Address6 = address6(i)
		}
		for _, addr := range []netip.Addr{n.Address4, n.Address6, n.NATAddress4, n.NATAddress6} {
			if !addr.IsValid() {
				continue
			}
			if other, ok := owner[addr]; ok {
				line := max(p.lineDecl[i], p.lineDecl[other]) // one of the two was given
				return p.errorf(line, "%s and %s both have %s; give one of them another address",
					p.t.Nodes[other].Name, n.Name, addr)
			}
			owner[addr] = i
		}
	}
	return nil
}

// address4 is the IPv4 address of node i, never ending in 0 or 255.
func address4(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{198, 18, byte(i / 250), byte(i%250 + 1)})
}

// address6 is the IPv6 address of node i.
func address6(i int) netip.Addr {
	a := [16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8}
	binary.BigEndian.PutUint32(a[12:], uint32(i+1))
	return netip.AddrFrom16(a)
}

// shape refuses loops, and nodes that lie on no path from source to
// destination.
func (p *parser) shape() error {
	t := p.t
	missing := make([]int, len(t.Nodes)) // links into each node from nodes not yet ordered
	forward, backward := make([][]int, len(t.Nodes)), make([][]int, len(t.Nodes))
	for _, e := range t.Edges {
		forward[e.From] = append(forward[e.From], e.To)
		backward[e.To] = append(backward[e.To], e.From)
		missing[e.To]++
	}
	var order []int
	for i, n := range missing {
		if n == 0 {
			order = append(order, i)
		}
	}
	for k := 0; k < len(order); k++ {
		for _, to := range forward[order[k]] {
			if missing[to]--; missing[to] == 0 {
				order = append(order, to)
			}
		}
	}
	if len(order) < len(t.Nodes) {
		return p.loop(missing)
	}
	ahead, behind := reach(forward, t.Source), reach(backward, t.Destination)
	for i, n := range t.Nodes {
		if !ahead[i] {
			return p.errorf(p.lineNode[i], "no path from %s to %s; write a link that leads there", t.Nodes[t.Source].Name, n.Name)
		}
		if !behind[i] {
			return p.errorf(p.lineNode[i], "no path from %s to %s; write a link that leads on", n.Name, t.Nodes[t.Destination].Name)
		}
	}
	return nil
}

// loop reports a link of a loop, given the nodes that cannot be ordered. Some
// of those only lie behind a loop; walking against the links leaves them.
func (p *parser) loop(missing []int) error {
	into := make([]int, len(missing)) // one link into each node that is left
	at := -1
	for i, e := range p.t.Edges {
		if missing[e.From] > 0 && missing[e.To] > 0 {
			into[e.To], at = i, e.To
		}
	}
	for range missing {
		at = p.t.Edges[into[at]].From
	}
	e := p.t.Edges[into[at]]
	return p.errorf(p.lineEdge[into[at]], "link %s > %s closes a loop; packets must get nearer to %s with each link",
		p.t.Nodes[e.From].Name, p.t.Nodes[e.To].Name, p.t.Nodes[p.t.Destination].Name)
}

// reach says which nodes can be reached from start.
func reach(next [][]int, start int) []bool {
	seen := make([]bool, len(next))
	seen[start] = true
	for todo := []int{start}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, to := range next[at] {
			if !seen[to] {
				seen[to] = true
				todo = append(todo, to)
			}
		}
	}
	return seen
}
