// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// routeFacts are the ways out of this host, one for each family.
type routeFacts struct{ ways []way }

// way is how packets leave for a destination or, without one, by default.
type way struct {
	ipv6        bool
	destination netip.Addr // invalid: by default
	err         error      // why there is none
	local       bool       // the destination is this host
	source      netip.Addr
	gateway     netip.Addr // invalid: the destination is on the link
	out         link
	// hops are all next hops, if there are several.
	hops []nextHop
}

// link is the interface that packets leave by.
type link struct {
	name string
	mtu  int // bytes; 0 if it is not known
	down bool
}

// nextHop is one of several.
type nextHop struct {
	gateway netip.Addr
	device  string
}

// errNoRoute is a family without a default route.
var errNoRoute = errors.New("there is no default route")

// readRoutes looks at the way to each family's target or, if neither has one, at
// the default routes. It sends nothing.
func readRoutes(ctx context.Context, targets [2]netip.Addr) *routeFacts {
	f := &routeFacts{}
	some := targets[0].IsValid() || targets[1].IsValid()
	for i, target := range targets {
		if some && !target.IsValid() {
			continue
		}
		f.ways = append(f.ways, findWay(ctx, target, i == 1))
	}
	return f
}

// interfaces are those that packets leave by.
func (f *routeFacts) interfaces() []string {
	var names []string
	for _, w := range f.ways {
		names = append(names, w.out.name)
		for _, h := range w.hops {
			names = append(names, h.device)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	slices.Sort(names)
	return slices.Compact(names)
}

func (f *routeFacts) checks() []Check {
	leads := slices.ContainsFunc(f.ways, func(w way) bool { return w.err == nil })
	var checks []Check
	for i := range f.ways {
		checks = append(checks, f.ways[i].check(leads))
	}
	return checks
}

// minIPv6 is the smallest MTU that a link of IPv6 may have (RFC 8200,
// section 5).
const minIPv6 = 1280

// check judges one way; another says that a different family leads out.
func (w *way) check(another bool) Check {
	c := Check{Subject: "route " + family(w.ipv6), Verdict: OK, Finding: w.String()}
	switch {
	case errors.Is(w.err, errors.ErrUnsupported):
		c.Verdict = Unknown
		c.Finding = w.err.Error()
	case w.err != nil:
		c.Verdict = Broken
		if another && !w.destination.IsValid() {
			c.Verdict = Limited
		}
		c.Finding = cause(w.err) + ": no " + family(w.ipv6) + " packet leaves this host"
		if w.destination.IsValid() {
			c.Finding = fmt.Sprintf("no packet leaves for %s: %s", w.destination, cause(w.err))
		}
		c.Mend = w.show()
	case w.out.down:
		c.Verdict = Broken
		c.Finding += "; the interface is down"
		c.Mend = fmt.Sprintf("sudo ip link set %s up", Word(w.out.name))
	case len(w.hops) > 1:
		c.Verdict = Limited
		c.Finding += fmt.Sprintf("; this host is itself a balancer of %d next hops, and raw probes all leave by one of them", len(w.hops))
		c.Mend = w.each()
	case w.ipv6 && w.out.mtu > 0 && w.out.mtu < minIPv6:
		c.Verdict = Broken
		c.Finding += fmt.Sprintf(", which is less than the %d bytes that IPv6 takes", minIPv6)
		c.Mend = fmt.Sprintf("sudo ip link set %s mtu %d", Word(w.out.name), minIPv6)
	}
	return c
}

// String returns the way as "192.0.2.1 on eth0, from 192.0.2.2, MTU 1500".
func (w *way) String() string {
	to := "by default"
	if w.destination.IsValid() {
		to = w.destination.String()
	}
	switch {
	case w.local:
		return to + " is this host itself"
	case w.gateway.IsValid():
		to += " via " + w.gateway.String()
	case w.destination.IsValid() && runtime.GOOS == "linux":
		to += ", on the link"
	}
	if w.out.name != "" {
		to += " by " + w.out.name
	}
	if w.source.IsValid() {
		to += ", from " + w.source.String()
	}
	if w.out.mtu > 0 {
		to += fmt.Sprintf(", MTU %d", w.out.mtu)
	}
	return to
}

// show is the command that shows the routes.
func (w *way) show() string {
	if _, err := exec.LookPath("ip"); err != nil {
		return "netstat -rn"
	}
	line := "ip route"
	if w.ipv6 {
		line = "ip -6 route"
	}
	if w.destination.IsValid() {
		line += " get " + w.destination.String()
	}
	return line
}

// each is the command that traces by every next hop's interface.
func (w *way) each() string {
	to := "DEST"
	if w.destination.IsValid() {
		to = w.destination.String()
	}
	var devices []string
	for _, h := range w.hops {
		if line := fmt.Sprintf("traceflow -i %s %s", Word(h.device), to); !slices.Contains(devices, line) {
			devices = append(devices, line)
		}
	}
	if len(devices) == 1 {
		return w.show()
	}
	return strings.Join(devices, "; ")
}

// stranger is an address for documentation (RFC 5737, RFC 3849): what leads there
// leads anywhere. Nothing is ever sent to it.
func stranger(ipv6 bool) netip.Addr {
	if ipv6 {
		return netip.MustParseAddr("2001:db8::1")
	}
	return netip.AddrFrom4([4]byte{203, 0, 113, 1})
}
