// SPDX-License-Identifier: BSD-3-Clause

package packet

import (
	"encoding/binary"
	"net/netip"
)

const (
	ipv4HeaderLength = 20
	// maxOptions is what the 4-bit length fields of IPv4 and TCP leave for
	// options: 15 words of 4 bytes less the 20 of the fixed header.
	maxOptions = 40
	// maxFragmentOffset is the 13-bit fragment offset in bytes.
	maxFragmentOffset = 0x1fff * 8

	flagDontFragment  = 0x4000
	flagMoreFragments = 0x2000
)

// appendIPv4 writes the header of RFC 791, section 3.1:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-------+-------+---------------+-------------------------------+
//	|   4   | words |      TOS      |  header + payloadLength       |
//	+-------+-------+---------------+-----+-------------------------+
//	|              ID               |0|D|M|   FragmentOffset / 8    |
//	+---------------+---------------+-----+-------------------------+
//	|      TTL      |   Protocol    |       header checksum         |
//	+---------------+---------------+-------------------------------+
//	|                            Source                             |
//	+---------------------------------------------------------------+
//	|                          Destination                          |
//	+---------------------------------------------------------------+
//	|              Options, padded with zeros to 4                  |
//	+---------------------------------------------------------------+
func appendIPv4(b []byte, h *IP, src, dst [4]byte, payloadLength int) []byte {
	padding := -len(h.Options) & 3
	length := ipv4HeaderLength + len(h.Options) + padding
	if len(h.Options) > maxOptions {
		panic("packet: more than 40 bytes of IPv4 options")
	}
	if payloadLength < 0 || length+payloadLength > maxLength {
		panic("packet: an IPv4 packet holds 0 to 65535 bytes")
	}
	if h.FragmentOffset < 0 || h.FragmentOffset > maxFragmentOffset || h.FragmentOffset%8 != 0 {
		panic("packet: a fragment offset is a multiple of 8 up to 65528")
	}
	fragment := uint16(h.FragmentOffset / 8)
	if h.DontFragment {
		fragment |= flagDontFragment
	}
	if h.MoreFragments {
		fragment |= flagMoreFragments
	}
	start := len(b)
	b = append(b, 4<<4|byte(length/4), h.TOS)
	b = binary.BigEndian.AppendUint16(b, uint16(length+payloadLength))
	b = binary.BigEndian.AppendUint16(b, h.ID)
	b = binary.BigEndian.AppendUint16(b, fragment)
	b = append(b, h.TTL, h.Protocol, 0, 0)
	b = append(b, src[:]...)
	b = append(b, dst[:]...)
	b = append(b, h.Options...)
	b = appendZeros(b, padding)
	binary.BigEndian.PutUint16(b[start+10:], Checksum(b[start:]))
	return b
}

func decodeIPv4(b []byte, h *IP, x extent) error {
	if len(b) < ipv4HeaderLength {
		return errIPv4Truncated
	}
	h.HeaderLength = int(b[0]&0xf) * 4
	h.Length = int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case h.HeaderLength < ipv4HeaderLength:
		return errIPv4HeaderLength
	case h.HeaderLength > len(b):
		return errIPv4Options
	case h.Length < h.HeaderLength && x == whole:
		return errIPv4Length
	}
	h.TOS = b[1]
	h.ID = binary.BigEndian.Uint16(b[4:])
	fragment := binary.BigEndian.Uint16(b[6:])
	h.DontFragment = fragment&flagDontFragment != 0
	h.MoreFragments = fragment&flagMoreFragments != 0
	h.FragmentOffset = int(fragment&0x1fff) * 8
	h.TTL = b[8]
	h.Protocol = b[9]
	h.Source = netip.AddrFrom4([4]byte(b[12:16]))
	h.Destination = netip.AddrFrom4([4]byte(b[16:20]))
	if h.HeaderLength > ipv4HeaderLength {
		h.Options = b[ipv4HeaderLength:h.HeaderLength:h.HeaderLength]
	}
	return nil
}

// appendZeros pads b with n zeros.
func appendZeros(b []byte, n int) []byte {
	for range n {
		b = append(b, 0)
	}
	return b
}
