// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package netlab_test

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"traceflow"
	"traceflow/internal/netlab"
	"traceflow/internal/topology/topologytest"
)

// TestSocketsHashed has the kernel itself send what belongs to connections,
// and wants it forwarded by its headers alone.
func TestSocketsHashed(t *testing.T) {
	network := topologytest.Builtin(t, "d")
	l := build(t, network)
	if err := l.SocketsHashed(); err != nil {
		if !errors.Is(err, os.ErrPermission) || os.Getenv("TRACEFLOW_LAB") == "require" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, protocol := range []traceflow.Protocol{traceflow.ProtocolTCP, traceflow.ProtocolUDP} {
		t.Run(protocol.String(), func(t *testing.T) {
			families(t, l, func(t *testing.T, l *netlab.Lab, first traceflow.Flow) {
				first.Protocol = protocol
				all := flows(first, 32)
				for i, path := range paths(t, l, all) {
					var walked []int
					for ttl := 1; ttl < len(path); ttl++ {
						from := connectTTL(t, l, all[i], ttl)
						walked = append(walked, slices.IndexFunc(network.Nodes, nodeAt(from)))
					}
					if !slices.Equal(walked, path[:len(path)-1]) {
						t.Errorf("flow %d walked %v, observed %v", i, walked, path)
					}
				}
			})
		})
	}
}

// connectTTL connects a socket of the flow, sends a packet with a TTL from it,
// and returns which router reports that it has expired.
func connectTTL(t *testing.T, l *netlab.Lab, f traceflow.Flow, ttl int) netip.Addr {
	t.Helper()
	domain, level, hops, recverr := unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, unix.IPV6_RECVERR
	var at, to unix.Sockaddr = &unix.SockaddrInet6{Port: int(f.SourcePort), Addr: f.Source.As16()},
		&unix.SockaddrInet6{Port: int(f.DestinationPort), Addr: f.Destination.As16()}
	if f.Source.Is4() {
		domain, level, hops, recverr = unix.AF_INET, unix.IPPROTO_IP, unix.IP_TTL, unix.IP_RECVERR
		at = &unix.SockaddrInet4{Port: int(f.SourcePort), Addr: f.Source.As4()}
		to = &unix.SockaddrInet4{Port: int(f.DestinationPort), Addr: f.Destination.As4()}
	}
	kind := unix.SOCK_STREAM
	if f.Protocol == traceflow.ProtocolUDP {
		kind = unix.SOCK_DGRAM
	}
	var fd int
	err := l.Do(func() (err error) {
		fd, err = unix.Socket(domain, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	err = errors.Join(unix.SetsockoptInt(fd, level, hops, ttl), unix.SetsockoptInt(fd, level, recverr, 1), unix.Bind(fd, at))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(fd, to); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		t.Fatal(err)
	}
	if f.Protocol == traceflow.ProtocolUDP {
		if _, err := unix.Write(fd, []byte("connected")); err != nil {
			t.Fatal(err)
		}
	}
	w := walker{fd: fd, flow: f}
	a, ok := w.next(t)
	if !ok {
		t.Fatalf("port %d, TTL %d: no answer", f.SourcePort, ttl)
	}
	return a.from
}
