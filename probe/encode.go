// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"

	"traceflow"
	"traceflow/packet"
)

// The body of UDP and ICMP probes. Its first two bytes are solved for so that
// the packet's checksum has a chosen value and is valid:
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
// The text tells whoever captures the packet what it is. It is followed by
// zeros up to the size asked for; in IPv6, where no size is, by as many as the
// first carrier says, so that the length is part of the identity.
const (
	fixupOffset  = 0
	cookieOffset = 2
	textOffset   = 10
	payloadText  = "traceflow"
	minPayload   = textOffset + len(payloadText)
)

const (
	// transportHeader is what UDP and ICMP echo have, in bytes.
	transportHeader = 8
	// lengthValues bounds the padding of IPv6 probes, and so the first
	// carrier: 1 to 64 bytes.
	lengthValues = 64
	// idValues is how many IPv4 IP IDs are used: 1 to 65535.
	idValues = 0xffff
)

// SmallestSize is the length in bytes of the smallest packet of a protocol, IP
// header included, that holds the identity.
func SmallestSize(p traceflow.Protocol, ipv6, quic bool) int {
	size := 20
	if ipv6 {
		size = 40
	}
	switch {
	case p == traceflow.ProtocolTCP:
		return size + tcpLength
	case quic:
		return size + transportHeader + packet.QUICMinimum
	}
	return size + transportHeader + minPayload
}

// appendProbe appends the whole IP packet of one probe. It allocates nothing
// when b has room, but for packets of a given size.
func appendProbe(b []byte, p *traceflow.Probe, id identity, quic bool) []byte {
	header := packet.IP{
		Source: p.Flow.Source, Destination: p.Flow.Destination, Protocol: p.Flow.Number(),
		TTL: p.TTL, TOS: p.Flow.TOS, Label: p.Flow.Label,
	}
	if p.Flow.Destination.Is4() {
		// Don't Fragment stays clear unless it is asked for: RFC 6864 lets
		// middleboxes rewrite the ID of packets that may not be fragmented.
		header.ID, header.DontFragment = id.tag.first(), p.DontFragment
	}
	switch p.Flow.Protocol {
	case traceflow.ProtocolTCP:
		return appendTCP(packet.AppendIP(b, &header, tcpLength), p, id)
	case traceflow.ProtocolUDP:
		if quic {
			return appendQUIC(b, &header, p, id)
		}
	case traceflow.ProtocolICMP:
	}
	var room [minPayload + lengthValues]byte
	body := fillBody(room[:], p, id)
	b = packet.AppendIP(b, &header, transportHeader+len(body))
	if p.Flow.Protocol == traceflow.ProtocolICMP {
		return appendEcho(b, p, id, body)
	}
	return appendUDP(b, p, id, body, fixupOffset)
}

// fillBody makes the body of a probe in room, or in memory of its own if that
// is too small.
func fillBody(room []byte, p *traceflow.Probe, id identity) []byte {
	n := bodyLength(p, id)
	if n > len(room) {
		room = make([]byte, n)
	}
	body := room[:n]
	binary.BigEndian.PutUint64(body[cookieOffset:], id.cookie)
	copy(body[textOffset:], payloadText)
	return body
}

func bodyLength(p *traceflow.Probe, id identity) int {
	v6 := !p.Flow.Destination.Is4()
	switch smallest := SmallestSize(p.Flow.Protocol, v6, false); {
	case p.Size > 0:
		return minPayload + max(0, p.Size-smallest)
	case v6:
		return minPayload + int(id.tag.first())
	}
	return minPayload
}

// firstValues returns how many values the first carrier has for a probe.
func firstValues(p *traceflow.Probe, quic bool) uint16 {
	switch {
	case p.Flow.Destination.Is4() || p.Flow.Protocol == traceflow.ProtocolTCP:
		return idValues
	case p.Size > 0 || quic && p.Flow.Protocol == traceflow.ProtocolUDP: // the length is given
		return 1
	}
	return lengthValues
}

// lengthCarrier reads the first carrier of IPv6 probes out of the length of a
// body: 0, which none has, where no body of ours is as short.
func lengthCarrier(body int) uint16 {
	switch {
	case body < minPayload:
		return 0
	case body == minPayload || body > minPayload+lengthValues:
		return 1 // of a given size
	}
	return uint16(body - minPayload)
}

// cookieIn reads the cookie of a quoted or returned body, if it reaches that
// far.
func cookieIn(body []byte) (cookie uint64, ok bool) {
	at := cookieOffset
	if isQUIC(body) {
		at = packet.QUICSourceID
	}
	if len(body) < at+8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(body[at:]), true
}
