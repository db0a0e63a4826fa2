// SPDX-License-Identifier: BSD-3-Clause

package packet

import (
	"encoding/binary"
	"net/netip"
)

const udpHeaderLength = 8

// UDP is a UDP header (RFC 768).
type UDP struct {
	SourcePort, DestinationPort uint16
	// Length is that of header and payload in bytes, as the header claims.
	Length int
	// Checksum covers pseudo header, header and payload; 0 means that the
	// sender computed none, which only IPv4 allows.
	Checksum uint16
}

// AppendUDP appends a UDP header and the payload to b. The checksum over the
// pseudo header is valid, and written as 0xffff when it comes out as 0, which
// on the wire would mean that there is none (RFC 768).
//
// It panics when the addresses are not of one family or the payload has more
// than 65527 bytes.
func AppendUDP(b []byte, src, dst netip.AddrPort, payload []byte) []byte {
	start := len(b)
	b = appendUDP(b, src, dst, 0, payload)
	sum := PseudoHeaderSum(src.Addr(), dst.Addr(), ProtocolUDP, len(b)-start)
	checksum := ^AddChecksum(sum, b[start:])
	if checksum == 0 {
		checksum = 0xffff
	}
	binary.BigEndian.PutUint16(b[start+6:], checksum)
	return b
}

// AppendUDPWithChecksum is AppendUDP with a checksum chosen by the caller: the
// two bytes at payload[fix:fix+2] are solved for, so that want is the valid
// checksum. What the payload has there is not used, and the payload itself is
// not changed. A probe so carries 16 bits of identity in the 8 bytes of the
// transport header that every quote contains, and destinations and NATs still
// find the checksum in order.
//
// It panics when fix is odd or its two bytes are not inside the payload, when
// want is 0 (which means that there is no checksum) or 0xffff (the same value
// in one's complement, which a middlebox may rewrite), and when AppendUDP
// would.
func AppendUDPWithChecksum(b []byte, src, dst netip.AddrPort, payload []byte, fix int, want uint16) []byte {
	if fix < 0 || fix%2 != 0 || fix > len(payload)-2 {
		panic("packet: the UDP checksum is fixed up in two bytes of the payload at an even offset")
	}
	if want == 0 || want == 0xffff {
		panic("packet: a UDP checksum cannot be chosen to be 0 or 0xffff")
	}
	start := len(b)
	b = appendUDP(b, src, dst, want, payload)
	at := start + udpHeaderLength + fix
	b[at], b[at+1] = 0, 0
	sum := PseudoHeaderSum(src.Addr(), dst.Addr(), ProtocolUDP, len(b)-start)
	// With the checksum in place all words must add up to 0xffff, and this is
	// what is missing.
	binary.BigEndian.PutUint16(b[at:], ^AddChecksum(sum, b[start:]))
	return b
}

// appendUDP writes the header of RFC 768 and the payload:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-------------------------------+-------------------------------+
//	|          src.Port()           |          dst.Port()           |
//	+-------------------------------+-------------------------------+
//	|       8 + len(payload)        |           checksum            |
//	+-------------------------------+-------------------------------+
//	|                            payload                            |
//	+---------------------------------------------------------------+
func appendUDP(b []byte, src, dst netip.AddrPort, checksum uint16, payload []byte) []byte {
	length := udpHeaderLength + len(payload)
	if length > maxLength {
		panic("packet: more than 65527 bytes of UDP payload")
	}
	b = binary.BigEndian.AppendUint16(b, src.Port())
	b = binary.BigEndian.AppendUint16(b, dst.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(length))
	b = binary.BigEndian.AppendUint16(b, checksum)
	return append(b, payload...)
}

// DecodeUDP takes a UDP datagram apart. The payload is cut at u.Length; it is
// no error when the datagram ends before. The checksum is not verified.
//
// The error wraps ErrTruncated for fewer than 8 bytes, and ErrMalformed for a
// length field below 8.
func DecodeUDP(b []byte) (u UDP, payload []byte, err error) {
	if len(b) < udpHeaderLength {
		return UDP{}, nil, errUDPTruncated
	}
	u = UDP{
		SourcePort:      binary.BigEndian.Uint16(b),
		DestinationPort: binary.BigEndian.Uint16(b[2:]),
		Length:          int(binary.BigEndian.Uint16(b[4:])),
		Checksum:        binary.BigEndian.Uint16(b[6:]),
	}
	if u.Length < udpHeaderLength {
		return UDP{}, nil, errUDPLength
	}
	end := min(u.Length, len(b))
	return u, b[udpHeaderLength:end:end], nil
}
