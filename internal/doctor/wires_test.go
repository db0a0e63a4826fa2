// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"traceflow"
	"traceflow/probe"
)

// answered is a try whose probe over loopback was answered as it has to be.
func answered(t wireTry) wireTry {
	t.reply = traceflow.Reply{Kind: traceflow.PortUnreachable, Address: loopback(t.ipv6)}
	return t
}

func denied(call string) error {
	return &probe.OpError{Op: "open socket", Err: os.NewSyscallError(call, syscall.EPERM)}
}

func TestWires(t *testing.T) {
	const advice = "sudo traceflow DEST"
	one := func(edit func(*wireTry)) []Check {
		f := wiresWith(probe.KindRaw, probe.KindSockets)
		edit(&f.tries[2]) // sockets IPv4
		return f.checks(advice, "")
	}
	pings := func(wires *wireFacts, in containerRuntime, err error) []Check {
		wires.pings = []pingTry{{open: err, groups: "1 0"}, {ipv6: true, open: err, groups: "1 0"}}
		return wires.checks(advice, in)
	}
	both, sockets := wiresWith(probe.KindRaw, probe.KindSockets), wiresWith(probe.KindSockets)
	refused := os.NewSyscallError("socket", syscall.EACCES)
	open := "net.ipv4.ping_group_range=\"0 2147483647\""
	testVerdicts(t, []verdictTest{
		{"all works", both.checks(advice, ""), "raw IPv6", OK, "::1 answered", ""},
		{"no right", sockets.checks(advice, ""), "raw IPv4", Limited, "cannot be opened: permission denied", advice},
		{"nothing opens", wiresWith().checks(advice, ""), "raw IPv4", Broken, "cannot be opened", advice},
		{"sockets forbidden", wiresWith().checks(advice, ""), "sockets IPv6", Broken, "seccomp", "grep -E 'Seccomp|NoNewPrivs' /proc/self/status"},
		{
			"no wire for the system", one(func(t *wireTry) { t.open = &probe.UnsupportedError{Feature: "wire sockets on plan9", Need: "Linux"} }),
			"sockets IPv4", Limited, "wire sockets on plan9 needs Linux", "traceflow --sim d",
		},
		{
			"no such family", one(func(t *wireTry) { t.open = os.NewSyscallError("socket", syscall.EAFNOSUPPORT) }),
			"sockets IPv4", Limited, "the kernel has no IPv4", "cat /proc/cmdline",
		},
		{
			"too many files", one(func(t *wireTry) { t.open = os.NewSyscallError("socket", syscall.EMFILE) }),
			"sockets IPv4", Limited, "too many open files", moreFiles,
		},
		{
			"too many files to send", one(func(t *wireTry) { t.send = os.NewSyscallError("epoll_create1", syscall.EMFILE) }),
			"sockets IPv4", Broken, "cannot be sent: too many open files", moreFiles,
		},
		{
			"another trouble", one(func(t *wireTry) { t.open = os.NewSyscallError("socket", syscall.ENOMEM) }),
			"sockets IPv4", Limited, "cannot allocate memory", "traceflow --debug --wire sockets 127.0.0.1",
		},
		{
			"loopback down", one(func(t *wireTry) { t.send = os.NewSyscallError("bind", syscall.EADDRNOTAVAIL) }),
			"sockets IPv4", Unknown, "127.0.0.1 is no address of this host", "sudo ip link set lo up",
		},
		{
			"firewall out", one(func(t *wireTry) { t.send = denied("sendmmsg") }),
			"sockets IPv4", Broken, "cannot be sent: operation not permitted", showRules,
		},
		{
			"firewall in", one(func(t *wireTry) { t.reply = traceflow.Reply{} }),
			"sockets IPv4", Unknown, "no answer to a probe to 127.0.0.1 came back", showRules,
		},
		{
			"firewall rejects", one(func(t *wireTry) { t.reply.Kind = traceflow.Unreachable }),
			"sockets IPv4", Broken, "brought unreachable from 127.0.0.1", showRules,
		},
		{
			"another answers", one(func(t *wireTry) { t.reply.Address = netip.MustParseAddr("192.0.2.1") }),
			"sockets IPv4", Broken, "port-unreachable from 192.0.2.1", showRules,
		},
		{
			"old kernel", one(func(t *wireTry) { t.labels = syscall.ENOPROTOOPT }),
			"sockets IPv4", Limited, "nor MPLS labels", advice,
		},
		{"ping", pings(sockets, "", nil), "ping IPv4", OK, "works", ""},
		{"ping refused", pings(sockets, "", refused), "ping IPv6", Limited, `(net.ipv4.ping_group_range is "1 0"): no probes by ICMP echo`, "sudo sysctl -w " + open},
		{"ping refused in Docker", pings(sockets, docker, refused), "ping IPv4", Limited, "closed to the groups", "docker run --sysctl " + open + " ..."},
		{"ping refused to root", pings(both, "", refused), "ping IPv4", OK, "not needed", ""},
		{
			"no ping in the kernel", pings(sockets, "", os.NewSyscallError("socket", syscall.EPROTONOSUPPORT)),
			"ping IPv4", Limited, "protocol not supported", "cat /proc/sys/net/ipv4/ping_group_range",
		},
		{"no ping on this system", wiresWith(probe.KindRaw).checks(advice, ""), "ping", Unknown, "exists on Linux only", ""},
	})
}

func TestWiresOutcome(t *testing.T) {
	unsupported := wiresWith()
	for i := range unsupported.tries {
		unsupported.tries[i].open = &probe.UnsupportedError{Feature: "it", Need: "Linux"}
	}
	onlyIPv6 := wiresWith(probe.KindSockets)
	onlyIPv6.tries[2].open = syscall.EAFNOSUPPORT
	tests := []struct {
		name    string
		wires   *wireFacts
		denied  bool
		works   bool
		summary string
	}{
		{"root", wiresWith(probe.KindRaw, probe.KindSockets), false, true, "Traces can be made: IPv4 with --wire raw, IPv6 with --wire raw."},
		{"user", wiresWith(probe.KindSockets), false, true, "Traces can be made: IPv4 with --wire sockets, IPv6 with --wire sockets."},
		{"one family", onlyIPv6, false, true, "Traces can be made: IPv6 with --wire sockets."},
		{"denied", wiresWith(), true, false, "No trace can be made from this host: no wire opens."},
		{"unsupported", unsupported, false, false, "No trace can be made from this host: no wire opens."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.wires.err()
			if (err == nil) != tt.works || errors.Is(err, os.ErrPermission) != tt.denied || tt.wires.summary(nil) != tt.summary {
				t.Errorf("got %v, %q", err, tt.wires.summary(nil))
			}
		})
	}
}

func TestSummaryOfBroken(t *testing.T) {
	wires, broken := wiresWith(probe.KindSockets), Check{Verdict: Broken}
	const works = "Traces can be made: IPv4 with --wire sockets, IPv6 with --wire sockets; "
	for want, checks := range map[string][]Check{
		works + "mend what is broken first.":        {{Verdict: OK}, broken},
		works + "mend the 2 that are broken first.": {broken, {Verdict: Limited}, broken},
	} {
		if got := wires.summary(checks); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestCause(t *testing.T) {
	for _, err := range []error{syscall.EPERM, denied("socket"), fmt.Errorf("a: %w", denied("socket"))} {
		if got := cause(err); got != "operation not permitted" {
			t.Errorf("%v: got %q", err, got)
		}
	}
}
