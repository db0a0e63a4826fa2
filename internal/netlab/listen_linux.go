// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"traceflow/internal/topology"
)

// listenPort is where a destination with open ports listens; its packet filter
// redirects all others there.
const listenPort = 20000

// listen opens the ports of the destination, if they are to be open. The
// kernel answers; nobody ever takes a connection.
func (l *Lab) listen() error {
	destination := &l.t.Nodes[l.t.Destination]
	if destination.TCP != topology.TCPOpen {
		return nil
	}
	return l.DoAt(l.t.Destination, func() error {
		if l.t.IPv4 {
			if err := l.listenOn(unix.AF_INET, &unix.SockaddrInet4{Port: listenPort, Addr: destination.Address4.As4()}); err != nil {
				return fmt.Errorf("open ports of %s: %w", destination.Name, err)
			}
		}
		if l.t.IPv6 {
			if err := l.listenOn(unix.AF_INET6, &unix.SockaddrInet6{Port: listenPort, Addr: destination.Address6.As16()}); err != nil {
				return fmt.Errorf("open ports of %s: %w", destination.Name, err)
			}
		}
		return nil
	})
}

func (l *Lab) listenOn(domain int, at unix.Sockaddr) error {
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	l.listeners = append(l.listeners, fd)
	if err := unix.Bind(fd, at); err != nil {
		return os.NewSyscallError("bind", err)
	}
	const backlog = 4096 // SYNs that no reset has followed yet
	return os.NewSyscallError("listen", unix.Listen(fd, backlog))
}
