// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// packet is one that a firewall decides on, as far as it is known.
type packet struct {
	family   string   // ip or ip6
	protocol []string // the transport protocol's names
	icmpType []string // names and number; nil unless it is ICMP
	state    string   // of connection tracking
	port     string   // destination port; empty if there is none
	incoming bool
	// device is the interface that it comes in or goes out by; empty when that is
	// not known, but it is not the loopback interface.
	device string
	what   string // for people
}

var (
	icmp4 = []string{"icmp", "1"}
	icmp6 = []string{"ipv6-icmp", "icmpv6", "58"}
	udp   = []string{"udp", "17"}
	tcp   = []string{"tcp", "6"}
)

// errorsIn are the ICMP errors that traces live by. Connection tracking knows
// them as related to the probe.
func errorsIn(device string) []packet {
	in := func(family string, protocol []string, kind ...string) packet {
		return packet{family: family, protocol: protocol, icmpType: kind, state: "related", incoming: true, device: device, what: "ICMP " + kind[0]}
	}
	return []packet{
		in("ip", icmp4, "time-exceeded", "11"), in("ip", icmp4, "destination-unreachable", "3"),
		in("ip6", icmp6, "time-exceeded", "3"), in("ip6", icmp6, "destination-unreachable", "1"),
	}
}

// probesOut are the packets that traces send.
func probesOut(device string) []packet {
	var all []packet
	for _, family := range []string{"ip", "ip6"} {
		out := packet{family: family, state: "new", device: device}
		u, t, i := out, out, out
		u.protocol, u.port, u.what = udp, "33452", "UDP"
		t.protocol, t.port, t.what = tcp, "443", "TCP"
		i.protocol, i.icmpType, i.what = icmp4, []string{"echo-request", "8"}, "ICMP echo"
		if family == "ip6" {
			i.protocol, i.icmpType = icmp6, []string{"echo-request", "128"}
		}
		all = append(all, u, t, i)
	}
	return all
}

// answer is whether a rule matches.
type answer int

const (
	no answer = iota
	maybe
	yes
)

func (a answer) not() answer { return yes - a }

// matches evaluates a match statement.
func (p *packet) matches(text json.RawMessage) answer {
	var m struct {
		Op          string
		Left, Right json.RawMessage
	}
	if json.Unmarshal(text, &m) != nil {
		return maybe
	}
	f := p.field(m.Left)
	switch {
	case f.absent:
		return no
	case m.Op == "==" || m.Op == "in":
		return f.in(m.Right)
	case m.Op == "!=":
		return f.in(m.Right).not()
	}
	return maybe
}

// field is what a packet has where a rule looks.
type field struct {
	names []string // what the value is called; nil if it is not known
	// notLoopback says of an unknown interface that it is not lo.
	notLoopback bool
	absent      bool // the packet has no such field, and no rule about it matches
}

// field looks up the left side of a match or the key of a map.
func (p *packet) field(text json.RawMessage) field {
	var e struct {
		Meta, CT struct{ Key string }
		Payload  struct{ Protocol, Field string }
	}
	if json.Unmarshal(text, &e) != nil {
		return field{}
	}
	switch {
	case e.Meta.Key != "":
		return p.meta(e.Meta.Key)
	case e.CT.Key == "state":
		return field{names: []string{p.state}}
	case e.Payload.Protocol != "":
		return p.payload(e.Payload.Protocol, e.Payload.Field)
	}
	return field{}
}

func (p *packet) meta(key string) field {
	number := map[string]string{"ip": "ipv4", "ip6": "ipv6"}
	switch key {
	case "iif", "iifname":
		return p.interfaceField(p.incoming)
	case "oif", "oifname":
		return p.interfaceField(!p.incoming)
	case "l4proto":
		return field{names: p.protocol}
	case "nfproto":
		return field{names: []string{number[p.family]}}
	case "protocol":
		return field{names: []string{p.family}}
	}
	return field{}
}

func (p *packet) interfaceField(has bool) field {
	switch {
	case !has:
		return field{absent: true}
	case p.device == "":
		return field{notLoopback: true}
	}
	return field{names: []string{p.device}}
}

func (p *packet) payload(protocol, name string) field {
	is := func(names []string) bool { return slices.Contains(p.protocol, names[0]) }
	switch protocol {
	case "ip", "ip6":
		switch {
		case protocol != p.family:
			return field{absent: true}
		case name == "protocol" || name == "nexthdr":
			return field{names: p.protocol}
		}
	case "icmp", "icmpv6":
		switch {
		case protocol == "icmp" && !is(icmp4), protocol == "icmpv6" && !is(icmp6):
			return field{absent: true}
		case name == "type":
			return field{names: p.icmpType}
		}
	case "udp", "tcp", "th":
		switch {
		case protocol != "th" && !slices.Contains(p.protocol, protocol), p.port == "":
			return field{absent: true}
		case name == "dport":
			return field{names: []string{p.port}}
		}
	case "sctp", "dccp", "ah", "esp", "comp", "udplite", "arp", "vlan":
		return field{absent: true}
	}
	return field{}
}

// in reports whether the field's value is the right side of a match, or in it.
func (f field) in(text json.RawMessage) answer {
	if f.absent {
		return no
	}
	var value any
	if json.Unmarshal(text, &value) != nil {
		return maybe
	}
	return f.is(value)
}

func (f field) is(value any) answer {
	switch v := value.(type) {
	case string:
		return f.named(v)
	case float64:
		return f.named(strconv.FormatFloat(v, 'f', -1, 64))
	case []any:
		best := no
		for _, one := range v {
			best = max(best, f.is(one))
		}
		return best
	case map[string]any:
		if set, ok := v["set"]; ok && len(v) == 1 {
			return f.is(set)
		}
		if ends, ok := v["range"].([]any); ok && len(ends) == 2 {
			return f.between(ends[0], ends[1])
		}
	}
	return maybe
}

func (f field) named(name string) answer {
	prefix, wild := strings.CutSuffix(name, "*")
	switch {
	case strings.HasPrefix(name, "@"): // a set with a name
		return maybe
	case f.notLoopback && name == "lo":
		return no
	case f.names == nil:
		return maybe
	case slices.Contains(f.names, name), wild && strings.HasPrefix(f.names[0], prefix):
		return yes
	}
	return no
}

func (f field) between(first, last any) answer {
	from, isNumber := first.(float64)
	to, areNumbers := last.(float64)
	if !isNumber || !areNumbers || f.names == nil {
		return maybe
	}
	for _, name := range f.names {
		if n, err := strconv.ParseFloat(name, 64); err == nil {
			if from <= n && n <= to {
				return yes
			}
			return no
		}
	}
	return maybe
}
