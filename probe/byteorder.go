// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"net/netip"

	"traceflow/packet"
)

// headerOrder is the order of bytes in which a kernel takes and gives the total
// length and the flags with fragment offset of an IPv4 header that a program
// writes or reads itself. All other fields are in network order everywhere.
type headerOrder bool

const (
	// networkOrder: Linux; FreeBSD since 11 (ip(4), "raw IP sockets";
	// rip_output calls ntohs on ip_len) and Go needs a newer one; OpenBSD
	// (rip_chkhdr likewise); Windows.
	networkOrder headerOrder = false
	// hostOrder: macOS, as 4.4BSD. Read in XNU (apple-oss-distributions/xnu at
	// 1031c58, bsd/netinet): rip_output and icmp_dgram_send compare ip_len with
	// the packet's length without turning it round; before a raw socket sees a
	// packet, both fields have been turned round and the header's length taken
	// off ip_len (icmp_input adds it again where it reflects a packet).
	hostOrder headerOrder = true
)

// Offsets in an IPv4 header (RFC 791, section 3.1) and of the quote in an ICMP
// error (RFC 792).
const (
	ipv4Header     = 20
	ipv4Length     = 2
	ipv4ID         = 4
	ipv4Fragment   = 6
	ipv4Protocol   = 9
	icmpHeader     = 8
	icmpChecksumAt = 2
	quotedLength   = icmpHeader + ipv4Length
	quotedID       = icmpHeader + ipv4ID
)

// toKernel turns an IPv4 packet into what the kernel wants to be given.
func (o headerOrder) toKernel(b []byte) {
	if o == hostOrder && len(b) >= ipv4Header {
		turn(b[ipv4Length:])
		turn(b[ipv4Fragment:])
	}
}

// fromKernel turns an IPv4 packet from a raw socket into what was on the wire.
// The length is that of what came: a socket gives whole packets, and what the
// kernel left in the field depends on its age.
func (o headerOrder) fromKernel(b []byte) {
	if len(b) < ipv4Header || b[0]>>4 != 4 {
		return
	}
	if o == hostOrder {
		turn(b[ipv4Fragment:])
	}
	binary.BigEndian.PutUint16(b[ipv4Length:], uint16(min(len(b), 0xffff)))
	if icmp := icmpQuoting(b); icmp != nil && packet.Checksum(icmp) != 0 {
		// XNU's icmp_input, like that of the BSDs before, turns the quoted
		// ip_len round as well, but only for the codes that it knows. The
		// checksum, which it verified before, tells.
		swap(icmp[quotedLength:])
		if packet.Checksum(icmp) != 0 {
			swap(icmp[quotedLength:])
		}
	}
}

// icmpQuoting returns the ICMP message of an IPv4 packet that is an error
// with a whole header in its quote, or nil.
func icmpQuoting(b []byte) []byte {
	if len(b) < ipv4Header || b[ipv4Protocol] != packet.ProtocolICMP {
		return nil
	}
	header := int(b[0]&0xf) * 4
	if header < ipv4Header || len(b) < header+icmpHeader+ipv4Header {
		return nil
	}
	switch icmp := b[header:]; icmp[0] {
	case packet.ICMPv4DestinationUnreachable, packet.ICMPv4TimeExceeded, packet.ICMPv4ParameterProblem:
		return icmp
	}
	return nil
}

// turn changes a field between network and host order.
func turn(b []byte) { binary.NativeEndian.PutUint16(b, binary.BigEndian.Uint16(b)) }

func swap(b []byte) { b[0], b[1] = b[1], b[0] }

// appendHeaderless appends to b an ICMPv6 packet whose header a socket has kept:
// of that, sockets of IPv6 give no more than the addresses and the hop limit
// (RFC 3542, section 3). It reports whether these belong to IPv6.
func appendHeaderless(b []byte, source, destination netip.Addr, hopLimit uint8, payload []byte) ([]byte, bool) {
	if !destination.IsValid() {
		destination = netip.IPv6Unspecified()
	}
	source, destination = source.WithZone(""), destination.WithZone("")
	if !source.Is6() || source.Is4In6() || !destination.Is6() || destination.Is4In6() || len(payload) > 0xffff {
		return b, false
	}
	header := packet.IP{Source: source, Destination: destination, Protocol: packet.ProtocolICMPv6, TTL: hopLimit}
	return append(packet.AppendIP(b, &header, len(payload)), payload...), true
}
