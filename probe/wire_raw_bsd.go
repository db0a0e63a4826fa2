// SPDX-License-Identifier: BSD-3-Clause

//go:build darwin || freebsd || openbsd || (linux && lab)

package probe

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"traceflow"
	"traceflow/packet"
)

// rawBSD is the raw sockets of kernels of BSD descent; opening them takes root.
//
// IPv4 packets leave as they are (IP_HDRINCL, ip(4)), in the kernel's order of
// bytes. Of IPv6 packets the kernel writes the header itself: addresses, hop
// limit and traffic class go with the packet (RFC 3542), the flow label cannot.
//
// What arrives for TCP and UDP never reaches a raw socket (icmp(4), ip(4):
// tcp_input and udp_input are asked instead of rip_input), only ICMP does.
type rawBSD struct {
	receiver icmpBSD
	senders  map[uint8]*socketBSD // by protocol; IPv4 has one, for any
	order    headerOrder
	packet   []byte // what the kernel wants to be given
}

// anyProtocol is the sender of IPv4 packets: their own header says which.
const anyProtocol uint8 = unix.IPPROTO_RAW

func openRawBSD(o Options, order headerOrder) (_ *rawBSD, err error) {
	w := &rawBSD{senders: make(map[uint8]*socketBSD), order: order}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if err := w.receiver.open(o, unix.SOCK_RAW, order); err != nil {
		return nil, err
	}
	if !o.IPv6 {
		w.senders[anyProtocol], err = openSocketBSD(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW, o.Interface,
			[]sockoptBSD{{unix.IPPROTO_IP, unix.IP_HDRINCL, 1}}, nil)
		return w, err
	}
	for _, protocol := range []uint8{packet.ProtocolUDP, packet.ProtocolTCP, packet.ProtocolICMPv6} {
		if w.senders[protocol], err = openSocketBSD(unix.AF_INET6, unix.SOCK_RAW, int(protocol), o.Interface, nil, sender6Options); err != nil {
			delete(w.senders, protocol)
			return nil, err
		}
	}
	return w, nil
}

// Send implements Wire.
func (w *rawBSD) Send(batch []traceflow.Datagram) (int, error) {
	for i := range batch {
		h, transport, err := packet.DecodeIP(batch[i].Data)
		if err != nil {
			return i, err
		}
		if h.Source.Is4() {
			w.packet = append(w.packet[:0], batch[i].Data...)
			w.order.toKernel(w.packet)
			batch[i].Time, err = w.senders[anyProtocol].send(w.packet, nil, sockaddrBSD(h.Destination, 0))
		} else {
			batch[i].Time, err = sendHeaderless(w.senders[h.Protocol], &h, transport)
		}
		if err != nil {
			return i, err
		}
	}
	return len(batch), nil
}

// sender6Options make the header of a raw IPv6 packet that of the probe: no
// flow label of the kernel's own (RFC 6437; XNU's rip6_output makes one up
// otherwise), and no fragments. Those without an option have no such habit.
var sender6Options = []sockoptBSD{
	{unix.IPPROTO_IPV6, unix.IPV6_AUTOFLOWLABEL, 0},
	{unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG, 1},
}

// sendHeaderless sends an IPv6 packet whose header the kernel writes.
func sendHeaderless(s *socketBSD, h *packet.IP, transport []byte) (time.Time, error) {
	if s == nil {
		return time.Time{}, &UnsupportedError{Feature: "this protocol over IPv6 on " + runtime.GOOS, Need: "Linux"}
	}
	if h.Label != 0 {
		return time.Time{}, &UnsupportedError{Feature: "an IPv6 flow label on " + runtime.GOOS, Need: "Linux"}
	}
	var room [controlRoomBSD]byte
	return s.send(transport, headerControls(room[:0], h.Source, h.TTL, h.TOS), sockaddrBSD(h.Destination, 0))
}

// Recv implements Wire.
func (w *rawBSD) Recv(batch []traceflow.Datagram) (int, error) { return w.receiver.receive(batch) }

// Close implements Wire.
func (w *rawBSD) Close() error {
	err := w.receiver.close()
	for _, s := range w.senders {
		if s != nil {
			err = errors.Join(err, s.close())
		}
	}
	return err
}

// icmpBSD receives all ICMP that arrives at this host.
type icmpBSD struct {
	*socketBSD
	ipv6  bool
	order headerOrder
	// renumber is nil where the engine's IP IDs are on the wire.
	renumber *renumbering
	// room is for the longest packet: an echo reply is as long as the request.
	room [0xffff]byte
}

func (r *icmpBSD) open(o Options, kind int, order headerOrder) (err error) {
	r.ipv6, r.order = o.IPv6, order
	stamps := []sockoptBSD{{unix.SOL_SOCKET, unix.SO_TIMESTAMP, 1}}
	if o.IPv6 {
		r.socketBSD, err = openSocketBSD(unix.AF_INET6, kind, unix.IPPROTO_ICMPV6, o.Interface, []sockoptBSD{
			{unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1},
			{unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1},
		}, append(stamps, sender6Options...))
	} else {
		r.socketBSD, err = openSocketBSD(unix.AF_INET, kind, unix.IPPROTO_ICMP, o.Interface, nil, stamps)
	}
	if err == nil {
		r.enlarge()
	}
	return err
}

func (r *icmpBSD) close() error {
	if r.socketBSD == nil {
		return nil
	}
	return r.socketBSD.close()
}

func (r *icmpBSD) receive(batch []traceflow.Datagram) (n int, err error) {
	if r.socketBSD == nil {
		return 0, net.ErrClosed
	}
	err = r.socketBSD.receive(r.room[:], func(data, control []byte, from netip.Addr) bool {
		if r.fill(&batch[n], data, readControls(control), from) {
			n++
		}
		return n < len(batch)
	})
	if n > 0 {
		// An error is there again at the next call.
		return n, nil
	}
	return 0, err
}

// fill makes what the kernel gave into the packet that was on the wire. It
// reports whether there was one.
func (r *icmpBSD) fill(d *traceflow.Datagram, data []byte, c controls, from netip.Addr) bool {
	if d.Time = c.time; d.Time.IsZero() {
		d.Time = time.Now()
	}
	if r.ipv6 {
		var ok bool
		d.Data, ok = appendHeaderless(d.Data[:0], from, c.destination, c.hopLimit, data)
		return ok
	}
	d.Data = append(d.Data[:0], data...)
	r.order.fromKernel(d.Data)
	if r.renumber != nil {
		r.renumber.received(d.Data)
	}
	return true
}
