// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"fmt"
	"strings"
)

// node reads a node line: names first, then keys.
func (p *parser) node(line int, words []string) error {
	var nodes []int
	for len(words) > 0 && !isKey(words[0]) {
		names, err := expand(words[0])
		if err != nil {
			return err
		}
		for _, name := range names {
			i, err := p.mention(line, name)
			if err != nil {
				return err
			}
			if was := p.lineDecl[i]; was != 0 {
				return fmt.Errorf("node %s is declared on line %d already; put all its keys there", name, was)
			}
			p.lineDecl[i] = line
			nodes = append(nodes, i)
		}
		words = words[1:]
	}
	if len(nodes) == 0 {
		return fmt.Errorf("node without a name; write for example: node r1 silent")
	}
	for _, word := range words {
		if err := p.nodeKey(line, nodes, word); err != nil {
			return err
		}
	}
	return nil
}

// nodeKey applies one key to the nodes of a line.
func (p *parser) nodeKey(line int, nodes []int, word string) error {
	name, _, _ := strings.Cut(word, "=")
	if name == keySource || name == keyDestination {
		return p.role(word, nodes)
	}
	key, err := findNodeKey(name)
	if err != nil {
		return err
	}
	if key.single && len(nodes) > 1 {
		return fmt.Errorf("%s belongs to one node; give each of the %d nodes a line", name, len(nodes))
	}
	for _, i := range nodes {
		if err := key.apply(&p.t.Nodes[i], word); err != nil {
			return err
		}
		if name == keyHashSeed {
			p.seedGiven[i] = true
		}
		p.uses = append(p.uses, use{node: i, line: line, key: key})
	}
	return nil
}

// role makes a node the source or the destination.
func (p *parser) role(word string, nodes []int) error {
	place := &p.t.Source
	switch word {
	case keySource:
	case keyDestination:
		place = &p.t.Destination
	default:
		return fmt.Errorf("%q takes no value; write source or destination", word)
	}
	if len(nodes) > 1 {
		return fmt.Errorf("%d nodes on the line of the %s; give it a line of its own", len(nodes), word)
	}
	if *place >= 0 {
		return fmt.Errorf("%s is the %s already; a network has one", p.t.Nodes[*place].Name, word)
	}
	*place = nodes[0]
	return nil
}

// isKey tells a key from a node's name.
func isKey(word string) bool {
	if strings.Contains(word, "=") || word == keySource || word == keyDestination {
		return true
	}
	_, err := findNodeKey(word)
	return err == nil
}

// member is a node of a group on a link line.
type member struct{ node, weight int }

// link reads a link line: groups with ">" between them, then keys.
func (p *parser) link(line int, words []string) error {
	edge := p.defaultEdge
	for n := len(words); n > 0 && strings.Contains(words[n-1], "="); n = len(words) {
		name, value, _ := strings.Cut(words[n-1], "=")
		set, ok := linkKeys[name]
		if !ok {
			return fmt.Errorf("unknown key %q of a link; write delay=1ms, jitter=100us or mtu=1400", name)
		}
		if err := set(&edge, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		words = words[:n-1]
	}
	var before, group []member
	groups := 1
	for _, word := range words {
		if word == ">" {
			if err := p.join(line, before, group, edge, groups); err != nil {
				return err
			}
			before, group, groups = group, nil, groups+1
			continue
		}
		var err error
		if group, err = p.member(line, group, word, groups > 1); err != nil {
			return err
		}
	}
	if groups < 2 {
		return fmt.Errorf("link without \">\"; write for example: link r1 > a1 a2")
	}
	return p.join(line, before, group, edge, groups)
}

// member adds the nodes of one word to a group.
func (p *parser) member(line int, group []member, word string, weighted bool) ([]member, error) {
	ref, times, ok := strings.Cut(word, "*")
	weight := 1
	if ok {
		if !weighted {
			return nil, fmt.Errorf("%q has a weight but no link leads into it; write it right of \">\"", word)
		}
		var err error
		if weight, err = whole(times, 1, maxWeight); err != nil {
			return nil, fmt.Errorf("weight of %s: %w", ref, err)
		}
	}
	names, err := expand(ref)
	if err != nil {
		return nil, err
	}
	if len(group)+len(names) > MaxNodes {
		return nil, fmt.Errorf("more than %d nodes in a group; write fewer", MaxNodes)
	}
	for _, name := range names {
		i, err := p.mention(line, name)
		if err != nil {
			return nil, err
		}
		group = append(group, member{node: i, weight: weight})
	}
	return group, nil
}

// join links every node of from to every node of to. The first group of a
// line has nothing before it.
func (p *parser) join(line int, from, to []member, edge Edge, groups int) error {
	if len(to) == 0 {
		return fmt.Errorf("nothing on one side of \">\"; write for example: link r1 > a1 a2")
	}
	if groups == 1 {
		return nil
	}
	if len(p.t.Edges)+len(from)*len(to) > MaxLinks {
		return fmt.Errorf("more than %d links; write a smaller network", MaxLinks)
	}
	for _, f := range from {
		for _, t := range to {
			key := [2]int{f.node, t.node}
			if was := p.edges[key]; was != 0 {
				name := p.t.Nodes[t.node].Name
				return fmt.Errorf("link %s > %s is on line %d already; for a greater share write %s*2",
					p.t.Nodes[f.node].Name, name, was, name)
			}
			p.edges[key] = line
			edge.From, edge.To, edge.Weight = f.node, t.node, t.weight
			p.t.Edges = append(p.t.Edges, edge)
			p.lineEdge = append(p.lineEdge, line)
		}
	}
	return nil
}

// mention returns the index of a node, which is made when it is new.
func (p *parser) mention(line int, name string) (int, error) {
	if i, ok := p.index[name]; ok {
		return i, nil
	}
	i := len(p.t.Nodes)
	if i == MaxNodes {
		return 0, fmt.Errorf("more than %d nodes; write a smaller network", MaxNodes)
	}
	node := p.defaultNode
	node.Name = name
	p.index[name] = i
	p.t.Nodes = append(p.t.Nodes, node)
	p.lineNode = append(p.lineNode, line)
	p.lineDecl = append(p.lineDecl, 0)
	p.seedGiven = append(p.seedGiven, p.defaultSeed)
	return i, nil
}
