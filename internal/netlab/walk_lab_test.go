// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package netlab_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"traceflow"
	"traceflow/internal/netlab"
	"traceflow/internal/topology/topologytest"
)

// patience is how many milliseconds a walker waits for an answer that is due.
// Nothing is concluded from its length: silence is what answers to later
// probes have overtaken.
const patience = 5000

// answer is one ICMP error as an unconnected UDP socket shows it.
type answer struct {
	from       netip.Addr
	kind, code uint8
	ttl        int    // of the answer itself
	info       uint32 // MTU that it names
}

// walker is a UDP socket at the vantage point, bound to a flow's source. It is
// written for these tests, without a line of what they test.
type walker struct {
	fd   int
	flow traceflow.Flow
	lab  *netlab.Lab
	// payload is what it sends.
	payload []byte
}

func newWalker(t *testing.T, l *netlab.Lab, f traceflow.Flow) *walker {
	t.Helper()
	w := &walker{flow: f, lab: l, payload: []byte("walker of the kernel lab")}
	err := l.Do(func() (err error) {
		if f.Source.Is4() {
			w.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			return errors.Join(
				unix.SetsockoptInt(w.fd, unix.IPPROTO_IP, unix.IP_RECVERR, 1),
				unix.SetsockoptInt(w.fd, unix.IPPROTO_IP, unix.IP_RECVTTL, 1),
				unix.Bind(w.fd, &unix.SockaddrInet4{Port: int(f.SourcePort), Addr: f.Source.As4()}),
			)
		}
		w.fd, err = unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		return errors.Join(
			unix.SetsockoptInt(w.fd, unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1),
			unix.SetsockoptInt(w.fd, unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1),
			unix.Bind(w.fd, &unix.SockaddrInet6{Port: int(f.SourcePort), Addr: f.Source.As16()}),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *walker) close() { unix.Close(w.fd) }

// send sends one packet. An error that waits on the socket, of an earlier
// packet, makes sendto fail once without sending.
func (w *walker) send(t *testing.T, ttl int) {
	t.Helper()
	level, option := unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS
	to := unix.Sockaddr(&unix.SockaddrInet6{Port: int(w.flow.DestinationPort), Addr: w.flow.Destination.As16()})
	if w.flow.Destination.Is4() {
		level, option = unix.IPPROTO_IP, unix.IP_TTL
		to = &unix.SockaddrInet4{Port: int(w.flow.DestinationPort), Addr: w.flow.Destination.As4()}
	}
	if err := unix.SetsockoptInt(w.fd, level, option, ttl); err != nil {
		t.Fatal(err)
	}
	if err := unix.Sendto(w.fd, w.payload, 0, to); err != nil {
		if err = unix.Sendto(w.fd, w.payload, 0, to); err != nil {
			t.Fatalf("send with TTL %d: %v", ttl, err)
		}
	}
}

// dontFragment makes the kernel set Don't Fragment and forget what it learns of
// the path's MTU.
func (w *walker) dontFragment(t *testing.T) {
	t.Helper()
	level, option, value := unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE
	if w.flow.Source.Is4() {
		level, option, value = unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE
	}
	if err := unix.SetsockoptInt(w.fd, level, option, value); err != nil {
		t.Fatal(err)
	}
}

// arrivingTOS sends one packet with a TOS byte and returns that with which the
// destination gets it.
func (w *walker) arrivingTOS(t *testing.T, tos int) int {
	t.Helper()
	level, option, receive := unix.IPPROTO_IPV6, unix.IPV6_TCLASS, unix.IPV6_RECVTCLASS
	if w.flow.Source.Is4() {
		level, option, receive = unix.IPPROTO_IP, unix.IP_TOS, unix.IP_RECVTOS
	}
	if err := unix.SetsockoptInt(w.fd, level, option, tos); err != nil {
		t.Fatal(err)
	}
	control, _ := w.arrive(t, level, receive)
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d control messages, %v", len(messages), err)
	}
	return int(messages[0].Data[0])
}

// arrivingSource sends one packet and returns the address that the destination
// gets it from.
func (w *walker) arrivingSource(t *testing.T) netip.Addr {
	t.Helper()
	_, from := w.arrive(t, unix.SOL_SOCKET, unix.SO_BROADCAST) // which changes nothing
	switch from := from.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(from.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(from.Addr)
	}
	return netip.Addr{}
}

// arrive sends one packet to a socket of the destination that has an option set, and
// returns the control messages that come with it, and who sent it.
func (w *walker) arrive(t *testing.T, level, option int) ([]byte, unix.Sockaddr) {
	t.Helper()
	domain, at := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: int(w.flow.DestinationPort)})
	if w.flow.Source.Is4() {
		domain, at = unix.AF_INET, &unix.SockaddrInet4{Port: int(w.flow.DestinationPort)}
	}
	var receiver int
	err := w.lab.DoAt(w.lab.Topology().Destination, func() (err error) {
		receiver, err = unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(receiver)
	if err := errors.Join(unix.Bind(receiver, at), unix.SetsockoptInt(receiver, level, option, 1)); err != nil {
		t.Fatal(err)
	}
	w.send(t, 64)
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(receiver), Events: unix.POLLIN}}, patience); n != 1 {
		t.Fatalf("nothing arrives: %v", err)
	}
	control := make([]byte, 512)
	_, n, _, from, err := unix.Recvmsg(receiver, make([]byte, 512), control, 0)
	if err != nil {
		t.Fatal(err)
	}
	return control[:n], from
}

// next waits for one answer.
func (w *walker) next(t *testing.T) (answer, bool) {
	t.Helper()
	for {
		a, ok := w.read(t)
		if ok {
			return a, true
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(w.fd)}}, patience)
		if err != nil && !errors.Is(err, unix.EINTR) {
			t.Fatal(err)
		}
		if n == 0 && err == nil {
			return answer{}, false
		}
	}
}

// read takes one answer from the error queue, if there is one.
func (w *walker) read(t *testing.T) (answer, bool) {
	t.Helper()
	control := make([]byte, 512)
	_, n, _, _, err := unix.Recvmsg(w.fd, make([]byte, 512), control, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
	if errors.Is(err, unix.EAGAIN) {
		return answer{}, false
	}
	if err != nil {
		t.Fatal(err)
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	for _, m := range messages {
		switch [2]int32{m.Header.Level, m.Header.Type} {
		// struct sock_extended_err: type and code at 5 and 6, information at 8;
		// then the sender.
		case [2]int32{unix.IPPROTO_IP, unix.IP_RECVERR}:
			a.kind, a.code, a.info = m.Data[5], m.Data[6], binary.NativeEndian.Uint32(m.Data[8:])
			a.from = netip.AddrFrom4([4]byte(m.Data[20:24]))
		case [2]int32{unix.IPPROTO_IPV6, unix.IPV6_RECVERR}:
			a.kind, a.code, a.info = m.Data[5], m.Data[6], binary.NativeEndian.Uint32(m.Data[8:])
			a.from = netip.AddrFrom16([16]byte(m.Data[24:40]))
		case [2]int32{unix.IPPROTO_IP, unix.IP_TTL}, [2]int32{unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT}:
			a.ttl = int(binary.NativeEndian.Uint32(m.Data))
		}
	}
	return a, true
}

// until collects answers up to one from the last address.
func (w *walker) until(t *testing.T, last netip.Addr) []answer {
	t.Helper()
	var all []answer
	for {
		a, ok := w.next(t)
		if !ok {
			t.Fatalf("no answer from %v, only %v", last, all)
		}
		all = append(all, a)
		if a.from == last {
			return all
		}
	}
}

// count counts the answers from one address.
func count(all []answer, from netip.Addr) int {
	n := 0
	for _, a := range all {
		if a.from == from {
			n++
		}
	}
	return n
}

// TestPathsAgreeWithWalk asks hop by hop who is on the way of a flow.
func TestPathsAgreeWithWalk(t *testing.T) {
	for _, name := range []string{"b", "d", "k", "f", "g", "e", "e2", "clos"} {
		t.Run(name, func(t *testing.T) {
			network := topologytest.Builtin(t, name)
			families(t, build(t, network), func(t *testing.T, l *netlab.Lab, first traceflow.Flow) {
				all := flows(first, 100)
				for i, path := range paths(t, l, all) {
					w := newWalker(t, l, all[i])
					var walked []int
					for ttl := 1; ttl <= len(network.Nodes); ttl++ {
						w.send(t, ttl)
						a, ok := w.next(t)
						if !ok {
							t.Fatalf("flow %d: no answer for TTL %d", i, ttl)
						}
						walked = append(walked, slices.IndexFunc(network.Nodes, nodeAt(a.from)))
						if a.from == first.Destination {
							break
						}
					}
					w.close()
					if !slices.Equal(walked, path) {
						t.Fatalf("flow %d walked %v, observed %v", i, walked, path)
					}
				}
			})
		})
	}
}
