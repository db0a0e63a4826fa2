// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"traceflow"
)

// token is the payload by which a packet of Paths is known wherever it
// passes, whatever a NAT did to its header.
type token struct {
	run  uint32 // a call of Paths has one for each round
	flow uint32 // index into the flows of the call
}

const (
	// tokenMagic starts the payload; the socket filter looks for its first
	// half.
	tokenMagic  = 0x9b1f_6e2c_7061_7468
	tokenLength = 16

	headerIPv4 = 20
	headerIPv6 = 40
	headerUDP  = 8
	headerTCP  = 20
	headerEcho = 8

	// The types of echo requests.
	echoIPv4 = 8
	echoIPv6 = 128

	// fixUp is what follows the token in an echo request, so that its checksum
	// is the flow's.
	fixUp = 2

	// longest is the longest packet with a token, up to its end.
	longest = headerIPv6 + headerTCP + tokenLength

	// fullTTL is more than the longest lab.
	fullTTL = 64
)

// encode returns the IP packet of a flow that carries the token: a datagram, a
// SYN with data, or an echo request. The kernel fills in the IPv4 checksum and
// ID.
func (t token) encode(f traceflow.Flow) []byte {
	body, at := t.transport(f)
	b := make([]byte, 0, headerIPv6+len(body))
	if f.Source.Is4() {
		b = append(b, 0x45, f.TOS)
		b = binary.BigEndian.AppendUint16(b, uint16(headerIPv4+len(body)))
		b = append(b, 0, 0, 0, 0, fullTTL, f.Number(), 0, 0)
	} else {
		b = binary.BigEndian.AppendUint32(b, 6<<28|uint32(f.TOS)<<20|f.Label&0xfffff)
		b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
		b = append(b, f.Number(), fullTTL)
	}
	addresses := len(b)
	b = append(b, f.Source.AsSlice()...)
	b = append(b, f.Destination.AsSlice()...)
	transport := len(b)
	b = append(b, body...)

	// The pseudo header is the addresses, the protocol, the length. ICMP has
	// none.
	sum := checksum(uint32(f.Number())+uint32(len(body)), b[addresses:])
	if f.Number() == unix.IPPROTO_ICMP {
		sum = checksum(0, b[transport:])
	}
	if sum == 0 && f.Protocol == traceflow.ProtocolUDP {
		sum = 0xffff // RFC 768
	}
	if f.Protocol == traceflow.ProtocolICMP {
		// The checksum is the flow's, and the last word makes up for it.
		binary.BigEndian.PutUint16(b[len(b)-fixUp:], checksum(uint32(f.SourcePort), []byte{byte(^sum >> 8), byte(^sum)}))
		sum = f.SourcePort
	}
	binary.BigEndian.PutUint16(b[transport+at:], sum)
	return b
}

// transport returns the transport header of a flow with the token behind it,
// and where in it the checksum belongs, which is 0 yet.
func (t token) transport(f traceflow.Flow) (b []byte, checksum int) {
	switch f.Protocol {
	case traceflow.ProtocolTCP:
		const offset, syn, window = headerTCP / 4 << 4, 0x02, 1024
		b = binary.BigEndian.AppendUint16(b, f.SourcePort)
		b = binary.BigEndian.AppendUint16(b, f.DestinationPort)
		b = binary.BigEndian.AppendUint64(b, uint64(t.run)<<32) // sequence number, acknowledgment
		b = append(b, offset, syn)
		b = binary.BigEndian.AppendUint16(b, window)
		return t.append(append(b, 0, 0, 0, 0)), 16
	case traceflow.ProtocolICMP:
		request := byte(echoIPv4)
		if f.Destination.Is6() {
			request = echoIPv6
		}
		b = append(b, request, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, f.SourcePort)
		return append(t.append(append(b, 0, 1)), make([]byte, fixUp)...), 2
	default:
		b = binary.BigEndian.AppendUint16(b, f.SourcePort)
		b = binary.BigEndian.AppendUint16(b, f.DestinationPort)
		b = binary.BigEndian.AppendUint16(b, headerUDP+tokenLength)
		return t.append(append(b, 0, 0)), 6
	}
}

func (t token) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, tokenMagic)
	b = binary.BigEndian.AppendUint32(b, t.run)
	return binary.BigEndian.AppendUint32(b, t.flow)
}

// checksum is RFC 1071's, of an even number of bytes.
func checksum(sum uint32, b []byte) uint16 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// readToken finds the token in an IP packet.
func readToken(b []byte) (token, bool) {
	if len(b) < headerIPv4 {
		return token{}, false
	}
	at, protocol := headerIPv4, b[9]
	if b[0]>>4 == 6 {
		at, protocol = headerIPv6, b[6]
	}
	if len(b) <= at {
		return token{}, false
	}
	switch protocol {
	case unix.IPPROTO_UDP:
		at += headerUDP
	case unix.IPPROTO_TCP:
		at += headerTCP
	default:
		if b[at] != echoIPv4 && b[at] != echoIPv6 {
			return token{}, false // the echo, on its way back
		}
		at += headerEcho
	}
	if len(b) < at+tokenLength || binary.BigEndian.Uint64(b[at:]) != tokenMagic {
		return token{}, false
	}
	return token{binary.BigEndian.Uint32(b[at+8:]), binary.BigEndian.Uint32(b[at+12:])}, true
}

// tokenFilter accepts packets that arrive with a token. The socket is of type
// SOCK_DGRAM: byte 0 is the first of the IP header.
func tokenFilter() []unix.SockFilter {
	const (
		packetType = 0xfffff000 + 4 // SKF_AD_OFF + SKF_AD_PKTTYPE
		magic      = tokenMagic >> 32
	)
	load := func(code uint16, at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | code, K: at}
	}
	equal := func(k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: yes, Jf: no, K: k}
	}
	skip := func(k uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA, K: k}
	}
	index := func(k uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LDX | unix.BPF_IMM, K: k}
	}
	result := func(k uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k}
	}
	return []unix.SockFilter{
		load(unix.BPF_B|unix.BPF_ABS, packetType),
		equal(unix.PACKET_OUTGOING, 14, 0),
		// The index becomes the length of the IP header.
		load(unix.BPF_B|unix.BPF_ABS, 0),
		{Code: unix.BPF_ALU | unix.BPF_RSH | unix.BPF_K, K: 4},
		equal(4, 0, 3),
		index(headerIPv4),
		load(unix.BPF_B|unix.BPF_ABS, 9),
		skip(2),
		index(headerIPv6),
		load(unix.BPF_B|unix.BPF_ABS, 6),
		equal(unix.IPPROTO_TCP, 0, 2),
		load(unix.BPF_W|unix.BPF_IND, headerTCP),
		skip(1),
		load(unix.BPF_W|unix.BPF_IND, headerUDP), // that of an echo is as long
		equal(magic, 0, 1),
		result(longest),
		result(0),
	}
}

// checkFlow refuses what Paths cannot send.
func (l *Lab) checkFlow(f traceflow.Flow) error {
	var have netip.Addr
	if f.Destination.Is4() {
		have = l.Destination4()
	} else {
		have = l.Destination6()
	}
	switch {
	case f.Protocol != traceflow.ProtocolUDP && f.Protocol != traceflow.ProtocolTCP && f.Protocol != traceflow.ProtocolICMP:
		return fmt.Errorf("flow of protocol %v: only UDP, TCP and ICMP are observed", f.Protocol)
	case f.Destination != have || f.Source.Is4() != f.Destination.Is4() || !f.Source.IsValid():
		return fmt.Errorf("flow from %v to %v: the destination of the network is %v", f.Source, f.Destination, have)
	}
	return nil
}
