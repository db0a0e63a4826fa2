// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package routing

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"traceflow/internal/netlab"
)

// logFile is where the daemons of a node write.
const logFile = "log"

// vtyGroup is that which FRR is compiled to give its sockets to. A daemon that is
// not in it does not start, not even as root.
const vtyGroup = "frrvty"

// programs are where FRR's are.
type programs struct {
	zebra, ospfd, vtysh string
}

// find looks where distributions put the daemons.
func find() (p programs, err error) {
	for _, folder := range []string{"/usr/lib/frr", "/usr/libexec/frr", "/usr/sbin", "/usr/local/sbin"} {
		zebra, ospfd := filepath.Join(folder, "zebra"), filepath.Join(folder, "ospfd")
		if _, err := os.Stat(zebra); err != nil {
			continue
		}
		if _, err := os.Stat(ospfd); err != nil {
			continue
		}
		if p.vtysh, err = exec.LookPath("vtysh"); err == nil {
			p.zebra, p.ospfd = zebra, ospfd
			return p, nil
		}
	}
	return p, fmt.Errorf("needs FRR's zebra, ospfd and vtysh (package frr; its service need not run): %w", exec.ErrNotFound)
}

// Require skips the test where there is no FRR; with TRACEFLOW_LAB=require it fails
// it instead.
func Require(t netlab.Skipper) {
	t.Helper()
	_, err := find()
	netlab.RequireNil(t, err)
}

// start runs both daemons of a node in the calling thread's namespace. Their parent
// is a shell that is the first process of a namespace of its own: when it ends, the
// kernel ends them with it, and it ends when nobody holds its standard input any
// more, which is when this process closes it, or dies.
func (p programs) start(folder string) (*exec.Cmd, error) {
	daemon := func(program string, more ...string) string {
		name := filepath.Base(program)
		args := append([]string{
			program, "-u", "root", "-g", vtyGroup,
			"-i", name + ".pid", "-z", folder + "/zserv", "--vty_socket", folder, "-f", name + ".conf",
			"-P", "0", // no TCP port to be configured by
			"--log", "stdout",
		}, more...)
		return strings.Join(args, " ") + " </dev/null &\n"
	}
	const waitForZebra = "until [ -S zserv ]; do sleep 0.02; done\n" // ospfd would try again only after seconds
	cmd := exec.Command("/bin/sh", "-c", daemon(p.zebra)+waitForZebra+daemon(p.ospfd)+"read end")
	cmd.Dir = folder
	cmd.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	log, err := os.Create(filepath.Join(folder, logFile))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return cmd, cmd.Start()
}

// stop ends the daemons of a node.
func stop(cmd *exec.Cmd) error {
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		return err
	}
	return nil
}

// configurations returns the files of a node by their names.
func (n *Network) configurations(i int) map[string]string {
	address := n.t.Nodes[i].Address4
	var zebra, ospfd strings.Builder
	// Of next hops that are objects of the kernel's own, zebra 8.4 does not notice
	// that the kernel drops them with their link, and gives none back.
	zebra.WriteString("no zebra nexthop kernel enable\n")
	ospfd.WriteString("interface lo\n ip ospf area 0\n")
	for _, l := range n.links {
		if l.from != i {
			continue
		}
		// A link with the node's own address is unnumbered.
		fmt.Fprintf(&zebra, "interface %s\n ip address %v/32\n", l.device, address)
		fmt.Fprintf(&ospfd, "interface %s\n ip ospf area 0\n ip ospf network point-to-point\n"+
			" ip ospf dead-interval minimal hello-multiplier 5\n ip ospf retransmit-interval 1\n ip ospf cost %d\n", l.device, l.cost)
	}
	fmt.Fprintf(&ospfd, "router ospf\n ospf router-id %v\n maximum-paths 64\n"+
		" timers throttle spf 0 20 100\n timers throttle lsa all 0\n timers lsa min-arrival 0\n", address)
	return map[string]string{"zebra.conf": zebra.String(), "ospfd.conf": ospfd.String(), "vtysh.conf": ""}
}
