// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"net/netip"

	"traceflow"
	"traceflow/packet"
)

// The payload of a UDP probe. Its first two bytes are solved for so that the
// valid checksum of the packet is the second carrier of the identity:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-------------------------------+-------------------------------+
//	|            fix-up             |                               |
//	+-------------------------------+            cookie             +
//	|                                                               |
//	+                               +-------------------------------+
//	|                               |       "traceflow" …
//	+-------------------------------+-------------------------------+
//
// The text tells whoever captures the packet what it is. In IPv6 it is
// followed by as many zeros as the first carrier says, so the length of the
// datagram is part of the identity.
const (
	udpHeader    = 8 // bytes, RFC 768
	fixupOffset  = 0
	cookieOffset = 2
	textOffset   = 10
	payloadText  = "traceflow"
	minPayload   = textOffset + len(payloadText)
	// lengthValues bounds the padding of IPv6 probes, and so the first
	// carrier: 1 to 64 bytes.
	lengthValues = 64
	// idValues is how many IPv4 IP IDs are used: 1 to 65535.
	idValues = 0xffff
)

// firstValues returns how many values the first carrier has for a flow.
func firstValues(f traceflow.Flow) uint16 {
	if f.Destination.Is4() {
		return idValues
	}
	return lengthValues
}

// appendUDP appends the whole IP packet of one probe. It allocates nothing
// when b has room.
func appendUDP(b []byte, p *traceflow.Probe, id identity) []byte {
	var room [minPayload + lengthValues]byte
	payload := room[:minPayload]
	header := packet.IP{
		Source: p.Flow.Source, Destination: p.Flow.Destination,
		Protocol: packet.ProtocolUDP, TTL: p.TTL, Label: p.Flow.Label,
	}
	if p.Flow.Destination.Is4() {
		// Don't Fragment stays clear: RFC 6864 lets middleboxes rewrite the
		// ID of packets that may not be fragmented.
		header.ID = id.tag.first()
	} else {
		payload = room[:minPayload+int(id.tag.first())]
	}
	binary.BigEndian.PutUint64(payload[cookieOffset:], id.cookie)
	copy(payload[textOffset:], payloadText)
	b = packet.AppendIP(b, &header, udpHeader+len(payload))
	return packet.AppendUDPWithChecksum(b,
		netip.AddrPortFrom(p.Flow.Source, p.Flow.SourcePort),
		netip.AddrPortFrom(p.Flow.Destination, p.Flow.DestinationPort),
		payload, fixupOffset, id.tag.second())
}

// quotedIdentity reads the identity out of a quoted UDP probe. The cookie is
// there only if the quote reaches that far.
func quotedIdentity(q *packet.Quote) (t tag, cookie uint64, hasCookie bool) {
	first := q.IP.ID
	if !q.IP.Destination.Is4() {
		first = uint16(max(0, q.UDPLength-udpHeader-minPayload))
	}
	if len(q.Payload) >= textOffset {
		cookie, hasCookie = binary.BigEndian.Uint64(q.Payload[cookieOffset:]), true
	}
	return newTag(first, q.Checksum), cookie, hasCookie
}
