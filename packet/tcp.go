// SPDX-License-Identifier: BSD-3-Clause

package packet

import (
	"encoding/binary"
	"net/netip"
)

const tcpHeaderLength = 20

// TCPFlags are the control bits of a TCP header (RFC 9293, section 3.1).
type TCPFlags uint8

// The control bits.
const (
	FlagFIN TCPFlags = 1 << iota // no more data from the sender
	FlagSYN                      // synchronise sequence numbers
	FlagRST                      // reset the connection
	FlagPSH                      // push
	FlagACK                      // Acknowledgment is significant
	FlagURG                      // Urgent is significant
	FlagECE                      // ECN echo (RFC 3168, section 6.1)
	FlagCWR                      // congestion window reduced (RFC 3168, section 6.1)
)

// TCP is a TCP header (RFC 9293, section 3.1).
type TCP struct {
	SourcePort, DestinationPort uint16
	Sequence, Acknowledgment    uint32
	Flags                       TCPFlags
	// Window is as on the wire, not scaled.
	Window uint16
	// Checksum is only set when decoding.
	Checksum uint16
	Urgent   uint16
	// Options are the raw options; nil when there are none. After decoding it
	// aliases the input.
	Options []byte
}

// AppendTCP appends a TCP header, its options padded with zeros (end of
// options) to a multiple of 4, and the payload to b. The checksum over the
// pseudo header is valid.
//
// It panics when the addresses are not of one family or t.Options has more
// than 40 bytes.
//
// The header is that of RFC 9293, section 3.1:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-------------------------------+-------------------------------+
//	|          SourcePort           |        DestinationPort        |
//	+-------------------------------+-------------------------------+
//	|                           Sequence                            |
//	+---------------------------------------------------------------+
//	|                        Acknowledgment                         |
//	+-------+-------+---------------+-------------------------------+
//	| words |   0   |     Flags     |            Window             |
//	+-------+-------+---------------+-------------------------------+
//	|           checksum            |            Urgent             |
//	+-------------------------------+-------------------------------+
//	|               Options, padded with zeros to 4                 |
//	+---------------------------------------------------------------+
func AppendTCP(b []byte, src, dst netip.Addr, t *TCP, payload []byte) []byte {
	if len(t.Options) > maxOptions {
		panic("packet: more than 40 bytes of TCP options")
	}
	padding := -len(t.Options) & 3
	start := len(b)
	b = binary.BigEndian.AppendUint16(b, t.SourcePort)
	b = binary.BigEndian.AppendUint16(b, t.DestinationPort)
	b = binary.BigEndian.AppendUint32(b, t.Sequence)
	b = binary.BigEndian.AppendUint32(b, t.Acknowledgment)
	b = append(b, byte((tcpHeaderLength+len(t.Options)+padding)/4)<<4, byte(t.Flags))
	b = binary.BigEndian.AppendUint16(b, t.Window)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, t.Urgent)
	b = append(b, t.Options...)
	b = appendZeros(b, padding)
	b = append(b, payload...)
	sum := PseudoHeaderSum(src, dst, ProtocolTCP, len(b)-start)
	binary.BigEndian.PutUint16(b[start+16:], ^AddChecksum(sum, b[start:]))
	return b
}

// DecodeTCP takes a whole TCP segment apart; DecodeQuote does it for the first
// bytes of one. The four reserved bits are ignored and the checksum is not
// verified.
//
// The error wraps ErrTruncated when b ends inside the header or its options,
// and ErrMalformed for a data offset below 5 words.
func DecodeTCP(b []byte) (t TCP, payload []byte, err error) {
	if len(b) < tcpHeaderLength {
		return TCP{}, nil, errTCPTruncated
	}
	length := int(b[12]>>4) * 4
	if length < tcpHeaderLength {
		return TCP{}, nil, errTCPDataOffset
	}
	if length > len(b) {
		return TCP{}, nil, errTCPOptions
	}
	t = TCP{
		SourcePort:      binary.BigEndian.Uint16(b),
		DestinationPort: binary.BigEndian.Uint16(b[2:]),
		Sequence:        binary.BigEndian.Uint32(b[4:]),
		Acknowledgment:  binary.BigEndian.Uint32(b[8:]),
		Flags:           TCPFlags(b[13]),
		Window:          binary.BigEndian.Uint16(b[14:]),
		Checksum:        binary.BigEndian.Uint16(b[16:]),
		Urgent:          binary.BigEndian.Uint16(b[18:]),
	}
	if length > tcpHeaderLength {
		t.Options = b[tcpHeaderLength:length:length]
	}
	return t, b[length:len(b):len(b)], nil
}
