// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// recorder sees tokens pass at nodes: one packet socket in each namespace,
// opened by the first call of Paths. The mutex serialises calls.
type recorder struct {
	mu      sync.Mutex
	run     uint32
	sockets []int // one for each node, in the order of nodes; nil before the first call
}

// open opens the sockets once.
func (r *recorder) open(namespaces []*os.File) error {
	if r.sockets != nil {
		return nil
	}
	sockets := make([]int, 0, len(namespaces))
	err := onThread(func() error {
		for _, ns := range namespaces {
			if err := setNamespace(ns); err != nil {
				return err
			}
			fd, err := openTokenSocket()
			if err != nil {
				return err
			}
			sockets = append(sockets, fd)
		}
		return nil
	})
	r.sockets = sockets
	if err != nil {
		err = errors.Join(err, r.closeSockets())
	}
	return err
}

// openTokenSocket opens a socket that sees the tokens that arrive in the
// calling thread's namespace. It is bound only once the filter is there.
func openTokenSocket() (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	filter := tokenFilter()
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	if err == nil {
		const all = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8 // network byte order
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all & 0xffff})
	}
	if err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("packet socket", err)
	}
	return fd, nil
}

// read hands every token that waits to seen.
func (r *recorder) read(seen func(node int, t token)) error {
	buffer := make([]byte, longest)
	for node, fd := range r.sockets {
		for {
			n, _, err := unix.Recvfrom(fd, buffer, 0)
			if errors.Is(err, unix.EAGAIN) {
				break
			}
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil {
				return os.NewSyscallError("recvfrom", err)
			}
			if t, ok := readToken(buffer[:n]); ok {
				seen(node, t)
			}
		}
	}
	return nil
}

// wait returns when a token has arrived at any node, or false after a time in
// which none did, in milliseconds.
func (r *recorder) wait(quiet int) (bool, error) {
	set := make([]unix.PollFd, len(r.sockets))
	for i, fd := range r.sockets {
		set[i] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	}
	for {
		n, err := unix.Poll(set, quiet)
		if !errors.Is(err, unix.EINTR) {
			return n > 0, os.NewSyscallError("poll", err)
		}
	}
}

// close closes the sockets.
func (r *recorder) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closeSockets()
}

// closeSockets closes several sockets at a time: each waits for the kernel to
// forget its tap (synchronize_net, some 10 ms), and those waits can be shared.
func (r *recorder) closeSockets() error {
	const atOnce = 16
	var group sync.WaitGroup
	errs := make([]error, atOnce)
	for worker := range atOnce {
		group.Go(func() {
			for i := worker; i < len(r.sockets); i += atOnce {
				errs[worker] = errors.Join(errs[worker], os.NewSyscallError("close", unix.Close(r.sockets[i])))
			}
		})
	}
	group.Wait()
	r.sockets = nil
	return errors.Join(errs...)
}
