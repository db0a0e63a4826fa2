// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// settings are the kernel's settings (Documentation/networking/ip-sysctl.rst)
// that distort traces from this host.
type settings struct {
	known bool
	root  fs.FS // holds proc/sys and proc/net
	// runtime is what sets them, if it is not this system itself.
	runtime containerRuntime
}

// value returns a setting, such as net.ipv4.ip_forward, or "".
func (s *settings) value(name string) string {
	return readLine(s.root, "proc/sys/"+strings.ReplaceAll(name, ".", "/"))
}

func (s *settings) number(name string) (int, bool) {
	n, err := strconv.Atoi(s.value(name))
	return n, err == nil
}

func (s *settings) checks(routes *routeFacts) []Check {
	if !s.known {
		return []Check{onlyOn("Linux", "sysctls")}
	}
	checks := []Check{s.reversePath(routes), s.buffer(), s.ports()}
	checks = append(checks, s.multipath(routes)...)
	return append(checks, s.forwarding()...)
}

// Values of rp_filter; the larger one of "all" and the interface holds.
const (
	rpStrict = 1
	rpLoose  = 2
)

// reversePath looks for filters that drop replies which come back by another
// interface than packets to their sender leave by (RFC 3704). That matters
// where there are several ways out.
func (s *settings) reversePath(routes *routeFacts) Check {
	c := Check{Subject: "reverse path", Verdict: OK}
	all, ok := s.number("net.ipv4.conf.all.rp_filter")
	names := s.gateways()
	for _, name := range routes.interfaces() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if !ok || len(names) == 0 {
		c.Verdict = Unknown
		c.Finding = "nothing leaves this host, so nothing comes back"
		c.Mend = "ip route"
		if !ok {
			c.Finding = "net.ipv4.conf.all.rp_filter cannot be read"
			c.Mend = "sysctl net.ipv4.conf.all.rp_filter"
		}
		return c
	}
	var strict []string
	for _, name := range names {
		// Not by value: a name such as eth0.7 has a dot of its own.
		own, err := strconv.Atoi(readLine(s.root, "proc/sys/net/ipv4/conf/"+name+"/rp_filter"))
		if err == nil && max(all, own) == rpStrict {
			strict = append(strict, name)
		}
	}
	switch {
	case len(strict) == 0:
		c.Finding = "replies may come back by any interface"
	case len(names) == 1:
		c.Finding = fmt.Sprintf("strict on %s, which is the only way out: nothing is lost", strict[0])
	default:
		c.Verdict = Limited
		c.Finding = fmt.Sprintf("strict on %s, with ways out by %s: replies that come back by another one are dropped, and hops look silent",
			strings.Join(strict, ", "), strings.Join(names, ", "))
		c.Mend = s.runtime.sysctl("net.ipv4.conf.all.rp_filter", strconv.Itoa(rpLoose))
	}
	return c
}

// gateways are the interfaces of IPv4 routes that have a gateway.
func (s *settings) gateways() []string {
	table, err := fs.ReadFile(s.root, "proc/net/route")
	if err != nil {
		return nil
	}
	var names []string
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line) // Iface Destination Gateway Flags …
		const throughGateway = 2  // RTF_GATEWAY
		if len(f) < 4 {
			continue
		}
		flags, err := strconv.ParseUint(f[3], 16, 16)
		if err == nil && flags&throughGateway != 0 && !slices.Contains(names, f[0]) {
			names = append(names, f[0])
		}
	}
	return names
}

// Room that a small ICMP error takes in a socket's buffer, at least (the
// kernel counts what it allocated), and the rmem_max that kernels start with.
const (
	replyRoom  = 832
	defaultMax = 212992
)

func (s *settings) buffer() Check {
	const name = "net.core.rmem_max"
	c := Check{Subject: "receive buffer", Verdict: OK}
	most, ok := s.number(name)
	switch {
	case !ok:
		c.Verdict = Unknown
		c.Finding = name + " cannot be read"
		c.Mend = "sysctl " + name
	case most < defaultMax:
		c.Verdict = Limited
		// The kernel grants twice what is asked for (socket(7), SO_RCVBUF).
		c.Finding = fmt.Sprintf("%s is %d: room for %d replies, beyond which they are lost and hops look silent", name, most, 2*most/replyRoom)
		c.Mend = containerRuntime("").sysctl(name, "4194304")
		if s.runtime != "" {
			c.Mend += " # on the container's host, for all of it"
		}
	default:
		c.Finding = fmt.Sprintf("room for %d replies without rights (%s is %d)", 2*most/replyRoom, name, most)
	}
	return c
}

// multipath says how a host with several next hops chooses among them.
func (s *settings) multipath(routes *routeFacts) []Check {
	var checks []Check
	for _, w := range routes.ways {
		if len(w.hops) < 2 {
			continue
		}
		name := "net." + strings.ToLower(family(w.ipv6)) + ".fib_multipath_hash_policy"
		c := Check{Subject: "multipath " + family(w.ipv6), Verdict: OK}
		c.Finding = fmt.Sprintf("%s is %s: of its %d next hops this host chooses by ", name, s.value(name), len(w.hops))
		switch s.value(name) {
		case "0":
			c.Verdict = Limited
			c.Finding += "address alone, so all flows to a destination share one"
			c.Mend = s.runtime.sysctl(name, "1")
		case "1":
			c.Finding += "address and port, as other programs' flows are spread"
		case "2":
			c.Finding += "address alone, the inner one where there is one"
		case "3":
			c.Finding += "the fields that are configured"
		default:
			c.Verdict = Unknown
			c.Finding = name + " cannot be read"
			c.Mend = "sysctl " + name
		}
		checks = append(checks, c)
	}
	return checks
}

// forwarding says what this host is as a hop in the traces of others, if it
// forwards. Its own traces do not meet these limits.
func (s *settings) forwarding() []Check {
	if on, ok := s.number("net.ipv4.ip_forward"); !ok || on == 0 {
		return nil
	}
	c := Check{Subject: "forwarding", Verdict: OK, Finding: "on: traces of others that pass here "}
	const timeExceeded, portUnreachable = 1 << 11, 1 << 3 // bits of icmp_ratemask
	limit, known := s.number("net.ipv4.icmp_ratelimit")
	mask, masked := s.number("net.ipv4.icmp_ratemask")
	switch {
	case !known || !masked:
		c.Finding = "on; how many traces of others it answers is not known"
	case limit == 0 || mask&(timeExceeded|portUnreachable) == 0:
		c.Finding += "are answered without a limit"
	default:
		c.Finding += fmt.Sprintf("are answered once in %d ms each, after a burst (net.ipv4.icmp_ratelimit)", limit)
	}
	if all, ok := s.number("net.ipv4.icmp_msgs_per_sec"); ok && known {
		c.Finding += fmt.Sprintf("; %d/s in all", all)
	}
	return []Check{c}
}
