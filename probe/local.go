// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// Local is where packets to a destination leave this host.
type Local struct {
	Address   netip.Addr
	Interface string // empty when it is not known
}

// FindLocal returns where packets to a destination leave this host: the
// address and interface that the system's routes choose, or those given. It
// sends nothing. The source may be invalid and iface empty.
func FindLocal(ctx context.Context, destination, source netip.Addr, iface string) (Local, error) {
	dialer := net.Dialer{}
	if iface != "" {
		if _, err := net.InterfaceByName(iface); err != nil {
			return Local{}, opError("use interface", iface, errors.New("there is none of that name"))
		}
		dialer.Control = func(_, _ string, c syscall.RawConn) error {
			var bound error
			if err := c.Control(func(fd uintptr) { bound = bindToInterface(fd, iface) }); err != nil {
				return err
			}
			return bound
		}
	}
	if source.IsValid() {
		dialer.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	// Connecting a UDP socket looks the route up and sends nothing; any port
	// does.
	conn, err := dialer.DialContext(ctx, "udp", netip.AddrPortFrom(destination, 9).String())
	if err != nil {
		if errors.Is(err, syscall.EADDRNOTAVAIL) && source.IsValid() {
			return Local{}, opError("use source address", source.String(), errors.New("no interface of this host has it"))
		}
		if inner, ok := errors.AsType[*net.OpError](err); ok {
			err = inner.Err
		}
		return Local{}, opError("find a route to", destination.String(), err)
	}
	defer conn.Close()
	local := Local{Address: conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), Interface: iface}
	if iface == "" {
		local.Interface = interfaceOf(local.Address)
	}
	return local, nil
}

// interfaceOf returns the name of the interface that has an address, or "". An
// address of the loopback interface says nothing about where packets for
// another host leave.
func interfaceOf(address netip.Addr) string {
	interfaces, err := net.Interfaces()
	if err != nil {
		return ""
	}
	for _, i := range interfaces {
		addresses, err := i.Addrs()
		if err != nil || i.Flags&net.FlagLoopback != 0 && !address.IsLoopback() {
			continue
		}
		for _, a := range addresses {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Unmap() == address {
				return i.Name
			}
		}
	}
	return ""
}
