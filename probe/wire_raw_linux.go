// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"traceflow"
	"traceflow/packet"
)

// rawWire sends whole packets from a raw socket that takes the IP header from
// us, and receives what may answer them from others: ICMP, and TCP and UDP of
// the destination's own. Opening one needs CAP_NET_RAW; using it does not.
type rawWire struct {
	ipv6            bool
	sender          *os.File
	senderConn      syscall.RawConn
	receivers       map[int]uint8 // protocol by descriptor
	poll            *poller
	out, in, stamps *messages
	taken           uint32 // packets that the sender's socket has numbered
	room            [maxBatch][maxReceive]byte
}

// maxReceive is room for any ICMP error: RFC 1812 section 4.3.2.3 lets an
// IPv4 one grow to 576 bytes, RFC 4443 section 2.4 an IPv6 one to 1280.
const maxReceive = 1500

func openRaw(o Options) (_ *rawWire, err error) {
	w := &rawWire{
		ipv6: o.IPv6, receivers: make(map[int]uint8),
		out: newMessages(maxBatch), in: newMessages(maxBatch), stamps: newMessages(maxBatch),
	}
	if w.poll, err = newPoller(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = w.Close() // the first error says it
		}
	}()
	family, icmp := unix.AF_INET6, packet.ProtocolICMPv6
	if !o.IPv6 {
		family, icmp = unix.AF_INET, packet.ProtocolICMP
	}
	// IPPROTO_RAW implies IP_HDRINCL, and for IPv6 IPV6_HDRINCL (raw(7),
	// Linux 4.5 on); such a socket receives nothing.
	sender, err := openSocket(family, unix.SOCK_RAW, unix.IPPROTO_RAW, senderOptions(o.IPv6))
	if err != nil {
		return nil, err
	}
	w.sender = os.NewFile(uintptr(sender), "raw sender")
	if w.senderConn, err = w.sender.SyscallConn(); err != nil {
		return nil, err
	}
	if err := bindTo(sender, o.Interface); err != nil {
		return nil, err
	}
	for _, protocol := range []uint8{icmp, packet.ProtocolTCP, packet.ProtocolUDP} {
		if err := w.openReceiver(family, protocol, o); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *rawWire) openReceiver(family int, protocol uint8, o Options) error {
	options := []sockopt{{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1}}
	if o.IPv6 {
		options = append(options, sockopt{unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1}, sockopt{unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1})
	}
	fd, err := openSocket(family, unix.SOCK_RAW, int(protocol), options)
	if err != nil {
		return err
	}
	w.receivers[fd] = protocol
	if err := attach(fd, filter(protocol, o)); err != nil {
		return err
	}
	enlarge(fd)
	if err := bindTo(fd, o.Interface); err != nil {
		return err
	}
	return w.poll.watch(fd, unix.EPOLLIN)
}

// bindTo makes a socket use one interface only, if one is named.
func bindTo(fd int, name string) error {
	if name == "" {
		return nil
	}
	return bindToInterface(uintptr(fd), name)
}

// senderOptions make the kernel say when it took each packet (the moment that
// it enters the device's queue, numbered from 0), and when a queue on this host
// dropped it: without RECVERR a raw socket hides ENOBUFS, and the first router
// would be blamed. And they keep it from refusing what is larger than the path
// MTU that it has learned, which is ours to find out (IP_PMTUDISC_PROBE).
func senderOptions(ipv6 bool) []sockopt {
	const stamps = unix.SOF_TIMESTAMPING_TX_SCHED | unix.SOF_TIMESTAMPING_SOFTWARE |
		unix.SOF_TIMESTAMPING_OPT_ID | unix.SOF_TIMESTAMPING_OPT_TSONLY
	options := []sockopt{{unix.SOL_SOCKET, unix.SO_TIMESTAMPING, stamps}}
	if ipv6 {
		return append(options, sockopt{unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1},
			sockopt{unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE})
	}
	return append(options, sockopt{unix.IPPROTO_IP, unix.IP_RECVERR, 1},
		sockopt{unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE})
}

// Send implements Wire.
func (w *rawWire) Send(batch []traceflow.Datagram) (int, error) {
	batch = batch[:min(len(batch), maxBatch)]
	for i := range batch {
		// The kernel routes by the socket address, not by the header.
		to, err := packetDestination(batch[i].Data)
		if err != nil {
			return i, err
		}
		w.out.set(i, batch[i].Data)
		w.out.sendTo(i, netip.AddrPortFrom(to, 0))
	}
	done, full := 0, 0
	var failed error
	err := w.senderConn.Write(func(fd uintptr) bool {
		for done < len(batch) {
			before := time.Now()
			n, err := w.out.send(fd, done, len(batch))
			if err != nil {
				failed = err
				if errors.Is(err, unix.ENOBUFS) && full < pendingErrors {
					// The device's queue is full, and no event tells when it is
					// not. Its packet has a number of its own all the same.
					full++
					w.taken++
					time.Sleep(time.Millisecond)
					continue
				}
				return !errors.Is(err, unix.EAGAIN) // a full socket empties: wait for that
			}
			stampBatch(n, before, time.Now(), func(i int, t time.Time) { batch[done+i].Time = t })
			w.readStamps(fd, batch[done:done+n])
			done += n
		}
		failed = nil
		return true
	})
	if failed == nil {
		failed = err
	}
	if done == len(batch) {
		return done, nil
	}
	return done, os.NewSyscallError("sendmmsg", failed)
}

// readStamps replaces the times of packets just sent by those of the kernel,
// which are in the socket's error queue by the time that the call returns. A
// packet without one keeps its estimate.
func (w *rawWire) readStamps(fd uintptr, sent []traceflow.Datagram) {
	first := w.taken
	w.taken += uint32(len(sent))
	for n := maxBatch; n == maxBatch; {
		for i := range maxBatch {
			w.stamps.receiveInto(i, nil)
		}
		var err error
		if n, err = w.stamps.receive(fd, maxBatch, unix.MSG_ERRQUEUE); err != nil {
			return
		}
		for i := range n {
			var at time.Time
			number, numbered := uint32(0), false
			w.stamps.eachControl(i, func(level, kind int32, data []byte) {
				switch {
				case level == unix.SOL_SOCKET && kind == unix.SCM_TIMESTAMPING && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
					at = time.Unix((*unix.Timespec)(unsafe.Pointer(unsafe.SliceData(data))).Unix())
				case len(data) >= int(unsafe.Offsetof(extendedError{}.offender)):
					e := (*extendedError)(unsafe.Pointer(unsafe.SliceData(data)))
					number, numbered = e.data, e.origin == unix.SO_EE_ORIGIN_TIMESTAMPING
				}
			})
			if numbered && !at.IsZero() && number-first < uint32(len(sent)) {
				sent[number-first].Time = at
			}
		}
	}
}

// packetDestination reads the destination out of an IP header that we wrote.
func packetDestination(b []byte) (netip.Addr, error) {
	h, _, err := packet.DecodeIP(b)
	return h.Destination, err
}

// Recv implements Wire.
func (w *rawWire) Recv(batch []traceflow.Datagram) (int, error) {
	filled := 0
	return w.poll.wait(func(fd int, _ uint32) int {
		n := w.drain(fd, batch[filled:])
		filled += n
		return n
	})
}

// drain fills batch with what a receiver has.
func (w *rawWire) drain(fd int, batch []traceflow.Datagram) int {
	batch = batch[:min(len(batch), maxBatch)]
	if len(batch) == 0 {
		return 0
	}
	for i := range batch {
		w.in.receiveInto(i, w.room[i][:])
	}
	n, err := w.in.receive(uintptr(fd), len(batch), 0)
	if err != nil {
		// Nothing there after all, or an error that was pending on the socket: it
		// is off it now.
		return 0
	}
	for i := range n {
		w.fill(&batch[i], i, w.receivers[fd])
	}
	return n
}

// fill copies message i out, with as much of the IPv6 header that the kernel
// took off as there is to know.
func (w *rawWire) fill(d *traceflow.Datagram, i int, protocol uint8) {
	data := w.room[i][:w.in.headers[i].n]
	d.Data, d.Time = d.Data[:0], time.Time{}
	var hopLimit uint8
	to := netip.IPv6Unspecified()
	w.in.eachControl(i, func(level, kind int32, value []byte) {
		if t, ok := stampOf(level, kind, value); ok {
			d.Time = t
		}
		if level != unix.IPPROTO_IPV6 {
			return
		}
		switch {
		case kind == unix.IPV6_HOPLIMIT && len(value) >= 4:
			hopLimit = uint8(binary.NativeEndian.Uint32(value))
		case kind == unix.IPV6_PKTINFO && len(value) >= 16:
			to = netip.AddrFrom16([16]byte(value))
		}
	})
	if d.Time.IsZero() {
		d.Time = time.Now()
	}
	if w.ipv6 {
		header := packet.IP{
			Source: addressOf(&w.in.names[i]).Addr(), Destination: to, Protocol: protocol, TTL: hopLimit,
		}
		d.Data = packet.AppendIP(d.Data, &header, len(data))
	}
	d.Data = append(d.Data, data...)
}

// Close implements Wire.
func (w *rawWire) Close() error {
	var err error
	if w.sender != nil {
		err = w.sender.Close()
	}
	return errors.Join(err, w.poll.close(func() error {
		var err error
		for fd := range w.receivers {
			err = errors.Join(err, unix.Close(fd))
		}
		return err
	}))
}
