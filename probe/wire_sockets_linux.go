// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"traceflow"
	"traceflow/packet"
)

// socketWire needs no privilege: ordinary sockets, whose ICMP errors come back
// through their error queues (IP_RECVERR, ip(7)). UDP and, where
// net.ipv4.ping_group_range allows it, ICMP echo leave from one datagram socket
// for each flow (wire_datagram_linux.go), TCP from a connect for each probe
// (wire_connect_linux.go).
//
// The kernel writes the headers, so of the packets given to Send only some
// fields reach the network, and of what a router quotes it returns only the
// end. Recv rebuilds whole packets around that, with zeros for what is not
// known.
type socketWire struct {
	options Options
	poll    *poller
	out     *messages
	in      *messages
	room    [maxBatch][maxReceive]byte

	mu          sync.Mutex
	datagrams   map[endpoint]int
	endpoints   map[int]endpoint // by descriptor
	connections map[connectionKey]*connection
	connecting  map[int]*connection // by descriptor
}

// endpoint is what a datagram socket is bound to. For ICMP the port is the
// echo ID.
type endpoint struct {
	protocol traceflow.Protocol
	source   netip.AddrPort
}

func openSockets(options Options) (*socketWire, error) {
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	return &socketWire{
		options: options, poll: poll,
		out: newMessages(maxBatch), in: newMessages(maxBatch),
		datagrams: make(map[endpoint]int), endpoints: make(map[int]endpoint),
		connections: make(map[connectionKey]*connection), connecting: make(map[int]*connection),
	}, nil
}

const pingRange = `a group within net.ipv4.ping_group_range: sudo sysctl -w net.ipv4.ping_group_range="0 2147483647"`

// sends is what restricts each protocol.
func (w *socketWire) sends() map[traceflow.Protocol]Sending {
	echo := Sending{}
	fd, err := openSocket(w.family(), unix.SOCK_DGRAM, w.echoProtocol(), nil)
	switch {
	case err == nil:
		unix.Close(fd)
	case errors.Is(err, os.ErrPermission):
		echo.Missing = pingRange + ", or the right to open raw sockets"
	default:
		echo.Missing = "ping sockets, and this kernel says: " + err.Error()
	}
	return map[traceflow.Protocol]Sending{
		traceflow.ProtocolUDP:  {Nameless: true},
		traceflow.ProtocolICMP: echo,
		traceflow.ProtocolTCP:  {Serial: true},
	}
}

func (w *socketWire) family() int {
	if w.options.IPv6 {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

func (w *socketWire) echoProtocol() int {
	if w.options.IPv6 {
		return unix.IPPROTO_ICMPV6
	}
	return unix.IPPROTO_ICMP
}

// Send implements Wire.
func (w *socketWire) Send(batch []traceflow.Datagram) (int, error) {
	w.poll.sending.Lock()
	defer w.poll.sending.Unlock()
	if w.poll.isClosed() {
		return 0, net.ErrClosed
	}
	batch = batch[:min(len(batch), maxBatch)]
	for done := 0; done < len(batch); {
		h, transport, err := packet.DecodeIP(batch[done].Data)
		if err != nil {
			return done, err
		}
		sent := 1
		if h.Protocol == packet.ProtocolTCP {
			err = w.connect(&batch[done], &h, transport)
			if err != nil {
				sent = 0
			}
		} else {
			sent, err = w.sendDatagrams(batch, done)
		}
		done += sent
		if err != nil {
			return done, err
		}
	}
	return len(batch), nil
}

// Recv implements Wire.
func (w *socketWire) Recv(batch []traceflow.Datagram) (int, error) {
	filled := 0
	return w.poll.wait(func(fd int, events uint32) int {
		room := batch[filled:]
		if len(room) == 0 {
			return 0
		}
		w.mu.Lock()
		c := w.connecting[fd]
		w.mu.Unlock()
		n := 0
		switch {
		case c != nil:
			n = w.finish(c, events, room)
		case events&unix.EPOLLERR != 0:
			n = w.drainErrors(fd, room)
		default:
			n = w.drainData(fd, room)
		}
		filled += n
		return n
	})
}

// bind gives a socket its interface and source.
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

// Close implements Wire.
func (w *socketWire) Close() error {
	return w.poll.close(func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		var err error
		for _, fd := range w.datagrams {
			err = errors.Join(err, unix.Close(fd))
		}
		for fd := range w.connecting {
			err = errors.Join(err, unix.Close(fd))
		}
		return err
	})
}
