// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// portRange is a range of ports, both ends included.
type portRange struct{ first, last int }

func (r portRange) String() string { return fmt.Sprintf("%d-%d", r.first, r.last) }

func (r portRange) contains(port int) bool { return r.first <= port && port <= r.last }

// sourcePorts are those that flows take most: with --paths N the first N of
// them, otherwise any from the first on.
var sourcePorts = portRange{33453, 33516}

// ports looks for other users of the ports that flows leave from. The raw wire
// shares a port with anybody; the sockets wire cannot take one that is in use.
func (s *settings) ports() Check {
	c := Check{Subject: "source ports", Verdict: OK}
	local, ok := parseRange(s.value("net.ipv4.ip_local_port_range"))
	used := s.usedPorts()
	reserved := parseRanges(s.value("net.ipv4.ip_local_reserved_ports"))
	switch {
	case len(used) > 0:
		c.Verdict = Limited
		c.Finding = fmt.Sprintf("%d of %s in use by others, %d among them: without raw sockets flows of these ports are not sent", len(used), sourcePorts, used[0])
		c.Mend = fmt.Sprintf("traceflow --srcport %d DEST", s.freeBase())
	case !ok:
		c.Verdict = Unknown
		c.Finding = "net.ipv4.ip_local_port_range cannot be read"
		c.Mend = "sysctl net.ipv4.ip_local_port_range"
	case local.last < sourcePorts.first || local.first > sourcePorts.last:
		c.Finding = fmt.Sprintf("%s are free, and not among those given to other programs (%s)", sourcePorts, local)
	case covers(reserved, sourcePorts):
		c.Finding = fmt.Sprintf("%s are free, and reserved (net.ipv4.ip_local_reserved_ports)", sourcePorts)
	default:
		c.Finding = fmt.Sprintf("%s are free now; other programs may be given them (net.ipv4.ip_local_port_range is %s)", sourcePorts, local)
	}
	return c
}

// usedPorts are those of sourcePorts that UDP sockets of this host are bound to.
func (s *settings) usedPorts() []int { return s.used(sourcePorts) }

func (s *settings) used(in portRange) []int {
	var ports []int
	for _, name := range []string{"proc/net/udp", "proc/net/udp6"} {
		table, err := fs.ReadFile(s.root, name)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(table)) {
			f := strings.Fields(line) // sl local_address …
			if len(f) < 2 {
				continue
			}
			_, hex, _ := strings.Cut(f[1], ":")
			if port, err := strconv.ParseUint(hex, 16, 16); err == nil && in.contains(int(port)) {
				ports = append(ports, int(port))
			}
		}
	}
	return ports
}

// freeBase is a --srcport after which as many ports are free.
func (s *settings) freeBase() int {
	width := sourcePorts.last - sourcePorts.first + 1
	base := sourcePorts.last
	for ; base+width < 60000; base += width {
		if len(s.used(portRange{base + 1, base + width})) == 0 {
			return base
		}
	}
	return base
}

// parseRange reads "32768 60999", as ip_local_port_range has it.
func parseRange(text string) (portRange, bool) {
	var r portRange
	n, _ := fmt.Sscan(text, &r.first, &r.last)
	return r, n == 2
}

// parseRanges reads "80,8000-8080", as ip_local_reserved_ports has it, and
// leaves out what is neither.
func parseRanges(text string) []portRange {
	var all []portRange
	for part := range strings.SplitSeq(text, ",") {
		from, to, several := strings.Cut(part, "-")
		first, err := strconv.Atoi(from)
		if err != nil {
			continue
		}
		r := portRange{first, first}
		if several {
			if r.last, err = strconv.Atoi(to); err != nil {
				continue
			}
		}
		all = append(all, r)
	}
	return all
}

func covers(ranges []portRange, all portRange) bool {
	for port := all.first; port <= all.last; port++ {
		in := false
		for _, r := range ranges {
			in = in || r.contains(port)
		}
		if !in {
			return false
		}
	}
	return true
}
