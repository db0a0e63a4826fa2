// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
	"testing"
)

func TestRoutes(t *testing.T) {
	a := netip.MustParseAddr
	out := link{name: "eth0", mtu: 1500}
	def := way{source: a("192.0.2.2"), gateway: a("192.0.2.1"), out: out}
	to := def
	to.destination = a("203.0.113.9")
	with := func(w way, edit func(*way)) way {
		edit(&w)
		return w
	}
	checks := func(ways ...way) []Check { return (&routeFacts{ways}).checks() }
	none := with(way{ipv6: true}, func(w *way) { w.err = errNoRoute })
	hops := []nextHop{{a("192.0.2.1"), "eth0"}, {a("198.51.100.1"), "eth1;reboot"}}
	testVerdicts(t, []verdictTest{
		{"default", checks(def), "route IPv4", OK, "by default via 192.0.2.1 by eth0, from 192.0.2.2, MTU 1500", ""},
		{"destination", checks(to), "route IPv4", OK, "203.0.113.9 via 192.0.2.1 by eth0, from 192.0.2.2, MTU 1500", ""},
		{"on this host", checks(with(to, func(w *way) { w.local = true })), "route IPv4", OK, "203.0.113.9 is this host itself", ""},
		{"no IPv6", checks(def, none), "route IPv6", Limited, "there is no default route: no IPv6 packet leaves this host", none.show()},
		{"nothing", checks(none), "route IPv6", Broken, "no default route", none.show()},
		{
			"no way there", checks(with(to, func(w *way) { w.err = fmt.Errorf("get route: %w", syscall.EHOSTUNREACH) }), def),
			"route IPv4", Broken, "no packet leaves for 203.0.113.9: no route to host", to.show(),
		},
		{"not on this system", checks(with(def, func(w *way) { w.err = fmt.Errorf("not looked at: %w", errors.ErrUnsupported) })), "route IPv4", Unknown, "unsupported", ""},
		{"down", checks(with(to, func(w *way) { w.out.down = true })), "route IPv4", Broken, "the interface is down", "sudo ip link set eth0 up"},
		{
			"several", checks(with(to, func(w *way) { w.hops = hops })), "route IPv4", Limited,
			"this host is itself a balancer of 2 next hops", "traceflow -i eth0 203.0.113.9; traceflow -i 'eth1;reboot' 203.0.113.9",
		},
		{"several by one interface", checks(with(to, func(w *way) { w.hops = []nextHop{hops[0], hops[0]} })), "route IPv4", Limited, "balancer of 2", to.show()},
		{"small MTU", checks(with(to, func(w *way) { w.ipv6, w.out.mtu = true, 1000 })), "route IPv6", Broken, "less than the 1280 bytes", "sudo ip link set eth0 mtu 1280"},
		{"small MTU of IPv4", checks(with(to, func(w *way) { w.out.mtu = 1000 })), "route IPv4", OK, "MTU 1000", ""},
	})
	f := routeFacts{[]way{with(to, func(w *way) { w.hops = hops }), {ipv6: true, out: out}, none}}
	if got, want := f.interfaces(), []string{"eth0", "eth1;reboot"}; !slices.Equal(got, want) {
		t.Errorf("interfaces: got %v, want %v", got, want)
	}
}

// TestReadRoutes looks at routes that every system has.
func TestReadRoutes(t *testing.T) {
	f := readRoutes(t.Context(), [2]netip.Addr{loopback(false), {}})
	if len(f.ways) != 1 || f.ways[0].ipv6 || f.ways[0].err != nil || f.ways[0].source != loopback(false) || !f.ways[0].local {
		t.Errorf("to %s: %+v", loopback(false), f.ways)
	}
	if f := readRoutes(t.Context(), [2]netip.Addr{}); len(f.ways) != 2 || f.ways[0].ipv6 || !f.ways[1].ipv6 {
		t.Errorf("by default: %+v", f.ways)
	}
}
