// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// table returns an nft document of one table: chains as "input drop" (hook and
// policy) or "name", each followed by its rules.
func table(family string, chains ...[]string) []byte {
	items := []string{
		`{"metainfo": {"version": "1.0.6", "json_schema_version": 1}}`,
		fmt.Sprintf(`{"table": {"family": %q, "name": "filter", "handle": 1}}`, family),
	}
	for _, c := range chains {
		name, policy, base := strings.Cut(c[0], " ")
		hook := ""
		if base {
			hook = fmt.Sprintf(`, "type": "filter", "hook": %q, "prio": 0, "policy": %q`, name, policy)
		}
		items = append(items, fmt.Sprintf(`{"chain": {"family": %q, "table": "filter", "name": %q, "handle": 1%s}}`, family, name, hook))
		for _, expr := range c[1:] {
			items = append(items, fmt.Sprintf(`{"rule": {"family": %q, "table": "filter", "chain": %q, "handle": 2, "expr": [%s]}}`, family, name, expr))
		}
	}
	return []byte(`{"nftables": [` + strings.Join(items, ",\n") + `]}`)
}

// Expressions of rules, as nft prints them.
const (
	related     = `{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}`
	established = `{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "established"}}`
	stateMap    = `{"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["invalid", {"drop": null}], ["related", {"accept": null}]]}}}`
	namedMap    = `{"vmap": {"key": {"ct": {"key": "state"}}, "data": "@states"}}`
	fromLo      = `{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lo"}}`
	notFromLo   = `{"match": {"op": "!=", "left": {"meta": {"key": "iif"}}, "right": "lo"}}`
	fromEth0    = `{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "eth0"}}`
	fromEth     = `{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "eth*"}}`
	icmpTypes   = `{"match": {"op": "==", "left": {"payload": {"protocol": "icmp", "field": "type"}}, "right": {"set": ["echo-request", "time-exceeded", "destination-unreachable"]}}}`
	echoOnly    = `{"match": {"op": "==", "left": {"payload": {"protocol": "icmp", "field": "type"}}, "right": "echo-request"}}`
	anyICMP     = `{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": {"set": ["icmp", "ipv6-icmp"]}}}`
	onlyUDP     = `{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "udp"}}`
	highPorts   = `{"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": {"range": [33434, 33523]}}}`
	onlyDNS     = `{"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 53}}`
	fromTen     = `{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": {"prefix": {"addr": "10.0.0.0", "len": 8}}}}`
	onlyIPv6    = `{"match": {"op": "==", "left": {"meta": {"key": "nfproto"}}, "right": "ipv6"}}`
	ssh         = `{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 22}}`
	slowly      = `{"limit": {"rate": 5, "burst": 5, "per": "second"}}`
	counted     = `{"counter": {"packets": 0, "bytes": 0}}`
	conntrack   = `{"xt": {"type": "match", "name": "conntrack"}}`
	rejects     = `{"xt": {"type": "target", "name": "REJECT"}}`
	accept      = `{"accept": null}`
	drop        = `{"drop": null}`
	jump        = `{"jump": {"target": "other"}}`
	goTo        = `{"goto": {"target": "other"}}`
	back        = `{"return": null}`
)

func then(expr ...string) string { return strings.Join(expr, ", ") }

func TestFirewallIn(t *testing.T) {
	const (
		in   = "firewall in"
		mend = "sudo nft 'insert rule inet filter input ct state related accept'"
	)
	checks := func(chains ...[]string) []Check {
		t.Helper()
		rules, err := decodeRuleset(table("inet", chains...))
		if err != nil {
			t.Fatal(err)
		}
		return (&firewallFacts{known: true, permitted: true, installed: true, rules: rules}).checks([]string{"eth0"})
	}
	input := func(rules ...string) []Check { return checks(append([]string{"input drop"}, rules...)) }
	testVerdicts(t, []verdictTest{
		{"no rules", checks(), in, OK, "may come in", ""},
		{"policy", input(), in, Broken, "chain input of table inet filter drops ICMP time-exceeded, ICMP destination-unreachable: hops", mend},
		{"related", input(then(related, accept)), in, OK, "may come in", ""},
		{"established only", input(then(established, accept), then(ssh, accept)), in, Broken, "hops look silent", mend},
		{"by map", input(stateMap), in, OK, "", ""},
		{"by a map with a name", input(namedMap), in, Unknown, "depends on more than is known here", showRules},
		{"by type, IPv4 alone", input(then(icmpTypes, counted, accept)), in, Broken, "drops ICMP time-exceeded of IPv6, ICMP destination-unreachable of IPv6:", mend},
		{"echo only", input(then(echoOnly, accept), then(onlyIPv6, accept)), in, Broken, "time-exceeded of IPv4, ICMP destination-unreachable of IPv4:", mend},
		{"any ICMP", input(then(anyICMP, accept)), in, OK, "", ""},
		{"any ICMP, slowly", input(then(anyICMP, slowly, accept)), in, Unknown, "depends", showRules},
		{"loopback only", input(then(fromLo, accept)), in, Broken, "drops", mend},
		{"not loopback", input(then(notFromLo, accept)), in, OK, "", ""},
		{"interface", input(then(fromEth0, accept)), in, OK, "", ""},
		{"interfaces", input(then(fromEth, accept)), in, OK, "", ""},
		{"last rule drops", checks([]string{"input accept", then(ssh, accept), then(counted, drop)}), in, Broken, "drops", mend},
		{"strangers dropped", checks([]string{"input accept", then(fromTen, drop)}), in, Unknown, "time-exceeded of IPv4, ICMP destination-unreachable of IPv4 depends", showRules},
		{"own chain", checks([]string{"input drop", jump}, []string{"other", then(anyICMP, accept)}), in, OK, "", ""},
		{"own chain, no word", checks([]string{"input accept", jump, drop}, []string{"other", then(ssh, accept)}), in, Broken, "drops", mend},
		{"own chain returns", checks([]string{"input drop", jump, accept}, []string{"other", back, drop}), in, OK, "", ""},
		{"goto does not come back", checks([]string{"input drop", goTo, accept}, []string{"other", then(ssh, accept)}), in, Broken, "drops", mend},
		{"loop", checks([]string{"input drop", jump}, []string{"other", jump}), in, Broken, "drops", mend},
		{"chain that is missing", input(jump), in, Unknown, "depends", showRules},
		{"iptables", input(then(conntrack, counted, accept)), in, Unknown, "depends", showRules},
		{"iptables rejects", checks([]string{"input accept", then(counted, rejects)}), in, Broken, "drops", mend},
		{
			"two chains", checks([]string{"prerouting accept", drop}, []string{"input accept"}), in, Broken, "chain prerouting",
			"sudo nft 'insert rule inet filter prerouting ct state related accept'",
		},
		{"another hook", checks([]string{"forward drop"}), in, OK, "", ""},
	})
}

func TestFirewallOut(t *testing.T) {
	const (
		out  = "firewall out"
		mend = "sudo nft 'insert rule ip filter output meta l4proto { udp, tcp, icmp, ipv6-icmp } accept'"
	)
	output := func(rules ...string) []Check {
		rules = append([]string{"output drop"}, rules...)
		decoded, err := decodeRuleset(table("ip", rules))
		if err != nil {
			t.Fatal(err)
		}
		return (&firewallFacts{known: true, permitted: true, installed: true, rules: decoded}).checks(nil)
	}
	testVerdicts(t, []verdictTest{
		{"all dropped", output(), out, Broken, "chain output of table ip filter drops UDP of IPv4, TCP of IPv4, ICMP echo of IPv4", mend},
		{"UDP let out", output(then(onlyUDP, accept)), out, Broken, "drops TCP of IPv4, ICMP echo of IPv4", mend},
		{"our ports", output(then(highPorts, accept)), out, Broken, "drops TCP of IPv4, ICMP echo of IPv4", mend},
		{"only DNS", output(then(onlyDNS, accept)), out, Broken, "drops UDP of IPv4", mend},
		{"by an interface that is not known", output(`{"match": {"op": "==", "left": {"meta": {"key": "oif"}}, "right": "eth0"}}, {"accept": null}`), out, Unknown, "depends", showRules},
		{"rules about what comes in", output(then(notFromLo, accept)), out, Broken, "drops UDP of IPv4", mend},
		{"in is not out", output(), "firewall in", OK, "may come in", ""},
	})
}

func TestFirewallUnread(t *testing.T) {
	const tables = "sudo iptables-save | grep -E 'icmp|INPUT|OUTPUT'"
	empty, err := decodeRuleset(table("inet"))
	if err != nil {
		t.Fatal(err)
	}
	testVerdicts(t, []verdictTest{
		{"not root", (&firewallFacts{known: true}).checks(nil), "firewall", Unknown, "read by root only", showRules},
		{"no nft", (&firewallFacts{known: true, permitted: true}).checks(nil), "firewall", Unknown, "not installed", tables},
		{"iptables", (&firewallFacts{known: true, permitted: true, legacy: true}).checks(nil), "firewall", Unknown, "older iptables", tables},
		{"nft fails", (&firewallFacts{known: true, permitted: true, installed: true, err: errors.New("exit status 1")}).checks(nil), "firewall", Unknown, "exit status 1", showRules},
		{
			"both", (&firewallFacts{known: true, permitted: true, installed: true, legacy: true, rules: empty}).checks(nil), "firewall in", Unknown,
			"but rules of the older iptables are loaded too", "sudo iptables-legacy-save | grep -E 'icmp|INPUT|OUTPUT'",
		},
		{"another system", (&firewallFacts{}).checks(nil), "firewall", Unknown, "exists on Linux only", ""},
	})
}

// FuzzRuleset wants a fate of every packet from whatever is decoded, and an end
// of every walk.
func FuzzRuleset(f *testing.F) {
	f.Add(table("inet", []string{"input drop", then(related, accept), jump}, []string{"other", stateMap, goTo}))
	f.Add(table("ip", []string{"output accept", then(fromTen, slowly, drop), then(conntrack, rejects)}))
	f.Add([]byte(`{"nftables": [{"chain": null}, {"rule": {"expr": [{"match": 1}, {"vmap": {"data": {"set": [[]]}}}, {"jump": 2}]}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		rules, err := decodeRuleset(text)
		if err != nil {
			return
		}
		for _, c := range (&firewallFacts{known: true, rules: rules}).checks([]string{"eth0"}) {
			testSound(t, c)
		}
	})
}
