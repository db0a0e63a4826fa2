// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"traceflow/internal/topology"
)

// Lab is a running network. It owns no goroutine but those of links that take
// time (see wire); Close ends it, and so does the end of the process. Its methods may be called concurrently, but for
// Change, SetLink and Close.
type Lab struct {
	t          *topology.Topology
	options    Options
	namespaces []*os.File // one for each node
	rank       []int      // of each node: edges lead to higher ranks
	built      []link     // of every edge that the network was built with
	wires      []*wire
	filtered   []bool // of each node: whether it has a packet filter
	recorder   recorder
	listeners  []int // sockets of the destination's open ports
	hashes     error // what SocketsHashed returns
}

// builder is what Build needs and a Lab does not.
type builder struct {
	t     *topology.Topology
	lab   *Lab
	nodes []*buildNode // one for each node
	links []link       // one for each edge
	// down are the edges that no route may take.
	down map[int]bool
}

// buildNode is a node's namespace, open for configuration. The sockets belong
// to the namespace whatever thread uses them.
type buildNode struct {
	routes *netlink.Handle
	ioctl  int // socket for device ioctls
}

// Build makes the network. It fails with an UnsupportedError when a kernel
// cannot do what the topology says, and with os.ErrPermission when the process
// may not make network namespaces (see Enter).
func Build(t *topology.Topology, opts Options) (*Lab, error) {
	if err := check(t, opts); err != nil {
		return nil, err
	}
	rank, err := order(t)
	if err != nil {
		return nil, err
	}
	b := &builder{t: t, lab: &Lab{t: t, options: opts, rank: rank, filtered: make([]bool, len(t.Nodes))}}
	defer b.close()
	if err := b.build(); err != nil {
		return nil, errors.Join(fmt.Errorf("build %s: %w", t.Name, err), b.lab.Close())
	}
	return b.lab, nil
}

func (b *builder) build() error {
	if err := onThread(b.addNodes); err != nil {
		return err
	}
	for e := range b.t.Edges {
		l, err := b.addLink(e)
		if err != nil {
			return err
		}
		b.links = append(b.links, l)
	}
	b.lab.built = slices.Clone(b.links)
	if err := b.addWires(); err != nil {
		return err
	}
	if err := b.addRoutes(); err != nil {
		return err
	}
	b.lab.hashes = b.forgetHashes()
	if err := b.addFaults(); err != nil {
		return err
	}
	if err := b.lab.listen(); err != nil {
		return err
	}
	return b.settle()
}

// addNodes makes the namespaces. It runs on a locked thread and leaves it in
// the last one.
func (b *builder) addNodes() error {
	for i := range b.t.Nodes {
		ns, err := newNamespace()
		if err != nil {
			return err
		}
		b.lab.namespaces = append(b.lab.namespaces, ns)
		if i == 0 {
			if err := checkSeed(b.t); err != nil {
				return err
			}
		}
		if err := apply(settings(b.t, i)); err != nil {
			return err
		}
		node, err := openNode()
		if err != nil {
			return err
		}
		b.nodes = append(b.nodes, node)
		if err := b.addAddresses(i); err != nil {
			return fmt.Errorf("addresses of %s: %w", b.t.Nodes[i].Name, err)
		}
	}
	return nil
}

// openNode opens the sockets that configure the calling thread's namespace.
func openNode() (*buildNode, error) {
	routes, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open netlink socket: %w", err)
	}
	ioctl, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		routes.Close()
		return nil, os.NewSyscallError("socket", err)
	}
	return &buildNode{routes: routes, ioctl: ioctl}, nil
}

// addAddresses puts the node's addresses on its loopback.
func (b *builder) addAddresses(i int) error {
	loopback := &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: "lo", Index: 1}} // always the first device
	routes := b.nodes[i].routes
	if err := routes.LinkSetUp(loopback); err != nil {
		return err
	}
	for _, f := range families(b.t) {
		address := &netlink.Addr{IPNet: f.host(&b.t.Nodes[i])}
		if f.ipv6 {
			address.Flags = unix.IFA_F_NODAD
		}
		if err := routes.AddrAdd(loopback, address); err != nil {
			return fmt.Errorf("%v: %w", address.IPNet, err)
		}
	}
	return nil
}

func (b *builder) close() {
	for _, n := range b.nodes {
		n.routes.Close()
		unix.Close(n.ioctl)
	}
}

// Close removes the network. Sockets that are still open inside keep their
// own namespace alive, and nothing else.
func (l *Lab) Close() error {
	err := errors.Join(l.recorder.close(), l.cutWires())
	for _, fd := range l.listeners {
		err = errors.Join(err, os.NewSyscallError("close", unix.Close(fd)))
	}
	l.listeners = nil
	for _, ns := range l.namespaces {
		err = errors.Join(err, ns.Close())
	}
	l.namespaces = nil
	return err
}

// Do runs fn on a locked OS thread inside the vantage point's namespace, and
// returns its error. Sockets that fn opens stay in the namespace; goroutines
// that it starts do not run there.
func (l *Lab) Do(fn func() error) error { return l.DoAt(l.t.Source, fn) }

// DoAt is Do inside any node's namespace.
func (l *Lab) DoAt(node int, fn func() error) error {
	if node < 0 || node >= len(l.namespaces) {
		return fmt.Errorf("node %d of %d: %w", node, len(l.namespaces), os.ErrNotExist)
	}
	return inNamespace(l.namespaces[node], fn)
}

// Topology returns what the lab is: what it was built from, or changed to. It
// must not be changed itself.
func (l *Lab) Topology() *topology.Topology { return l.t }

// Source4 is the vantage point's address; invalid without IPv4.
func (l *Lab) Source4() netip.Addr { return l.t.Nodes[l.t.Source].Address4 }

// Source6 is the vantage point's address; invalid without IPv6.
func (l *Lab) Source6() netip.Addr { return l.t.Nodes[l.t.Source].Address6 }

// Destination4 is the destination's address; invalid without IPv4.
func (l *Lab) Destination4() netip.Addr { return l.t.Nodes[l.t.Destination].Address4 }

// Destination6 is the destination's address; invalid without IPv6.
func (l *Lab) Destination6() netip.Addr { return l.t.Nodes[l.t.Destination].Address6 }
