// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestResolver(t *testing.T) {
	var addresses []netip.Addr
	for _, text := range []string{"::ffff:192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3", "192.0.2.4"} {
		addresses = append(addresses, netip.MustParseAddr(text))
	}
	const look = "cat /etc/resolv.conf"
	testVerdicts(t, []verdictTest{
		{
			"found", (&resolverFacts{name: "a.example", addresses: addresses[:2], took: 3 * time.Millisecond}).checks(), "resolver", OK,
			"a.example is 192.0.2.1, 2001:db8::1, after 3ms", "",
		},
		{"found many", (&resolverFacts{name: "a.example", addresses: addresses}).checks(), "resolver", OK, "192.0.2.2 and 2 more", ""},
		{"address", (&resolverFacts{name: "192.0.2.1", literal: true}).checks(), "resolver", OK, "an address needs none", ""},
		{"no such name", (&resolverFacts{name: "a b", err: &net.DNSError{IsNotFound: true}}).checks(), "resolver", Broken, "has no address", "getent ahosts 'a b'"},
		{"silent", (&resolverFacts{name: "a.example", err: &net.DNSError{IsTimeout: true}}).checks(), "resolver", Broken, "no answer within 2s", look},
		{"out of time", (&resolverFacts{name: "a.example", err: context.DeadlineExceeded}).checks(), "resolver", Broken, "no answer within 2s", look},
		{"not reachable", (&resolverFacts{name: "a.example", err: os.NewSyscallError("connect", syscall.ENETUNREACH)}).checks(), "resolver", Broken, "network is unreachable", look},
		{"server not reachable", (&resolverFacts{name: "a.example", err: &net.DNSError{Err: "dial udp: network is unreachable"}}).checks(), "resolver", Broken, "cannot be asked: dial udp", look},
		{"no name", (&resolverFacts{servers: []string{"192.0.2.53", "2001:db8::53"}}).checks(), "resolver", OK, "names 192.0.2.53, 2001:db8::53", ""},
		{"no server", (&resolverFacts{}).checks(), "resolver", Limited, "names no server", look},
		{"no file", (&resolverFacts{conf: os.ErrNotExist}).checks(), "resolver", Unknown, "cannot be read", "traceflow doctor example.com"},
	})
	got := (&resolverFacts{addresses: addresses[1:]}).targets()
	if got != [2]netip.Addr{addresses[2], addresses[1]} {
		t.Errorf("targets %v", got)
	}
}

func TestNameservers(t *testing.T) {
	text := "# nameserver 192.0.2.1\nsearch example.com\nnameserver\nnameserver\t192.0.2.2 # home\n nameserver fe80::1%eth0\noptions rotate"
	if diff := cmp.Diff([]string{"192.0.2.2", "fe80::1%eth0"}, nameservers(text)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
