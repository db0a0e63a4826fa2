// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestTUNNATs wants the hops named where NATs begin that leave something in
// quotes, and none elsewhere, with real sockets and every kind of probe. What
// the sockets wire shows of a quote says nothing of the source.
func TestTUNNATs(t *testing.T) {
	for _, tt := range []struct {
		name      string
		raw       []string
		addresses []string // what the addresses of the path say, in IPv4
	}{
		{"nat-checksum", []string{"2 after 1: quoted-checksum"}, []string{"2 after 1: private-addresses"}},
		// The kernel shows sockets no quote of another source, and so no router.
		{"nat-all", []string{"2 after 1: quoted-source"}, []string{"5 after 1: private-addresses"}},
		{"cgnat", []string{"2 after 1: quoted-checksum", "4 after 3: quoted-checksum"}, []string{"4 after 3: private-addresses"}},
		{"nat", nil, []string{"2 after 1: private-addresses"}},
		{"private", nil, []string{"3 after 2: private-addresses"}},
		{"g", nil, nil},
		{"d", nil, nil},
		{"line", nil, nil},
		{"mpls", nil, nil},
		{"mangle", nil, nil},
		{"loss30", nil, nil},
		{"perpacket", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			network := openTUN(t, tt.name)
			if err := allowPing(); err != nil {
				t.Fatal(err)
			}
			for i, protocol := range protocols {
				for _, family := range []string{"-4", "-6"} {
					t.Run(protocol[2:]+"/"+family, func(t *testing.T) {
						t.Parallel() // it waits for answers that do not come
						destination, addresses := network.Nodes[network.Destination].Address4, tt.addresses
						if family == "-6" {
							destination, addresses = network.Nodes[network.Destination].Address6, nil
						}
						for wire, want := range map[string][]string{"raw": tt.raw, "sockets": nil} {
							if len(want) == 0 {
								want = addresses
							}
							args := []string{"-j", "--rate", "0", "--paths", "8", family, "--wire", wire, protocol, destination.String()}
							if protocol != "--icmp" { // QUIC is UDP, too
								args = append(args, "--srcport", fmt.Sprint(40000+100*i))
							}
							trace := runHere(t, args...).trace(t)
							var got []string
							for _, x := range trace.Findings().NATs {
								got = append(got, fmt.Sprintf("%d after %d: %s", x.TTL, x.After, x.Evidence))
							}
							if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
								t.Errorf("%s: NATs (-want +got); %+v\n%s", wire, trace.Stats, diff)
							}
						}
					})
				}
			}
		})
	}
}
