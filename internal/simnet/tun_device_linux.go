// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"traceflow/internal/topology"
)

// queueLength is how many packets the device holds for the network: a burst of
// a whole trace. The kernel's default, 500, would drop most of it.
const queueLength = 1 << 16

// createDevice makes a TUN device and returns its descriptor and name.
func createDevice(name string) (int, string, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, "", fmt.Errorf("open /dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		// Without packet information: reads and writes are IP packets.
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		return 0, "", errors.Join(fmt.Errorf("create %q: %w", name, err), unix.Close(fd))
	}
	return fd, request.Name(), nil
}

// configureDevice makes the host the source node: it gives the device that
// node's addresses and routes to every other node, by which the kernel also
// believes the source addresses of replies (rp_filter).
func configureDevice(t *topology.Topology, name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	if err := netlink.LinkSetMTU(link, mtu); err != nil {
		return fmt.Errorf("set MTU: %w", err)
	}
	if err := netlink.LinkSetTxQLen(link, queueLength); err != nil {
		return fmt.Errorf("set queue length: %w", err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	source := &t.Nodes[t.Source]
	for _, addr := range []netip.Addr{source.Address4, source.Address6} {
		if !addr.IsValid() {
			continue
		}
		// The address is ours alone: no need to look for others that have it.
		if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: host(addr), Flags: unix.IFA_F_NODAD}); err != nil {
			return fmt.Errorf("add address %s: %w", addr, err)
		}
		// For IPv6 the kernel adds this route itself, but from a work queue: until
		// then it would take replies for packets to be forwarded.
		local := netlink.Route{
			LinkIndex: link.Attrs().Index, Table: unix.RT_TABLE_LOCAL, Type: unix.RTN_LOCAL,
			Scope: netlink.SCOPE_HOST, Dst: host(addr),
		}
		if err := netlink.RouteAdd(&local); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("add local route of %s: %w", addr, err)
		}
		for i := range t.Nodes {
			if i == t.Source {
				continue
			}
			to := t.Nodes[i].AddressFor(addr)
			route := netlink.Route{
				LinkIndex: link.Attrs().Index, Scope: netlink.SCOPE_LINK, Dst: host(to), Src: addr.AsSlice(),
			}
			if err := netlink.RouteAdd(&route); err != nil {
				return fmt.Errorf("add route to %s: %w", to, err)
			}
		}
	}
	return nil
}

// host is the network of one address.
func host(addr netip.Addr) *net.IPNet {
	return &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(addr.BitLen(), addr.BitLen())}
}
