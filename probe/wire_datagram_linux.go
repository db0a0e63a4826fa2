// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"traceflow"
	"traceflow/packet"
)

// A datagram socket is never connected: a connected one carries a random hash
// that Linux routers and veth pairs would balance by. TTL and TOS go with each
// packet as control messages, the flow label in the socket address.

// The options of a socket, for each family. RFC4884 makes the kernel say where
// in the returned data the ICMP extensions begin (Linux 5.9); older kernels
// refuse, and then there are no MPLS labels to be had.
var (
	datagram4Options = []sockopt{
		{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1},
		{unix.IPPROTO_IP, unix.IP_RECVERR, 1},
		{unix.IPPROTO_IP, unix.IP_RECVTTL, 1},
	}
	datagram6Options = []sockopt{
		{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1},
		{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1},
		{unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1},
		{unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1},
		// The flow label is the flow's, and not one that the kernel makes up
		// (net.ipv6.auto_flowlabels).
		{unix.IPPROTO_IPV6, ipv6AutoFlowLabel, 0},
		{unix.IPPROTO_IPV6, ipv6FlowInfoSend, 1},
	}
	extensions4 = sockopt{unix.IPPROTO_IP, ipRecvErrRFC4884, 1}
	extensions6 = sockopt{unix.IPPROTO_IPV6, ipv6RecvErrRFC4884, 1}
)

// From linux/in.h and linux/in6.h; x/sys does not have them.
const (
	ipRecvErrRFC4884   = 26
	ipv6RecvErrRFC4884 = 31
	ipv6FlowInfoSend   = 33
	ipv6AutoFlowLabel  = 70
)

// fragmenting is the option that sets Don't Fragment or clears it, without
// regard to the path MTU that the kernel has learned.
func (w *socketWire) fragmenting() sockopt {
	how := unix.IP_PMTUDISC_DONT
	if w.options.DontFragment {
		how = unix.IP_PMTUDISC_PROBE
	}
	if !w.options.IPv6 {
		return sockopt{unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, how}
	}
	// The values are the same. Without discovery this host would fragment what
	// is larger than the path MTU that it has learned.
	return sockopt{unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE}
}

// datagram returns the socket bound to an endpoint, opening it if need be.
func (w *socketWire) datagram(e endpoint) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if fd, ok := w.datagrams[e]; ok {
		return fd, nil
	}
	options, extensions := datagram6Options, extensions6
	if !w.options.IPv6 {
		options, extensions = datagram4Options, extensions4
	}
	protocol := unix.IPPROTO_UDP
	if e.protocol == traceflow.ProtocolICMP {
		protocol = w.echoProtocol()
	}
	fd, err := openSocket(w.family(), unix.SOCK_DGRAM, protocol, append(slices.Clip(options), w.fragmenting()))
	if err != nil {
		return -1, err
	}
	_ = unix.SetsockoptInt(fd, extensions.level, extensions.name, extensions.value)
	if err := w.bind(fd, e.source); err != nil {
		unix.Close(fd)
		return -1, err
	}
	enlarge(fd)
	if err := w.poll.watch(fd, unix.EPOLLIN); err != nil {
		unix.Close(fd)
		return -1, err
	}
	w.datagrams[e], w.endpoints[fd] = fd, e
	return fd, nil
}

// sendDatagrams sends those packets from done on that leave by one socket. It
// returns how many were sent.
func (w *socketWire) sendDatagrams(batch []traceflow.Datagram, done int) (int, error) {
	e, n, err := w.prepare(batch, done)
	if err != nil {
		return 0, err
	}
	fd, err := w.datagram(e)
	if err != nil {
		return 0, err
	}
	return w.sendFrom(fd, batch, done, done+n)
}

// prepare sets up the packets from done on that leave by one socket.
func (w *socketWire) prepare(batch []traceflow.Datagram, done int) (e endpoint, n int, err error) {
	for i := done; i < len(batch); i++ {
		h, transport, err := packet.DecodeIP(batch[i].Data)
		if err != nil {
			return e, 0, err
		}
		from := endpoint{protocol: traceflow.ProtocolUDP}
		var port uint16
		switch h.Protocol {
		case packet.ProtocolUDP:
			u, payload, err := packet.DecodeUDP(transport)
			if err != nil {
				return e, 0, err
			}
			from.source, port = netip.AddrPortFrom(h.Source, u.SourcePort), u.DestinationPort
			w.out.set(i, payload)
		case packet.ProtocolICMP, packet.ProtocolICMPv6:
			m, err := packet.DecodeICMP(transport, h.Source, h.Destination)
			if err != nil {
				return e, 0, err
			}
			from = endpoint{traceflow.ProtocolICMP, netip.AddrPortFrom(h.Source, m.ID)}
			// The kernel writes ID and checksum again, as they are.
			w.out.set(i, transport)
		default: // a connect
			return e, n, nil
		}
		if n > 0 && from != e {
			break
		}
		e = from
		w.out.sendTo(i, netip.AddrPortFrom(h.Destination, port))
		w.out.setHeader(i, &h)
		n++
	}
	return e, n, nil
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
		case failures == pendingErrors || errors.Is(err, unix.EMSGSIZE):
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

// drainData fills batch with what a socket has received that is no error: echo
// replies, and datagrams of a server on the destination's port.
func (w *socketWire) drainData(fd int, batch []traceflow.Datagram) int {
	e, n := w.receive(fd, batch, 0)
	filled := 0
	for i := range n {
		from := addressOf(&w.in.names[i])
		if w.in.truncated(i) || !from.IsValid() || from.Addr().Is4() == w.options.IPv6 {
			continue
		}
		data := w.room[i][:w.in.headers[i].n]
		d := &batch[filled]
		header := packet.IP{Source: from.Addr(), Destination: e.source.Addr(), Protocol: packet.ProtocolUDP}
		header.TTL, d.Time = w.arrival(i)
		var room [2 * maxReceive]byte
		var message []byte
		if e.protocol == traceflow.ProtocolICMP {
			m, err := packet.DecodeICMP(data, header.Source, header.Destination)
			if err != nil {
				continue
			}
			header.Protocol = uint8(w.echoProtocol())
			message = packet.AppendEcho(room[:0], header.Source, header.Destination, &m)
		} else {
			message = packet.AppendUDP(room[:0], from, e.source, data)
		}
		d.Data = append(packet.AppendIP(d.Data[:0], &header, len(message)), message...)
		filled++
	}
	return filled
}

// receive reads messages from a socket; flags chooses its error queue.
func (w *socketWire) receive(fd int, batch []traceflow.Datagram, flags int) (endpoint, int) {
	batch = batch[:min(len(batch), maxBatch)]
	for i := range batch {
		w.in.receiveInto(i, w.room[i][:])
	}
	n, err := w.in.receive(uintptr(fd), len(batch), flags)
	if err != nil {
		// An error without an entry in the queue: take it off the socket, or
		// the next wait returns at once.
		_, _ = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		return endpoint{}, 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.endpoints[fd], n
}

// arrival returns the TTL and the time that message i arrived with.
func (w *socketWire) arrival(i int) (ttl uint8, at time.Time) {
	at = time.Now()
	w.in.eachControl(i, func(level, kind int32, value []byte) {
		if t, ok := stampOf(level, kind, value); ok {
			at = t
		} else if n, ok := ttlOf(level, kind, value); ok {
			ttl = n
		}
	})
	return ttl, at
}

// flowInfo is the flow label of a header as a socket address has it.
func flowInfo(h *packet.IP) uint32 {
	if h.Source.Is4() {
		return 0
	}
	b := [4]byte{0, byte(h.Label >> 16), byte(h.Label >> 8), byte(h.Label)}
	return *(*uint32)(unsafe.Pointer(&b))
}
