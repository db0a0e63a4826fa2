// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/vishvananda/netlink"

	"traceflow/internal/topology"
)

// etherMTU is that of a link for which the topology says none.
const etherMTU = 1500

// Change makes the running network what t says: its routes, hashes, faults,
// delays and MTUs. The kernels and their devices stay what they are. t has the nodes that
// the network was built with, in the same order, and none but its edges; what it
// lacks of them carries nothing any more. Open ports do not change.
// Packets that are under way meanwhile may be lost.
func (l *Lab) Change(t *topology.Topology) error {
	if err := l.checkChange(t); err != nil {
		return err
	}
	b, err := l.reopen(t)
	if err != nil {
		return fmt.Errorf("change %s: %w", l.t.Name, err)
	}
	defer b.close()
	rank, err := order(t)
	if err != nil {
		return err
	}
	if err := b.change(); err != nil {
		return fmt.Errorf("change %s: %w", l.t.Name, err)
	}
	l.t, l.rank = t, rank
	return nil
}

// checkChange refuses a network that the kernels of this one cannot become.
func (l *Lab) checkChange(t *topology.Topology) error {
	if err := check(t, l.options); err != nil {
		return err
	}
	same := len(t.Nodes) == len(l.t.Nodes) && t.Source == l.t.Source && t.Destination == l.t.Destination &&
		t.IPv4 == l.t.IPv4 && t.IPv6 == l.t.IPv6
	for i := 0; same && i < len(t.Nodes); i++ {
		a, b := &t.Nodes[i], &l.t.Nodes[i]
		same = a.Name == b.Name && a.Address4 == b.Address4 && a.Address6 == b.Address6
	}
	if !same {
		return fmt.Errorf("change %s: other nodes than it was built with", l.t.Name)
	}
	return nil
}

// reopen returns a builder for a network that runs.
func (l *Lab) reopen(t *topology.Topology) (_ *builder, err error) {
	b := &builder{t: t, lab: l, down: make(map[int]bool)}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	for e, edge := range t.Edges {
		link := l.linkBetween(edge.From, edge.To, b.links)
		if link == nil {
			return nil, fmt.Errorf("no link %s-%s was built", t.Nodes[edge.From].Name, t.Nodes[edge.To].Name)
		}
		b.links = append(b.links, *link)
		b.down[e] = link.down
	}
	for i := range t.Nodes {
		var node *buildNode
		err := inNamespace(l.namespaces[i], func() (err error) {
			node, err = openNode()
			return err
		})
		if err != nil {
			return nil, err
		}
		b.nodes = append(b.nodes, node)
	}
	return b, nil
}

// linkBetween returns the first link from one node to another that is not among
// those taken.
func (l *Lab) linkBetween(from, to int, taken []link) *link {
	for i := range l.built {
		x := &l.built[i]
		if x.nodes == [2]int{from, to} && !slices.ContainsFunc(taken, func(t link) bool { return t.number == x.number }) {
			return x
		}
	}
	return nil
}

// change configures the open nodes anew.
func (b *builder) change() error {
	for i := range b.t.Nodes {
		err := inNamespace(b.lab.namespaces[i], func() error {
			return errors.Join(apply(settings(b.t, i)), b.setHopLimits(i))
		})
		if err != nil {
			return err
		}
	}
	for e := range b.t.Edges {
		mtu := b.t.Edges[e].MTU
		if mtu == 0 {
			mtu = etherMTU
		}
		device := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: b.links[e].name, Index: b.links[e].from}}
		if err := b.nodes[b.t.Edges[e].From].routes.LinkSetMTU(device, mtu); err != nil {
			return fmt.Errorf("MTU of %s: %w", b.links[e].name, err)
		}
	}
	if err := b.lab.cutWires(); err != nil {
		return err
	}
	if err := b.addWires(); err != nil {
		return err
	}
	if err := b.reroute(); err != nil {
		return err
	}
	return b.addFaults()
}

// setHopLimits sets what the settings set for devices that come later.
func (b *builder) setHopLimits(i int) error {
	if !b.t.IPv6 {
		return nil
	}
	files, err := filepath.Glob("/proc/sys/net/ipv6/conf/l*/hop_limit")
	if err != nil {
		return err
	}
	var s []setting
	for _, file := range files {
		device := filepath.Base(filepath.Dir(file))
		s = append(s, setting{"ipv6/conf/" + device + "/hop_limit", strconv.Itoa(initialTTL(&b.t.Nodes[i])), false})
	}
	return apply(s)
}

// reroute takes all routes away and adds those of the topology.
func (b *builder) reroute() error {
	if b.lab.options.NoRoutes {
		return nil
	}
	for i, node := range b.nodes {
		for _, f := range families(b.t) {
			number := netlink.FAMILY_V4
			if f.ipv6 {
				number = netlink.FAMILY_V6
			}
			routes, err := node.routes.RouteList(nil, number) // of the main table
			if err != nil {
				return fmt.Errorf("routes of %s: %w", b.t.Nodes[i].Name, err)
			}
			for r := range routes {
				if err := node.routes.RouteDel(&routes[r]); err != nil {
					return fmt.Errorf("route of %s to %v: %w", b.t.Nodes[i].Name, routes[r].Dst, err)
				}
			}
		}
	}
	return b.addRoutes()
}

// SetLink takes the link between two nodes down, the first of several, as if
// somebody pulled the cable, or up again; both ends notice at once. The routes that the lab has made go other
// ways then; those of others are theirs to change.
func (l *Lab) SetLink(from, to string, up bool) error {
	node := make(map[string]int, len(l.t.Nodes))
	for i := range l.t.Nodes {
		node[l.t.Nodes[i].Name] = i
	}
	a, knownA := node[from]
	z, knownZ := node[to]
	link := l.linkBetween(a, z, nil)
	if link == nil {
		link = l.linkBetween(z, a, nil)
	}
	if !knownA || !knownZ || link == nil {
		return fmt.Errorf("link %s-%s: there is none", from, to)
	}
	link.down = !up
	b, err := l.reopen(l.t)
	if err != nil {
		return fmt.Errorf("link %s-%s: %w", from, to, err)
	}
	defer b.close()
	if err := b.setLink(*link, up); err != nil {
		return fmt.Errorf("link %s-%s: %w", from, to, err)
	}
	return b.reroute()
}

func (b *builder) setLink(l link, up bool) error {
	for end, index := range []int{l.from, l.to} {
		routes := b.nodes[l.nodes[end]].routes
		device := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: l.name, Index: index}}
		set := routes.LinkSetDown
		if up {
			set = routes.LinkSetUp
		}
		if err := set(device); err != nil {
			return err
		}
	}
	if !up {
		return nil
	}
	// As in addLink: asking has the kernel handle a pending change of carrier.
	if _, err := b.nodes[l.nodes[0]].routes.LinkByName(l.name); err != nil {
		return err
	}
	return b.addNeighbours(l) // forgotten when it went down
}

// Device returns the name of the devices at both ends of the link from one node to
// another, the first of several, and whether there is one.
func (l *Lab) Device(from, to int) (name string, ok bool) {
	link := l.linkBetween(from, to, nil)
	if link == nil {
		return "", false
	}
	return link.name, true
}
