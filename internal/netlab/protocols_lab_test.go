// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package netlab_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"traceflow"
	"traceflow/internal/netlab"
	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

// rawWalker walks the paths of flows of any protocol with whole packets of its
// own, and listens for ICMP and TCP at the vantage point.
type rawWalker struct{ out, icmp, tcp int }

func newRawWalker(t *testing.T, l *netlab.Lab, v6 bool) *rawWalker {
	t.Helper()
	domain, icmp := unix.AF_INET, unix.IPPROTO_ICMP
	if v6 {
		domain, icmp = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	w := &rawWalker{}
	err := l.Do(func() (err error) {
		for place, protocol := range map[*int]int{&w.out: unix.IPPROTO_RAW, &w.icmp: icmp, &w.tcp: unix.IPPROTO_TCP} {
			if *place, err = unix.Socket(domain, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Close(w.out)
		unix.Close(w.icmp)
		unix.Close(w.tcp)
	})
	return w
}

// ask sends a SYN or an echo request with a TTL and returns who answers it.
func (w *rawWalker) ask(t *testing.T, f traceflow.Flow, ttl uint8) netip.Addr {
	t.Helper()
	h := packet.IP{Source: f.Source, Destination: f.Destination, Protocol: f.Number(), TTL: ttl, Label: f.Label}
	var b []byte
	if f.Protocol == traceflow.ProtocolTCP {
		b = packet.AppendTCP(packet.AppendIP(nil, &h, 20), f.Source, f.Destination, &packet.TCP{
			SourcePort: f.SourcePort, DestinationPort: f.DestinationPort, Sequence: uint32(ttl), Flags: packet.FlagSYN,
		}, nil)
	} else {
		m := packet.ICMP{Type: packet.ICMPv4EchoRequest, ID: f.SourcePort, Sequence: uint16(ttl)}
		if f.Source.Is6() {
			m.Type = packet.ICMPv6EchoRequest
		}
		b = packet.AppendEcho(packet.AppendIP(nil, &h, 8), f.Source, f.Destination, &m)
	}
	to := unix.Sockaddr(&unix.SockaddrInet6{Addr: f.Destination.As16()})
	if f.Destination.Is4() {
		to = &unix.SockaddrInet4{Addr: f.Destination.As4()}
	}
	if err := unix.Sendto(w.out, b, 0, to); err != nil {
		t.Fatal(err)
	}
	for {
		set := []unix.PollFd{{Fd: int32(w.icmp), Events: unix.POLLIN}, {Fd: int32(w.tcp), Events: unix.POLLIN}}
		n, err := unix.Poll(set, patience)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n == 0 || err != nil {
			t.Fatalf("%v %d, TTL %d: no answer, %v", f.Protocol, f.SourcePort, ttl, err)
		}
		for _, p := range set {
			if from, ok := w.read(t, int(p.Fd), &f, ttl); ok {
				return from
			}
		}
	}
}

// read takes one packet from a socket and returns who sent it, if it is the
// answer.
func (w *rawWalker) read(t *testing.T, fd int, f *traceflow.Flow, ttl uint8) (netip.Addr, bool) {
	t.Helper()
	b := make([]byte, 1500)
	n, from, err := unix.Recvfrom(fd, b, 0)
	if errors.Is(err, unix.EAGAIN) {
		return netip.Addr{}, false
	}
	if err != nil {
		t.Fatal(err)
	}
	b = b[:n]
	var sender netip.Addr
	switch from := from.(type) {
	case *unix.SockaddrInet4:
		sender = netip.AddrFrom4(from.Addr)
		b = b[20:] // the socket of IPv4 gets the header too
	case *unix.SockaddrInet6:
		sender = netip.AddrFrom16(from.Addr)
	}
	if fd == w.tcp {
		s, _, err := packet.DecodeTCP(b)
		return sender, err == nil && s.SourcePort == f.DestinationPort && s.DestinationPort == f.SourcePort && s.Acknowledgment == uint32(ttl)+1
	}
	if packet.IsICMPError(sender, b[0]) {
		e, err := packet.DecodeICMPError(b, sender, f.Source)
		if err != nil || e.Quote.IP.Protocol != f.Number() {
			return netip.Addr{}, false
		}
		if f.Protocol == traceflow.ProtocolTCP {
			return sender, e.Quote.SourcePort == f.SourcePort
		}
		return sender, e.Quote.EchoID == f.SourcePort
	}
	m, err := packet.DecodeICMP(b, sender, f.Source)
	reply := m.Type == packet.ICMPv4EchoReply && sender.Is4() || m.Type == packet.ICMPv6EchoReply && sender.Is6()
	return sender, err == nil && reply && m.ID == f.SourcePort && m.Sequence == uint16(ttl)
}

// TestPathsOfProtocols asks hop by hop who is on the way of flows of TCP and
// ICMP, and wants the answers that Paths gives.
func TestPathsOfProtocols(t *testing.T) {
	for _, tt := range []struct {
		name     string
		protocol traceflow.Protocol
		ways     uint64 // that 60 flows take; 0 is not checked
	}{
		{"d", traceflow.ProtocolTCP, 16},
		{"f", traceflow.ProtocolTCP, 0},
		{"g", traceflow.ProtocolTCP, 4},
		{"e", traceflow.ProtocolTCP, 3},
		{"tcp-open", traceflow.ProtocolTCP, 4},
		// Linux sees no ports in ICMP: one way for all.
		{"d", traceflow.ProtocolICMP, 1},
		{"g", traceflow.ProtocolICMP, 1},
	} {
		t.Run(fmt.Sprintf("%s/%v", tt.name, tt.protocol), func(t *testing.T) {
			network := topologytest.Builtin(t, tt.name)
			families(t, build(t, network), func(t *testing.T, l *netlab.Lab, first traceflow.Flow) {
				first.Protocol = tt.protocol
				if tt.protocol == traceflow.ProtocolICMP {
					first.DestinationPort = 0
				}
				all := flows(first, 60)
				observed := paths(t, l, all)
				if got := size(observed).Paths; tt.ways > 0 && got != tt.ways {
					t.Errorf("60 flows take %d ways, want %d", got, tt.ways)
				}
				w := newRawWalker(t, l, first.Source.Is6())
				for i, path := range observed {
					var walked []int
					for ttl := uint8(1); int(ttl) <= len(network.Nodes); ttl++ {
						from := w.ask(t, all[i], ttl)
						walked = append(walked, slices.IndexFunc(network.Nodes, nodeAt(from)))
						if from == first.Destination {
							break
						}
					}
					if !slices.Equal(walked, path) {
						t.Fatalf("flow %d walked %v, observed %v", i, walked, path)
					}
				}
			})
		})
	}
}
