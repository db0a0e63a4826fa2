// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"net/netip"
	"testing"

	"traceflow"
)

// TestKernelMTU measures four paths of kernels: two carry 1500 bytes, one is
// limited to 1400 and says so, one drops what is larger without a word.
func TestKernelMTU(t *testing.T) {
	onEveryWire(t, "mtu", func(t *testing.T, l *lab, family, wire, destination string) {
		trace := l.run(t, wire == "sockets", "-j", "--mtu", "--rate", "0", "--seed", "1", family, "--wire", wire, destination).trace(t)
		network := l.Topology()
		address := make(map[string]netip.Addr)
		for i := range network.Nodes {
			address[network.Nodes[i].Name] = network.Nodes[i].AddressFor(trace.Destination.Address)
		}
		if len(trace.Graph.Paths) != 4 || len(trace.MTUs) != 4 {
			t.Fatalf("%d paths and %d MTUs, want 4 of each", len(trace.Graph.Paths), len(trace.MTUs))
		}
		for i := range trace.Graph.Walks {
			w := &trace.Graph.Walks[i]
			if len(w.Hops) < 2 {
				continue
			}
			want := traceflow.PathMTU{TTL: 5, Bytes: 1500, Whole: true, Sure: true}
			switch w.Hops[1].Address {
			case address["a1"]:
				want = traceflow.PathMTU{TTL: 5, Bytes: 1400, Limit: address["a1"], LimitTTL: 2, Sure: true}
			case address["a2"]:
				want = traceflow.PathMTU{TTL: 5, Bytes: 1400, Limit: address["a2"], LimitTTL: 2, Sure: true, BlackHole: true}
			}
			got, ok := trace.MTU(w.Path)
			if want.Flow = got.Flow; !ok || got != want {
				t.Errorf("path %d, by %v: %+v, want %+v", w.Path, w.Hops[1].Address, got, want)
			}
		}
		t.Logf("%d packets, %v", trace.Stats.Probes, trace.Ended.Sub(trace.Started))
	})
}
