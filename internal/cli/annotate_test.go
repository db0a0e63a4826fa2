// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"traceflow"
	"traceflow/internal/enrich/dnstest"
)

func TestNameServer(t *testing.T) {
	tests := []struct{ text, want string }{
		{"192.0.2.53", "192.0.2.53:53"},
		{"192.0.2.53:5353", "192.0.2.53:5353"},
		{"2001:db8::53", "[2001:db8::53]:53"},
		{"[2001:db8::53]", "[2001:db8::53]:53"},
		{"[2001:db8::53]:5353", "[2001:db8::53]:5353"},
		{"fe80::1%eth0", "[fe80::1%eth0]:53"},
		{"", ""},
		{"dns.example.net", ""},
		{"192.0.2.53:", ""},
		{"192.0.2.53:0", ""},
		{"192.0.2.53:65536", ""},
	}
	for _, tt := range tests {
		var s nameServer
		if err := s.Set(tt.text); (err == nil) != (tt.want != "") || s.String() != tt.want {
			t.Errorf("%q: %q, %v; want %q", tt.text, s.String(), err, tt.want)
		}
	}
}

// TestDeadNameServer traces over loopback with a name server that says nothing.
// What the resolver would wait by itself is five seconds for each of its attempts.
func TestDeadNameServer(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs the sockets wire of Linux")
	}
	const patience = 4 * time.Second
	for _, interrupted := range []bool{false, true} {
		server := &dnstest.Server{Delay: -1}
		timeout := "0.3"
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		if interrupted {
			timeout = "60"
			go func() {
				for len(server.Asked()) == 0 && ctx.Err() == nil {
					time.Sleep(time.Millisecond)
				}
				interrupt()
			}()
		}
		var out, stderr bytes.Buffer
		env := Env{Out: &out, Err: &stderr, DropPrivileges: func() error { return nil }}
		start := time.Now()
		code := Run(ctx, env, []string{
			"--wire", "sockets", "--paths", "1", "--quiet", "-j", "--resolver", server.Listen(t).String(), "--dns-timeout", timeout, "127.0.0.2",
		})
		took := time.Since(start)
		var trace traceflow.Trace
		if err := json.Unmarshal(out.Bytes(), &trace); err != nil {
			t.Fatalf("interrupted: %t: %v; %s", interrupted, err, stderr.String())
		}
		name := trace.Annotations.Of(netip.MustParseAddr("127.0.0.2")).Hostname.Name
		if !trace.Complete || !trace.Reached() || name != "" || len(server.Asked()) == 0 || took > patience {
			t.Errorf("interrupted: %t: complete %t, reached %t, name %q, asked %q, in %v",
				interrupted, trace.Complete, trace.Reached(), name, server.Asked(), took)
		}
		if want := map[bool]int{false: exitOK, true: exitInterrupted}[interrupted]; code != want || stderr.Len() > 0 {
			t.Errorf("interrupted: %t: exit code %d, want %d; %s", interrupted, code, want, stderr.String())
		}
	}
}
