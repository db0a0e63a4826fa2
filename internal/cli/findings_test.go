// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/internal/topology"
)

// oddNetworks are the built-in networks in which there is something to find, and
// what. In "nat" the quotes are restored: only the addresses speak. In "private"
// they do too, though there is no NAT: so they are not called certain.
var oddNetworks = map[string][]string{
	"bleach":           {"dscp 0 to 10 from 4, after 3"},
	"cgnat":            {"quoted-checksum from 2, after 1", "quoted-checksum from 4, after 3"},
	"mpls":             {"explicit tunnel 2 to 3"},
	"nat":              {"private-addresses from 2, after 1"},
	"nat-all":          {"quoted-source from 2, after 1"},
	"nat-checksum":     {"quoted-checksum from 2, after 1"},
	"private":          {"private-addresses from 3, after 2"},
	"tunnel-implicit":  {"implicit tunnel 4 to 5"},
	"tunnel-invisible": {"invisible tunnel 4 to 4, 3 hidden"},
	"tunnel-opaque":    {"opaque tunnel 4 to 4, 5 hidden"},
	"zero-ttl":         {"zero TTL at 3"},
}

// TestFindingsOfBuiltinTopologies traces every network of both families, in
// virtual time. Where nothing is odd, nothing is found.
func TestFindingsOfBuiltinTopologies(t *testing.T) {
	for _, name := range topology.BuiltinNames() {
		for _, family := range []string{"-4", "-6"} {
			t.Run(name+family, func(t *testing.T) {
				got := traceSim(t, "--sim", name, family, "--json", "--paths", "9", "--quiet")
				if got.code == exitUsage && strings.Contains(got.err, "of that family") {
					return
				}
				var trace traceflow.Trace
				if err := json.Unmarshal([]byte(got.out), &trace); err != nil {
					t.Fatal(err)
				}
				want := oddNetworks[name]
				if family == "-6" && len(want) > 0 && strings.HasPrefix(want[0], "private") {
					want = nil // their addresses of IPv6 are not
				}
				if diff := cmp.Diff(want, briefly(trace.Findings())); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
	}
}

// briefly writes what was found in a few words.
func briefly(f traceflow.Findings) (out []string) {
	for _, x := range f.NATs {
		out = append(out, fmt.Sprintf("%s from %d, after %d", x.Evidence, x.TTL, x.After))
	}
	for _, x := range f.Tunnels {
		text := fmt.Sprintf("%s tunnel %d to %d", x.Kind, x.From, x.To)
		if x.Hidden > 0 {
			text += fmt.Sprintf(", %d hidden", x.Hidden)
		}
		out = append(out, text)
	}
	for _, x := range f.Remarks {
		out = append(out, fmt.Sprintf("%s %d to %d from %d, after %d", x.Field, x.From, x.To, x.TTL, x.After))
	}
	for _, x := range f.ZeroTTL {
		out = append(out, fmt.Sprintf("zero TTL at %d", x.TTL))
	}
	return out
}
