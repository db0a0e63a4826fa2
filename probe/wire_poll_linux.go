// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// poller waits for any of a wire's sockets, and ends that wait when the wire
// is closed.
type poller struct {
	epoll int
	wake  int // eventfd

	// waiting is held while a wire receives and sending while it sends, so that
	// close takes no descriptor away from under them.
	waiting, sending sync.Mutex

	mu     sync.Mutex
	closed bool
}

func newPoller() (*poller, error) {
	p := &poller{}
	var err error
	if p.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if p.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		unix.Close(p.epoll)
		return nil, os.NewSyscallError("eventfd", err)
	}
	if err := p.watch(p.wake, unix.EPOLLIN); err != nil {
		unix.Close(p.epoll)
		unix.Close(p.wake)
		return nil, err
	}
	return p, nil
}

// watch adds a socket. Errors are always watched for.
func (p *poller) watch(fd int, events uint32) error {
	return os.NewSyscallError("epoll_ctl",
		unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)}))
}

func (p *poller) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// wait blocks until sockets are ready, and calls take for each. It returns how
// much take has taken in all, once that is something, or net.ErrClosed.
func (p *poller) wait(take func(fd int, events uint32) int) (int, error) {
	p.waiting.Lock()
	defer p.waiting.Unlock()
	var events [maxBatch]unix.EpollEvent
	for {
		if p.isClosed() {
			return 0, net.ErrClosed
		}
		ready, err := unix.EpollWait(p.epoll, events[:], -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return 0, os.NewSyscallError("epoll_wait", err)
		}
		taken := 0
		for _, event := range events[:max(0, ready)] {
			if fd := int(event.Fd); fd != p.wake {
				taken += take(fd, event.Events)
			}
		}
		if taken > 0 {
			return taken, nil
		}
	}
}

// close ends wait, and then calls release to close the sockets. Only the first
// call does anything.
func (p *poller) close(release func() error) error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	p.mu.Unlock()
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, err := unix.Write(p.wake, one[:])
	p.waiting.Lock()
	defer p.waiting.Unlock()
	p.sending.Lock()
	defer p.sending.Unlock()
	return errors.Join(err, release(), unix.Close(p.wake), unix.Close(p.epoll))
}
