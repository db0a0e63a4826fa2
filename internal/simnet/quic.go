// SPDX-License-Identifier: BSD-3-Clause

package simnet

import "encoding/binary"

// What a QUIC server knows of the versions of QUIC (RFC 9000, section 15).
const (
	quicNegotiation = 0
	quicVersion1    = 1
	// quicReserved is one of those that no endpoint ever speaks, which keeps
	// clients from relying on the list.
	quicReserved = 0x1a2a3a4a
)

// quicSmallest is the least payload of a datagram that a server answers (RFC
// 9000, section 14.1).
const quicSmallest = 1200

// versionNegotiation returns what a QUIC server that speaks version 1 sends
// back for a datagram that asks for a version that it does not speak; false
// for any other, which it takes as it is or drops. The packet is that of RFC
// 9000, section 17.2.1:
//
//	+-+-------------+-------------------------------+
//	|1|   unused    |           version 0 (32)      |
//	+-+-------------+-------------------------------+
//	| length (8)    | the client's source ID         |
//	+---------------+-------------------------------+
//	| length (8)    | the client's destination ID    |
//	+---------------+-------------------------------+
//	|               versions (32 each)              |
//	+-----------------------------------------------+
func versionNegotiation(payload []byte) ([]byte, bool) {
	const longHeader, fixedBit = 0x80, 0x40
	if len(payload) < quicSmallest || payload[0]&longHeader == 0 {
		return nil, false
	}
	version := binary.BigEndian.Uint32(payload[1:])
	if version == quicVersion1 || version == quicNegotiation {
		return nil, false
	}
	// Two IDs of at most 255 bytes end before a payload of this size does.
	destination, rest := connectionID(payload[5:])
	source, _ := connectionID(rest)
	b := binary.BigEndian.AppendUint32([]byte{longHeader | fixedBit}, quicNegotiation)
	b = append(append(b, byte(len(source))), source...)
	b = append(append(b, byte(len(destination))), destination...)
	b = binary.BigEndian.AppendUint32(b, quicVersion1)
	return binary.BigEndian.AppendUint32(b, quicReserved), true
}

// connectionID takes a connection ID with its length off the front of b.
func connectionID(b []byte) (id, rest []byte) {
	end := 1 + int(b[0])
	return b[1:end], b[end:]
}
