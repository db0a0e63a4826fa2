// SPDX-License-Identifier: BSD-3-Clause

package packet

import (
	"encoding/binary"
	"net/netip"
)

// TranslatedChecksum returns what a NAT makes of a UDP, TCP or ICMPv6 checksum
// when it changes an address and a port, or the ID of an echo, that the
// checksum covers (RFC 1624). That of ICMP covers no address: there only the
// ports may differ. What UpdateChecksum says of 0 in UDP holds here too.
//
// It panics when the addresses are not of one family.
func TranslatedChecksum(checksum uint16, from, to netip.AddrPort) uint16 {
	a, b := sameFamily(from.Addr(), to.Addr())
	before := addWord(addressSum(a), from.Port())
	after := addWord(addressSum(b), to.Port())
	return UpdateChecksum(checksum, before, after)
}

// ChecksumDelta returns the one's complement difference of a quoted checksum
// and the one that was sent: 0 to 65534, where 0 says that they are the same
// number modulo 65535.
func ChecksumDelta(sent, quoted uint16) uint16 {
	if d := addWord(quoted, ^sent); d != 0xffff {
		return d
	}
	return 0
}

// TranslatedPort returns the source port that a NAT has given a packet, which
// the difference that it makes to the checksum tells once the address is known
// that it gave. Of an echo it is the ID, and for ICMP, whose checksum covers no
// address, both addresses must be the same one.
//
// It is exact modulo 65535: 65535 stands for 0 too, which no NAT gives. It is
// false when the addresses are not of one family.
func TranslatedPort(delta uint16, from, to netip.Addr, port uint16) (translated uint16, ok bool) {
	from, to = from.Unmap(), to.Unmap()
	if !from.IsValid() || !to.IsValid() || from.Is4() != to.Is4() {
		return 0, false
	}
	// The checksum is minus the sum, so what the sum has lost is the delta.
	sum := addWord(addWord(port, addressSum(from)), ^delta)
	sum = addWord(sum, ^addressSum(to))
	if sum == 0 {
		sum = 0xffff
	}
	return sum, true
}

// addressSum is the one's complement sum of an address.
func addressSum(a netip.Addr) uint16 {
	if a.Is4() {
		b := a.As4()
		return addWord(binary.BigEndian.Uint16(b[:]), binary.BigEndian.Uint16(b[2:]))
	}
	b := a.As16()
	return AddChecksum(0, b[:])
}
