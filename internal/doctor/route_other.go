// SPDX-License-Identifier: BSD-3-Clause

//go:build !linux

package doctor

import (
	"context"
	"net"
	"net/netip"

	"traceflow/probe"
)

// findWay asks the system for the source address and interface alone, which is
// what every system tells in the same way. Without a target the way to a
// stranger stands for the default route.
func findWay(ctx context.Context, target netip.Addr, ipv6 bool) way {
	w := way{ipv6: ipv6, destination: target}
	if !target.IsValid() {
		target = stranger(ipv6)
	}
	local, err := probe.FindLocal(ctx, target, netip.Addr{}, "")
	if err != nil {
		w.err = err
		return w
	}
	w.source, w.out.name, w.local = local.Address, local.Interface, local.Address == target
	if i, err := net.InterfaceByName(local.Interface); err == nil {
		w.out.mtu, w.out.down = i.MTU, i.Flags&net.FlagUp == 0
	}
	return w
}
