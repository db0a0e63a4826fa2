// SPDX-License-Identifier: BSD-3-Clause

// Package rendertest lets tests read outputs with the programs that they are
// written for: Graphviz (of Debian), Mermaid's own parser (of npm: make mermaid),
// and others. Where one is missing the test is skipped; with
// TRACEFLOW_LAB=require in the environment it fails.
//
// A new reader is a file of its own here; what it needs is installed by .ci/run.
package rendertest

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// Require ends a test that needs a program or file that is not there.
func Require(t testing.TB, found bool, what string) {
	t.Helper()
	switch {
	case found:
	case os.Getenv("TRACEFLOW_LAB") == "require":
		t.Fatalf("TRACEFLOW_LAB=require: needs %s", what)
	default:
		t.Skipf("needs %s", what)
	}
}

// Read runs a program on an input and returns what it prints. That it accepts
// the input is part of the test.
func Read(t testing.TB, input string, program string, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath(program)
	Require(t, err == nil, program)
	c := exec.CommandContext(t.Context(), path, args...)
	var out, complaints bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader([]byte(input)), &out, &complaints
	if err := c.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, complaints.String())
	}
	return out.Bytes()
}

// Drawing is what a reader made of a graph.
type Drawing struct {
	Nodes, Edges int
	// Inferred is how many edges are dashed or dotted.
	Inferred int
	Labels   []string // of the nodes
}
