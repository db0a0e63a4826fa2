// SPDX-License-Identifier: BSD-3-Clause

package web

import (
	"context"
	"net"
	"net/netip"
	"slices"
)

// Listen listens on the first port of an address that is free, from one to
// another. The error is that of the first. The unspecified IPv6 address is every
// address of both families.
func Listen(ctx context.Context, address netip.Addr, first, last uint16) (net.Listener, error) {
	network := "tcp"
	if address.Is4() {
		network = "tcp4" // where "tcp" would take 0.0.0.0 for all of both families
	}
	var why error
	for port := int(first); port <= int(last); port++ {
		l, err := new(net.ListenConfig).Listen(ctx, network, netip.AddrPortFrom(address, uint16(port)).String())
		if err == nil {
			return l, nil
		}
		if why == nil {
			why = err
		}
	}
	return nil, why
}

// mostAddresses is how many addresses of a machine are worth printing.
const mostAddresses = 4

// Addresses are those that a browser can be given, the likeliest first, with the
// token where it takes one.
func (s *Server) Addresses() []string {
	at := addressOf(s.listener.Addr())
	hosts := []string{at.Addr().String()}
	if at.Addr().IsUnspecified() {
		// Whoever runs a container reaches it as their own machine.
		hosts = append([]string{"localhost"}, hostsOf(at.Addr())...)
	}
	var out []string
	for _, host := range hosts {
		out = append(out, "http://"+net.JoinHostPort(host, s.guard.port)+"/"+s.guard.query())
	}
	return out
}

// hostsOf are the addresses of this machine's interfaces that other machines may
// know, IPv4 first, as far as an unspecified address stands for them.
func hostsOf(unspecified netip.Addr) []string {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var found []netip.Addr
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && p.Addr().IsGlobalUnicast() && (p.Addr().Is4() || !unspecified.Is4()) {
			found = append(found, p.Addr())
		}
	}
	slices.SortStableFunc(found, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	var hosts []string
	for _, a := range found[:min(len(found), mostAddresses)] {
		hosts = append(hosts, a.String())
	}
	return hosts
}
