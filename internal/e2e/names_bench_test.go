// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab && bench

package e2e

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/dns/dnsmessage"

	"traceflow"
	"traceflow/internal/enrich"
	"traceflow/internal/enrich/dnstest"
	"traceflow/internal/netlab"
)

// TestBenchNames looks up the names of 200 addresses, from a slow name server and
// from a dead one, over loopback.
func TestBenchNames(t *testing.T) {
	netlab.Require(t)
	// The first device of a network of one's own, and not up.
	if err := netlink.LinkSetUp(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: "lo", Index: 1}}); err != nil {
		t.Fatal(err)
	}
	const addresses = 200
	limit := 3 * time.Second
	fmt.Printf("names of %d addresses by reverse DNS, real sockets:\n", addresses)
	for _, tt := range []struct {
		name  string
		delay time.Duration
		names int
	}{
		{"300 ms an answer", 300 * time.Millisecond, addresses},
		{"dead", -1, 0},
	} {
		s := &dnstest.Server{Delay: tt.delay, Answer: func(string, dnsmessage.Type) []string { return []string{"r.example.net."} }}
		a := enrich.Annotator{Names: enrich.NewNames(s.Listen(t)), Timeout: enrich.DefaultTimeout}
		if tt.delay < 0 {
			limit = a.Timeout + 100*time.Millisecond
		}
		trace := &traceflow.Trace{}
		for i := range addresses {
			trace.Graph.Nodes = append(trace.Graph.Nodes, traceflow.Node{
				Responder: traceflow.Responder{Address: netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})},
			})
		}
		start := time.Now()
		a.Annotate(t.Context(), trace)
		took := time.Since(start).Round(time.Millisecond)
		reached(t, tt.name+": names", len(trace.Annotations), tt.names, len(trace.Annotations) == tt.names)
		reached(t, tt.name+": wall time", took, limit, took <= limit)
	}
}
