// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package routing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"traceflow/internal/netlab"
	"traceflow/internal/topology"
)

// usualCost is that of every link to begin with.
const usualCost = 10

// Network is a lab whose kernels are told their routes by OSPF. Its methods may not
// be called concurrently. Close ends it, and so does the end of the process.
type Network struct {
	lab    *netlab.Lab
	t      *topology.Topology
	folder string // sockets, configurations and logs, a folder for each node
	vtysh  string
	nodes  []node
	links  []link // both directions of every link
	down   map[[2]int]bool
}

// node is where a pair of daemons runs.
type node struct {
	daemons *exec.Cmd // the shell that is their parent
	routes  *netlink.Handle
}

// link is one direction of a link.
type link struct {
	from, to int
	device   string
	cost     int
}

// Start runs the daemons in every node of a lab, which was built with NoRoutes, and
// waits until every kernel has its routes.
func Start(ctx context.Context, lab *netlab.Lab) (*Network, error) {
	p, err := find()
	if err != nil {
		return nil, err
	}
	n := &Network{lab: lab, t: lab.Topology(), vtysh: p.vtysh, down: make(map[[2]int]bool)}
	if !n.t.IPv4 || n.t.IPv6 {
		return nil, fmt.Errorf("%s: routing is for networks of family 4", n.t.Name)
	}
	for _, e := range n.t.Edges {
		device, _ := lab.Device(e.From, e.To)
		n.links = append(n.links, link{e.From, e.To, device, usualCost}, link{e.To, e.From, device, usualCost})
	}
	if err := n.start(p); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	if err := n.Settle(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (n *Network) start(p programs) (err error) {
	if n.folder, err = os.MkdirTemp("", "traceflow-frr-"); err != nil {
		return err
	}
	if err := os.Chmod(n.folder, 0o755); err != nil { // the daemons have no power over files
		return err
	}
	for i := range n.t.Nodes {
		if err := n.startNode(i, p); err != nil {
			return fmt.Errorf("routing of %s: %w", n.t.Nodes[i].Name, err)
		}
	}
	return nil
}

// nodeFolder is where the daemons of a node have what is theirs.
func (n *Network) nodeFolder(i int) string { return filepath.Join(n.folder, strconv.Itoa(i)) }

func (n *Network) startNode(i int, p programs) error {
	folder := n.nodeFolder(i)
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	for name, text := range n.configurations(i) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return n.lab.DoAt(i, func() error {
		routes, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("open netlink socket: %w", err)
		}
		n.nodes = append(n.nodes, node{routes: routes})
		cmd, err := p.start(folder)
		if err != nil {
			return err
		}
		n.nodes[len(n.nodes)-1].daemons = cmd
		return nil
	})
}

// Cost sets what the first node's side of a link to the second costs: the ways in
// that one direction are chosen by it.
func (n *Network) Cost(from, to string, cost int) error {
	for i := range n.links {
		l := &n.links[i]
		if n.t.Nodes[l.from].Name != from || n.t.Nodes[l.to].Name != to {
			continue
		}
		l.cost = cost
		return n.configure(l.from, "interface "+l.device, fmt.Sprintf("ip ospf cost %d", cost))
	}
	return fmt.Errorf("link %s-%s: there is none", from, to)
}

// configure gives the OSPF daemon of a node lines of configuration.
func (n *Network) configure(i int, lines ...string) error {
	folder := n.nodeFolder(i)
	args := []string{"--vty_socket", folder, "--config_dir", folder, "-d", "ospfd", "-c", "configure terminal"}
	for _, line := range lines {
		args = append(args, "-c", line)
	}
	if out, err := exec.Command(n.vtysh, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("vtysh at %s: %w: %s", n.t.Nodes[i].Name, err, out)
	}
	return nil
}

// SetLink takes a link down, or up again.
func (n *Network) SetLink(from, to string, up bool) error {
	if err := n.lab.SetLink(from, to, up); err != nil {
		return err
	}
	for _, l := range n.links {
		if a, b := n.t.Nodes[l.from].Name, n.t.Nodes[l.to].Name; a == from && b == to || a == to && b == from {
			n.down[[2]int{l.from, l.to}] = !up
		}
	}
	return nil
}

// Close ends the daemons and forgets what they left.
func (n *Network) Close() error {
	var err error
	for _, x := range n.nodes {
		x.routes.Close()
		if x.daemons != nil {
			err = errors.Join(err, stop(x.daemons))
		}
	}
	n.nodes = nil
	return errors.Join(err, os.RemoveAll(n.folder))
}
