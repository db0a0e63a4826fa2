// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"net/netip"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"traceflow/packet"
)

// mmsghdr is struct mmsghdr of recvmmsg(2): x/sys has neither it nor the two
// calls.
type mmsghdr struct {
	unix.Msghdr
	n uint32 // bytes received or sent
	_ [unsafe.Sizeof(uintptr(0)) - 4]byte
}

// controlRoom holds every control message that any of our sockets asks for.
const controlRoom = 512

// messages is the memory of one sendmmsg or recvmmsg call: nothing is
// allocated for a packet.
type messages struct {
	headers []mmsghdr
	vectors []unix.Iovec
	names   []unix.RawSockaddrInet6 // large enough for IPv4 too
	control [][controlRoom]byte
}

func newMessages(n int) *messages {
	m := &messages{
		headers: make([]mmsghdr, n),
		vectors: make([]unix.Iovec, n),
		names:   make([]unix.RawSockaddrInet6, n),
		control: make([][controlRoom]byte, n),
	}
	for i := range m.headers {
		m.headers[i].Iov = &m.vectors[i]
		m.headers[i].SetIovlen(1)
	}
	return m
}

// set points message i at data.
func (m *messages) set(i int, data []byte) {
	m.vectors[i].Base = unsafe.SliceData(data)
	m.vectors[i].SetLen(len(data))
}

// sendTo addresses message i; the socket address is that of the family of to.
func (m *messages) sendTo(i int, to netip.AddrPort) {
	h := &m.headers[i]
	h.Name = (*byte)(unsafe.Pointer(&m.names[i]))
	h.Namelen = putSockaddr(&m.names[i], to)
	h.Control, h.Controllen = nil, 0
}

// receiveInto prepares message i for recvmmsg with room for a sender's address
// and control messages.
func (m *messages) receiveInto(i int, data []byte) {
	m.set(i, data)
	h := &m.headers[i]
	h.Name = (*byte)(unsafe.Pointer(&m.names[i]))
	h.Namelen = unix.SizeofSockaddrInet6
	h.Control = &m.control[i][0]
	h.SetControllen(controlRoom)
	h.Flags = 0
}

// truncated reports whether the kernel had more than there was room for.
func (m *messages) truncated(i int) bool {
	return m.headers[i].Flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0
}

func (m *messages) send(fd uintptr, from, to int) (int, error) {
	return m.call(unix.SYS_SENDMMSG, fd, from, to, 0)
}

func (m *messages) receive(fd uintptr, n, flags int) (int, error) {
	return m.call(unix.SYS_RECVMMSG, fd, 0, n, flags)
}

func (m *messages) call(trap, fd uintptr, from, to, flags int) (int, error) {
	for {
		n, _, errno := unix.Syscall6(trap, fd, uintptr(unsafe.Pointer(&m.headers[from])),
			uintptr(to-from), uintptr(flags|unix.MSG_DONTWAIT), 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR: // Go's preemption signal
		default:
			return 0, errno
		}
	}
}

// eachControl calls f with every control message that came with message i. A
// header that claims more than there is ends it.
func (m *messages) eachControl(i int, f func(level, kind int32, data []byte)) {
	b := m.control[i][:min(uint64(m.headers[i].Controllen), controlRoom)]
	for len(b) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(unsafe.SliceData(b)))
		length := int(h.Len)
		if length < unix.SizeofCmsghdr || length > len(b) {
			return
		}
		f(h.Level, h.Type, b[unix.CmsgLen(0):length])
		b = b[min(unix.CmsgSpace(length-unix.CmsgLen(0)), len(b)):]
	}
}

// appendControl appends one control message with a 32-bit value to b, which
// has room for it.
func appendControl(b []byte, level, kind, value int32) []byte {
	start := len(b)
	b = b[:start+unix.CmsgSpace(4)]
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[start]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(4))
	binary.NativeEndian.PutUint32(b[start+unix.CmsgLen(0):], uint32(value))
	return b
}

// setHeader gives message i the TTL and TOS of a header as control messages of
// its family.
func (m *messages) setHeader(i int, h *packet.IP) {
	control := m.control[i][:0]
	if h.Source.Is4() {
		control = appendControl(control, unix.IPPROTO_IP, unix.IP_TTL, int32(h.TTL))
		control = appendControl(control, unix.IPPROTO_IP, unix.IP_TOS, int32(h.TOS))
	} else {
		control = appendControl(control, unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, int32(h.TTL))
		control = appendControl(control, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, int32(h.TOS))
		m.names[i].Flowinfo = flowInfo(h)
	}
	m.headers[i].Control = unsafe.SliceData(control)
	m.headers[i].SetControllen(len(control))
}

// connectWithLabel is connect(2) to an address with an IPv6 flow label, which
// x/sys cannot give.
func connectWithLabel(fd int, to netip.AddrPort, flowInfo uint32) error {
	var name unix.RawSockaddrInet6
	length := putSockaddr(&name, to)
	name.Flowinfo = flowInfo
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&name)), uintptr(length))
	if errno != 0 {
		return errno
	}
	return nil
}

func putSockaddr(to *unix.RawSockaddrInet6, a netip.AddrPort) uint32 {
	port := binary.BigEndian.AppendUint16(nil, a.Port())
	if a.Addr().Is4() {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(to))
		*v4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: a.Addr().As4(), Port: binary.NativeEndian.Uint16(port)}
		return unix.SizeofSockaddrInet4
	}
	*to = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: a.Addr().As16(), Port: binary.NativeEndian.Uint16(port)}
	return unix.SizeofSockaddrInet6
}

func addressOf(s *unix.RawSockaddrInet6) netip.AddrPort {
	var port [2]byte
	binary.NativeEndian.PutUint16(port[:], s.Port)
	switch s.Family {
	case unix.AF_INET:
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(s))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), binary.BigEndian.Uint16(port[:]))
	case unix.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16(s.Addr), binary.BigEndian.Uint16(port[:]))
	}
	return netip.AddrPort{}
}

// stampOf reads SCM_TIMESTAMPNS, the kernel's time of receiving; ok is false
// for any other control message.
func stampOf(level, kind int32, data []byte) (t time.Time, ok bool) {
	if level != unix.SOL_SOCKET || kind != unix.SCM_TIMESTAMPNS || len(data) < int(unsafe.Sizeof(unix.Timespec{})) {
		return time.Time{}, false
	}
	ts := (*unix.Timespec)(unsafe.Pointer(unsafe.SliceData(data)))
	return time.Unix(ts.Unix()), true
}

// stampBatch gives the packets of one sendmmsg call their times: the kernel
// hands them over one by one, so each is taken to be in the middle of its
// part of the call. That is exact to a few microseconds.
func stampBatch(n int, before, after time.Time, set func(i int, t time.Time)) {
	each := after.Sub(before) / time.Duration(2*max(n, 1))
	for i := range n {
		set(i, before.Add(time.Duration(2*i+1)*each))
	}
}

// sockopt is one integer socket option.
type sockopt struct{ level, name, value int }

// openSocket opens a non-blocking socket with the options set. The caller
// closes it.
func openSocket(family, kind, protocol int, options []sockopt) (int, error) {
	fd, err := unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			unix.Close(fd)
			return -1, os.NewSyscallError("setsockopt", err)
		}
	}
	return fd, nil
}

// enlarge asks for a large receive buffer; what the system allows is enough
// for small traces, so a refusal is no error.
func enlarge(fd int) {
	const want = 32 << 20
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, want) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, want)
	}
}
