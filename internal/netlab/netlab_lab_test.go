// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package netlab_test

import (
	"os"
	"testing"

	"traceflow"
	"traceflow/internal/netlab"
	"traceflow/internal/topology"
)

func TestMain(m *testing.M) { os.Exit(netlab.Main(m)) }

// build makes a lab that ends with the test.
func build(t *testing.T, network *topology.Topology) *netlab.Lab {
	t.Helper()
	netlab.Require(t)
	l, err := netlab.Build(network, netlab.Options{IgnoreTiming: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// families runs a test once for each family that the network has.
func families(t *testing.T, l *netlab.Lab, test func(t *testing.T, l *netlab.Lab, first traceflow.Flow)) {
	t.Helper()
	base := traceflow.Flow{Protocol: traceflow.ProtocolUDP, SourcePort: 33000, DestinationPort: 33434}
	if l.Source4().IsValid() {
		t.Run("IPv4", func(t *testing.T) {
			base.Source, base.Destination = l.Source4(), l.Destination4()
			test(t, l, base)
		})
	}
	if l.Source6().IsValid() {
		t.Run("IPv6", func(t *testing.T) {
			base.Source, base.Destination = l.Source6(), l.Destination6()
			test(t, l, base)
		})
	}
}

// flows returns n flows that differ in the source port.
func flows(first traceflow.Flow, n int) []traceflow.Flow {
	all := make([]traceflow.Flow, n)
	for i := range all {
		all[i] = first
		all[i].ID = i + 1
		all[i].SourcePort += uint16(i)
	}
	return all
}

// paths observes the flows.
func paths(t *testing.T, l *netlab.Lab, flows []traceflow.Flow) [][]int {
	t.Helper()
	all, err := l.Paths(flows)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
