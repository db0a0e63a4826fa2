// SPDX-License-Identifier: BSD-3-Clause

package packet

import "encoding/binary"

// Kinds of TCP options (IANA, TCP Option Kind Numbers).
const (
	optionEnd           = 0 // RFC 9293, section 3.1
	optionNoOperation   = 1 // RFC 9293, section 3.1
	optionMaxSegment    = 2 // RFC 9293, section 3.7.1
	optionWindowScale   = 3 // RFC 7323, section 2.2
	optionSACKPermitted = 4 // RFC 2018, section 2
	optionTimestamps    = 8 // RFC 7323, section 3.2
)

// timestampsLength is that of a timestamps option in bytes.
const timestampsLength = 10

// AppendSYNOptions appends the options of a SYN as Linux sends them, 20 bytes
// in all, so that a probe looks like the beginning of a connection: the
// maximum segment size in bytes, SACK permitted, timestamps with an echo of 0,
// and the window scale, a power of 2 up to 14.
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+---------------+---------------+-------------------------------+
//	|       2       |       4       |          maxSegment           |
//	+---------------+---------------+---------------+---------------+
//	|       4       |       2       |       8       |      10       |
//	+---------------+---------------+---------------+---------------+
//	|                           timestamp                           |
//	+---------------------------------------------------------------+
//	|                               0                               |
//	+---------------+---------------+---------------+---------------+
//	|       1       |       3       |       3       |  windowScale  |
//	+---------------+---------------+---------------+---------------+
func AppendSYNOptions(b []byte, maxSegment uint16, timestamp uint32, windowScale uint8) []byte {
	b = append(b, optionMaxSegment, 4)
	b = binary.BigEndian.AppendUint16(b, maxSegment)
	b = append(b, optionSACKPermitted, 2, optionTimestamps, timestampsLength)
	b = binary.BigEndian.AppendUint32(b, timestamp)
	b = append(b, 0, 0, 0, 0)
	return append(b, optionNoOperation, optionWindowScale, 3, windowScale)
}

// Timestamps returns what the timestamps option of a segment says: the
// sender's clock, and the clock value of ours that it has seen last (RFC 7323,
// section 3.2). It is false when there is none, or none that is in order.
func (t *TCP) Timestamps() (value, echo uint32, ok bool) {
	for b := t.Options; len(b) > 0 && b[0] != optionEnd; {
		if b[0] == optionNoOperation {
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return 0, 0, false
		}
		if b[0] == optionTimestamps && b[1] == timestampsLength {
			return binary.BigEndian.Uint32(b[2:]), binary.BigEndian.Uint32(b[6:]), true
		}
		b = b[b[1]:]
	}
	return 0, 0, false
}
