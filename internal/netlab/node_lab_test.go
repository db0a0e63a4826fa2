// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package netlab_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"traceflow/internal/netlab"
	"traceflow/internal/topology/topologytest"
)

// TestRunAt runs commands at other nodes, as somebody does in a shell at the vantage
// point, and calls interfaces by their neighbours.
func TestRunAt(t *testing.T) {
	l := build(t, topologytest.Builtin(t, "d"))
	if err := l.NameLinks(); err != nil {
		t.Fatal(err)
	}
	if err := netlab.RunAt("r1", exec.Command("true")); err == nil {
		t.Error("no error outside of a lab")
	}
	for _, v := range l.Command(t.Context(), "true").Env {
		if name, value, _ := strings.Cut(v, "="); strings.HasSuffix(name, "_NODES") {
			t.Setenv(name, value)
		}
	}
	at := func(node string, args ...string) string {
		t.Helper()
		cmd := exec.Command("ip", args...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := netlab.RunAt(node, cmd); err != nil {
			t.Fatalf("%v: %s", err, out.String())
		}
		return out.String()
	}
	at("r1", "link", "set", "a2", "down")
	if got := at("r1", "route"); strings.Count(got, " dead ") != 1 || !strings.Contains(got, "via 198.18.0.5 dev l2 weight 1 dead") {
		t.Errorf("the link to a2 is not down:\n%s", got)
	}
	if got := at("c", "route"); strings.Contains(got, "dead") {
		t.Errorf("a link of c is down:\n%s", got)
	}
	at("r1", "link", "set", "a2", "up")
	if got := at("r1", "route"); strings.Contains(got, "dead") {
		t.Errorf("the link to a2 is still down:\n%s", got)
	}
	if err := netlab.RunAt("r9", exec.Command("true")); err == nil || !strings.Contains(err.Error(), "there are src dst r1 a1") {
		t.Errorf("a node that does not exist: %v", err)
	}
}

// TestNameLinksOfParallelLinks has several links between two nodes.
func TestNameLinksOfParallelLinks(t *testing.T) {
	for _, name := range []string{"weights", "ixp-ports", "wide64"} {
		if err := build(t, topologytest.Builtin(t, name)).NameLinks(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
