// SPDX-License-Identifier: BSD-3-Clause

// Package topologytest makes topologies for tests, which end where one cannot
// be made.
package topologytest

import (
	"strings"
	"testing"

	"traceflow/internal/topology"
)

// Owners is a table of prefixes: two exchange points, with the ports of their
// members, and some networks.
const Owners = `prefix,asn,as_name,ixp,member
192.0.2.0/24,64500,HOME,,
203.0.113.0/25,,,EX-A,
203.0.113.10/32,64510,,EX-A,64510
203.0.113.20/32,64520,,EX-A,64520
203.0.113.30/32,64530,,EX-A,64530
203.0.113.128/25,,,EX-B,
203.0.113.138/32,64510,,EX-B,64510
198.51.100.0/24,64510,FAR,,
192.88.98.0/24,64520,TRANSIT-T,,
192.88.97.0/24,64530,TRANSIT-U,,
`

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
