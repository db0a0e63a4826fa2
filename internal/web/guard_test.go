// SPDX-License-Identifier: BSD-3-Clause

package web

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

// FuzzHost looks for a Host header that passes and is none of this machine's.
func FuzzHost(f *testing.F) {
	for _, seed := range []string{
		"localhost:8081", "127.0.0.1:8081", "[::1]:8081", "[::ffff:127.0.0.1]:8081", "evil.example:8081", "127.0.0.1", "[fe80::1%lo]:8081",
		"", ":8081", "[", "[]:8081", "[127.0.0.1]:8081", "127.0.0.1:08081", "localhost.:8081", "me:1", "192.0.2.1", "[2001:db8::1]",
	} {
		f.Add(seed)
	}
	here := &guard{local: true, port: "8081"}
	everywhere := &guard{port: "8081", host: "me"}
	f.Fuzz(func(t *testing.T, header string) {
		host, port, err := net.SplitHostPort(header)
		if err != nil {
			host, port = strings.Trim(header, "[]"), "80"
		}
		a, _ := netip.ParseAddr(host)
		local := strings.EqualFold(host, "localhost") || a.IsLoopback()
		if here.knows(header) && (!local || strings.TrimLeft(port, "0") != "8081") {
			t.Errorf("%q passes on the loopback", header)
		}
		if everywhere.knows(header) && !local && !a.IsValid() && !strings.EqualFold(host, "me") {
			t.Errorf("%q passes", header)
		}
	})
}
