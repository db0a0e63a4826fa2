// SPDX-License-Identifier: BSD-3-Clause

package packet

import "encoding/binary"

// Quote is the packet that caused an ICMP error as the sender of the error
// quotes it: the IP header and at least 8 bytes, often more (RFC 792; RFC
// 1812 section 4.3.2.3; RFC 4443 section 2.4). Fields that the protocol does
// not have, or that were not quoted, are 0.
type Quote struct {
	// IP is the quoted header, as routers and NATs have left it: TTL is what
	// the packet had when it was dropped. Length is as quoted, and some
	// senders quote it wrongly.
	IP IP
	// SourcePort and DestinationPort are those of UDP and TCP.
	SourcePort, DestinationPort uint16
	// UDPLength is the length field of UDP, in bytes with the header.
	UDPLength int
	// Checksum is that of UDP, ICMP and ICMPv6, and that of TCP where at least
	// 18 bytes of it were quoted: it is 0 where they were not, or are padding.
	Checksum uint16
	// Sequence is that of TCP.
	Sequence uint32
	// EchoID and EchoSequence are those of a quoted echo request or reply.
	EchoID, EchoSequence uint16
	// Payload is what was quoted after the transport header, up to the end
	// that the quoted IP and UDP headers claim, so without padding. It is
	// empty when only 8 bytes were. For protocols that are not UDP, TCP or
	// ICMP it is what was quoted after the IP header. It aliases the input.
	Payload []byte
}

// DecodeQuote takes a quote apart, from its IP header on and without
// extensions. No checksum is verified: those of IP and UDP rarely survive
// being forwarded, translated and cut short.
//
// A quoted length that is too small for the headers and 8 bytes is ignored,
// since some senders quote it in the wrong byte order or without the header.
//
// The error wraps ErrTruncated when b ends inside the IP header or, for UDP,
// TCP, ICMP and ICMPv6, has fewer than 8 bytes after it; and ErrMalformed for
// what DecodeIP calls so and for a fragment other than the first, which has no
// transport header.
func DecodeQuote(b []byte) (q Quote, err error) {
	if err := decodeQuote(b, &q); err != nil {
		return Quote{}, err
	}
	return q, nil
}

func decodeQuote(b []byte, q *Quote) error {
	var payload []byte
	var err error
	if q.IP, payload, err = decodeIP(b, quoted); err != nil {
		return err
	}
	if q.IP.FragmentOffset != 0 {
		return errQuoteFragment
	}
	v4 := q.IP.Source.Is4()
	switch protocol := q.IP.Protocol; {
	case protocol == ProtocolUDP || protocol == ProtocolTCP ||
		protocol == ProtocolICMP && v4 || protocol == ProtocolICMPv6 && !v4:
	default:
		q.Payload = payload
		return nil
	}
	if len(payload) < quotedTransport {
		return errTransportTruncated
	}
	first, rest := payload[:quotedTransport], payload[quotedTransport:]
	switch q.IP.Protocol {
	case ProtocolUDP:
		q.SourcePort = binary.BigEndian.Uint16(first)
		q.DestinationPort = binary.BigEndian.Uint16(first[2:])
		q.UDPLength = int(binary.BigEndian.Uint16(first[4:]))
		q.Checksum = binary.BigEndian.Uint16(first[6:])
		q.Payload = rest
		if n := q.UDPLength - udpHeaderLength; n >= 0 && n < len(rest) {
			q.Payload = rest[:n:n]
		}
	case ProtocolTCP:
		q.SourcePort = binary.BigEndian.Uint16(first)
		q.DestinationPort = binary.BigEndian.Uint16(first[2:])
		q.Sequence = binary.BigEndian.Uint32(first[4:])
		if len(payload) >= 18 {
			q.Checksum = binary.BigEndian.Uint16(payload[16:])
		}
		// The payload is known only when the quote covers the header.
		if _, data, err := DecodeTCP(payload); err == nil {
			q.Payload = data
		}
	default:
		q.Checksum = binary.BigEndian.Uint16(first[2:])
		if isEcho(first[0], v4) {
			q.EchoID = binary.BigEndian.Uint16(first[4:])
			q.EchoSequence = binary.BigEndian.Uint16(first[6:])
		}
		q.Payload = rest
	}
	return nil
}
