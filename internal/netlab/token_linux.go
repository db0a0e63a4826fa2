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

	// fullTTL is more than the longest lab.
	fullTTL = 64
)

// encode returns the IP packet of a flow that carries the token. The kernel
// fills in the IPv4 checksum and ID.
func (t token) encode(f traceflow.Flow) []byte {
	const transport = headerUDP + tokenLength
	b := make([]byte, 0, headerIPv6+transport)
	if f.Source.Is4() {
		b = append(b, 0x45, 0)
		b = binary.BigEndian.AppendUint16(b, headerIPv4+transport)
		b = append(b, 0, 0, 0, 0, fullTTL, unix.IPPROTO_UDP, 0, 0)
	} else {
		b = binary.BigEndian.AppendUint32(b, 6<<28|f.Label&0xfffff)
		b = binary.BigEndian.AppendUint16(b, transport)
		b = append(b, unix.IPPROTO_UDP, fullTTL)
	}
	addresses := len(b)
	b = append(b, f.Source.AsSlice()...)
	b = append(b, f.Destination.AsSlice()...)
	udp := len(b)
	b = binary.BigEndian.AppendUint16(b, f.SourcePort)
	b = binary.BigEndian.AppendUint16(b, f.DestinationPort)
	b = binary.BigEndian.AppendUint16(b, transport)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint64(b, tokenMagic)
	b = binary.BigEndian.AppendUint32(b, t.run)
	b = binary.BigEndian.AppendUint32(b, t.flow)

	// RFC 768: the pseudo header is the addresses, the protocol, the length.
	sum := checksum(unix.IPPROTO_UDP+transport, b[addresses:])
	if sum == 0 {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(b[udp+6:], sum)
	return b
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
	at := headerIPv4 + headerUDP
	if len(b) > 0 && b[0]>>4 == 6 {
		at = headerIPv6 + headerUDP
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
		return unix.SockFilter{Code: unix.BPF_LD | code | unix.BPF_ABS, K: at}
	}
	equal := func(k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: yes, Jf: no, K: k}
	}
	return []unix.SockFilter{
		load(unix.BPF_B, packetType),
		equal(unix.PACKET_OUTGOING, 8, 0),
		load(unix.BPF_B, 0),
		{Code: unix.BPF_ALU | unix.BPF_RSH | unix.BPF_K, K: 4},
		equal(4, 0, 2),
		load(unix.BPF_W, headerIPv4+headerUDP),
		equal(magic, 2, 3),
		load(unix.BPF_W, headerIPv6+headerUDP),
		equal(magic, 0, 1),
		{Code: unix.BPF_RET | unix.BPF_K, K: headerIPv6 + headerUDP + tokenLength},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
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
	case f.Protocol != traceflow.ProtocolUDP:
		return fmt.Errorf("flow of protocol %v: only UDP is observed", f.Protocol)
	case f.Destination != have || f.Source.Is4() != f.Destination.Is4() || !f.Source.IsValid():
		return fmt.Errorf("flow from %v to %v: the destination of the network is %v", f.Source, f.Destination, have)
	}
	return nil
}
