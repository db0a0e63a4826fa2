// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

// Lab builds a test network out of kernel namespaces and runs a command at its
// vantage point:
//
//	go run ./internal/netlab/lab -topology d -- traceroute -n {dst}
//
// The command finds the addresses in $DST, $DST6, $SRC and $SRC6, and in its
// arguments where they say {dst}, {dst6}, {src} or {src6}. Without a command
// it prints the map of the network. It needs no root where user namespaces are
// allowed. What it builds is gone when it ends. The exit status is the
// command's.
//
// Within such a command, such as a shell, it runs others at other nodes, where each
// interface also has the name of the neighbour behind it:
//
//	lab -at r1 ip link set a2 down
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"traceflow/internal/netlab"
	"traceflow/internal/topology"
)

// The exit statuses for a command that never ran, as shells have them.
const (
	statusFailed   = 1
	statusUsage    = 64
	statusNotFound = 127
)

func main() {
	os.Exit(run())
}

func run() int {
	flags := flag.NewFlagSet("lab", flag.ContinueOnError)
	name := flags.String("topology", "d", "built-in `network`, or the path of a file")
	at := flags.String("at", "", "run the command at a `node` of the lab around this one")
	asUser := flags.Bool("as-user", false, "run the command without any capability")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: lab [-topology NAME|FILE] [-as-user] [--] [COMMAND ARGS…]")
		fmt.Fprintln(flags.Output(), "       lab -at NODE [--] COMMAND [ARGS…]")
		flags.PrintDefaults()
		fmt.Fprintln(flags.Output(), "networks:", strings.Join(topology.BuiltinNames(), " "))
	}
	if err := flags.Parse(os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return statusUsage
	}
	if *at != "" {
		return atNode(*at, flags.Args())
	}
	t, err := load(*name)
	if err != nil {
		return fail(err)
	}
	inside, code, err := netlab.Enter()
	if err != nil {
		return fail(err)
	}
	if !inside {
		return code
	}
	// Links have a delay unless a topology says otherwise, and kernels none.
	l, err := netlab.Build(t, netlab.Options{IgnoreTiming: true})
	if err != nil {
		return fail(err)
	}
	code = atVantagePoint(l, flags.Args(), *asUser)
	if err := l.Close(); err != nil {
		return fail(err)
	}
	return code
}

// load takes the name of a built-in network, or else of a file.
func load(name string) (*topology.Topology, error) {
	t, err := topology.Builtin(name)
	if err == nil {
		return t, nil
	}
	fromFile, fileErr := topology.Load(name)
	if errors.Is(fileErr, fs.ErrNotExist) {
		return nil, err
	}
	return fromFile, fileErr
}

// atVantagePoint runs the command there, or prints the map.
func atVantagePoint(l *netlab.Lab, command []string, asUser bool) int {
	if len(command) == 0 {
		if err := netlab.WriteMap(os.Stdout, l.Topology()); err != nil {
			return fail(err)
		}
		return 0
	}
	if err := l.NameLinks(); err != nil {
		return fail(err)
	}
	cmd := l.Command(context.Background(), command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if asUser {
		return status(l.RunUnprivileged(cmd))
	}
	return status(l.Run(cmd))
}

// atNode runs the command at a node of the lab in which this process runs.
func atNode(node string, command []string) int {
	if len(command) == 0 {
		fmt.Fprintln(os.Stderr, "lab: -at takes a command to run there")
		return statusUsage
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return status(netlab.RunAt(node, cmd))
}

// status is the exit status for how a command ended.
func status(err error) int {
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return netlab.ExitStatus(exit)
	case errors.Is(err, exec.ErrNotFound):
		fail(err)
		return statusNotFound
	case err != nil:
		return fail(err)
	}
	return 0
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "lab:", err)
	return statusFailed
}
