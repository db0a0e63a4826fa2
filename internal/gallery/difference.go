// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// snapshots are the commands that measure a network before and after, and the
// files that they write into a folder.
func (n *network) snapshots(folder string) (commands [][]string, files []string, err error) {
	for i, topology := range []string{n.topology, n.after} {
		network, err := fileOf(topology, folder)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, filepath.Join(folder, []string{"before.tfs", "after.tfs"}[i]))
		args := []string{"snapshot", "--quiet", "--sim", network, "-o", files[i]}
		if i == 0 {
			args = append(args, "--seed", "3", "--paths", "32")
		} else {
			args = append(args, "--like", files[0])
		}
		commands = append(commands, args)
	}
	return commands, files, nil
}

// difference writes the page of what became of a network.
func (g *gallery) difference(n *network, path string) error {
	folder, err := os.MkdirTemp("", "gallery-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	commands, files, err := n.snapshots(folder)
	if err != nil {
		return err
	}
	for _, args := range commands {
		if out, err := exec.Command(g.traceflow, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", args[0], err, out)
		}
	}
	diff := exec.Command(g.traceflow, "diff", "--format", "html", filepath.Base(files[0]), filepath.Base(files[1]))
	diff.Dir = folder // the page names the files
	html, err := diff.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() > mostDifferent) {
		return fmt.Errorf("diff: %w", err)
	}
	if !strings.Contains(string(html), n.verdict) {
		return fmt.Errorf("%s: the page does not say %q", n.name, n.verdict)
	}
	return os.WriteFile(path, html, 0o644)
}

// mostDifferent is the highest exit code of diff that is a result.
const mostDifferent = 3

// caption says what a picture shows.
func (n *network) caption() string {
	if n.after == "" {
		return n.shows.String()
	}
	return "The difference says: " + n.verdict + ". Before: " + n.shows.String()
}
