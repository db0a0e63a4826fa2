// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// showRules shows what a firewall does to traces.
const showRules = "sudo nft list ruleset | grep -iE 'icmp|output|input'"

// firewallFacts are the rules of this host's packet filter, if they can be read.
type firewallFacts struct {
	known     bool // false where there is no nftables
	permitted bool // this process has CAP_NET_ADMIN
	installed bool // the program nft is
	err       error
	rules     *ruleset // nil unless they were read
	// legacy is true when rules of the older iptables are loaded, which nft does
	// not list.
	legacy bool
}

// checks judges the rules for packets by the interfaces given.
func (f *firewallFacts) checks(interfaces []string) []Check {
	device := ""
	if len(interfaces) == 1 {
		device = interfaces[0]
	}
	switch {
	case !f.known:
		return []Check{onlyOn("Linux", "firewall")}
	case f.rules == nil:
		return []Check{f.unread()}
	}
	in := f.judge("firewall in", errorsIn(device), "prerouting", "input")
	out := f.judge("firewall out", probesOut(device), "output", "postrouting")
	for _, c := range []*Check{&in, &out} {
		if f.legacy && c.Verdict == OK {
			c.Verdict = Unknown
			c.Finding += ", but rules of the older iptables are loaded too"
			c.Mend = "sudo iptables-legacy-save | grep -E 'icmp|INPUT|OUTPUT'"
		}
	}
	return []Check{in, out}
}

// unread says why the rules are not known.
func (f *firewallFacts) unread() Check {
	c := Check{Subject: "firewall", Verdict: Unknown, Mend: showRules}
	switch {
	case !f.permitted:
		c.Finding = "its rules can be read by root only: whether ICMP errors may come in is not known"
	case !f.installed && f.legacy:
		c.Finding = "rules of the older iptables are loaded, which are not read here"
		c.Mend = "sudo iptables-save | grep -E 'icmp|INPUT|OUTPUT'"
	case !f.installed:
		c.Finding = "nft is not installed, so its rules are not known"
		c.Mend = "sudo iptables-save | grep -E 'icmp|INPUT|OUTPUT'"
	default:
		c.Finding = "nft did not tell its rules: " + cause(f.err)
	}
	return c
}

// judge says what becomes of some packets.
func (f *firewallFacts) judge(subject string, packets []packet, hooks ...string) Check {
	worst, by := accepted, (*chain)(nil)
	var hit []*packet
	for i := range packets {
		p := &packets[i]
		got, chain := f.rules.decide(p, hooks...)
		if got == accepted || got < worst {
			continue
		}
		if got > worst {
			worst, by, hit = got, chain, nil
		}
		hit = append(hit, p)
	}
	c := Check{Subject: subject, Verdict: OK}
	switch {
	case worst == dropped:
		c.Verdict = Broken
		c.Finding = fmt.Sprintf("chain %s drops %s", by.name, named(hit))
		if packets[0].incoming {
			c.Finding += ": hops look silent"
		}
		c.Mend = letThrough(by, packets[0].incoming)
	case worst == unsure:
		c.Verdict = Unknown
		c.Finding = fmt.Sprintf("what chain %s does to %s depends on more than is known here", by.name, named(hit))
		c.Mend = showRules
	case packets[0].incoming:
		c.Finding = "ICMP errors may come in"
	default:
		c.Finding = "probes may go out: UDP, TCP, ICMP echo"
	}
	return c
}

// named says which packets these are, and of which family if not of both.
func named(packets []*packet) string {
	var names []string
	for _, p := range packets {
		name := p.what
		if !slices.ContainsFunc(packets, func(o *packet) bool { return o.what == p.what && o.family != p.family }) {
			name += " of " + map[string]string{"ip": "IPv4", "ip6": "IPv6"}[p.family]
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// letThrough is the rule that a chain lacks.
func letThrough(c *chain, incoming bool) string {
	rule := "meta l4proto { udp, tcp, icmp, ipv6-icmp } accept"
	if incoming {
		rule = "ct state related accept"
	}
	return "sudo nft " + Word(fmt.Sprintf("insert rule %s %s %s %s", c.name.Family, c.name.Table, c.name.Name, rule))
}
