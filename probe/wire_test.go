// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"traceflow"
)

// TestLoopback sends by every wire of this system to the system itself: no
// more than one hop, but the system's own sockets, wherever the tests run.
func TestLoopback(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		for _, kind := range []Kind{KindRaw, KindSockets, "handles"} {
			for _, protocol := range []traceflow.Protocol{traceflow.ProtocolUDP, traceflow.ProtocolICMP, traceflow.ProtocolTCP} {
				t.Run(address+"/"+string(kind)+"/"+protocol.String(), func(t *testing.T) {
					testLoopback(t, netip.MustParseAddr(address), kind, protocol)
				})
			}
		}
	}
}

func testLoopback(t *testing.T, address netip.Addr, kind Kind, protocol traceflow.Protocol) {
	if _, err := FindLocal(t.Context(), address, netip.Addr{}, ""); err != nil {
		t.Skip(err)
	}
	wire, caps, err := Open(kind, Options{IPv6: address.Is6()})
	if errors.Is(err, os.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	e := open(t, wire, caps, Config{Timeout: 2 * time.Second, Retries: 2})
	if err := caps.CanSend(protocol); err != nil {
		t.Skip(err)
	}
	f := traceflow.Flow{
		ID: 1, Protocol: protocol, Source: address, Destination: address,
		SourcePort: freePort(t, address), DestinationPort: freePort(t, address),
	}
	want := traceflow.PortUnreachable
	switch protocol {
	case traceflow.ProtocolICMP:
		f.DestinationPort, want = 0, traceflow.EchoReply
	case traceflow.ProtocolTCP:
		want = traceflow.Reset
	case traceflow.ProtocolUDP:
	}
	exchanges := mustProbe(t, e, []traceflow.Probe{{Flow: f, TTL: 9}})
	got := exchanges[len(exchanges)-1].Reply
	if got.Kind != want || got.Address != address || got.RTT > time.Second {
		t.Errorf("got %+v (%v), want %v from %v", got, exchanges[len(exchanges)-1].Err, want, address)
	}
	if got.HeaderQuoted && got.QuotedTTL != 9 {
		t.Errorf("quoted TTL %d, want 9", got.QuotedTTL)
	}
}

// freePort returns a port that nobody uses, for UDP.
func freePort(t *testing.T, address netip.Addr) uint16 {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(address, 0)))
	if err != nil {
		t.Skip(err) // the family is turned off
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

func TestCapabilities(t *testing.T) {
	caps := Capabilities{Kind: "handles", Sends: map[traceflow.Protocol]Sending{
		traceflow.ProtocolICMP: {Flowless: "raw sockets"}, traceflow.ProtocolTCP: {Missing: "another system"},
	}}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"sends UDP", caps.CanSend(traceflow.ProtocolUDP), ""},
		{"sends ICMP", caps.CanSend(traceflow.ProtocolICMP), ""},
		{"sends TCP", caps.CanSend(traceflow.ProtocolTCP), "tcp over wire handles needs another system"},
		{"follows UDP", caps.CanFollow(traceflow.ProtocolUDP), ""},
		{"follows ICMP", caps.CanFollow(traceflow.ProtocolICMP), "telling paths apart by icmp over wire handles needs raw sockets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if tt.err != nil {
				got = tt.err.Error()
			}
			if got != tt.want || tt.err != nil && !errors.Is(tt.err, errors.ErrUnsupported) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
