// SPDX-License-Identifier: BSD-3-Clause

package packet

import "net/netip"

// Numbers of the upper-layer protocols that this package knows, and of the
// IPv6 extension headers that it walks (IANA, Assigned Internet Protocol
// Numbers).
const (
	ProtocolHopByHop           uint8 = 0 // IPv6 hop-by-hop options, RFC 8200 section 4.3
	ProtocolICMP               uint8 = 1
	ProtocolTCP                uint8 = 6
	ProtocolUDP                uint8 = 17
	ProtocolRouting            uint8 = 43 // IPv6 routing header, RFC 8200 section 4.4
	ProtocolFragment           uint8 = 44 // IPv6 fragment header, RFC 8200 section 4.5
	ProtocolAuthentication     uint8 = 51 // AH, RFC 4302 section 2
	ProtocolICMPv6             uint8 = 58
	ProtocolNoNextHeader       uint8 = 59 // IPv6 without payload, RFC 8200 section 4.7
	ProtocolDestinationOptions uint8 = 60 // IPv6 destination options, RFC 8200 section 4.6
	ProtocolMobility           uint8 = 135
)

// maxLength is the most that the 16-bit length fields of IP and UDP can say.
const maxLength = 65535

// IP is an IPv4 header (RFC 791, section 3.1) or an IPv6 header with its
// extension headers (RFC 8200, section 3). The family is that of Source;
// decoders never produce IPv4 addresses in their IPv6 form, and encoders take
// them for IPv4.
type IP struct {
	Source, Destination netip.Addr
	// Protocol is the upper-layer protocol, after IPv6 extension headers.
	Protocol uint8
	// NextHeader is the next header field of the fixed IPv6 header: the kind
	// of the first extension header in Options, and the same as Protocol when
	// there is none. AppendIP uses it only when there are Options. 0 for IPv4.
	NextHeader uint8
	// TTL is the IPv6 hop limit.
	TTL uint8
	// TOS is the IPv6 traffic class: DSCP in the upper 6 bits, ECN in the lower 2.
	TOS uint8
	// ID is the identification field of IPv4; 0 for IPv6.
	ID uint16
	// DontFragment is the DF flag of IPv4; false for IPv6.
	DontFragment bool
	// MoreFragments is the MF flag, for IPv6 that of the fragment header.
	MoreFragments bool
	// FragmentOffset is where the payload belongs in the whole, in bytes: a
	// multiple of 8, at most 65528. For IPv6 it is that of the fragment header.
	FragmentOffset int
	// Label is the IPv6 flow label, 20 bits; 0 for IPv4.
	Label uint32
	// Length is that of the whole packet in bytes, as the header claims: the
	// packet may have been cut short since. Only set when decoding.
	Length int
	// HeaderLength is the number of bytes before the payload, with options or
	// extension headers. Only set when decoding.
	HeaderLength int
	// Options are the raw IPv4 options or the raw IPv6 extension headers; nil
	// when there are none. After decoding it aliases the input.
	Options []byte
}

// AppendIP appends the header h, with a valid checksum for IPv4, to b. The
// payload, payloadLength bytes of it, is for the caller to append.
//
// IPv4 options are padded with zeros (end of options) to a multiple of 4.
//
// For IPv6, Options must be whole extension headers, ready made: AppendIP
// copies them as they are and writes h.NextHeader into the fixed header. Their
// own next header fields must be right already, the last one naming
// h.Protocol, which AppendIP uses only when there are no Options. A fragment
// header is one of them too, so MoreFragments and FragmentOffset are not used.
// Of Label the lower 20 bits are.
//
// AppendIP panics when the addresses are not of one family, and when a value
// does not fit its field: a packet of more than 65535 bytes (IPv6: payload and
// extension headers), more than 40 bytes of IPv4 options, IPv6 extension
// headers that are not a multiple of 8, an IPv4 fragment offset that is not a
// multiple of 8 up to 65528.
func AppendIP(b []byte, h *IP, payloadLength int) []byte {
	src, dst := sameFamily(h.Source, h.Destination)
	if src.Is4() {
		return appendIPv4(b, h, src.As4(), dst.As4(), payloadLength)
	}
	return appendIPv6(b, h, src.As16(), dst.As16(), payloadLength)
}

// DecodeIP takes an IPv4 or IPv6 packet apart, as told by its version field.
//
// For IPv6 it walks hop-by-hop options, routing, fragment, authentication,
// destination options and mobility headers, at most 16 of them; any other
// header is the upper-layer protocol, and so is what follows a fragment header
// whose offset is not 0.
//
// The payload is what follows the headers, cut at h.Length: bytes beyond it
// are link-layer padding. It is no error when the packet ends before h.Length,
// since quotes are cut short: compare h.HeaderLength+len(payload) with
// h.Length to know. The header checksum of IPv4 is not verified.
//
// The error wraps ErrTruncated when b ends inside the headers, and
// ErrMalformed for another version, a header length below 20, a length that
// does not cover the headers, too many extension headers, an authentication
// header that is not a multiple of 8, or an IPv4-in-IPv6 address.
func DecodeIP(b []byte) (h IP, payload []byte, err error) {
	return decodeIP(b, whole)
}

// extent says how much of a packet a decoder can expect.
type extent bool

const (
	// whole is a packet as received: the length field was good enough for the
	// kernel and must cover the headers.
	whole extent = false
	// quoted is a packet as an ICMP error quotes it. Some senders quote the
	// length field in their own byte order or without the header's length, so
	// it is not held against the quote.
	quoted extent = true
)

// quotedTransport is how much of a quote's transport header every sender of
// ICMP errors includes (RFC 792).
const quotedTransport = 8

func decodeIP(b []byte, x extent) (h IP, payload []byte, err error) {
	if len(b) == 0 {
		return IP{}, nil, errIPTruncated
	}
	switch b[0] >> 4 {
	case 4:
		err = decodeIPv4(b, &h, x)
	case 6:
		err = decodeIPv6(b, &h, x)
	default:
		err = errIPVersion
	}
	if err != nil {
		return IP{}, nil, err
	}
	end := h.Length
	if x == quoted {
		end = max(end, h.HeaderLength+quotedTransport)
	}
	end = min(end, len(b))
	return h, b[h.HeaderLength:end:end], nil
}
