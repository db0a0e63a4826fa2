// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"traceflow"
)

// sender sends whole IP packets from the vantage point.
type sender struct{ ipv4, ipv6 int }

// openSender opens raw sockets, whose packets carry no hash of the socket: all
// nodes have to look at the header (a connected UDP socket would choose for
// them).
func (l *Lab) openSender() (sender, error) {
	s := sender{-1, -1}
	err := l.Do(func() (err error) {
		if l.t.IPv4 {
			if s.ipv4, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW); err != nil {
				return os.NewSyscallError("raw socket", err)
			}
		}
		if l.t.IPv6 {
			if s.ipv6, err = unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW); err != nil {
				return os.NewSyscallError("raw socket", err)
			}
		}
		return nil
	})
	if err != nil {
		s.close()
	}
	return s, err
}

func (s sender) send(f traceflow.Flow, t token) error {
	packet := t.encode(f)
	if f.Destination.Is4() {
		return os.NewSyscallError("sendto", unix.Sendto(s.ipv4, packet, 0, &unix.SockaddrInet4{Addr: f.Destination.As4()}))
	}
	return os.NewSyscallError("sendto", unix.Sendto(s.ipv6, packet, 0, &unix.SockaddrInet6{Addr: f.Destination.As16()}))
}

func (s sender) close() {
	for _, fd := range []int{s.ipv4, s.ipv6} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// sinks are UDP sockets at a destination that limits its answers. While they
// take the packets of Paths, no answer is spent on them.
type sinks []int

func (l *Lab) openSinks(flows []traceflow.Flow) sinks {
	if l.t.Nodes[l.t.Destination].Limit.Burst == 0 {
		return nil
	}
	var s sinks
	bound := map[netip.AddrPort]bool{}
	_ = l.DoAt(l.t.Destination, func() error {
		for _, f := range flows {
			if f.Protocol != traceflow.ProtocolUDP {
				continue // answers to others are no errors, and not limited
			}
			at := netip.AddrPortFrom(f.Destination, f.DestinationPort)
			if bound[at] {
				continue
			}
			bound[at] = true
			domain, address := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()})
			if at.Addr().Is4() {
				domain, address = unix.AF_INET, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
			}
			fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			s = append(s, fd)
			// If somebody else listens there, no answer is due anyway.
			_ = unix.Bind(fd, address)
		}
		return nil
	})
	return s
}

func (s sinks) close() {
	for _, fd := range s {
		unix.Close(fd)
	}
}
