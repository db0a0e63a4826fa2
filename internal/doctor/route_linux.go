// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"context"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// findWay asks the main table for the default route, and the kernel for the
// route to a target. Policy routing may have another default; then what stands
// in the main table is only missing, and the kernel is asked for a stranger.
func findWay(_ context.Context, target netip.Addr, ipv6 bool) way {
	w := way{ipv6: ipv6, destination: target}
	to := target
	if !target.IsValid() {
		to = unspecified(ipv6)
	}
	listed, err := longestMatch(to)
	if !target.IsValid() {
		if err == nil && listed != nil {
			w.follow(listed)
			w.source = sourceOf(listed, w.gateway)
			return w
		}
		to = stranger(ipv6)
	}
	chosen, err := netlink.RouteGet(to.AsSlice())
	switch {
	case err != nil && !target.IsValid():
		w.err = errNoRoute
		return w
	case err != nil:
		w.err = err
		return w
	}
	w.follow(&chosen[0])
	w.local = chosen[0].Type == unix.RTN_LOCAL
	if listed != nil && target.IsValid() && !w.local {
		w.hops = hopsOf(listed)
	}
	return w
}

// longestMatch returns the route of the main table that has the longest prefix
// to hold an address, and of those the one of the lowest metric; nil if there is
// none. Tables can be too long to keep.
func longestMatch(to netip.Addr) (best *netlink.Route, err error) {
	family, length := netlink.FAMILY_V4, -1
	if to.Is6() {
		family = netlink.FAMILY_V6
	}
	err = netlink.RouteListFilteredIter(family, &netlink.Route{}, 0, func(r netlink.Route) bool {
		prefix, ok := prefixOf(&r)
		if !ok || r.Type != unix.RTN_UNICAST || prefix.Bits() > 0 && !prefix.Contains(to) {
			return true
		}
		if prefix.Bits() > length || prefix.Bits() == length && r.Priority < best.Priority {
			best, length = &r, prefix.Bits()
		}
		return true
	})
	return best, err
}

// prefixOf returns where a route leads; the default route has no destination or
// an unspecified one.
func prefixOf(r *netlink.Route) (netip.Prefix, bool) {
	if r.Dst == nil {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0), true
	}
	address, ok := netip.AddrFromSlice(r.Dst.IP)
	bits, _ := r.Dst.Mask.Size()
	return netip.PrefixFrom(address, bits), ok
}

func unspecified(ipv6 bool) netip.Addr {
	if ipv6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// follow fills in what a route says.
func (w *way) follow(r *netlink.Route) {
	w.source, w.gateway = addr(r.Src), addr(r.Gw)
	index := r.LinkIndex
	if w.hops = hopsOf(r); len(w.hops) > 1 {
		index = r.MultiPath[0].LinkIndex
		w.gateway = w.hops[0].gateway
	}
	if i, err := netlink.LinkByIndex(index); err == nil {
		attrs := i.Attrs()
		w.out = link{name: attrs.Name, mtu: attrs.MTU, down: attrs.Flags&net.FlagUp == 0 || attrs.OperState == netlink.OperDown || attrs.OperState == netlink.OperLowerLayerDown}
	}
}

func hopsOf(r *netlink.Route) []nextHop {
	if len(r.MultiPath) < 2 {
		return nil
	}
	var hops []nextHop
	for _, n := range r.MultiPath {
		h := nextHop{gateway: addr(n.Gw)}
		if i, err := netlink.LinkByIndex(n.LinkIndex); err == nil {
			h.device = i.Attrs().Name
		}
		hops = append(hops, h)
	}
	return hops
}

// sourceOf is the address that packets by a default route leave with: the
// route's own, or the one that the way to its gateway has.
func sourceOf(r *netlink.Route, gateway netip.Addr) netip.Addr {
	if r.Src != nil || !gateway.IsValid() || gateway.IsLinkLocalUnicast() {
		return addr(r.Src)
	}
	chosen, err := netlink.RouteGet(gateway.AsSlice())
	if err != nil {
		return netip.Addr{}
	}
	return addr(chosen[0].Src)
}

func addr(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}
