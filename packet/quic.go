// SPDX-License-Identifier: BSD-3-Clause

package packet

import (
	"encoding/binary"
	"slices"
)

// QUICConnectionID is the length in bytes of the connection IDs that
// AppendQUICProbe writes.
const QUICConnectionID = 8

// Where the connection IDs are in what AppendQUICProbe writes, in bytes from
// its beginning.
const (
	QUICDestinationID  = 6
	QUICSourceIDLength = QUICDestinationID + QUICConnectionID
	QUICSourceID       = QUICSourceIDLength + 1
	QUICProbeHeader    = QUICSourceID + QUICConnectionID // what follows is padding
)

// QUICMinimum is the shortest UDP payload in bytes that a server answers with
// the versions that it supports (RFC 9000, sections 5.2.2 and 14.1).
const QUICMinimum = 1200

// QUICProbeVersion is a version that no server supports: one of those reserved
// for making servers negotiate, 0x?a?a?a?a (RFC 9000, section 15).
const QUICProbeVersion uint32 = 0x1a2a3a4a

const (
	quicLong  = 0x80 // header form: long (RFC 8999, section 5.1)
	quicFixed = 0x40 // set, so that other protocols on the port can be told apart (RFC 9000, section 17.2)
)

// QUIC is what the long header of every version of QUIC has (RFC 8999, section
// 5.1).
type QUIC struct {
	// Version is 0 for version negotiation.
	Version uint32
	// DestinationID and SourceID are connection IDs of 0 to 255 bytes. They
	// alias the input.
	DestinationID, SourceID []byte
	// Rest is what follows, which depends on the version. It aliases the input.
	Rest []byte
}

// AppendQUICProbe appends a packet of a version that no server supports, which
// makes one answer with a version negotiation packet, padded with zeros to
// length bytes. The server returns the connection IDs in each other's place,
// so that they can carry an identity.
//
// It panics when length is less than QUICProbeHeader.
//
// The packet is that of RFC 8999, section 5.1:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-----------+-----------------------------------------------+
//	|1|1|     0     |         QUICProbeVersion (4 bytes)            |
//	+-+-+-----------+---------------+-------------------------------+
//	|    version    |       8       |       destinationID (8 bytes) |
//	+---------------+---------------+-------------------------------+
//	|                         destinationID                         |
//	+-------------------------------+---------------+---------------+
//	|         destinationID         |       8       |   sourceID    |
//	+-------------------------------+---------------+---------------+
//	|                 sourceID (8 bytes), then zeros                |
//	+---------------------------------------------------------------+
func AppendQUICProbe(b []byte, destinationID, sourceID [QUICConnectionID]byte, length int) []byte {
	if length < QUICProbeHeader {
		panic("packet: a QUIC probe has a header of 23 bytes")
	}
	b = append(b, quicLong|quicFixed)
	b = appendQUICHeader(b, QUICProbeVersion, destinationID[:], sourceID[:])
	return appendZeros(b, length-QUICProbeHeader)
}

// AppendVersionNegotiation appends a version negotiation packet (RFC 9000,
// section 17.2.1): what a server answers to a version that it does not
// support, with the connection IDs of what it answers in each other's place.
// It panics when one of them has more than 255 bytes.
func AppendVersionNegotiation(b []byte, destinationID, sourceID []byte, versions ...uint32) []byte {
	if len(destinationID) > 0xff || len(sourceID) > 0xff {
		panic("packet: more than 255 bytes of QUIC connection ID")
	}
	b = append(b, quicLong|quicFixed)
	b = appendQUICHeader(b, 0, destinationID, sourceID)
	for _, v := range versions {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// appendQUICHeader appends what follows the first byte of a long header.
func appendQUICHeader(b []byte, version uint32, destinationID, sourceID []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, version)
	b = append(append(b, byte(len(destinationID))), destinationID...)
	return append(append(b, byte(len(sourceID))), sourceID...)
}

// DecodeQUIC takes a long header apart.
//
// The error wraps ErrTruncated when b ends inside the header, and ErrMalformed
// for a short header.
func DecodeQUIC(b []byte) (q QUIC, err error) {
	const fixed = 6 // up to the length of the first connection ID
	if len(b) < fixed {
		return QUIC{}, errQUICTruncated
	}
	if b[0]&quicLong == 0 {
		return QUIC{}, errQUICForm
	}
	q.Version = binary.BigEndian.Uint32(b[1:])
	rest := b[fixed-1:]
	for _, id := range []*[]byte{&q.DestinationID, &q.SourceID} {
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			return QUIC{}, errQUICConnectionID
		}
		end := 1 + int(rest[0])
		*id, rest = rest[1:end:end], rest[end:]
	}
	q.Rest = slices.Clip(rest)
	return q, nil
}

// VersionNegotiation is what a server answers to a version that it does not
// support (RFC 9000, section 17.2.1).
type VersionNegotiation struct {
	// DestinationID is the source connection ID of what is answered, and
	// SourceID its destination connection ID. They alias the input.
	DestinationID, SourceID []byte
	versions                []byte
}

// AppendVersions appends the versions that the server supports to dst, in its
// order, and returns the longer slice. After decoding there is at least one.
func (v *VersionNegotiation) AppendVersions(dst []uint32) []uint32 {
	for b := v.versions; len(b) >= 4; b = b[4:] {
		dst = append(dst, binary.BigEndian.Uint32(b))
	}
	return dst
}

// DecodeVersionNegotiation takes a version negotiation packet apart.
//
// Beside those of DecodeQUIC, the error wraps ErrTruncated when b ends inside
// a version, and ErrMalformed for another version than 0 or a list that is
// empty: such packets must be ignored (RFC 8999, section 6).
func DecodeVersionNegotiation(b []byte) (v VersionNegotiation, err error) {
	q, err := DecodeQUIC(b)
	switch {
	case err != nil:
		return VersionNegotiation{}, err
	case q.Version != 0:
		return VersionNegotiation{}, errQUICVersion
	case len(q.Rest) == 0:
		return VersionNegotiation{}, errQUICVersions
	case len(q.Rest)%4 != 0:
		return VersionNegotiation{}, errQUICHalfVersion
	}
	return VersionNegotiation{q.DestinationID, q.SourceID, q.Rest}, nil
}
