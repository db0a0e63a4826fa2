// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"traceflow"
	"traceflow/packet"
)

// socketWire needs no privilege: an ordinary UDP socket for each source port,
// never connected (a connected one carries a random hash that Linux routers
// and veth pairs would balance by). The TTL goes with each packet as a control
// message, and ICMP errors come back through the socket's error queue
// (IP_RECVERR, ip(7)).
//
// The kernel writes the headers, so of the packets given to Send only the
// addresses, ports, TTL and payload reach the network; and of what a router
// quotes it returns only what follows the UDP header. Recv rebuilds a whole
// packet around that, with zeros for what is not known.
type socketWire struct {
	options Options
	epoll   int
	wake    int // eventfd that ends Recv
	out     *messages
	in      *messages
	room    [maxBatch][maxReceive]byte

	// receiving is held by Recv, so that Close takes no descriptor away from
	// under it.
	receiving sync.Mutex

	mu      sync.Mutex
	closed  bool
	sockets map[netip.AddrPort]int // by source
	sources map[int]netip.AddrPort // by descriptor
}

func openSockets(options Options) (*socketWire, error) {
	w := &socketWire{
		options: options,
		out:     newMessages(maxBatch), in: newMessages(maxBatch),
		sockets: make(map[netip.AddrPort]int), sources: make(map[int]netip.AddrPort),
	}
	var err error
	if w.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if w.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		unix.Close(w.epoll)
		return nil, os.NewSyscallError("eventfd", err)
	}
	if err := w.watch(w.wake, unix.EPOLLIN); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *socketWire) watch(fd int, events uint32) error {
	return os.NewSyscallError("epoll_ctl",
		unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)}))
}

// The options of a socket, for each family. RFC4884 makes the kernel say where
// in the returned data the ICMP extensions begin (Linux 5.9); older kernels
// refuse, and then there are no MPLS labels to be had.
var (
	udp4Options = []sockopt{
		{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1},
		{unix.IPPROTO_IP, unix.IP_RECVERR, 1},
		{unix.IPPROTO_IP, unix.IP_RECVTTL, 1},
		// No path MTU discovery: Don't Fragment stays clear, as on the raw wire.
		{unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT},
	}
	udp6Options = []sockopt{
		{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1},
		{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1},
		{unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1},
		{unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1},
		// The flow label is the flow's, 0, and not one that the kernel makes
		// up (net.ipv6.auto_flowlabels).
		{unix.IPPROTO_IPV6, ipv6AutoFlowLabel, 0},
	}
	udp4Extensions = sockopt{unix.IPPROTO_IP, ipRecvErrRFC4884, 1}
	udp6Extensions = sockopt{unix.IPPROTO_IPV6, ipv6RecvErrRFC4884, 1}
)

// From linux/in.h and linux/in6.h; x/sys does not have them.
const (
	ipRecvErrRFC4884   = 26
	ipv6RecvErrRFC4884 = 31
	ipv6AutoFlowLabel  = 70
)

// socket returns the socket bound to a source, opening it if need be.
func (w *socketWire) socket(source netip.AddrPort) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return -1, net.ErrClosed
	}
	if fd, ok := w.sockets[source]; ok {
		return fd, nil
	}
	family, options, extensions := unix.AF_INET6, udp6Options, udp6Extensions
	if !w.options.IPv6 {
		family, options, extensions = unix.AF_INET, udp4Options, udp4Extensions
	}
	fd, err := openSocket(family, unix.SOCK_DGRAM, unix.IPPROTO_UDP, options)
	if err != nil {
		return -1, err
	}
	_ = unix.SetsockoptInt(fd, extensions.level, extensions.name, extensions.value)
	if err := w.bind(fd, source); err != nil {
		unix.Close(fd)
		return -1, err
	}
	enlarge(fd)
	// EPOLLERR is always watched for; naming nothing else leaves data that a
	// server on the destination port may send unread.
	if err := w.watch(fd, 0); err != nil {
		unix.Close(fd)
		return -1, err
	}
	w.sockets[source], w.sources[fd] = fd, source
	return fd, nil
}

func (w *socketWire) bind(fd int, source netip.AddrPort) error {
	if w.options.Interface != "" {
		if err := bindToInterface(uintptr(fd), w.options.Interface); err != nil {
			return err
		}
	}
	var to unix.Sockaddr = &unix.SockaddrInet6{Addr: source.Addr().As16(), Port: int(source.Port())}
	if source.Addr().Is4() {
		to = &unix.SockaddrInet4{Addr: source.Addr().As4(), Port: int(source.Port())}
	}
	return opError("use source port", source.String(), os.NewSyscallError("bind", unix.Bind(fd, to)))
}

// Send implements Wire.
func (w *socketWire) Send(batch []traceflow.Datagram) (int, error) {
	batch = batch[:min(len(batch), maxBatch)]
	for done := 0; done < len(batch); {
		source, n, err := w.prepare(batch, done)
		if err != nil {
			return done, err
		}
		fd, err := w.socket(source)
		if err != nil {
			return done, err
		}
		sent, err := w.sendFrom(fd, batch, done, done+n)
		done += sent
		if err != nil {
			return done, err
		}
	}
	return len(batch), nil
}

// prepare sets up the packets from done on that leave by one socket.
func (w *socketWire) prepare(batch []traceflow.Datagram, done int) (source netip.AddrPort, n int, err error) {
	for i := done; i < len(batch); i++ {
		h, transport, err := packet.DecodeIP(batch[i].Data)
		if err != nil {
			return source, 0, err
		}
		u, payload, err := packet.DecodeUDP(transport)
		if err != nil {
			return source, 0, err
		}
		from := netip.AddrPortFrom(h.Source, u.SourcePort)
		if n > 0 && from != source {
			break
		}
		source = from
		w.out.set(i, payload)
		w.out.sendTo(i, netip.AddrPortFrom(h.Destination, u.DestinationPort))
		control := w.out.control[i][:0]
		if h.Source.Is4() {
			control = appendControl(control, unix.IPPROTO_IP, unix.IP_TTL, int32(h.TTL))
		} else {
			control = appendControl(control, unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, int32(h.TTL))
		}
		w.out.headers[i].Control = unsafe.SliceData(control)
		w.out.headers[i].SetControllen(len(control))
		n++
	}
	return source, n, nil
}

// pendingErrors is how often a send is tried again: an ICMP error that the
// socket has received makes the next send fail with that error (ip(7)), and
// more may arrive in between. A send that fails for a reason of its own fails
// as often as it is tried.
const pendingErrors = 32

func (w *socketWire) sendFrom(fd int, batch []traceflow.Datagram, from, to int) (int, error) {
	done, failures := from, 0
	for done < to {
		before := time.Now()
		n, err := w.out.send(uintptr(fd), done, to)
		switch {
		case err == nil:
			stampBatch(n, before, time.Now(), func(i int, t time.Time) { batch[done+i].Time = t })
			done += n
			failures = 0
		case failures == pendingErrors:
			return done - from, os.NewSyscallError("sendmmsg", err)
		case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ENOBUFS):
			// The socket or the device's queue is full, and no event tells
			// when the latter is not.
			failures++
			time.Sleep(time.Millisecond)
		default:
			failures++
		}
	}
	return done - from, nil
}

// Recv implements Wire.
func (w *socketWire) Recv(batch []traceflow.Datagram) (int, error) {
	w.receiving.Lock()
	defer w.receiving.Unlock()
	var events [maxBatch]unix.EpollEvent
	for {
		w.mu.Lock()
		closed := w.closed
		w.mu.Unlock()
		if closed {
			return 0, net.ErrClosed
		}
		ready, err := unix.EpollWait(w.epoll, events[:], -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return 0, os.NewSyscallError("epoll_wait", err)
		}
		filled := 0
		for _, event := range events[:max(0, ready)] {
			if fd := int(event.Fd); fd != w.wake && filled < len(batch) {
				filled += w.drain(fd, batch[filled:])
			}
		}
		if filled > 0 {
			return filled, nil
		}
	}
}

// drain fills batch with what the error queue of a socket holds.
func (w *socketWire) drain(fd int, batch []traceflow.Datagram) int {
	batch = batch[:min(len(batch), maxBatch)]
	for i := range batch {
		w.in.receiveInto(i, w.room[i][:])
	}
	n, err := w.in.receive(uintptr(fd), len(batch), unix.MSG_ERRQUEUE)
	if err != nil {
		// An error without an entry in the queue: take it off the socket, or
		// the next wait returns at once.
		_, _ = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		return 0
	}
	w.mu.Lock()
	source := w.sources[fd]
	w.mu.Unlock()
	filled := 0
	for i := range n {
		if w.rebuild(&batch[filled], i, source) {
			filled++
		}
	}
	return filled
}

// extendedError is struct sock_extended_err of linux/errqueue.h, followed by
// the socket address of who sent the error.
type extendedError struct {
	errno                     uint32
	origin, icmpType, code, _ uint8
	info, data                uint32
	offender                  unix.RawSockaddrInet6
}

// rebuild makes message i of the error queue into the ICMP packet that the
// kernel took apart. It reports whether there was one.
func (w *socketWire) rebuild(d *traceflow.Datagram, i int, source netip.AddrPort) bool {
	var e extendedError
	var ttl uint8
	d.Time = time.Now()
	w.in.eachControl(i, func(level, kind int32, value []byte) {
		if t, ok := stampOf(level, kind, value); ok {
			d.Time = t
			return
		}
		switch {
		case level == unix.IPPROTO_IP && kind == unix.IP_RECVERR,
			level == unix.IPPROTO_IPV6 && kind == unix.IPV6_RECVERR:
			copy(unsafe.Slice((*byte)(unsafe.Pointer(&e)), unsafe.Sizeof(e)), value)
		case level == unix.IPPROTO_IP && kind == unix.IP_TTL && len(value) >= 4,
			level == unix.IPPROTO_IPV6 && kind == unix.IPV6_HOPLIMIT && len(value) >= 4:
			ttl = uint8(binary.NativeEndian.Uint32(value))
		}
	})
	offender := addressOf(&e.offender).Addr()
	probed := addressOf(&w.in.names[i])
	if e.origin != unix.SO_EE_ORIGIN_ICMP && e.origin != unix.SO_EE_ORIGIN_ICMP6 ||
		offender.Is4() == w.options.IPv6 || probed.Addr().Is4() == w.options.IPv6 ||
		!offender.IsValid() || !probed.IsValid() || w.in.truncated(i) {
		return false
	}
	quoted := w.room[i][:w.in.headers[i].n]
	var extensions []byte
	// The kernel has checked that the extensions are well-formed when it says
	// where they are; flag 1 says that they are not.
	if at, flags := int(e.data&0xffff), e.data>>16&0xff; at > 0 && at <= len(quoted) && flags == 0 {
		quoted, extensions = quoted[:at], quoted[at:]
	}
	var room [maxReceive + 64]byte
	header := packet.IP{Source: source.Addr(), Destination: probed.Addr(), Protocol: packet.ProtocolUDP}
	quote := packet.AppendIP(room[:0], &header, udpHeader+len(quoted))
	quote = packet.AppendUDP(quote, source, probed, quoted)
	var body [2 * maxReceive]byte
	message := packet.AppendICMPError(body[:0], offender, source.Addr(), e.icmpType, e.code, 0, quote, extensions, packet.CompliantLayout)
	outer := packet.IP{Source: offender, Destination: source.Addr(), Protocol: packet.ProtocolICMP, TTL: ttl}
	if w.options.IPv6 {
		outer.Protocol = packet.ProtocolICMPv6
	}
	d.Data = append(packet.AppendIP(d.Data[:0], &outer, len(message)), message...)
	return true
}

// Close implements Wire.
func (w *socketWire) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	w.mu.Unlock()
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, err := unix.Write(w.wake, one[:])
	w.receiving.Lock()
	defer w.receiving.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, fd := range w.sockets {
		err = errors.Join(err, unix.Close(fd))
	}
	return errors.Join(err, unix.Close(w.wake), unix.Close(w.epoll))
}
