// SPDX-License-Identifier: BSD-3-Clause

package packet

import (
	"encoding/binary"
	"net/netip"
)

// paddedQuote is the least that a quote is padded to when extensions follow
// it, and where they are when nothing says so (RFC 4884, section 5.1).
const paddedQuote = 128

// Layout says how an ICMP error carries extensions behind its quote.
type Layout uint8

const (
	// CompliantLayout is that of RFC 4884, section 4: the quote padded with
	// zeros to 128 bytes or more, its length in the length field.
	CompliantLayout Layout = iota
	// LegacyLayout is that of routers older than RFC 4884 (its section 5.3):
	// the quote cut or padded to exactly 128 bytes and no length field.
	LegacyLayout
)

// ICMPError is an ICMP or ICMPv6 error message with its quote taken apart.
type ICMPError struct {
	ICMP
	// Quote is the packet that caused the error.
	Quote Quote
	// Extensions are the extension structure behind the quote; nil when there
	// is none.
	Extensions Extensions
}

// IsICMPError reports whether DecodeICMPError takes apart messages of this
// type: destination unreachable, time exceeded, parameter problem, and packet
// too big for ICMPv6. Which of the two protocols is told by the family of src.
// Source quench and redirect are errors too, but say nothing about a path.
func IsICMPError(src netip.Addr, typ uint8) bool {
	return isICMPError(typ, src.Unmap().Is4())
}

func isICMPError(typ uint8, v4 bool) bool {
	if v4 {
		return typ == ICMPv4DestinationUnreachable || typ == ICMPv4TimeExceeded || typ == ICMPv4ParameterProblem
	}
	return typ >= ICMPv6DestinationUnreachable && typ <= ICMPv6ParameterProblem
}

// hasLengthField reports whether messages of this type can carry extensions
// (RFC 4884, section 4).
func hasLengthField(typ uint8, v4 bool) bool {
	if v4 {
		return isICMPError(typ, v4)
	}
	return typ == ICMPv6DestinationUnreachable || typ == ICMPv6TimeExceeded
}

// lengthField returns where in the ICMP header the length field is and what
// one of its units is, both in bytes (RFC 4884, section 4).
func lengthField(v4 bool) (at, unit int) {
	if v4 {
		return 5, 4
	}
	return 4, 8
}

// AppendICMPError appends an ICMP or ICMPv6 error, as told by the family of
// src, with a valid checksum. rest is the second word of the header: the MTU
// or the pointer where the type has one (the pointer of ICMP in the upper 8
// bits). quote is what to quote of the packet that caused the error, from its
// IP header on, and ext an extension structure as AppendExtensions makes it,
// or nothing.
//
// With an ext the quote is laid out as told, and cut where the layout or the
// length field allows no more: at 1020 bytes for ICMP, 2040 for ICMPv6, 128
// for LegacyLayout. Without one the quote is written as it is, and the length
// field left as rest has it. Only types 3, 11 and 12 of ICMP and 1 and 3 of
// ICMPv6 carry extensions (RFC 4884, section 4): for others ext is left out.
// How long an error may be in all, 576 bytes for ICMP (RFC 1812, section
// 4.3.2.3) and 1280 for ICMPv6 (RFC 4443, section 2.4), is for the caller to
// see to.
//
// It panics when the addresses are not of one family.
//
// The message is that of RFC 4884, section 4:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+---------------+---------------+-------------------------------+
//	|      typ      |     code      |           checksum            |
//	+---------------+---------------+-------------------------------+
//	|     rest      | length (IPv4, |             rest              |
//	| length (IPv6) | words of 4)   |                               |
//	| (words of 8)  |               |                               |
//	+---------------+---------------+-------------------------------+
//	|              quote, with ext padded with zeros                |
//	+---------------------------------------------------------------+
//	|                              ext                              |
//	+---------------------------------------------------------------+
func AppendICMPError(b []byte, src, dst netip.Addr, typ, code uint8, rest uint32, quote, ext []byte, layout Layout) []byte {
	v4 := src.Unmap().Is4()
	start := len(b)
	b = append(b, typ, code, 0, 0)
	b = binary.BigEndian.AppendUint32(b, rest)
	if len(ext) == 0 || !hasLengthField(typ, v4) {
		b = append(b, quote...)
		return finishICMP(b, start, src, dst)
	}
	at, unit := lengthField(v4)
	length, field := paddedQuote, 0
	if layout == CompliantLayout {
		field = min((max(len(quote), paddedQuote)+unit-1)/unit, 0xff)
		length = field * unit
	}
	b[start+at] = byte(field)
	quote = quote[:min(len(quote), length)]
	b = append(b, quote...)
	b = appendZeros(b, length-len(quote))
	b = append(b, ext...)
	return finishICMP(b, start, src, dst)
}

// DecodeICMPError takes an ICMP or ICMPv6 error apart, as told by the family
// of src, with its quote and extensions. See DecodeICMP for the message itself
// and DecodeQuote for the quote. Extensions that are not in order are as good
// as none: they are no error.
//
// The error wraps ErrTruncated when b ends inside the ICMP header or the
// quote's headers, and ErrMalformed for a type that is not IsICMPError, a
// quote of the other family, or a quote that DecodeQuote calls so.
func DecodeICMPError(b []byte, src, dst netip.Addr) (e ICMPError, err error) {
	_ = dst
	v4 := src.Unmap().Is4()
	if err := decodeICMP(b, v4, &e.ICMP); err != nil {
		return ICMPError{}, err
	}
	if !isICMPError(e.Type, v4) {
		return ICMPError{}, errICMPType
	}
	if len(e.Body) > 0 && (e.Body[0]>>4 == 4) != v4 {
		return ICMPError{}, errQuoteFamily
	}
	quote := e.Body
	if hasLengthField(e.Type, v4) {
		_, unit := lengthField(v4)
		quote, e.Extensions = splitQuote(e.Body, e.QuoteUnits, unit)
	}
	if err := decodeQuote(quote, &e.Quote); err != nil {
		return ICMPError{}, err
	}
	return e, nil
}

// scanLimit bounds the search for extensions in bytes of ICMP body. Errors are
// meant to have 576 bytes (ICMP) or 1280 (ICMPv6) at most; what is longer is
// not worth a search that grows with the square.
const scanLimit = 1500

// splitQuote parts the body of an ICMP error into the quote, with the padding
// that cannot be told from it, and the extensions. told is the length field in
// bytes and unit the alignment.
//
// RFC 4884 says where extensions are, but there were routers before it
// (section 5.3) and there are some that misread it, so several places are
// tried, the likeliest first:
//
//   - told, when it is 128 or more: the RFC;
//   - 128, then told, when told is less: routers that pad but give the length
//     from before;
//   - 128, when told is 0: routers older than the RFC;
//   - every aligned offset after the headers.
//
// The further down, the more likely it is that the bytes are the payload of
// the quoted packet, so the more is asked of them. A checksum of 0, which says
// that there is none, will do only where the length field points or where the
// quoted packet has ended, and never in the search. And there is no search in
// a body that is exactly as long as the quoted packet: that is the packet and
// nothing more.
func splitQuote(body []byte, told, unit int) (quote []byte, ext Extensions) {
	headers, length := quotedExtent(body)
	if headers == 0 {
		return body, nil
	}
	if told < paddedQuote {
		ext = extensionsAt(body, paddedQuote, length > paddedQuote)
		if ext != nil {
			// The rest is padding, when told can be believed that far.
			if told >= headers {
				return body[:told], ext
			}
			return body[:paddedQuote], ext
		}
	}
	if told >= headers {
		if ext = extensionsAt(body, told, false); ext != nil {
			return body[:told], ext
		}
	}
	if len(body) != length && len(body) <= scanLimit {
		for at := (headers + unit - 1) / unit * unit; at < len(body); at += unit {
			// Reserved bits are ignored elsewhere; here they are evidence.
			if body[at] != extensionsVersion<<4 && body[at] != extensionsVersion {
				continue
			}
			if ext = extensionsAt(body, at, true); ext != nil && ext[1] == 0 {
				return body[:at], ext
			}
		}
	}
	if told >= paddedQuote && told < len(body) {
		return body[:told], nil
	}
	return body, nil
}

// quotedExtent returns how long the headers of the quoted packet are, with the
// first 8 bytes of its transport header, and how long it claims to be in all;
// zeros when there is no IP header to read.
func quotedExtent(body []byte) (headers, length int) {
	switch {
	case len(body) >= ipv4HeaderLength && body[0]>>4 == 4:
		return int(body[0]&0xf)*4 + quotedTransport, int(binary.BigEndian.Uint16(body[2:]))
	case len(body) >= ipv6HeaderLength && body[0]>>4 == 6:
		return ipv6HeaderLength + quotedTransport, ipv6HeaderLength + int(binary.BigEndian.Uint16(body[4:]))
	}
	return 0, 0
}
