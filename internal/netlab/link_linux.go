// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"traceflow/internal/topology"
)

// link is one edge as the two kernels see it.
type link struct {
	// number is that of the edge when the network was built, nodes its ends.
	number int
	nodes  [2]int
	// down is whether somebody took it down.
	down bool
	// name is that of the device in both namespaces.
	name string
	// from and to are the devices' indices in the namespaces of the edge's ends.
	from, to int
}

// linkName is what edge e is called in both namespaces.
func linkName(e int) string { return "l" + strconv.Itoa(e) }

// hardware returns the address of one end (0 from, 1 to) of edge e, a locally
// administered one. Neighbour entries are made from it, so no kernel ever
// resolves an address and no packet waits.
func hardware(e, end int) net.HardwareAddr {
	return net.HardwareAddr{0x02, 't', 'f', byte(end), byte(e >> 8), byte(e)}
}

// addLink makes the veth pair of edge e and brings both ends up.
func (b *builder) addLink(e int) (link, error) {
	edge := b.t.Edges[e]
	from, to := b.nodes[edge.From], b.nodes[edge.To]
	l := link{name: linkName(e), number: e, nodes: [2]int{edge.From, edge.To}}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = l.name
	attrs.HardwareAddr = hardware(e, 0)
	attrs.NumTxQueues, attrs.NumRxQueues = 1, 1
	attrs.Flags = net.FlagUp
	attrs.MTU = edge.MTU // 0 is that of Ethernet
	veth := &netlink.Veth{
		LinkAttrs:        attrs,
		PeerName:         l.name,
		PeerHardwareAddr: hardware(e, 1),
		PeerNamespace:    netlink.NsFd(b.lab.namespaces[edge.To].Fd()),
	}
	fail := func(err error) (link, error) {
		return link{}, fmt.Errorf("link %s-%s: %w", b.t.Nodes[edge.From].Name, b.t.Nodes[edge.To].Name, err)
	}
	if err := from.routes.LinkAdd(veth); err != nil {
		return fail(err)
	}
	peer, err := to.routes.LinkByName(l.name)
	if err != nil {
		return fail(err)
	}
	if err := to.routes.LinkSetUp(peer); err != nil {
		return fail(err)
	}
	// The first end came up without a carrier. Asking for it makes the kernel
	// handle the pending carrier event now (linkwatch_sync_dev); until then
	// the device drops what it is given.
	self, err := from.routes.LinkByName(l.name)
	if err != nil {
		return fail(err)
	}
	l.from, l.to = self.Attrs().Index, peer.Attrs().Index
	if err := from.checksumInSoftware(l.name); err != nil {
		return fail(err)
	}
	if err := to.checksumInSoftware(l.name); err != nil {
		return fail(err)
	}
	return l, b.addNeighbours(l)
}

// addNeighbours tells each end the hardware address of the other.
func (b *builder) addNeighbours(l link) error {
	for _, end := range []struct {
		at     int
		device int
		peer   int // end of the link that is the neighbour
	}{{l.nodes[0], l.from, 1}, {l.nodes[1], l.to, 0}} {
		for _, f := range families(b.t) {
			neighbour := &netlink.Neigh{
				LinkIndex:    end.device,
				State:        netlink.NUD_PERMANENT,
				IP:           f.nextHop(b.t, l, end.peer),
				HardwareAddr: hardware(l.number, end.peer),
			}
			if err := b.nodes[end.at].routes.NeighSet(neighbour); err != nil {
				return fmt.Errorf("neighbour %v of %s: %w", neighbour.IP, b.t.Nodes[end.at].Name, err)
			}
		}
	}
	return nil
}

// checksumInSoftware switches transmit checksum offload off. A veth would
// never compute the checksum of a packet from a kernel UDP socket, and routers
// would quote half of one.
func (n *buildNode) checksumInSoftware(device string) error {
	value := struct{ command, data uint32 }{unix.ETHTOOL_STXCSUM, 0}
	request := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte // struct ifreq is longer than a pointer
	}{data: unsafe.Pointer(&value)}
	copy(request.name[:unix.IFNAMSIZ-1], device)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(n.ioctl), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		return fmt.Errorf("checksum offload off on %s: %w", device, os.NewSyscallError("ioctl", errno))
	}
	return nil
}

// family is what differs between IPv4 and IPv6 in links and routes.
type family struct {
	ipv6 bool
	bits int // of an address
}

// families returns those that the topology has.
func families(t *topology.Topology) []family {
	var f []family
	if t.IPv4 {
		f = append(f, family{false, 32})
	}
	if t.IPv6 {
		f = append(f, family{true, 128})
	}
	return f
}

// address returns the node's one address.
func (f family) address(n *topology.Node) net.IP {
	if f.ipv6 {
		return n.Address6.AsSlice()
	}
	return n.Address4.AsSlice()
}

// host returns the node's address as a network of one.
func (f family) host(n *topology.Node) *net.IPNet {
	return &net.IPNet{IP: f.address(n), Mask: net.CIDRMask(f.bits, f.bits)}
}

// nextHop returns how one end of a link is called in the routes of the other.
// Links have no addresses: for IPv4 it is the node's own address, marked
// on-link; for IPv6 a link-local name that only neighbour entries know.
func (f family) nextHop(t *topology.Topology, l link, end int) net.IP {
	if f.ipv6 {
		return net.IP{0: 0xfe, 1: 0x80, 13: byte(l.number >> 8), 14: byte(l.number), 15: byte(end + 1)}
	}
	return t.Nodes[l.nodes[end]].Address4.AsSlice()
}
