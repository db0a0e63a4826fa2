// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"traceflow"
	"traceflow/render"
)

// TestOwner has an address on a peering LAN that somebody announces: whose router
// answers from it is not known, and no format may say that it is the announcer's.
func TestOwner(t *testing.T) {
	const lan = "198.51.100.1"
	g := golden{ends: ipv4, flows: []string{"192.0.2.1 " + lan + " 203.0.113.9"}, notes: traceflow.Annotations{
		{
			Address: netip.MustParseAddr(lan), Origin: traceflow.Origin{ASNs: []uint32{64999}, Name: "ANNOUNCER"},
			Port: traceflow.Port{IXP: "EX-IX"},
		},
	}}
	for format, write := range writers {
		if format == "json" || format == "ndjson" {
			continue // they tell both, each by its name
		}
		var b bytes.Buffer
		if err := write(&b, g.trace(t), render.Options{}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "64999") {
			t.Errorf("%s has the announcer for the owner:\n%s", format, &b)
		}
	}
}

// TestManyOrigins has more of them than a line has room for.
func TestManyOrigins(t *testing.T) {
	g := golden{ends: ipv4, flows: []string{"192.0.2.1 203.0.113.9"}, notes: traceflow.Annotations{
		{Address: netip.MustParseAddr("192.0.2.1"), Origin: traceflow.Origin{ASNs: []uint32{1, 2, 3, 4, 5}}},
	}}
	var b bytes.Buffer
	if err := render.Text(&b, g.trace(t), render.Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), " AS1/2/3 +2 ") {
		t.Errorf("%s", &b)
	}
}

// TestHiddenHost has no format for people show the address of a host that is
// hidden.
func TestHiddenHost(t *testing.T) {
	g := golden{ends: ipv4, flows: []string{"192.0.2.1 198.51.100.1 203.0.113.9"}}
	for _, format := range []string{"text", "report", "markdown", "dot", "mermaid"} {
		var b bytes.Buffer
		if err := writers[format](&b, g.trace(t).Mask(1), render.Options{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "a hidden host") || strings.Contains(b.String(), "0.0.0.0") {
			t.Errorf("%s:\n%s", format, &b)
		}
	}
}
