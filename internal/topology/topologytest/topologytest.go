// SPDX-License-Identifier: BSD-3-Clause

// Package topologytest makes topologies for tests, which end where one cannot
// be made.
package topologytest

import (
	"strings"
	"testing"

	"traceflow/internal/topology"
)

// Builtin returns a topology that is part of the program.
func Builtin(t testing.TB, name string) *topology.Topology {
	t.Helper()
	network, err := topology.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	return network
}

// Parse makes a topology of the lines of its section, which "; " may separate
// too. Where they name no source or no destination, it is the node s or d.
func Parse(t testing.TB, lines string) *topology.Topology {
	t.Helper()
	text := "-- topology --\n" + strings.ReplaceAll(lines, "; ", "\n") + "\n"
	for _, end := range []string{"s source", "d destination"} {
		if _, role, _ := strings.Cut(end, " "); !strings.Contains(text, " "+role) {
			text += "node " + end + "\n"
		}
	}
	network, err := topology.Parse(t.Name(), []byte(text))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return network
}
