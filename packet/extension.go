// SPDX-License-Identifier: BSD-3-Clause

package packet

import (
	"encoding/binary"
	"iter"
)

const (
	extensionsVersion      = 2
	extensionsHeaderLength = 4
	objectHeaderLength     = 4
	labelStackEntryLength  = 4
)

// Class and type of the objects that this package builds or decodes (IANA,
// ICMP Extension Object Classes and Class Sub-types).
const (
	ClassMPLS                    uint8 = 1 // RFC 4950, section 3
	CTypeMPLSIncoming            uint8 = 1 // the label stack that the packet arrived with
	ClassInterface               uint8 = 2 // RFC 5837, section 4
	ClassInterfaceIdentification uint8 = 3 // RFC 8335, section 2.1
)

// Extensions is an extension structure of an ICMP error (RFC 4884, section
// 7): its header and its objects. DecodeICMPError makes sure that the version
// is 2, the checksum valid or 0, and that there are objects which fill it
// exactly. Nil when there is none.
type Extensions []byte

// Object is one object of an extension structure (RFC 4884, section 7.1).
type Object struct {
	Class, CType uint8
	// Payload is what follows the object's header. It aliases the structure.
	Payload []byte
}

// LabelStackEntry is one entry of an MPLS label stack (RFC 3032, section 2.1),
// as RFC 4950 quotes it.
type LabelStackEntry struct {
	Label  uint32 // 20 bits
	TC     uint8  // traffic class, 3 bits (RFC 5462)
	Bottom bool   // bottom of stack
	TTL    uint8
}

// Objects yields the objects in their order on the wire. It stops at the first
// one that is not in order, which there is none of in what DecodeICMPError
// returns.
func (x Extensions) Objects() iter.Seq[Object] {
	return func(yield func(Object) bool) {
		for o, rest, ok := x.first(); ok; o, rest, ok = nextObject(rest) {
			if !yield(o) {
				return
			}
		}
	}
}

// AppendMPLS appends the entries of the MPLS label stacks to dst, top of stack
// first, and returns the longer slice: dst itself when there are none. Of an
// object's payload, bytes beyond a multiple of 4 are ignored.
func (x Extensions) AppendMPLS(dst []LabelStackEntry) []LabelStackEntry {
	for o, rest, ok := x.first(); ok; o, rest, ok = nextObject(rest) {
		if o.Class != ClassMPLS || o.CType != CTypeMPLSIncoming {
			continue
		}
		for p := o.Payload; len(p) >= labelStackEntryLength; p = p[labelStackEntryLength:] {
			word := binary.BigEndian.Uint32(p)
			dst = append(dst, LabelStackEntry{
				Label:  word >> 12,
				TC:     uint8(word>>9) & 7,
				Bottom: word>>8&1 != 0,
				TTL:    uint8(word),
			})
		}
	}
	return dst
}

// first returns the first object and what follows it.
func (x Extensions) first() (o Object, rest []byte, ok bool) {
	if len(x) < extensionsHeaderLength {
		return Object{}, nil, false
	}
	return nextObject(x[extensionsHeaderLength:])
}

// nextObject takes one object off the front of b.
func nextObject(b []byte) (o Object, rest []byte, ok bool) {
	if len(b) < objectHeaderLength {
		return Object{}, nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if n < objectHeaderLength || n > len(b) {
		return Object{}, nil, false
	}
	return Object{Class: b[2], CType: b[3], Payload: b[objectHeaderLength:n:n]}, b[n:], true
}

// extensionsAt returns the extension structure that fills body from the offset
// at to its end, or nil when there is none. With sure it must have a checksum.
func extensionsAt(body []byte, at int, sure bool) Extensions {
	if at > len(body)-extensionsHeaderLength-objectHeaderLength {
		return nil
	}
	b := body[at:len(body):len(body)]
	// The upper half of the first byte, but some routers use the lower one.
	if b[0]>>4 != extensionsVersion && b[0] != extensionsVersion {
		return nil
	}
	for rest := b[extensionsHeaderLength:]; len(rest) > 0; {
		var ok bool
		if _, rest, ok = nextObject(rest); !ok {
			return nil
		}
	}
	if b[2] == 0 && b[3] == 0 {
		if sure {
			return nil
		}
	} else if Checksum(b) != 0 {
		return nil
	}
	return Extensions(b)
}

// AppendExtensions appends an extension structure to b: a header with a valid
// checksum, and the objects, which AppendObject and AppendMPLSObject make.
//
// The header is that of RFC 4884, section 7:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-------+-----------------------+-------------------------------+
//	|   2   |       0               |           checksum            |
//	+-------+-----------------------+-------------------------------+
//	|                            objects                            |
//	+---------------------------------------------------------------+
func AppendExtensions(b, objects []byte) []byte {
	start := len(b)
	b = append(b, extensionsVersion<<4, 0, 0, 0)
	b = append(b, objects...)
	checksum := Checksum(b[start:])
	if checksum == 0 {
		// 0 would mean that there is none.
		checksum = 0xffff
	}
	binary.BigEndian.PutUint16(b[start+2:], checksum)
	return b
}

// AppendObject appends an object to b. It panics when the payload has more
// than 65531 bytes.
//
// The object is that of RFC 4884, section 7.1:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-------------------------------+---------------+---------------+
//	|       4 + len(Payload)        |     Class     |     CType     |
//	+-------------------------------+---------------+---------------+
//	|                            Payload                            |
//	+---------------------------------------------------------------+
func AppendObject(b []byte, o Object) []byte {
	b = appendObjectHeader(b, o.Class, o.CType, len(o.Payload))
	return append(b, o.Payload...)
}

func appendObjectHeader(b []byte, class, ctype uint8, payloadLength int) []byte {
	if payloadLength > maxLength-objectHeaderLength {
		panic("packet: more than 65531 bytes of ICMP extension object")
	}
	b = binary.BigEndian.AppendUint16(b, uint16(objectHeaderLength+payloadLength))
	return append(b, class, ctype)
}

// AppendMPLSObject appends an object with a label stack, top first, to b. Of
// Label the lower 20 bits are used, of TC the lower 3; Bottom is written as
// given.
//
// An entry is that of RFC 3032, section 2.1:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+---------------------------------------+-----+-+---------------+
//	|                 Label                 | TC  |B|      TTL      |
//	+---------------------------------------+-----+-+---------------+
func AppendMPLSObject(b []byte, stack []LabelStackEntry) []byte {
	b = appendObjectHeader(b, ClassMPLS, CTypeMPLSIncoming, len(stack)*labelStackEntryLength)
	for _, e := range stack {
		word := e.Label&0xfffff<<12 | uint32(e.TC&7)<<9 | uint32(e.TTL)
		if e.Bottom {
			word |= 1 << 8
		}
		b = binary.BigEndian.AppendUint32(b, word)
	}
	return b
}
