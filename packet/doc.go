// SPDX-License-Identifier: BSD-3-Clause

// Package packet turns bytes into structs and structs into bytes: IPv4 and
// IPv6 with their options and extension headers, UDP, TCP and its options, ICMP
// and ICMPv6 messages, the quotes that ICMP errors carry, the multi-part
// extensions behind the quotes (RFC 4884; MPLS label stacks of RFC 4950,
// interfaces of RFC 5837), and the packets with which QUIC negotiates its
// version. It knows what a NAT makes of a checksum.
//
// # What it does
//
// Append functions write one header, and what follows it, to the end of a
// caller's buffer, with a valid checksum. They work from the inside out or the
// outside in alike, since AppendIP is told the length of what follows:
//
//	b = packet.AppendIP(b[:0], &header, 8+len(payload))
//	b = packet.AppendUDP(b, source, destination, payload)
//
// Decode functions take untrusted bytes. They never panic and never read
// beyond what they are given; what they return aliases the input, so it is
// good for as long as the input is. Each error is a *DecodeError that wraps
// ErrTruncated or ErrMalformed.
//
// Neither allocates, provided that the buffer of an Append has room. All
// functions are safe for concurrent use on different buffers.
//
// # What it does not do
//
// It opens no socket, keeps no clock and holds no state: it does not know
// which probe a quote belongs to (package probe does), and it does not
// reassemble fragments. Decoders do not verify checksums, because quotes are
// often cut short; ValidChecksum does it for who needs it. Link-layer headers
// are not known here.
//
// Encoders panic when asked for what no packet can hold, such as 41 bytes of
// options: that is a bug of the caller, and the message starts with "packet:".
//
// # Where to add things
//
// One header, one file: a new transport is <name>.go with its Append and
// Decode, a case in DecodeQuote for its first 8 bytes and one in
// ValidChecksum, and a fuzz target and a comparison with an independent
// implementation in <name>_test.go. A new kind of ICMP extension object is a
// class constant in extension.go and a decoder of Object.Payload, as in
// interface.go. A new ICMP type or code is a constant in icmp_types.go.
package packet
