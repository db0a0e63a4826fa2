// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"traceflow"
	"traceflow/packet"
)

// extendedError is struct sock_extended_err of linux/errqueue.h, followed by
// the socket address of who sent the error.
type extendedError struct {
	errno                     uint32
	origin, icmpType, code, _ uint8
	info, data                uint32
	offender                  unix.RawSockaddrInet6
}

// queuedError is one entry of a socket's error queue that an ICMP error made.
type queuedError struct {
	extendedError
	from       netip.Addr
	probed     netip.AddrPort
	ttl        uint8
	at         time.Time
	quoted     []byte // what follows the IP header; for UDP, the UDP header
	extensions []byte
}

// queued reads message i of an error queue. It reports whether there was one.
func (w *socketWire) queued(i int) (e queuedError, ok bool) {
	e.at = time.Now()
	w.in.eachControl(i, func(level, kind int32, value []byte) {
		if t, ok := stampOf(level, kind, value); ok {
			e.at = t
			return
		}
		if n, ok := ttlOf(level, kind, value); ok {
			e.ttl = n
			return
		}
		if level == unix.IPPROTO_IP && kind == unix.IP_RECVERR || level == unix.IPPROTO_IPV6 && kind == unix.IPV6_RECVERR {
			copy(unsafe.Slice((*byte)(unsafe.Pointer(&e.extendedError)), unsafe.Sizeof(e.extendedError)), value)
		}
	})
	e.from, e.probed = addressOf(&e.offender).Addr(), addressOf(&w.in.names[i])
	if e.origin != unix.SO_EE_ORIGIN_ICMP && e.origin != unix.SO_EE_ORIGIN_ICMP6 ||
		!e.from.IsValid() || e.from.Is4() == w.options.IPv6 || w.in.truncated(i) {
		return e, false
	}
	e.quoted = w.room[i][:w.in.headers[i].n]
	// The kernel has checked that the extensions are well-formed when it says
	// where they are; flag 1 says that they are not.
	if at, flags := int(e.data&0xffff), e.data>>16&0xff; at > 0 && at <= len(e.quoted) && flags == 0 {
		e.quoted, e.extensions = e.quoted[:at], e.quoted[at:]
	}
	return e, true
}

// append writes the ICMP packet that the kernel took apart, for a host's
// address and with a whole packet as its quote.
func (e *queuedError) append(b []byte, to netip.Addr, quote []byte) []byte {
	// The MTU of a packet that was too big is the second word of the header.
	rest := uint32(0)
	protocol := packet.ProtocolICMPv6
	switch {
	case to.Is4():
		protocol = packet.ProtocolICMP
		if e.icmpType == packet.ICMPv4DestinationUnreachable && e.code == packet.ICMPv4CodeFragmentationNeeded {
			rest = e.info & 0xffff
		}
	case e.icmpType == packet.ICMPv6PacketTooBig:
		rest = e.info
	}
	var room [2*maxReceive + 64]byte
	message := packet.AppendICMPError(room[:0], e.from, to, e.icmpType, e.code, rest, quote, e.extensions, packet.CompliantLayout)
	outer := packet.IP{Source: e.from, Destination: to, Protocol: protocol, TTL: e.ttl}
	return append(packet.AppendIP(b, &outer, len(message)), message...)
}

// drainErrors fills batch with what the error queue of a datagram socket holds.
func (w *socketWire) drainErrors(fd int, batch []traceflow.Datagram) int {
	at, n := w.receive(fd, batch, unix.MSG_ERRQUEUE)
	filled := 0
	for i := range n {
		e, ok := w.queued(i)
		if !ok || !e.probed.IsValid() || e.probed.Addr().Is4() == w.options.IPv6 {
			continue
		}
		var room [maxReceive + 64]byte
		header := packet.IP{Source: at.source.Addr(), Destination: e.probed.Addr(), Protocol: packet.ProtocolUDP}
		var quote []byte
		if at.protocol == traceflow.ProtocolICMP {
			header.Protocol = uint8(w.echoProtocol())
			quote = append(packet.AppendIP(room[:0], &header, len(e.quoted)), e.quoted...)
		} else {
			quote = packet.AppendIP(room[:0], &header, transportHeader+len(e.quoted))
			quote = packet.AppendUDP(quote, at.source, e.probed, e.quoted)
		}
		d := &batch[filled]
		d.Data, d.Time = e.append(d.Data[:0], at.source.Addr(), quote), e.at
		filled++
	}
	return filled
}

// ttlOf reads the TTL or hop limit that a packet arrived with.
func ttlOf(level, kind int32, value []byte) (ttl uint8, ok bool) {
	if len(value) < 4 || (level != unix.IPPROTO_IP || kind != unix.IP_TTL) && (level != unix.IPPROTO_IPV6 || kind != unix.IPV6_HOPLIMIT) {
		return 0, false
	}
	return uint8(binary.NativeEndian.Uint32(value)), true
}
