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

// socketWire needs no privilege on macOS. One socket for ICMP datagrams
// (icmp(4), "non-privileged ICMP"; XNU's icmp_dgram_* and icmp6_dgram_* at
// 5c2921b) sends echo requests, those of IPv4 with the whole header
// (IP_HDRINCL: tos, ID and TTL are ours), and receives all ICMP, errors for
// UDP packets among them, with whole quotes. UDP packets leave from an
// ordinary socket for each source port, never connected, so that no error of
// another packet makes a send fail.
//
// Of UDP packets the kernel writes the headers. The UDP checksum comes out as
// the engine chose it, because the kernel computes it from the same bytes. The
// IP ID is the kernel's, and renumbering puts ours into the quotes. Of ICMPv6
// the flow label is the kernel's too (the option that turns it off takes root),
// the same for all packets.
type socketWire struct {
	options Options
	icmp    icmpBSD
	packet  []byte // what the kernel wants to be given

	mu      sync.Mutex
	closed  bool
	sources map[netip.AddrPort]*udpSocket
}

// udpSocket is a socket and what was last set for the IPv4 packets it sends:
// there is no control message for these.
type udpSocket struct {
	*socketBSD
	ttl, tos     uint8
	dontFragment bool
}

func openSockets(o Options) (*socketWire, error) {
	w := &socketWire{options: o, sources: make(map[netip.AddrPort]*udpSocket)}
	if err := w.icmp.open(o, unix.SOCK_DGRAM, kernelOrder); err != nil {
		return nil, err
	}
	if o.IPv6 {
		return w, nil
	}
	w.icmp.renumber = newRenumbering()
	if err := w.icmp.set(unix.IPPROTO_IP, unix.IP_HDRINCL, 1); err != nil {
		return nil, errors.Join(err, w.icmp.close())
	}
	return w, nil
}

// Send implements Wire.
func (w *socketWire) Send(batch []traceflow.Datagram) (int, error) {
	for i := range batch {
		if err := w.sendOne(&batch[i]); err != nil {
			return i, err
		}
	}
	return len(batch), nil
}

func (w *socketWire) sendOne(d *traceflow.Datagram) error {
	h, transport, err := packet.DecodeIP(d.Data)
	if err != nil {
		return err
	}
	switch h.Protocol {
	case packet.ProtocolICMP:
		w.packet = append(w.packet[:0], d.Data...)
		kernelOrder.toKernel(w.packet)
		d.Time, err = w.icmp.send(w.packet, nil, sockaddrBSD(h.Destination, 0))
		return err
	case packet.ProtocolICMPv6:
		d.Time, err = sendHeaderless(w.icmp.socketBSD, &h, transport)
		return err
	case packet.ProtocolUDP:
	default:
		return &UnsupportedError{Feature: "this protocol on macOS", Need: "root"}
	}
	u, payload, err := packet.DecodeUDP(transport)
	if err != nil {
		return err
	}
	if h.Label != 0 {
		return &UnsupportedError{Feature: "an IPv6 flow label on macOS", Need: "Linux"}
	}
	s, err := w.source(netip.AddrPortFrom(h.Source, u.SourcePort))
	if err != nil {
		return err
	}
	to := sockaddrBSD(h.Destination, u.DestinationPort)
	if w.options.IPv6 {
		var room [controlRoomBSD]byte
		d.Time, err = s.send(payload, headerControls(room[:0], h.Source, h.TTL, h.TOS), to)
		return err
	}
	if err := s.setHeader(&h); err != nil {
		return err
	}
	w.icmp.renumber.sent(quotedPacket{
		netip.AddrPortFrom(h.Source, u.SourcePort), netip.AddrPortFrom(h.Destination, u.DestinationPort), u.Checksum,
	}, h.ID)
	d.Time, err = s.send(payload, nil, to)
	return err
}

// setHeader makes the next packet's IPv4 header that of h.
func (s *udpSocket) setHeader(h *packet.IP) error {
	if s.ttl != h.TTL {
		if err := s.set(unix.IPPROTO_IP, unix.IP_TTL, int(h.TTL)); err != nil {
			return err
		}
		s.ttl = h.TTL
	}
	if s.tos != h.TOS {
		if err := s.set(unix.IPPROTO_IP, unix.IP_TOS, int(h.TOS)); err != nil {
			return err
		}
		s.tos = h.TOS
	}
	if s.dontFragment != h.DontFragment {
		value := 0
		if h.DontFragment {
			value = 1
		}
		// Since macOS 11.
		if err := s.set(unix.IPPROTO_IP, unix.IP_DONTFRAG, value); err != nil {
			return err
		}
		s.dontFragment = h.DontFragment
	}
	return nil
}

// source returns the socket bound to a source, opening it if need be.
func (w *socketWire) source(from netip.AddrPort) (*udpSocket, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, net.ErrClosed
	}
	if s := w.sources[from]; s != nil {
		return s, nil
	}
	family, wanted := unix.AF_INET, []sockoptBSD(nil)
	if w.options.IPv6 {
		family, wanted = unix.AF_INET6, sender6Options
	}
	opened, err := openSocketBSD(family, unix.SOCK_DGRAM, unix.IPPROTO_UDP, w.options.Interface, nil, wanted)
	if err != nil {
		return nil, err
	}
	if err := opened.bind(from); err != nil {
		return nil, errors.Join(opError("use source port", from.String(), err), opened.close())
	}
	s := &udpSocket{socketBSD: opened}
	w.sources[from] = s
	return s, nil
}

// Recv implements Wire.
func (w *socketWire) Recv(batch []traceflow.Datagram) (int, error) { return w.icmp.receive(batch) }

// Close implements Wire.
func (w *socketWire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	err := w.icmp.close()
	for _, s := range w.sources {
		err = errors.Join(err, s.close())
	}
	return err
}

// set sets an integer option.
func (s *socketBSD) set(level, name, value int) (err error) {
	if broken := s.conn.Control(func(fd uintptr) {
		err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), level, name, value))
	}); broken != nil {
		return s.closedError(broken)
	}
	return err
}

// bind gives the socket its source.
func (s *socketBSD) bind(from netip.AddrPort) (err error) {
	if broken := s.conn.Control(func(fd uintptr) {
		err = os.NewSyscallError("bind", unix.Bind(int(fd), sockaddrBSD(from.Addr(), from.Port())))
	}); broken != nil {
		return s.closedError(broken)
	}
	return err
}
