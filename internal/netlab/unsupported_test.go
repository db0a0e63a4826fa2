// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab_test

import (
	"errors"
	"strings"
	"testing"

	"traceflow/internal/netlab"
	"traceflow/internal/topology/topologytest"
)

// refused are the built-in networks that kernels cannot be, and why.
var refused = map[string]string{
	"hashes":          "node r2: hash function by name",
	"mangle":          "mangled quotes",
	"mpls":            "node p1: MPLS labels",
	"ixp":             "node p1.fra.transit.example: MPLS labels",
	"ixp-drained":     "node p1.fra.transit.example: MPLS labels",
	"interfaces":      "node c: interface information",
	"tunnel-implicit": "node p2: a quoted TTL",
	"tunnel-opaque":   "node e: MPLS labels",
	"zero-ttl":        "node z1: forwarding with a TTL of 0",
	"nat":             "node n1: a NAT that translates ports",
	"nat-all":         "node n1: a NAT that translates ports",
	"nat-checksum":    "node n1: a NAT that leaves part",
	"cgnat":           "node n2: a NAT that leaves part",
	"perpacket":       "per-packet balancing",
	"quic":            "node dst: QUIC server",
	"quote28":         "quote length",
	"quote48":         "quote length",
}

func wantUnsupported(t *testing.T, err error, behaviour string) {
	t.Helper()
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), behaviour) {
		t.Errorf("got error %v, want one that names %q", err, behaviour)
	}
	if e := (*netlab.UnsupportedError)(nil); !errors.As(err, &e) {
		t.Errorf("got a %T, want an UnsupportedError", err)
	}
}

// These fail before anything is built, so they need no right.
func TestRefused(t *testing.T) {
	for name, behaviour := range refused {
		t.Run(name, func(t *testing.T) {
			network := topologytest.Builtin(t, name)
			_, err := netlab.Build(network, netlab.Options{IgnoreTiming: true})
			wantUnsupported(t, err, behaviour)
		})
	}
	for _, tt := range []struct{ name, lines, behaviour string }{
		{"jitter", "link src > r1 > dst jitter=2ms", "edge src r1: jitter"},
		{"answer delay", "node r1 answer-delay=2ms\nlink src > r1 > dst delay=0", "node r1: answer delay"},
		{"first hop", "link src > r1 r2 > dst delay=0", "balancing by the vantage point"},
		{"UDP server", "node dst destination udp=open\nlink src > r1 > dst delay=0", "node dst: UDP server"},
		{"expired at the end", "node dst destination ttl-expired\nlink src > r1 > dst delay=0", "node dst: time exceeded"},
		{"no way back", "node r1 return-extra=64\nlink src > r1 > dst delay=0", "node r1: a way back"},
		{"NAT", "node r1 nat=keep-port\nlink src > r1 > dst delay=0", "node r1: a NAT that leaves"},
		{"NAT address", "node r1 nat=restore nat-address=203.0.113.5\nlink src > r1 > dst delay=0", "node r1: an address of the NAT's own"},
		{"odd limit", "node r1 limit=5/7ms\nlink src > r1 > dst delay=0", "node r1: rate limit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			destination := "node dst destination\n"
			if strings.Contains(tt.lines, "node dst ") {
				destination = ""
			}
			network := topologytest.Parse(t, "node src source\n"+destination+tt.lines)
			_, err := netlab.Build(network, netlab.Options{})
			wantUnsupported(t, err, tt.behaviour)
		})
	}
}
