// SPDX-License-Identifier: BSD-3-Clause

package snapshot_test

import (
	"bytes"
	"net/netip"
	"testing"

	"traceflow"
	"traceflow/internal/snapshot"
)

// TestName names nodes in every pass, whoever knew something of them before.
func TestName(t *testing.T) {
	a, b, c := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
	trace := &traceflow.Trace{
		Annotations: traceflow.Annotations{
			{Address: b, Origin: traceflow.Origin{ASNs: []uint32{64500}}},
			{Address: c, Hostname: traceflow.Hostname{Name: "own", Source: "sim"}},
		},
	}
	for _, address := range []netip.Addr{c, a, b, {}} {
		trace.Graph.Nodes = append(trace.Graph.Nodes, traceflow.Node{Responder: traceflow.Responder{Address: address}})
	}
	s := &snapshot.Snapshot{Targets: []snapshot.Target{{Passes: []*traceflow.Trace{trace}}}}
	s.Name(map[netip.Addr]string{a: "alpha", b: "beta", c: "gamma"})
	for address, want := range map[netip.Addr]string{a: "alpha", b: "beta", c: "own", {}: ""} {
		if got := trace.Annotations.Of(address).Hostname.Name; got != want {
			t.Errorf("%v is called %q, want %q", address, got, want)
		}
	}
	if known := trace.Annotations.Of(b); known.Origin.ASN() != 64500 || len(trace.Annotations) != 3 {
		t.Errorf("annotations: %+v", trace.Annotations)
	}
}

// TestNamesTravel wants what a name server said in the file, once.
func TestNamesTravel(t *testing.T) {
	s := measured(t, 1, 2, 2)
	node := s.Targets[0].Passes[0].Graph.Nodes[0].Address
	s.Manifest.Names = map[netip.Addr]string{node: "router.example.net"}
	got, err := snapshot.Read(bytes.NewReader(encoded(t, s)))
	if err != nil {
		t.Fatal(err)
	}
	for i, pass := range got.Targets[0].Passes {
		if name := pass.Annotations.Of(node).Hostname.Name; name != "router.example.net" {
			t.Errorf("pass %d: %v is called %q", i+1, node, name)
		}
	}
}
