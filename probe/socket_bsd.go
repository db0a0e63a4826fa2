// SPDX-License-Identifier: BSD-3-Clause

//go:build darwin || freebsd || openbsd || (linux && lab)

package probe

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// These kernels have no call that sends or receives several packets, none
// that tells when a packet left, and time stamps of microseconds. So a packet
// is sent by a call of its own and stamped half way through it; what is
// received has the kernel's time (SO_TIMESTAMP: macOS, FreeBSD and OpenBSD
// setsockopt(2)).
//
// On Linux this compiles with the build tag lab only: its tests run the same
// calls there.

// socketBSD is a non-blocking socket with Go's poller behind it.
type socketBSD struct {
	file   *os.File
	conn   syscall.RawConn
	closed atomic.Bool
}

// sockoptBSD is one integer socket option.
type sockoptBSD struct{ level, name, value int }

// openSocketBSD opens a socket that the caller closes. An option that is not
// required may be refused.
func openSocketBSD(family, kind, protocol int, iface string, required, wanted []sockoptBSD) (_ *socketBSD, err error) {
	syscall.ForkLock.RLock()
	fd, err := unix.Socket(family, kind, protocol)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, os.NewSyscallError("set non-blocking", err)
	}
	for _, o := range required {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return nil, os.NewSyscallError("setsockopt", err)
		}
	}
	for _, o := range wanted {
		_ = unix.SetsockoptInt(fd, o.level, o.name, o.value)
	}
	if iface != "" {
		if err := bindToInterface(uintptr(fd), iface); err != nil {
			return nil, err
		}
	}
	s := &socketBSD{file: os.NewFile(uintptr(fd), "socket")}
	if s.conn, err = s.file.SyscallConn(); err != nil {
		return nil, err
	}
	return s, nil
}

// enlarge asks for a large receive buffer: 8 kB is what raw sockets have on OpenBSD
// (RIPRCVQ). The system has a limit, so less is asked for until it fits.
func (s *socketBSD) enlarge() {
	_ = s.conn.Control(func(fd uintptr) {
		for size := 4 << 20; size >= 64<<10; size /= 2 {
			if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, size) == nil {
				return
			}
		}
	})
}

// fullQueue is how often a send is tried again when the device's queue is
// full, a millisecond apart: no event tells when it is not.
const fullQueue = 32

// send sends one packet and returns the time it was handed over.
func (s *socketBSD) send(data, control []byte, to unix.Sockaddr) (at time.Time, err error) {
	var failed error
	full := 0
	err = s.conn.Write(func(fd uintptr) bool {
		for {
			before := time.Now()
			_, failed = unix.SendmsgN(int(fd), data, control, to, 0)
			at = before.Add(time.Since(before) / 2)
			switch {
			case errors.Is(failed, unix.EINTR): // Go's preemption signal
			case errors.Is(failed, unix.ENOBUFS) && full < fullQueue:
				full++
				time.Sleep(time.Millisecond)
			default:
				return !errors.Is(failed, unix.EAGAIN)
			}
		}
	})
	if err == nil {
		err = os.NewSyscallError("sendmsg", failed)
	}
	return at, s.closedError(err)
}

// receive waits for a packet, then calls fill for every packet that is there
// until fill returns false. What it is given is valid during the call only, and
// lies in room.
func (s *socketBSD) receive(room []byte, fill func(data, control []byte, from netip.Addr) bool) error {
	var control [controlRoomBSD]byte
	var failed error
	err := s.conn.Read(func(fd uintptr) bool {
		for received := 0; ; received++ {
			n, controlled, _, from, err := unix.Recvmsg(int(fd), room, control[:], 0)
			switch {
			case errors.Is(err, unix.EINTR):
				continue
			case errors.Is(err, unix.EAGAIN):
				return received > 0
			case err != nil:
				failed = err
				return true
			}
			if !fill(room[:n], control[:controlled], addressOfBSD(from)) {
				return true
			}
		}
	})
	if err == nil {
		err = os.NewSyscallError("recvmsg", failed)
	}
	return s.closedError(err)
}

// controlRoomBSD holds all control messages of a packet.
const controlRoomBSD = 256

func (s *socketBSD) close() error {
	s.closed.Store(true)
	return s.file.Close()
}

// closedError is net.ErrClosed once the socket is closed; the error of package
// os has no name.
func (s *socketBSD) closedError(err error) error {
	if err != nil && s.closed.Load() {
		return net.ErrClosed
	}
	return err
}

func sockaddrBSD(a netip.Addr, port uint16) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Addr: a.As4(), Port: int(port)}
	}
	return &unix.SockaddrInet6{Addr: a.As16(), Port: int(port)}
}

func addressOfBSD(s unix.Sockaddr) netip.Addr {
	switch s := s.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(s.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(s.Addr)
	}
	return netip.Addr{}
}

// controls is what a control message block says.
type controls struct {
	time        time.Time
	hopLimit    uint8
	destination netip.Addr
}

func readControls(b []byte) (c controls) {
	for len(b) > 0 {
		header, data, rest, err := unix.ParseOneSocketControlMessage(b)
		if err != nil {
			break
		}
		b = rest
		switch {
		case header.Level == unix.SOL_SOCKET && header.Type == unix.SCM_TIMESTAMP:
			var stamp unix.Timeval
			if size := int(unsafe.Sizeof(stamp)); len(data) >= size {
				copy(unsafe.Slice((*byte)(unsafe.Pointer(&stamp)), size), data)
				c.time = time.Unix(stamp.Unix())
			}
		case header.Level == unix.IPPROTO_IPV6 && header.Type == unix.IPV6_HOPLIMIT && len(data) >= 4:
			c.hopLimit = uint8(binary.NativeEndian.Uint32(data))
		case header.Level == unix.IPPROTO_IPV6 && header.Type == unix.IPV6_PKTINFO && len(data) >= 16:
			c.destination = netip.AddrFrom16([16]byte(data[:16]))
		}
	}
	return c
}

// appendControlBSD appends a control message (RFC 3542, section 20) to b.
func appendControlBSD(b []byte, level, kind int, data []byte) []byte {
	start := len(b)
	b = append(b, make([]byte, unix.CmsgSpace(len(data)))...)
	h := unix.Cmsghdr{Level: int32(level), Type: int32(kind)}
	h.SetLen(unix.CmsgLen(len(data)))
	copy(b[start:], unsafe.Slice((*byte)(unsafe.Pointer(&h)), unsafe.Sizeof(h)))
	copy(b[start+unix.CmsgLen(0):], data)
	return b
}

// headerControls says what the kernel is to write into the IPv6 header of a
// packet: RFC 3542, sections 6.1 to 6.5.
func headerControls(b []byte, source netip.Addr, hopLimit, trafficClass uint8) []byte {
	b = appendControlBSD(b, unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, binary.NativeEndian.AppendUint32(nil, uint32(hopLimit)))
	b = appendControlBSD(b, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, binary.NativeEndian.AppendUint32(nil, uint32(trafficClass)))
	info := source.As16() // struct in6_pktinfo: an address and the index of an interface, 0 for any
	return appendControlBSD(b, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, append(info[:], 0, 0, 0, 0))
}
