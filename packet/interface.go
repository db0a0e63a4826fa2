// SPDX-License-Identifier: BSD-3-Clause

package packet

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
)

// Roles of an interface information object (RFC 5837, section 4.1).
const (
	RoleIncoming    uint8 = 0 // the IP interface that the packet came in by
	RoleIncomingSub uint8 = 1 // the part of an IP interface that it came in by
	RoleOutgoing    uint8 = 2 // the IP interface that it would have left by
	RoleNextHop     uint8 = 3 // the next hop that it would have gone to
)

// The bits of the C-Type that say what an object holds, below the role in the
// upper two (RFC 5837, section 4.1). Two are reserved.
const (
	interfaceMTU     uint8 = 1 << iota // 4 bytes
	interfaceName                      // its length in 1 byte, and the name
	interfaceAddress                   // the family in 2 bytes, 2 reserved, and the address
	interfaceIndex                     // 4 bytes
)

// Address families of the address sub-object (IANA, Address Family Numbers).
const (
	familyIPv4 = 1
	familyIPv6 = 2
)

const (
	// maxInterfaceName is the longest name in bytes (RFC 5837, section 4.3).
	maxInterfaceName = 63
	// maxInterfaces bounds the memory that one message can ask for. Routers
	// send one object for each role.
	maxInterfaces = 16
)

// InterfaceInfo is what an interface information object tells about one
// interface of a router (RFC 5837, section 4).
type InterfaceInfo struct {
	// Role is one of RoleIncoming to RoleNextHop.
	Role uint8
	// Index is the ifIndex (RFC 2863); 0 when it is not told.
	Index uint32
	// Address is invalid when it is not told.
	Address netip.Addr
	// Name is as the router gave it, any bytes, at most 63 of them; nil when it
	// is not told. After decoding it aliases the input.
	Name []byte
	// MTU is in bytes; 0 when it is not told.
	MTU uint32
}

// AppendInterfaces appends what the interface information objects tell to dst,
// for at most 16 interfaces, and returns the longer slice. Of an object that
// contradicts itself it takes what stands before the contradiction; one that
// tells nothing is left out.
func (x Extensions) AppendInterfaces(dst []InterfaceInfo) []InterfaceInfo {
	most := len(dst) + maxInterfaces
	for o, rest, ok := x.first(); ok && len(dst) < most; o, rest, ok = nextObject(rest) {
		if o.Class != ClassInterface {
			continue
		}
		if i, told := decodeInterface(o); told {
			dst = append(dst, i)
		}
	}
	return dst
}

// decodeInterface takes the sub-objects apart, whose order is fixed (RFC 5837,
// section 4.1), and reports whether there is anything in them.
func decodeInterface(o Object) (i InterfaceInfo, told bool) {
	i.Role = o.CType >> 6
	b := o.Payload
	ok := true
	if o.CType&interfaceIndex != 0 {
		i.Index, b, ok = takeWord(b)
	}
	if ok && o.CType&interfaceAddress != 0 {
		i.Address, b, ok = takeAddress(b)
	}
	if ok && o.CType&interfaceName != 0 {
		i.Name, b, ok = takeName(b)
	}
	if ok && o.CType&interfaceMTU != 0 && len(b) == 4 {
		i.MTU = binary.BigEndian.Uint32(b)
	}
	return i, i.Index != 0 || i.Address.IsValid() || i.Name != nil || i.MTU != 0
}

func takeWord(b []byte) (word uint32, rest []byte, ok bool) {
	if len(b) < 4 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(b), b[4:], true
}

// takeAddress reads an address sub-object (RFC 5837, section 4.2). How long
// one of another family is, nobody knows.
func takeAddress(b []byte) (a netip.Addr, rest []byte, ok bool) {
	const header = 4
	switch {
	case len(b) < header:
	case binary.BigEndian.Uint16(b) == familyIPv4 && len(b) >= header+4:
		return netip.AddrFrom4([4]byte(b[header:])), b[header+4:], true
	case binary.BigEndian.Uint16(b) == familyIPv6 && len(b) >= header+16:
		a = netip.AddrFrom16([16]byte(b[header:]))
		if a.Is4In6() {
			a = netip.Addr{} // no interface has such an address
		}
		return a, b[header+16:], true
	}
	return netip.Addr{}, nil, false
}

// takeName reads a name sub-object (RFC 5837, section 4.3): its length in
// bytes, itself included, and the name, padded with zeros. The length must be
// a multiple of 4, and where it is not, what follows is at the next one.
func takeName(b []byte) (name, rest []byte, ok bool) {
	if len(b) == 0 || b[0] == 0 || int(b[0]) > len(b) {
		return nil, nil, false
	}
	n := int(b[0])
	rest = b[min((n+3)&^3, len(b)):]
	name = bytes.TrimRight(b[1:min(n, 1+maxInterfaceName)], "\x00")
	if len(name) == 0 {
		return nil, rest, true
	}
	return slices.Clip(name), rest, true
}

// AppendInterfaceObject appends an interface information object to b, with
// what i tells. Of Role the lower 2 bits are used. It panics when the name has
// more than 63 bytes.
//
// The object is that of RFC 5837, section 4, in which all but the header may
// be absent:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-------------------------------+---------------+---+---+-+-+-+-+
//	|            length             |       2       |Rol| 0 |I|A|N|M|
//	+-------------------------------+---------------+---+---+-+-+-+-+
//	|                             Index                             |
//	+-------------------------------+-------------------------------+
//	|  1 for IPv4, 2 for IPv6       |               0               |
//	+-------------------------------+-------------------------------+
//	|                  Address, 4 or 16 bytes                       |
//	+---------------+-----------------------------------------------+
//	| length (4n)   |        Name, padded with zeros                |
//	+---------------+-----------------------------------------------+
//	|                              MTU                              |
//	+---------------------------------------------------------------+
func AppendInterfaceObject(b []byte, i *InterfaceInfo) []byte {
	if len(i.Name) > maxInterfaceName {
		panic("packet: more than 63 bytes of interface name")
	}
	start := len(b)
	b = append(b, 0, 0, ClassInterface, i.Role<<6)
	if i.Index != 0 {
		b[start+3] |= interfaceIndex
		b = binary.BigEndian.AppendUint32(b, i.Index)
	}
	if a := i.Address.Unmap(); a.IsValid() {
		b[start+3] |= interfaceAddress
		if a.Is4() {
			four := a.As4()
			b = append(append(b, 0, familyIPv4, 0, 0), four[:]...)
		} else {
			sixteen := a.As16()
			b = append(append(b, 0, familyIPv6, 0, 0), sixteen[:]...)
		}
	}
	if n := len(i.Name); n > 0 {
		b[start+3] |= interfaceName
		padded := (1 + n + 3) &^ 3
		b = append(append(b, byte(padded)), i.Name...)
		b = appendZeros(b, padded-1-n)
	}
	if i.MTU != 0 {
		b[start+3] |= interfaceMTU
		b = binary.BigEndian.AppendUint32(b, i.MTU)
	}
	binary.BigEndian.PutUint16(b[start:], uint16(len(b)-start))
	return b
}
