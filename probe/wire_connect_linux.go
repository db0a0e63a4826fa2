// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"errors"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"traceflow"
	"traceflow/packet"
)

// Without privilege a SYN leaves by connect(2): the kernel chooses its sequence
// number and options, and checks those of what comes back. Each probe is a
// socket of its own, so an answer names the packet; but only one socket can
// have a flow's addresses and ports, so a flow has one probe in flight.
//
// The kernel sends a SYN again after a second (tcp(7), TCP_SYNCNT); by then the
// engine has usually gone on, and what goes on closes the socket before.

// connectionKey is a flow's addresses and ports.
type connectionKey struct{ from, to netip.AddrPort }

// connection is one SYN under way.
type connection struct {
	fd     int
	key    connectionKey
	packet []byte // as given to Send
	syn    packet.TCP
	err    error // what connect returned
}

// connect sends a SYN. A connection of the same flow that is still under way
// ends.
func (w *socketWire) connect(d *traceflow.Datagram, h *packet.IP, transport []byte) error {
	syn, _, err := packet.DecodeTCP(transport)
	if err != nil {
		return err
	}
	c := &connection{
		key: connectionKey{
			netip.AddrPortFrom(h.Source, syn.SourcePort), netip.AddrPortFrom(h.Destination, syn.DestinationPort),
		},
		packet: append([]byte(nil), d.Data...), syn: syn,
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if before := w.connections[c.key]; before != nil {
		w.end(before)
	}
	if c.fd, err = openSocket(w.family(), unix.SOCK_STREAM, unix.IPPROTO_TCP, w.connectOptions(h)); err != nil {
		return err
	}
	if err := w.launch(c, h, d); err != nil {
		unix.Close(c.fd)
		return err
	}
	w.connections[c.key], w.connecting[c.fd] = c, c
	return nil
}

// launch sends the SYN and sees to it that the answer is heard.
func (w *socketWire) launch(c *connection, h *packet.IP, d *traceflow.Datagram) error {
	// Closing resets a connection that was made, rather than ending it politely:
	// nothing is left half open on either side.
	if err := unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	extensions := extensions6
	var to unix.Sockaddr = &unix.SockaddrInet6{Addr: c.key.to.Addr().As16(), Port: int(c.key.to.Port())}
	if !w.options.IPv6 {
		extensions = extensions4
		to = &unix.SockaddrInet4{Addr: c.key.to.Addr().As4(), Port: int(c.key.to.Port())}
	}
	_ = unix.SetsockoptInt(c.fd, extensions.level, extensions.name, extensions.value)
	if err := w.bind(c.fd, c.key.from); err != nil {
		return err
	}
	before := time.Now()
	if h.Label != 0 {
		c.err = connectWithLabel(c.fd, c.key.to, flowInfo(h))
	} else {
		c.err = unix.Connect(c.fd, to)
	}
	stampBatch(1, before, time.Now(), func(_ int, t time.Time) { d.Time = t })
	switch {
	case c.err == nil, errors.Is(c.err, unix.EINPROGRESS), errors.Is(c.err, unix.ECONNREFUSED), errors.Is(c.err, unix.EINTR):
	default:
		return os.NewSyscallError("connect", c.err)
	}
	return w.poll.watch(c.fd, unix.EPOLLOUT)
}

func (w *socketWire) connectOptions(h *packet.IP) []sockopt {
	options := []sockopt{
		{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1},
		{unix.SOL_SOCKET, unix.SO_REUSEADDR, 1},
		{unix.IPPROTO_TCP, unix.TCP_SYNCNT, 1},
	}
	if !w.options.IPv6 {
		return append(options, w.fragmenting(),
			sockopt{unix.IPPROTO_IP, unix.IP_RECVERR, 1}, sockopt{unix.IPPROTO_IP, unix.IP_RECVTTL, 1},
			sockopt{unix.IPPROTO_IP, unix.IP_TTL, int(h.TTL)}, sockopt{unix.IPPROTO_IP, unix.IP_TOS, int(h.TOS)})
	}
	return append(options,
		sockopt{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1}, sockopt{unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1},
		sockopt{unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1}, sockopt{unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, int(h.TTL)},
		sockopt{unix.IPPROTO_IPV6, unix.IPV6_TCLASS, int(h.TOS)},
		sockopt{unix.IPPROTO_IPV6, ipv6AutoFlowLabel, 0}, sockopt{unix.IPPROTO_IPV6, ipv6FlowInfoSend, 1})
}

// end closes a connection and forgets it. The caller holds mu.
func (w *socketWire) end(c *connection) {
	if w.connecting[c.fd] != c {
		return
	}
	delete(w.connecting, c.fd)
	if w.connections[c.key] == c {
		delete(w.connections, c.key)
	}
	unix.Close(c.fd)
}

// finish takes in what became of a connection, as the packet that made it so.
func (w *socketWire) finish(c *connection, _ uint32, batch []traceflow.Datagram) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.connecting[c.fd] != c {
		return 0
	}
	defer w.end(c)
	d := &batch[0]
	w.in.receiveInto(0, w.room[0][:])
	if n, err := w.in.receive(uintptr(c.fd), 1, unix.MSG_ERRQUEUE); err == nil && n == 1 {
		if e, ok := w.queued(0); ok {
			d.Data, d.Time = e.append(d.Data[:0], c.key.from.Addr(), c.packet), e.at
			return 1
		}
	}
	err := c.err
	if code, failed := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR); failed == nil && code != 0 {
		err = unix.Errno(code)
	} else if errors.Is(err, unix.EINPROGRESS) || errors.Is(err, unix.EINTR) {
		err = nil // it has ended since, and well
	}
	answer := packet.TCP{
		SourcePort: c.syn.DestinationPort, DestinationPort: c.syn.SourcePort,
		Acknowledgment: c.syn.Sequence + 1, Flags: packet.FlagACK,
	}
	switch {
	case err == nil:
		answer.Flags |= packet.FlagSYN
	case errors.Is(err, unix.ECONNREFUSED):
		answer.Flags |= packet.FlagRST
	default: // the kernel gave up
		return 0
	}
	// Nothing tells the TTL that the answer arrived with.
	var room [64]byte
	message := packet.AppendTCP(room[:0], c.key.to.Addr(), c.key.from.Addr(), &answer, nil)
	header := packet.IP{Source: c.key.to.Addr(), Destination: c.key.from.Addr(), Protocol: packet.ProtocolTCP}
	d.Data, d.Time = append(packet.AppendIP(d.Data[:0], &header, len(message)), message...), time.Now()
	return 1
}
