// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed testdata/*.txtar
var own embed.FS

// errNotAllowed is for networks of kernels where this user may make no namespaces.
var errNotAllowed = errors.New("left out: networks of kernels need Linux, and root or user namespaces")

// trace runs traceflow on a network and returns the result as JSON.
func (g *gallery) trace(n *network) ([]byte, error) {
	if n.kernel {
		// A command that does nothing tells whether it is allowed.
		if out, err := exec.Command(g.lab, "-topology", n.topology, "--", "true").CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", n.name, errNotAllowed, bytes.TrimSpace(out))
		}
		return output(exec.Command(g.lab, append([]string{"-topology", n.topology, "--", g.traceflow, "--numeric", "{dst}"}, n.flags()...)...))
	}
	folder, err := os.MkdirTemp("", "gallery-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	topology, err := n.file(folder)
	if err != nil {
		return nil, err
	}
	return output(exec.Command(g.traceflow, n.simulated(topology)...))
}

// flags are those that every network is traced with, and its own.
func (n *network) flags() []string {
	return append([]string{"--quiet", "--json", "--seed", "1"}, n.args...)
}

// simulated are the arguments for a network in memory.
func (n *network) simulated(topology string) []string {
	return append(n.flags(), "--sim", topology, "--rate", "0")
}

// file returns what --sim is to be given: the name of a network that is built in,
// or the path of a copy of ours.
func (n *network) file(folder string) (string, error) { return fileOf(n.topology, folder) }

func fileOf(topology, folder string) (string, error) {
	data, err := own.ReadFile("testdata/" + topology + ".txtar")
	if err != nil {
		return topology, nil //nolint:nilerr // it is not ours, but built in
	}
	path := filepath.Join(folder, topology+".txtar")
	return path, os.WriteFile(path, data, 0o600)
}

// page writes the page of a result.
func (g *gallery) page(result []byte, path string) error {
	cmd := exec.Command(g.traceflow, "show", "--format", "html", "-")
	cmd.Stdin = bytes.NewReader(result)
	html, err := output(cmd)
	if err != nil {
		return err
	}
	return os.WriteFile(path, html, 0o644)
}

// output runs a command whose result may well be that the destination was not
// reached.
func output(cmd *exec.Cmd) ([]byte, error) {
	var trouble strings.Builder
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == notReached {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, strings.TrimSpace(trouble.String()))
	}
	return out, nil
}

// notReached is the exit code of traceflow for a destination that did not answer.
const notReached = 3
