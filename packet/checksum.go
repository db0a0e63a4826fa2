// SPDX-License-Identifier: BSD-3-Clause

package packet

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Checksum returns the Internet checksum of b (RFC 1071, section 1): the
// complement of the one's complement sum of its 16-bit words. An odd last
// byte counts as the high half of a word. It is what goes into a checksum
// field that is zero in b; over bytes that hold their valid checksum already
// it is 0.
func Checksum(b []byte) uint16 { return ^AddChecksum(0, b) }

// AddChecksum adds the 16-bit words of b to the one's complement sum so far
// and returns the new sum, not complemented. Sums of pieces can be added one
// after another as long as each piece but the last has an even length. The
// result is 0 only when sum and all of b are.
func AddChecksum(sum uint16, b []byte) uint16 {
	// 2^16 is 1 modulo 65535, so words can be added four at a time and the
	// quarters added together at the end (RFC 1071, section 2 (C)).
	total, carry := uint64(sum), uint64(0)
	// Only within one round does the carry stay where the processor has it.
	for len(b) >= 32 {
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b), carry)
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b[8:]), carry)
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b[16:]), carry)
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b[24:]), carry)
		b = b[32:]
	}
	for len(b) >= 8 {
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b), carry)
		b = b[8:]
	}
	var rest uint64
	if len(b) >= 4 {
		rest = uint64(binary.BigEndian.Uint32(b))
		b = b[4:]
	}
	if len(b) >= 2 {
		rest += uint64(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		rest += uint64(b[0]) << 8
	}
	total, carry = bits.Add64(total, rest, carry)
	// A carry leaves total far from its maximum, so this cannot overflow.
	total += carry
	total = total>>32 + total&0xffffffff
	total = total>>32 + total&0xffffffff
	total = total>>16 + total&0xffff
	total = total>>16 + total&0xffff
	return uint16(total)
}

// UpdateChecksum returns what a checksum becomes when one 16-bit word that it
// covers changes (RFC 1624, section 3): a router that lowers the TTL and a NAT
// that rewrites a port need not see the rest. A UDP checksum of 0 must stay
// untouched, and one that comes out as 0 is written as 0xffff: that is for the
// caller to do.
func UpdateChecksum(checksum, from, to uint16) uint16 {
	return ^addWord(addWord(^checksum, ^from), to)
}

// addWord adds one word to a one's complement sum.
func addWord(sum, word uint16) uint16 {
	s := uint32(sum) + uint32(word)
	return uint16(s>>16 + s&0xffff)
}

// PseudoHeaderSum returns the one's complement sum, not complemented, of the
// pseudo header that UDP, TCP and ICMPv6 checksums cover (RFC 768, RFC 9293
// section 3.1, RFC 8200 section 8.1). The length is that of the upper-layer
// header and its payload in bytes. It panics when the addresses are not of one
// family.
func PseudoHeaderSum(src, dst netip.Addr, protocol uint8, length int) uint16 {
	src, dst = sameFamily(src, dst)
	// The zeros that either pseudo header has between the fields add nothing,
	// so one sum does for both.
	sum := addWord(uint16(length), uint16(length>>16))
	sum = addWord(sum, uint16(protocol))
	if src.Is4() {
		s, d := src.As4(), dst.As4()
		return AddChecksum(AddChecksum(sum, s[:]), d[:])
	}
	s, d := src.As16(), dst.As16()
	return AddChecksum(AddChecksum(sum, s[:]), d[:])
}

// ValidChecksum reports whether b, a whole UDP, TCP, ICMP or ICMPv6 message
// with its header, as told by protocol, holds a valid checksum. It is false
// for other protocols and for a message that is too short to hold one.
//
// A UDP checksum of 0 means that there is none: valid over IPv4 (RFC 768), not
// over IPv6 (RFC 8200, section 8.1). The checksum of an IPv4 header needs no
// function of its own: Checksum over the header is 0 when it is right.
func ValidChecksum(b []byte, src, dst netip.Addr, protocol uint8) bool {
	src, dst = src.Unmap(), dst.Unmap()
	if !src.IsValid() || !dst.IsValid() || src.Is4() != dst.Is4() {
		return false
	}
	switch protocol {
	case ProtocolUDP:
		if len(b) < udpHeaderLength {
			return false
		}
		if b[6] == 0 && b[7] == 0 {
			return src.Is4()
		}
	case ProtocolTCP:
		if len(b) < tcpHeaderLength {
			return false
		}
	case ProtocolICMP:
		return src.Is4() && len(b) >= icmpHeaderLength && Checksum(b) == 0
	case ProtocolICMPv6:
		if src.Is4() || len(b) < icmpHeaderLength {
			return false
		}
	default:
		return false
	}
	return AddChecksum(PseudoHeaderSum(src, dst, protocol, len(b)), b) == 0xffff
}

// sameFamily returns both addresses without the IPv4-in-IPv6 form, which no
// packet carries.
func sameFamily(src, dst netip.Addr) (netip.Addr, netip.Addr) {
	src, dst = src.Unmap(), dst.Unmap()
	if !src.IsValid() || !dst.IsValid() || src.Is4() != dst.Is4() {
		panic("packet: source and destination must be addresses of one family")
	}
	return src, dst
}
