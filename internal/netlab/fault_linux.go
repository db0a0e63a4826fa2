// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strings"

	"traceflow/internal/topology"
)

// The families in nft's words: the name of the table's family, the TTL's
// keyword, the ICMP messages that are answers, echo requests, what says
// that a packet is too big, and the refusals.
var nftFamilies = map[bool]struct {
	table, ttl, answers, echo, tooBig string
	refusals                          map[topology.Unreachable]string
}{
	false: {
		"ip", "ip ttl",
		"icmp type { echo-reply, destination-unreachable, time-exceeded, parameter-problem }",
		"icmp type echo-request",
		"icmp type destination-unreachable icmp code frag-needed",
		map[topology.Unreachable]string{
			topology.UnreachableNet:        "icmp type net-unreachable",
			topology.UnreachableHost:       "icmp type host-unreachable",
			topology.UnreachableProhibited: "icmp type admin-prohibited",
		},
	},
	// Neighbour discovery is ICMPv6 too, and no answer.
	true: {
		"ip6", "ip6 hoplimit",
		"icmpv6 type { echo-reply, destination-unreachable, time-exceeded, parameter-problem, packet-too-big }",
		"icmpv6 type echo-request",
		"icmpv6 type packet-too-big",
		map[topology.Unreachable]string{
			topology.UnreachableNet:        "icmpv6 type no-route",
			topology.UnreachableHost:       "icmpv6 type addr-unreachable",
			topology.UnreachableProhibited: "icmpv6 type admin-prohibited",
		},
	},
}

// addFaults loads one packet filter into each node that misbehaves.
func (b *builder) addFaults() error {
	var returns []int
	for i := range b.t.Nodes {
		if i == b.t.Source {
			continue
		}
		if returns == nil {
			returns = b.back(b.t.Source)
		}
		var script strings.Builder
		if b.lab.filtered[i] { // what it was before the network changed
			script.WriteString("flush ruleset\n")
		}
		bare := script.Len()
		for _, f := range families(b.t) {
			script.WriteString(b.filter(i, returns[i], f))
		}
		if script.Len() == 0 {
			continue
		}
		b.lab.filtered[i] = script.Len() > bare
		if err := inNamespace(b.lab.namespaces[i], func() error { return runNFT(script.String()) }); err != nil {
			return fmt.Errorf("faults of %s: %w", b.t.Nodes[i].Name, err)
		}
	}
	return nil
}

// runNFT loads a script into the calling thread's namespace.
func runNFT(script string) error {
	cmd := exec.Command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(script)
	var messages bytes.Buffer
	cmd.Stderr = &messages
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return fmt.Errorf("needs the nft program (package nftables): %w", err)
		}
		return fmt.Errorf("nft: %w: %s", err, bytes.TrimSpace(messages.Bytes()))
	}
	return nil
}

// filter returns the table of node i, which answers over edge e, or nothing
// for a node without faults.
func (b *builder) filter(i, e int, f family) string {
	n, nft := &b.t.Nodes[i], nftFamilies[f.ipv6]
	destination := fmt.Sprintf("%s daddr %v", nft.table, f.address(&b.t.Nodes[b.t.Destination]))
	var chains strings.Builder
	chain := func(name, kind, hook string, priority int, rules ...string) {
		if len(rules) > 0 {
			fmt.Fprintf(&chains, "chain %s { type %s hook %s priority %d;\n%s\n}\n",
				name, kind, hook, priority, strings.Join(rules, "\n"))
		}
	}
	if i != b.t.Destination {
		var forward []string
		if n.ForwardLoss > 0 {
			forward = append(forward, destination+" "+lose(n.ForwardLoss))
		}
		if n.Unreachable != topology.UnreachableNone {
			forward = append(forward, destination+" reject with "+nft.refusals[n.Unreachable])
		}
		forward = append(forward, remark(n.Remark, nft.table, destination)...)
		chain("onward", "filter", "forward", 0, forward...)
		if n.KeepTTL {
			chain("raise", "filter", "prerouting", -300, raiseTTL(nft.ttl)...)
		}
		switch n.NAT {
		case topology.NATRestore:
			chain("translate", "nat", "postrouting", 100, fmt.Sprintf("%s snat to %v", destination, f.address(n)))
		case topology.NATKeepAll:
			// Without a memory of connections, nothing in a quote is restored.
			source, own := f.address(&b.t.Nodes[b.t.Source]), f.address(n)
			chain("translate", "filter", "postrouting", 100,
				fmt.Sprintf("%[1]s %[2]s saddr %[3]v %[2]s saddr set %[4]v", destination, nft.table, source, own))
			chain("untranslate", "filter", "prerouting", -300,
				fmt.Sprintf("%[1]s daddr %[2]v %[1]s daddr set %[3]v", nft.table, own, source))
		default: // refused, where it is anything at all
		}
	} else {
		chain("swallow", "filter", "input", 0, swallow(n, nft.echo)...)
		if n.TCP == topology.TCPOpen {
			chain("welcome", "nat", "prerouting", -100, fmt.Sprintf("%s tcp dport != %d dnat to :%[2]d", destination, listenPort))
		}
	}
	var output []string
	if n.Silent {
		output = append(output, nft.answers+" drop")
	}
	if n.NoPTB {
		output = append(output, nft.tooBig+" drop")
	}
	if n.Limit.Burst != 0 && !kernelLimit(n.Limit) {
		rate, _ := limitRate(n.Limit)
		output = append(output, fmt.Sprintf("%s limit rate over %s burst %d packets drop", nft.answers, rate, n.Limit.Burst))
	}
	if n.ReplyLoss > 0 {
		output = append(output, nft.answers+" "+lose(n.ReplyLoss))
	}
	for range n.Duplicates {
		if e >= 0 {
			output = append(output, fmt.Sprintf("%s dup to %v device %q",
				nft.answers, f.address(&b.t.Nodes[b.t.Source]), b.links[e].name))
		}
	}
	chain("answers", "filter", "output", 0, output...)
	if chains.Len() == 0 {
		return ""
	}
	return fmt.Sprintf("table %s netlab {\n%s}\n", nft.table, chains.String())
}

// remark returns the rules that rewrite the two parts of the TOS byte.
func remark(r topology.Remark, table, destination string) (rules []string) {
	const dscp, ecn = 0xfc, 0x03
	if r.Clear&dscp != 0 {
		rules = append(rules, fmt.Sprintf("%s %s dscp set %#x", destination, table, r.Set>>2))
	}
	if r.Clear&ecn != 0 {
		rules = append(rules, fmt.Sprintf("%s %s ecn set %d", destination, table, r.Set&ecn))
	}
	return rules
}

// swallow returns the rules of a destination that ignores protocols.
func swallow(n *topology.Node, echo string) (rules []string) {
	if n.DropUDP {
		rules = append(rules, "meta l4proto udp drop")
	}
	if n.DropTCP {
		rules = append(rules, "meta l4proto tcp drop")
	}
	if n.DropICMP {
		rules = append(rules, echo+" drop")
	}
	return rules
}

// lose returns the rule that drops a share of packets.
func lose(share float64) string {
	const parts = 1_000_000
	lost := int(math.Round(share * parts))
	if lost >= parts { // nft refuses what always holds
		return "drop"
	}
	return fmt.Sprintf("numgen random mod %d < %d drop", parts, lost)
}

// raiseTTL returns rules that add one to the TTL, before the kernel takes one
// away. nft cannot add, so there is a rule for each value.
func raiseTTL(field string) []string {
	rules := make([]string, 0, 254)
	for ttl := 1; ttl < 255; ttl++ {
		rules = append(rules, fmt.Sprintf("%s %d %s set %d accept", field, ttl, field, ttl+1))
	}
	return rules
}
