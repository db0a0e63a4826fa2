// SPDX-License-Identifier: BSD-3-Clause

package packet

import (
	"encoding/binary"
	"net/netip"
)

const (
	ipv6HeaderLength = 40
	// maxExtensionHeaders bounds the walk. RFC 8200 section 4.1 has each kind
	// once and destination options twice; real packets have three at most.
	maxExtensionHeaders = 16
)

// appendIPv6 writes the header of RFC 8200, section 3:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-------+---------------+---------------------------------------+
//	|   6   |      TOS      |                 Label                 |
//	+-------+-------+-------+-------+---------------+---------------+
//	|   Options + payloadLength     | Protocol or   |      TTL      |
//	|                               | NextHeader    |               |
//	+-------------------------------+---------------+---------------+
//	|                       Source (16 bytes)                       |
//	+---------------------------------------------------------------+
//	|                     Destination (16 bytes)                    |
//	+---------------------------------------------------------------+
//	|          Options: extension headers, the first of kind        |
//	|          NextHeader, the last one naming Protocol             |
//	+---------------------------------------------------------------+
func appendIPv6(b []byte, h *IP, src, dst [16]byte, payloadLength int) []byte {
	if payloadLength < 0 || len(h.Options)+payloadLength > maxLength {
		panic("packet: an IPv6 packet holds 0 to 65535 bytes after its fixed header")
	}
	if len(h.Options)%8 != 0 {
		panic("packet: IPv6 extension headers are multiples of 8 bytes")
	}
	next := h.Protocol
	if len(h.Options) > 0 {
		next = h.NextHeader
	}
	b = binary.BigEndian.AppendUint32(b, 6<<28|uint32(h.TOS)<<20|h.Label&0xfffff)
	b = binary.BigEndian.AppendUint16(b, uint16(len(h.Options)+payloadLength))
	b = append(b, next, h.TTL)
	b = append(b, src[:]...)
	b = append(b, dst[:]...)
	return append(b, h.Options...)
}

func decodeIPv6(b []byte, h *IP, x extent) error {
	if len(b) < ipv6HeaderLength {
		return errIPv6Truncated
	}
	first := binary.BigEndian.Uint32(b)
	h.TOS = uint8(first >> 20)
	h.Label = first & 0xfffff
	h.Length = ipv6HeaderLength + int(binary.BigEndian.Uint16(b[4:]))
	h.NextHeader = b[6]
	h.TTL = b[7]
	h.Source = netip.AddrFrom16([16]byte(b[8:24]))
	h.Destination = netip.AddrFrom16([16]byte(b[24:40]))
	// Such addresses are an API's way to write IPv4 ones (RFC 4291, section
	// 2.5.5.2). On the wire they are somebody's trick, and in here they would
	// be taken for the other family.
	if h.Source.Is4In6() {
		return errIPv6Source
	}
	if h.Destination.Is4In6() {
		return errIPv6Destination
	}
	return walkExtensionHeaders(b, h, x)
}

// walkExtensionHeaders finds the upper-layer protocol and where it begins.
// Every header but AH has its length in its second byte, in units of 8 bytes
// less the first 8 (RFC 8200, section 4).
func walkExtensionHeaders(b []byte, h *IP, x extent) error {
	at, next := ipv6HeaderLength, h.NextHeader
	for n := 0; isExtensionHeader(next); n++ {
		if n == maxExtensionHeaders {
			return errIPv6Chain
		}
		if x == whole && at+8 > h.Length {
			return errIPv6Length
		}
		// None is shorter than 8 bytes.
		if at+8 > len(b) {
			return errExtensionTruncated
		}
		length, fragment := 8+int(b[at+1])*8, false
		switch next {
		case ProtocolAuthentication:
			// In units of 4 bytes less 2, but still a multiple of 8 in all
			// (RFC 4302, section 2.2).
			length = 8 + int(b[at+1])*4
			if length%8 != 0 {
				return errExtensionOdd
			}
		case ProtocolFragment:
			// Fixed size; the second byte is reserved (RFC 8200, section 4.5).
			length, fragment = 8, true
		}
		if x == whole && at+length > h.Length {
			return errIPv6Length
		}
		if at+length > len(b) {
			return errExtensionLength
		}
		if fragment {
			field := binary.BigEndian.Uint16(b[at+2:])
			h.FragmentOffset = int(field &^ 7)
			h.MoreFragments = field&1 != 0
		}
		next = b[at]
		at += length
		if fragment && h.FragmentOffset > 0 {
			// What follows is the middle of something, not a header.
			break
		}
	}
	h.Protocol = next
	h.HeaderLength = at
	if at > ipv6HeaderLength {
		h.Options = b[ipv6HeaderLength:at:at]
	}
	return nil
}

// isExtensionHeader reports whether walkExtensionHeaders steps over a header
// of this kind.
func isExtensionHeader(protocol uint8) bool {
	switch protocol {
	case ProtocolHopByHop, ProtocolRouting, ProtocolFragment, ProtocolAuthentication,
		ProtocolDestinationOptions, ProtocolMobility:
		return true
	}
	return false
}
