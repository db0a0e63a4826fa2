// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"traceflow"
	"traceflow/packet"
)

// rawWire sends whole packets from a raw socket that takes the IP header from
// us, and receives ICMP from another. Opening either needs CAP_NET_RAW; using
// them does not.
type rawWire struct {
	ipv6             bool
	sender, receiver *os.File
	senderConn       syscall.RawConn
	receiverConn     syscall.RawConn
	out, in, stamps  *messages
	taken            uint32 // packets that the sender's socket has numbered
	room             [maxBatch][maxReceive]byte
}

// maxReceive is room for any ICMP error: RFC 1812 section 4.3.2.3 lets an
// IPv4 one grow to 576 bytes, RFC 4443 section 2.4 an IPv6 one to 1280.
const maxReceive = 1500

func openRaw(o Options) (_ *rawWire, err error) {
	w := &rawWire{ipv6: o.IPv6, out: newMessages(maxBatch), in: newMessages(maxBatch), stamps: newMessages(maxBatch)}
	family, icmp := unix.AF_INET6, unix.IPPROTO_ICMPV6
	options := []sockopt{{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1}, {unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1}}
	filter := icmp6Filter
	if !o.IPv6 {
		family, icmp = unix.AF_INET, unix.IPPROTO_ICMP
		options = options[:1]
		filter = icmp4Filter
	}
	// IPPROTO_RAW implies IP_HDRINCL, and for IPv6 IPV6_HDRINCL (raw(7),
	// Linux 4.5 on); such a socket receives nothing.
	sender, err := openSocket(family, unix.SOCK_RAW, unix.IPPROTO_RAW, senderOptions(o.IPv6))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			unix.Close(sender)
		}
	}()
	receiver, err := openSocket(family, unix.SOCK_RAW, icmp, options)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			unix.Close(receiver)
		}
	}()
	if err := attach(receiver, filter); err != nil {
		return nil, err
	}
	enlarge(receiver)
	if o.Interface != "" {
		for _, fd := range []int{sender, receiver} {
			if err := bindToInterface(uintptr(fd), o.Interface); err != nil {
				return nil, err
			}
		}
	}
	w.sender, w.receiver = os.NewFile(uintptr(sender), "raw sender"), os.NewFile(uintptr(receiver), "raw receiver")
	if w.senderConn, err = w.sender.SyscallConn(); err != nil {
		return nil, err
	}
	if w.receiverConn, err = w.receiver.SyscallConn(); err != nil {
		return nil, err
	}
	return w, nil
}

// senderOptions make the kernel say when it took each packet (the moment that
// it enters the device's queue, numbered from 0), and when a queue on this host
// dropped it: without IP_RECVERR a raw socket hides ENOBUFS, and the first
// router would be blamed.
func senderOptions(ipv6 bool) []sockopt {
	const stamps = unix.SOF_TIMESTAMPING_TX_SCHED | unix.SOF_TIMESTAMPING_SOFTWARE |
		unix.SOF_TIMESTAMPING_OPT_ID | unix.SOF_TIMESTAMPING_OPT_TSONLY
	options := []sockopt{{unix.SOL_SOCKET, unix.SO_TIMESTAMPING, stamps}}
	if ipv6 {
		return append(options, sockopt{unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1})
	}
	return append(options, sockopt{unix.IPPROTO_IP, unix.IP_RECVERR, 1})
}

// The receiver's filters let only the ICMP types through that can answer a
// probe: a flood of echo requests never leaves the kernel. What they quote is
// not looked at, because strangers' replies are counted. An IPv4 raw socket
// sees the IP header, an IPv6 one only what follows it.
var (
	icmp4Filter = []bpf.Instruction{
		bpf.LoadMemShift{Off: 0}, // X = length of the IP header
		bpf.LoadIndirect{Off: 0, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(packet.ICMPv4DestinationUnreachable), SkipTrue: 3},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(packet.ICMPv4TimeExceeded), SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(packet.ICMPv4ParameterProblem), SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: maxReceive},
	}
	icmp6Filter = []bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpLessOrEqual, Val: uint32(packet.ICMPv6ParameterProblem), SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: maxReceive},
	}
)

func attach(fd int, program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return os.NewSyscallError("attach filter", unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}))
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
	batch = batch[:min(len(batch), maxBatch)]
	for i := range batch {
		w.in.receiveInto(i, w.room[i][:])
	}
	n := 0
	var failed error
	err := w.receiverConn.Read(func(fd uintptr) bool {
		n, failed = w.in.receive(fd, len(batch), 0)
		return !errors.Is(failed, unix.EAGAIN)
	})
	if err != nil {
		if errors.Is(err, os.ErrClosed) {
			err = net.ErrClosed
		}
		return 0, err
	}
	if failed != nil {
		return 0, os.NewSyscallError("recvmmsg", failed)
	}
	for i := range n {
		w.fill(&batch[i], i)
	}
	return n, nil
}

// fill copies message i out, with as much of the IPv6 header that the kernel
// took off as there is to know.
func (w *rawWire) fill(d *traceflow.Datagram, i int) {
	data := w.room[i][:w.in.headers[i].n]
	d.Data, d.Time = d.Data[:0], time.Time{}
	var hopLimit uint8
	w.in.eachControl(i, func(level, kind int32, value []byte) {
		if t, ok := stampOf(level, kind, value); ok {
			d.Time = t
		}
		if level == unix.IPPROTO_IPV6 && kind == unix.IPV6_HOPLIMIT && len(value) >= 4 {
			hopLimit = uint8(binary.NativeEndian.Uint32(value))
		}
	})
	if d.Time.IsZero() {
		d.Time = time.Now()
	}
	if w.ipv6 {
		header := packet.IP{
			Source: addressOf(&w.in.names[i]).Addr(), Destination: netip.IPv6Unspecified(),
			Protocol: packet.ProtocolICMPv6, TTL: hopLimit,
		}
		d.Data = packet.AppendIP(d.Data, &header, len(data))
	}
	d.Data = append(d.Data, data...)
}

// Close implements Wire.
func (w *rawWire) Close() error { return errors.Join(w.sender.Close(), w.receiver.Close()) }
