// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"traceflow/internal/topology"
)

// nodesVariable tells a command in a lab where the nodes are: the ID of the process
// that holds their namespaces, and a NAME=DESCRIPTOR for each.
const nodesVariable = "TRACEFLOW_NETLAB_NODES"

// nodes is the value of nodesVariable.
func (l *Lab) nodes() string {
	parts := []string{strconv.Itoa(os.Getpid())}
	for i, ns := range l.namespaces {
		parts = append(parts, fmt.Sprintf("%s=%d", l.t.Nodes[i].Name, ns.Fd()))
	}
	return strings.Join(parts, " ")
}

// NameLinks gives the ends of links, beside their names, that of the node at the
// other end, as far as a kernel takes it: what somebody would call them who takes
// one down. Of several links to one node only the first has it.
func (l *Lab) NameLinks() error {
	for e := range l.t.Edges {
		for _, end := range [][2]int{{l.t.Edges[e].From, l.t.Edges[e].To}, {l.t.Edges[e].To, l.t.Edges[e].From}} {
			neighbour := l.t.Nodes[end[1]].Name
			if len(neighbour) >= unix.IFNAMSIZ || neighbour == "lo" {
				continue
			}
			err := l.DoAt(end[0], func() error {
				device, err := netlink.LinkByName(linkName(e))
				if err != nil || l.firstLink(end[0], end[1]) != e {
					return err
				}
				return netlink.LinkAddAltName(device, neighbour)
			})
			if err != nil {
				return fmt.Errorf("name the link of %s to %s: %w", l.t.Nodes[end[0]].Name, neighbour, err)
			}
		}
	}
	return nil
}

// firstLink is the first edge between two nodes.
func (l *Lab) firstLink(a, b int) int {
	return slices.IndexFunc(l.t.Edges, func(e topology.Edge) bool {
		return e.From == a && e.To == b || e.From == b && e.To == a
	})
}

// RunAt runs the command at a node of the lab in which this process runs, as
// started by Lab.Run. It needs the rights of the process that built it.
func RunAt(node string, cmd *exec.Cmd) error {
	fields := strings.Fields(os.Getenv(nodesVariable))
	if len(fields) == 0 {
		return errors.New("no lab runs here: its nodes can be reached from commands at its vantage point")
	}
	var names []string
	for _, field := range fields[1:] {
		name, fd, _ := strings.Cut(field, "=")
		if name != node {
			names = append(names, name)
			continue
		}
		ns, err := os.Open("/proc/" + fields[0] + "/fd/" + fd)
		if err != nil {
			return err
		}
		defer ns.Close()
		return inNamespace(ns, func() error {
			dieWithParent(cmd)
			return runForwarding(cmd)
		})
	}
	return fmt.Errorf("there is no node %q; there are %s", node, shorten(names, 30))
}
