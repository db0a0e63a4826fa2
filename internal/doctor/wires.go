// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"traceflow"
	"traceflow/probe"
)

// wireFacts are what came of opening each wire for each family and sending one
// probe over loopback.
type wireFacts struct {
	tries []wireTry
	pings []pingTry
}

// wireTry is one wire, tried for real.
type wireTry struct {
	kind probe.Kind
	ipv6 bool
	// open is why the wire cannot be opened; nil if it can.
	open error
	// send is why the probe over loopback could not be sent.
	send error
	// reply is what came back.
	reply traceflow.Reply
	// labels is why the sockets wire gets no MPLS labels; nil if it does.
	labels error
}

// pingTry is a socket for ICMP echo that needs no rights (icmp(7)).
type pingTry struct {
	ipv6   bool
	open   error
	groups string // those that net.ipv4.ping_group_range lets, if it is known
}

// loopTimeout is how long the answer of this very host is waited for.
const loopTimeout = time.Second

func tryWires(ctx context.Context) *wireFacts {
	f := &wireFacts{}
	for _, kind := range []probe.Kind{probe.KindRaw, probe.KindSockets} {
		for _, ipv6 := range []bool{false, true} {
			f.tries = append(f.tries, tryWire(ctx, kind, ipv6))
		}
	}
	f.pings = tryPings()
	return f
}

// tryWire opens a wire and sends a probe to a port of this host on which nobody
// listens: a port unreachable has to come back.
func tryWire(ctx context.Context, kind probe.Kind, ipv6 bool) wireTry {
	t := wireTry{kind: kind, ipv6: ipv6}
	if kind == probe.KindSockets {
		t.labels = getsLabels(ipv6)
		if _, t.open = freePort(netip.AddrPort{}, network(ipv6)); t.open != nil {
			return t
		}
	}
	wire, caps, err := probe.Open(kind, probe.Options{IPv6: ipv6})
	if err != nil {
		t.open = err
		return t
	}
	engine, err := probe.NewEngine(wire, caps, probe.Config{Timeout: loopTimeout})
	if err != nil {
		t.open = errors.Join(err, wire.Close())
		return t
	}
	defer engine.Close()
	flow := traceflow.Flow{ID: 1, Protocol: traceflow.ProtocolUDP, Source: loopback(ipv6), Destination: loopback(ipv6)}
	for _, port := range []*uint16{&flow.SourcePort, &flow.DestinationPort} {
		if *port, t.send = freePort(netip.AddrPortFrom(loopback(ipv6), 0), network(ipv6)); t.send != nil {
			return t
		}
	}
	exchanges, err := engine.Probe(ctx, []traceflow.Probe{{Flow: flow, TTL: 1}})
	if t.send = err; err == nil {
		t.send, t.reply = exchanges[0].Err, exchanges[0].Reply
	}
	return t
}

// freePort returns a port that nobody uses now.
func freePort(at netip.AddrPort, network string) (uint16, error) {
	var local *net.UDPAddr
	if at.IsValid() {
		local = net.UDPAddrFromAddrPort(at)
	}
	conn, err := net.ListenUDP(network, local)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Port(), nil
}

func network(ipv6 bool) string {
	if ipv6 {
		return "udp6"
	}
	return "udp4"
}

func loopback(ipv6 bool) netip.Addr {
	if ipv6 {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

func family(ipv6 bool) string {
	if ipv6 {
		return "IPv6"
	}
	return "IPv4"
}

func (f *wireFacts) opens(kind probe.Kind, ipv6 bool) bool {
	for _, t := range f.tries {
		if t.kind == kind && t.ipv6 == ipv6 {
			return t.open == nil
		}
	}
	return false
}

// best returns the wire that --wire auto takes for a family, or "".
func (f *wireFacts) best(ipv6 bool) probe.Kind {
	for _, kind := range []probe.Kind{probe.KindRaw, probe.KindSockets} {
		if f.opens(kind, ipv6) {
			return kind
		}
	}
	return ""
}

// summary says which traces can be made, and whether one should.
func (f *wireFacts) summary(checks []Check) string {
	var works []string
	for _, ipv6 := range []bool{false, true} {
		if kind := f.best(ipv6); kind != "" {
			works = append(works, fmt.Sprintf("%s with --wire %s", family(ipv6), kind))
		}
	}
	if len(works) == 0 {
		return "No trace can be made from this host: no wire opens."
	}
	broken := 0
	for _, c := range checks {
		if c.Verdict == Broken {
			broken++
		}
	}
	line := "Traces can be made: " + strings.Join(works, ", ")
	switch broken {
	case 0:
		return line + "."
	case 1:
		return line + "; mend what is broken first."
	}
	return fmt.Sprintf("%s; mend the %d that are broken first.", line, broken)
}

// err is nil if any wire opens.
func (f *wireFacts) err() error {
	var all []error
	for _, t := range f.tries {
		if t.open == nil {
			return nil
		}
		all = append(all, t.open)
	}
	return fmt.Errorf("no wire opens: %w", errors.Join(all...))
}

// checks has a check for each wire and family. advice is what gives the right
// to open raw sockets.
func (f *wireFacts) checks(advice string, in containerRuntime) []Check {
	var checks []Check
	for i := range f.tries {
		checks = append(checks, f.check(&f.tries[i], advice))
	}
	if f.pings == nil {
		checks = append(checks, onlyOn("Linux", "ping"))
	}
	for i := range f.pings {
		checks = append(checks, f.pingCheck(&f.pings[i], in))
	}
	return checks
}

func (f *wireFacts) check(t *wireTry, advice string) Check {
	c := Check{Subject: string(t.kind) + " " + family(t.ipv6), Verdict: OK}
	to := loopback(t.ipv6)
	switch {
	case t.open != nil:
		f.cannotOpen(&c, t, advice)
	case noLoopback(t.send):
		c.Verdict = Unknown
		c.Finding = fmt.Sprintf("opens, but could not be tried: %s is no address of this host", to)
		c.Mend = "sudo ip link set lo up"
		if t.ipv6 {
			c.Mend = "sudo sysctl -w net.ipv6.conf.all.disable_ipv6=0 && " + c.Mend
		}
	case t.send != nil:
		c.Verdict = Broken
		c.Finding = fmt.Sprintf("opens, but a probe to %s cannot be sent: %s", to, cause(t.send))
		c.Mend = showRules
		if errors.Is(t.send, syscall.EMFILE) {
			c.Mend = moreFiles
		}
	case t.reply.Kind == traceflow.NoReply:
		// Not broken: a firewall may drop what comes to this host by lo alone.
		c.Verdict = Unknown
		c.Finding = fmt.Sprintf("opens, but no answer to a probe to %s came back: a firewall drops the one or the other, and may drop routers' answers too", to)
		c.Mend = showRules
	case t.reply.Kind != traceflow.PortUnreachable || t.reply.Address != to:
		c.Verdict = Broken
		c.Finding = fmt.Sprintf("opens, but a probe to %s brought %s from %s: something on this host interferes",
			to, t.reply.Kind, t.reply.Address)
		c.Mend = showRules
	default:
		c.Finding = fmt.Sprintf("works: %s answered a probe", to)
		if t.kind == probe.KindSockets {
			c.Finding += "; quoted TTLs and NATs are not seen"
			if t.labels != nil {
				c.Verdict = Limited
				c.Finding += ", nor MPLS labels: that takes Linux 5.9"
				c.Mend = advice
			}
		}
	}
	return c
}

// cannotOpen says why a wire cannot be opened. It is broken if no other wire
// carries the family.
func (f *wireFacts) cannotOpen(c *Check, t *wireTry, advice string) {
	c.Verdict = Limited
	if f.best(t.ipv6) == "" {
		c.Verdict = Broken
	}
	c.Finding = "cannot be opened: " + cause(t.open)
	switch {
	case errors.Is(t.open, errors.ErrUnsupported):
		c.Finding = fmt.Sprintf("cannot be opened: %v", t.open)
		c.Mend = "traceflow --sim d"
	case isDenied(t.open) && t.kind == probe.KindRaw:
		c.Finding += "; without it, quoted TTLs, NATs and some MPLS labels stay hidden"
		c.Mend = advice
	case isDenied(t.open):
		c.Finding += ": a seccomp filter or security module forbids UDP sockets"
		c.Mend = "grep -E 'Seccomp|NoNewPrivs' /proc/self/status"
	case errors.Is(t.open, syscall.EAFNOSUPPORT):
		c.Finding += ": the kernel has no " + family(t.ipv6) + ", or a service's RestrictAddressFamilies forbids it"
		c.Mend = "cat /proc/cmdline"
	case errors.Is(t.open, syscall.EMFILE):
		c.Mend = moreFiles
	default:
		c.Mend = "traceflow --debug --wire " + string(t.kind) + " " + loopback(t.ipv6).String()
	}
}

func (f *wireFacts) pingCheck(t *pingTry, in containerRuntime) Check {
	c := Check{Subject: "ping " + family(t.ipv6), Verdict: OK, Finding: "works: ICMP echo can be sent without rights"}
	if t.open == nil {
		return c
	}
	c.Finding = "cannot be opened: " + cause(t.open)
	if isDenied(t.open) {
		c.Finding = "closed to the groups of this user"
		if t.groups != "" {
			c.Finding += fmt.Sprintf(" (net.ipv4.ping_group_range is %q)", t.groups)
		}
	}
	if f.opens(probe.KindRaw, t.ipv6) {
		c.Finding += "; not needed, as the raw wire sends ICMP echo"
		return c
	}
	c.Verdict = Limited
	c.Finding += ": no probes by ICMP echo"
	c.Mend = "cat /proc/sys/net/ipv4/ping_group_range"
	if isDenied(t.open) {
		c.Mend = in.sysctl("net.ipv4.ping_group_range", "0 2147483647")
	}
	return c
}

// noLoopback reports whether a probe over loopback failed because there is none.
func noLoopback(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.ENETUNREACH)
}

// cause is what the system said, without the call.
func cause(err error) string {
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number.Error()
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		return call.Err.Error()
	}
	return err.Error()
}
