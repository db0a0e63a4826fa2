// SPDX-License-Identifier: BSD-3-Clause

package packet

import (
	"encoding/binary"
	"net/netip"
)

const icmpHeaderLength = 8

// ICMP is an ICMP (RFC 792) or ICMPv6 (RFC 4443) message. Which of the two is
// not in the message: it is told by the family of the addresses it travels
// between. Fields that the type does not have are 0.
type ICMP struct {
	Type, Code uint8
	// Checksum is only set when decoding.
	Checksum uint16
	// ID and Sequence are those of echo requests and replies.
	ID, Sequence uint16
	// MTU in bytes is that of a packet too big (ICMPv6 type 2), or of a
	// destination unreachable, fragmentation needed (ICMP 3/4; RFC 1191,
	// section 4), where 0 is what old routers send.
	MTU uint32
	// Pointer is the offset in the quoted packet, in bytes, of what a
	// parameter problem is about.
	Pointer uint32
	// Body is what follows the 8 bytes of header: the data of an echo, or the
	// quote of an error and its extensions. After decoding it aliases the
	// input.
	Body []byte
	// QuoteUnits is the length field of RFC 4884, section 4, converted to
	// bytes: how much of Body is the padded quote. 0 means that the field is
	// absent or not filled in, as it is without extensions.
	QuoteUnits int
}

// AppendEcho appends an echo request or reply to b, with a valid checksum: an
// ICMP or an ICMPv6 message, as told by the family of src. Of m it uses Type,
// Code, ID, Sequence and Body. It panics when the addresses are not of one
// family.
//
// The message is that of RFC 792 and of RFC 4443, section 4:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+---------------+---------------+-------------------------------+
//	|     Type      |     Code      |           checksum            |
//	+---------------+---------------+-------------------------------+
//	|              ID               |           Sequence            |
//	+-------------------------------+-------------------------------+
//	|                             Body                              |
//	+---------------------------------------------------------------+
func AppendEcho(b []byte, src, dst netip.Addr, m *ICMP) []byte {
	start := len(b)
	b = append(b, m.Type, m.Code, 0, 0)
	b = binary.BigEndian.AppendUint16(b, m.ID)
	b = binary.BigEndian.AppendUint16(b, m.Sequence)
	b = append(b, m.Body...)
	return finishICMP(b, start, src, dst)
}

// AppendEchoWithChecksum is AppendEcho with a checksum chosen by the caller,
// as AppendUDPWithChecksum is for UDP: the two bytes at m.Body[fix:fix+2] are
// solved for, so that want is the valid checksum. Routers that look for ports
// where an echo has its type, code and checksum so see one flow, whatever its
// ID and sequence number are.
//
// It panics when fix is odd or its two bytes are not inside the body, when want
// is 0 or 0xffff (which are the same value in one's complement), and when
// AppendEcho would.
func AppendEchoWithChecksum(b []byte, src, dst netip.Addr, m *ICMP, fix int, want uint16) []byte {
	if fix < 0 || fix%2 != 0 || fix > len(m.Body)-2 {
		panic("packet: the checksum of an echo is fixed up in two bytes of the body at an even offset")
	}
	if want == 0 || want == 0xffff {
		panic("packet: the checksum of an echo cannot be chosen to be 0 or 0xffff")
	}
	start := len(b)
	b = AppendEcho(b, src, dst, m)
	// What takes the sum from the checksum that came out to the one wanted, the
	// two bytes take back.
	at := start + icmpHeaderLength + fix
	came := binary.BigEndian.Uint16(b[start+2:])
	binary.BigEndian.PutUint16(b[start+2:], want)
	solved := addWord(addWord(binary.BigEndian.Uint16(b[at:]), came), ^want)
	binary.BigEndian.PutUint16(b[at:], solved)
	return b
}

// finishICMP writes the checksum of the message that begins at start. Only
// that of ICMPv6 covers a pseudo header (RFC 4443, section 2.3).
func finishICMP(b []byte, start int, src, dst netip.Addr) []byte {
	src, dst = sameFamily(src, dst)
	var sum uint16
	if !src.Is4() {
		sum = PseudoHeaderSum(src, dst, ProtocolICMPv6, len(b)-start)
	}
	binary.BigEndian.PutUint16(b[start+2:], ^AddChecksum(sum, b[start:]))
	return b
}

// DecodeICMP takes an ICMP or ICMPv6 message apart, as told by the family of
// src. Types that it does not know are no error: they have only Type, Code,
// Checksum and Body. It does not verify the checksum: ValidChecksum does. Linux
// has verified that of ICMPv6 before a raw socket gets it, but not of ICMP.
//
// The error wraps ErrTruncated for fewer than 8 bytes.
func DecodeICMP(b []byte, src, dst netip.Addr) (m ICMP, err error) {
	_ = dst
	err = decodeICMP(b, src.Unmap().Is4(), &m)
	return m, err
}

func decodeICMP(b []byte, v4 bool, m *ICMP) error {
	if len(b) < icmpHeaderLength {
		return errICMPTruncated
	}
	m.Type, m.Code = b[0], b[1]
	m.Checksum = binary.BigEndian.Uint16(b[2:])
	m.Body = b[icmpHeaderLength:len(b):len(b)]
	if isEcho(m.Type, v4) {
		m.ID = binary.BigEndian.Uint16(b[4:])
		m.Sequence = binary.BigEndian.Uint16(b[6:])
		return nil
	}
	if v4 {
		switch m.Type {
		case ICMPv4DestinationUnreachable:
			if m.Code == ICMPv4CodeFragmentationNeeded {
				m.MTU = uint32(binary.BigEndian.Uint16(b[6:]))
			}
		case ICMPv4ParameterProblem:
			m.Pointer = uint32(b[4])
		}
	} else {
		switch m.Type {
		case ICMPv6PacketTooBig:
			m.MTU = binary.BigEndian.Uint32(b[4:])
		case ICMPv6ParameterProblem:
			m.Pointer = binary.BigEndian.Uint32(b[4:])
		}
	}
	if hasLengthField(m.Type, v4) {
		at, unit := lengthField(v4)
		m.QuoteUnits = int(b[at]) * unit
	}
	return nil
}

// isEcho reports whether a message of this type has an ID and a sequence
// number.
func isEcho(typ uint8, v4 bool) bool {
	if v4 {
		return typ == ICMPv4EchoRequest || typ == ICMPv4EchoReply
	}
	return typ == ICMPv6EchoRequest || typ == ICMPv6EchoReply
}
