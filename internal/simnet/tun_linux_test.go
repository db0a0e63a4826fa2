// SPDX-License-Identifier: BSD-3-Clause

//go:build lab

package simnet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

// isolate moves the test into a network namespace of its own, or skips it.
func isolate(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	err := unix.Unshare(unix.CLONE_NEWNET)
	if err == nil {
		_, err = os.Stat("/dev/net/tun")
	}
	if err == nil {
		return
	}
	reason := fmt.Sprintf("needs CAP_SYS_ADMIN for a network namespace, and /dev/net/tun: %v", err)
	if os.Getenv("TRACEFLOW_LAB") == "require" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// open puts a network behind a device for the time of the test.
func open(t *testing.T, top *topology.Topology) *TUN {
	t.Helper()
	tun, err := OpenTUN(New(top), "sim0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tun.Close(); err != nil {
			t.Error(err)
		}
	})
	return tun
}

// socket is an unconnected UDP socket that hears of ICMP errors.
type socket struct {
	fd   int
	to   unix.Sockaddr
	v6   bool
	port uint16
}

func newSocket(t *testing.T, top *topology.Topology, port uint16, v6 bool) *socket {
	t.Helper()
	s := &socket{v6: v6, port: port}
	destination := &top.Nodes[top.Destination]
	family, level, option := unix.AF_INET, unix.IPPROTO_IP, unix.IP_RECVERR
	local := unix.Sockaddr(&unix.SockaddrInet4{Port: int(port)})
	s.to = &unix.SockaddrInet4{Port: 33434, Addr: destination.Address4.As4()}
	if v6 {
		family, level, option = unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_RECVERR
		local = &unix.SockaddrInet6{Port: int(port)}
		s.to = &unix.SockaddrInet6{Port: 33434, Addr: destination.Address6.As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	s.fd = fd
	if v6 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Bind(fd, local); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(fd, level, option, 1); err != nil {
		t.Fatal(err)
	}
	return s
}

// The patience with those that answer, on a busy machine, and with those that
// do not.
const (
	patient   = 10 * time.Second
	impatient = 100 * ms
)

// probe sends a datagram and returns who reported an error, with what, and
// when; the zero Addr when nobody did within the given time.
func (s *socket) probe(t *testing.T, ttl int, wait time.Duration) (from netip.Addr, typ, code uint8, rtt time.Duration) {
	t.Helper()
	level, option := unix.IPPROTO_IP, unix.IP_TTL
	if s.v6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS
	}
	if err := unix.SetsockoptInt(s.fd, level, option, ttl); err != nil {
		t.Fatal(err)
	}
	// The kernel queues an error first and marks the socket after: who is quick
	// finds a mark that belongs to an error already read, and sendto returns it.
	if _, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if unix.Sendto(s.fd, []byte("probe"), 0, s.to) != nil {
		start = time.Now()
		if err := unix.Sendto(s.fd, []byte("probe"), 0, s.to); err != nil {
			t.Fatal(err)
		}
	}
	control := make([]byte, 512)
	n := 0
	for n == 0 {
		left := wait - time.Since(start)
		if left < 0 {
			return netip.Addr{}, 0, 0, 0
		}
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(s.fd)}}, int(left.Milliseconds())+1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			t.Fatal(err)
		}
		rtt = time.Since(start)
		if _, n, _, _, err = unix.Recvmsg(s.fd, make([]byte, 512), control, unix.MSG_ERRQUEUE); errors.Is(err, unix.EAGAIN) {
			n = 0
			_, err = unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			t.Fatal(err)
		}
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d control messages, %v", len(messages), err)
	}
	// struct sock_extended_err, then the sockaddr of the offender.
	data := messages[0].Data
	typ, code = data[5], data[6]
	if s.v6 {
		from = netip.AddrFrom16([16]byte(data[16+8:]))
	} else {
		from = netip.AddrFrom4([4]byte(data[16+4:]))
	}
	return from, typ, code, rtt
}

// TestTUN compares what a real socket hears with what topology says.
func TestTUN(t *testing.T) {
	for _, name := range []string{"b", "e", "unreachable", "silent", "mpls"} {
		t.Run(name, func(t *testing.T) {
			isolate(t)
			top := topologytest.Builtin(t, name)
			open(t, top)
			for _, v6 := range []bool{false, true} {
				for port := range uint16(4) {
					s := newSocket(t, top, 40000+port, v6)
					f := flow(top, s.port, v6)
					var path int // links that the probe has crossed
					for i, hop := range top.Truth(f) {
						wait := patient
						if !hop.Addresses[0].IsValid() {
							wait = impatient
						}
						from, typ, _, rtt := s.probe(t, i+1, wait)
						if from != hop.Addresses[0] {
							t.Fatalf("TTL %d of port %d: %v answers with %d after %v, want %v", i+1, s.port, from, typ, rtt, hop.Addresses)
						}
						if i == 0 || top.Truth(f)[i-1].Nodes[0] != hop.Nodes[0] {
							path++
						}
						if least := time.Duration(path) * 2 * ms; from.IsValid() && rtt < least {
							t.Errorf("TTL %d: answer after %v, before the %v that it takes", i+1, rtt, least)
						}
					}
				}
			}
		})
	}
}

// TestTUNPrecision looks at when answers arrive. What the kernel and the
// scheduler add to a datagram there and back is in it: on two busy cores most of
// what is logged.
func TestTUNPrecision(t *testing.T) {
	isolate(t)
	top := topologytest.Builtin(t, "far")
	open(t, top)
	s := newSocket(t, top, 40000, false)
	var late []time.Duration
	for range 5 {
		for ttl := 1; ttl <= 12; ttl++ {
			_, _, _, rtt := s.probe(t, ttl, patient)
			due := time.Duration(2+4*(ttl-1)) * ms
			if ttl == 12 {
				due = 50 * ms
			}
			late = append(late, rtt-due)
		}
	}
	slices.Sort(late)
	t.Logf("answers come %v late in the middle, %v at the worst", late[len(late)/2], late[len(late)-1])
	if early := late[0]; early < 0 {
		t.Errorf("an answer comes %v early", -early)
	}
	if tenth := late[len(late)/10]; tenth > ms/2 {
		t.Errorf("nine of ten answers come more than %v late", tenth)
	}
}

// TestTUNPing sends an echo request and a TCP SYN through the kernel.
func TestTUNPing(t *testing.T) {
	isolate(t)
	top := topologytest.Builtin(t, "b")
	tun := open(t, top)
	if tun.Name() != "sim0" {
		t.Errorf("name %q", tun.Name())
	}
	for _, v6 := range []bool{false, true} {
		f := flow(top, 1, v6)
		to := netip.AddrPortFrom(f.Destination, 80).String()
		if _, err := net.DialTimeout("tcp", to, time.Second); err == nil || !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("dial %s: %v, want refused", to, err)
		}
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	f := flow(top, 1, false)
	request := echoRequest(f, "hello")[20:]
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrInet4{Addr: f.Destination.As4()}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 200)
	n, _, err := unix.Recvfrom(fd, b, 0)
	if err != nil {
		t.Fatal(err)
	}
	h, payload, err := packet.DecodeIP(b[:n])
	if err != nil || h.Source != f.Destination || payload[0] != packet.ICMPv4EchoReply || binary.BigEndian.Uint16(payload[4:]) != 7 {
		t.Errorf("got %x, %v", b[:n], err)
	}
	if h.TTL != 61 {
		t.Errorf("TTL %d on arrival, want 61", h.TTL)
	}
}

func TestTUNName(t *testing.T) {
	isolate(t)
	if _, err := OpenTUN(New(topologytest.Builtin(t, "b")), "a name that is too long"); err == nil {
		t.Error("no error")
	}
}
