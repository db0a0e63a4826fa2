// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package routing

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Settle waits until every kernel has the routes that follow from the links that
// are up and what they cost: all the shortest ways to the source and to the
// destination. If ctx ends before, the error says what is still amiss, and what
// the daemons wrote.
func (n *Network) Settle(ctx context.Context) error {
	const pause = 20 * time.Millisecond
	for {
		amiss, err := n.amiss()
		if err != nil || amiss == nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("not settled: %w: %w%s", context.Cause(ctx), amiss, n.logs())
		}
	}
}

// amiss returns the first route that is not what it should be, or nil.
func (n *Network) amiss() (amiss, err error) {
	for _, target := range []int{n.t.Source, n.t.Destination} {
		far := n.distances(target)
		for i := range n.t.Nodes {
			if i == target {
				continue
			}
			var want []string
			for _, l := range n.links {
				if l.from == i && n.usable(l) && far[l.to] < math.MaxInt && far[l.to]+l.cost == far[i] {
					want = append(want, l.device)
				}
			}
			got, err := n.devices(i, target)
			if err != nil {
				return nil, err
			}
			slices.Sort(want)
			if !slices.Equal(got, want) {
				return fmt.Errorf("route of %s to %s: by %v, want %v", n.t.Nodes[i].Name, n.t.Nodes[target].Name, got, want), nil
			}
		}
	}
	return nil, nil
}

func (n *Network) usable(l link) bool { return !n.down[[2]int{l.from, l.to}] }

// distances returns what the shortest way of each node to a target costs.
func (n *Network) distances(target int) []int {
	far := slices.Repeat([]int{math.MaxInt}, len(n.t.Nodes))
	far[target] = 0
	for changed := true; changed; {
		changed = false
		for _, l := range n.links {
			if n.usable(l) && far[l.to] < math.MaxInt && far[l.to]+l.cost < far[l.from] {
				far[l.from], changed = far[l.to]+l.cost, true
			}
		}
	}
	return far
}

// devices returns the names of those by which the kernel of a node sends to another
// node, in order.
func (n *Network) devices(i, target int) ([]string, error) {
	to := &net.IPNet{IP: n.t.Nodes[target].Address4.AsSlice(), Mask: net.CIDRMask(32, 32)}
	routes, err := n.nodes[i].routes.RouteListFiltered(unix.AF_INET, &netlink.Route{Dst: to}, netlink.RT_FILTER_DST)
	if errors.Is(err, netlink.ErrDumpInterrupted) { // it changes as we look
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("routes of %s: %w", n.t.Nodes[i].Name, err)
	}
	var indices []int
	for _, r := range routes {
		if len(r.MultiPath) == 0 {
			indices = append(indices, r.LinkIndex)
		}
		for _, hop := range r.MultiPath {
			if hop.Flags&(unix.RTNH_F_DEAD|unix.RTNH_F_LINKDOWN) == 0 {
				indices = append(indices, hop.LinkIndex)
			}
		}
	}
	var names []string
	for _, index := range indices {
		device, err := n.nodes[i].routes.LinkByIndex(index)
		if err != nil {
			return nil, fmt.Errorf("device %d of %s: %w", index, n.t.Nodes[i].Name, err)
		}
		names = append(names, device.Attrs().Name)
	}
	slices.Sort(names)
	return names, nil
}

// logs returns what the daemons wrote, the end of it.
func (n *Network) logs() string {
	const most = 1000 // bytes of each node
	var out strings.Builder
	for i := range n.nodes {
		text, _ := os.ReadFile(filepath.Join(n.nodeFolder(i), logFile)) // without one there is nothing to say
		if len(text) > most {
			text = text[len(text)-most:]
		}
		fmt.Fprintf(&out, "\n%s: %s", n.t.Nodes[i].Name, text)
	}
	return out.String()
}
