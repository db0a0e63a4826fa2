// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"maps"
	"net/netip"
	"strings"

	"go.yaml.in/yaml/v4"
)

// MaxFlows is how many flows of a target can be pinned; MaxEnds how many packets each
// of them may send to the destination in a pass.
const (
	MaxFlows = 256
	MaxEnds  = 1000
)

// targetFields are the keys that a target shares with the defaults and with its
// group.
func (r *reader) targetFields(t *Target) []field {
	return []field{
		{"flows", func(n *yaml.Node) error { return r.flows(&t.Flows, n) }},
		{"protocol", func(n *yaml.Node) error { return r.word(&t.Protocol, n, []string{"udp", "tcp", "icmp"}) }},
		{"port", func(n *yaml.Node) error { return r.integer(&t.Port, n, 1, 65535) }},
		{"family", func(n *yaml.Node) error { return r.integerOf(&t.Family, n, 4, 6) }},
		{"vary", func(n *yaml.Node) error { return r.word(&t.Vary, n, []string{"srcport", "dst"}) }},
		{"ends", func(n *yaml.Node) error { return r.integer(&t.Ends, n, 1, MaxEnds) }},
		{"mtu", func(n *yaml.Node) error { return r.boolean(&t.MTU, n) }},
		{"labels", func(n *yaml.Node) error { return r.labels(&t.Labels, n) }},
		{"expect", func(n *yaml.Node) error { return r.expect(&t.Expect, n) }},
	}
}

// flows reads a number, or auto, which is 0.
func (r *reader) flows(to *int, n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Value == "auto" {
		*to = 0
		return nil
	}
	return r.integer(to, n, 1, MaxFlows)
}

func (r *reader) integerOf(to *int, n *yaml.Node, a, b int) error {
	if err := r.integer(to, n, a, b); err != nil || *to == a || *to == b {
		return err
	}
	return r.wrong(n, "%s is neither %d nor %d", quoted(n.Value), a, b)
}

// groups reads targets that share more than the defaults.
func (r *reader) groups(p *Plan, base Target, n *yaml.Node) error {
	groups, err := r.list(n)
	if err != nil {
		return err
	}
	for _, n := range groups {
		group := base.copy()
		var targets *yaml.Node
		var name string
		all := append(r.targetFields(&group),
			field{"name", func(n *yaml.Node) error { return r.name(&name, n) }},
			field{"targets", func(n *yaml.Node) error { targets = n; return nil }})
		if err := r.fields(n, all); err != nil {
			return err
		}
		if targets == nil {
			return r.wrong(n, "the group has no targets; write targets: [ADDRESS, …]")
		}
		if name != "" {
			group.label("group", name)
		}
		if err := r.targets(p, group, targets); err != nil {
			return err
		}
	}
	return nil
}

// targets reads a list of them: each is a name or an address, or a mapping.
func (r *reader) targets(p *Plan, base Target, n *yaml.Node) error {
	list, err := r.list(n)
	if err != nil {
		return err
	}
	for _, n := range list {
		t := base.copy()
		at, err := r.target(&t, n)
		if err != nil {
			return err
		}
		if len(p.Targets) == MostTargets {
			return r.wrong(n, "there are more than %d targets", MostTargets)
		}
		p.Targets = append(p.Targets, t)
		if err := r.original(p, at); err != nil {
			return err
		}
	}
	return nil
}

// target reads one, and returns the node of its destination.
func (r *reader) target(t *Target, n *yaml.Node) (*yaml.Node, error) {
	at := n
	if n.Kind == yaml.MappingNode {
		at = nil
		all := append(r.targetFields(t), field{"destination", func(n *yaml.Node) error { at = n; return nil }})
		if err := r.fields(n, all); err != nil {
			return nil, err
		}
		if at == nil {
			return nil, r.wrong(n, "the target has no destination; write destination: ADDRESS")
		}
	}
	t.Line = at.Line
	return at, r.destination(t, at)
}

// destination reads a name or an address, and refuses what does not go with it.
func (r *reader) destination(t *Target, n *yaml.Node) error {
	text, err := r.scalar(n, "a name or an address")
	if err != nil {
		return err
	}
	t.Destination = text
	if t.Protocol == "icmp" && t.Port != 0 {
		return r.wrong(n, "%s: ICMP has no ports; leave out port, or choose another protocol", quoted(text))
	}
	if t.Protocol == "tcp" && t.MTU {
		return r.wrong(n, "%s: a SYN carries no data, so mtu takes udp or icmp", quoted(text))
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return r.hostname(text, n)
	}
	address = address.Unmap()
	switch {
	case address.Zone() != "" || address.IsUnspecified() || address.IsMulticast() || address.Is6() && address.IsLinkLocalUnicast() ||
		address == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return r.wrong(n, "%s is not the address of one host that a path leads to", text)
	case t.Family == 4 && !address.Is4() || t.Family == 6 && address.Is4():
		return r.wrong(n, "%s is no IPv%d address, and family is %d", text, t.Family, t.Family)
	}
	t.Destination = address.String()
	return nil
}

// hostname refuses what is no name of a host (RFC 1123, section 2.1, and the
// underscore that some have).
func (r *reader) hostname(text string, n *yaml.Node) error {
	name := strings.TrimSuffix(text, ".")
	labels := strings.Split(name, ".")
	letters := false
	for _, label := range labels {
		ok := label != "" && len(label) <= 63 && label[0] != '-' && label[len(label)-1] != '-'
		for i := 0; i < len(label); i++ {
			c := label[i]
			letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
			letters = letters || letter
			ok = ok && (letter || c >= '0' && c <= '9' || c == '-' || c == '_')
		}
		if !ok {
			return r.wrong(n, "%s is neither an address nor a name of a host", quoted(text))
		}
	}
	if last := labels[len(labels)-1]; !letters || last[0] >= '0' && last[0] <= '9' {
		return r.wrong(n, "%s is no address; one of IPv4 is like 192.0.2.1", quoted(text))
	}
	if len(name) > 253 {
		return r.wrong(n, "%s is too long for a name of a host", quoted(text))
	}
	return nil
}

// original refuses the last target if it is one of those before it.
func (r *reader) original(p *Plan, at *yaml.Node) error {
	type identity struct {
		destination, protocol, vary string
		port, family                int
	}
	of := func(t *Target) identity {
		i := identity{strings.ToLower(strings.TrimSuffix(t.Destination, ".")), t.Protocol, t.Vary, t.Port, t.Family}
		if i.protocol == "" {
			i.protocol = "udp"
		}
		if i.vary == "" {
			i.vary = "srcport"
		}
		return i
	}
	last := len(p.Targets) - 1
	if r.seen == nil {
		r.seen = make(map[any]int)
	}
	me := of(&p.Targets[last])
	if line := r.seen[me]; line > 0 {
		return r.wrong(at, "%s is in line %d, too; two targets differ in destination, protocol, port, family or vary", quoted(p.Targets[last].Destination), line)
	}
	r.seen[me] = at.Line
	return nil
}

func (r *reader) labels(to *map[string]string, n *yaml.Node) error {
	labels := maps.Clone(*to)
	if labels == nil {
		labels = make(map[string]string)
	}
	own := make(map[string]bool)
	err := r.pairs(n, "NAME: TEXT", func(key, value *yaml.Node) error {
		if own[key.Value] {
			return r.wrong(key, "the label %s stands here again", quoted(key.Value))
		}
		own[key.Value] = true
		if key.Value == "" || len(key.Value) > longestName {
			return r.wrong(key, "the name of a label has 1 to %d bytes", longestName)
		}
		var text string
		if err := r.name(&text, value); err != nil {
			return err
		}
		labels[key.Value] = text
		return nil
	})
	if len(labels) > 0 {
		*to = labels
	}
	return err
}

// copy is what a target inherits, to be changed.
func (t *Target) copy() Target {
	c := *t
	c.Labels = maps.Clone(t.Labels)
	return c
}

func (t *Target) label(name, text string) {
	if t.Labels == nil {
		t.Labels = make(map[string]string)
	}
	if _, given := t.Labels[name]; !given {
		t.Labels[name] = text
	}
}

// String names a target as the summaries do.
func (t *Target) String() string {
	if t.Protocol == "" || t.Protocol == "udp" {
		return t.Destination
	}
	if t.Port == 0 {
		return fmt.Sprintf("%s (%s)", t.Destination, t.Protocol)
	}
	return fmt.Sprintf("%s (%s %d)", t.Destination, t.Protocol, t.Port)
}
