// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"fmt"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"traceflow/internal/topology"
)

// addRoutes gives every node its routes: towards the destination over all its
// edges, towards the source (and nodes that translate to their own address)
// over one.
func (b *builder) addRoutes() error {
	if b.lab.options.NoRoutes {
		return nil
	}
	for i, edges := range b.outgoing() {
		if i == b.t.Destination || len(edges) == 0 {
			continue
		}
		for _, f := range families(b.t) {
			if err := b.forward(i, edges, f); err != nil {
				return fmt.Errorf("route of %s to the destination: %w", b.t.Nodes[i].Name, err)
			}
		}
	}
	for target := range b.t.Nodes {
		if target != b.t.Source && b.t.Nodes[target].NAT == topology.NATNone {
			continue
		}
		for i, e := range b.back(target) {
			if e < 0 {
				continue
			}
			for _, f := range families(b.t) {
				if err := b.backward(i, target, e, f); err != nil {
					return fmt.Errorf("route of %s to %s: %w", b.t.Nodes[i].Name, b.t.Nodes[target].Name, err)
				}
			}
		}
	}
	return nil
}

// outgoing returns, for each node, the edges that routes may take from it.
func (b *builder) outgoing() [][]int {
	out := outgoing(b.t)
	for i := range out {
		out[i] = slices.DeleteFunc(out[i], func(e int) bool { return b.down[e] })
	}
	return out
}

// forward adds the route of node i to the destination.
func (b *builder) forward(i int, edges []int, f family) error {
	route := &netlink.Route{
		Dst: f.host(&b.t.Nodes[b.t.Destination]),
		Src: f.address(&b.t.Nodes[i]),
	}
	for _, e := range edges {
		route.MultiPath = append(route.MultiPath, &netlink.NexthopInfo{
			LinkIndex: b.links[e].from,
			Gw:        f.nextHop(b.t, b.links[e], 1),
			Hops:      max(b.t.Edges[e].Weight, 1) - 1,
			Flags:     int(netlink.FLAG_ONLINK),
		})
	}
	if len(edges) == 1 {
		only := route.MultiPath[0]
		route.MultiPath, route.LinkIndex, route.Gw, route.Flags = nil, only.LinkIndex, only.Gw, only.Flags
	}
	return b.nodes[i].routes.RouteAdd(route)
}

// backward adds the route of node i to target over edge e. Its preferred
// source is the address that the node's ICMP errors come from. (Links have no
// addresses, so Linux 6.18 would choose the same without being told.)
func (b *builder) backward(i, target, e int, f family) error {
	return b.nodes[i].routes.RouteAdd(&netlink.Route{
		Dst:       f.host(&b.t.Nodes[target]),
		Src:       f.address(&b.t.Nodes[i]),
		LinkIndex: b.links[e].to,
		Gw:        f.nextHop(b.t, b.links[e], 0),
		Flags:     int(netlink.FLAG_ONLINK),
	})
}

// settle waits until every node takes packets to its own address: the kernel
// routes a new IPv6 address from a work queue, some time after it was added.
// Answers that come before are dropped.
func (b *builder) settle() error {
	const patience, pause = 5 * time.Second, time.Millisecond
	for i := range b.t.Nodes {
		for _, f := range families(b.t) {
			own := f.address(&b.t.Nodes[i])
			for waited := time.Duration(0); ; waited += pause {
				routes, err := b.nodes[i].routes.RouteGet(own)
				if err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL {
					break
				}
				if waited > patience {
					return fmt.Errorf("address %v of %s is not its own after %v", own, b.t.Nodes[i].Name, patience)
				}
				time.Sleep(pause)
			}
		}
	}
	return nil
}
