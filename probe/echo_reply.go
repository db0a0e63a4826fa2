// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"traceflow/packet"
)

// echoAnswer is what Windows tells of the answer to an echo request.
type echoAnswer struct {
	from   netip.Addr
	status uint32 // an IP_STATUS of ipexport.h
	ttl    uint8  // of the answer; 0 if it is not told
}

// decodeEchoReply reads the ICMP_ECHO_REPLY (ipexport.h) that IcmpSendEcho2Ex
// leaves, with pointers of 4 or 8 bytes. Bytes are little endian on all machines
// that Windows runs on; the address is as on the wire. No pointer in it is
// followed.
//
//	 0  Address, 4 bytes
//	 4  Status, 4 bytes
//	 8  RoundTripTime, 4 bytes, in milliseconds
//	12  DataSize, Reserved, 2 bytes each
//	16  Data, a pointer
//	    Options: Ttl, Tos, Flags, OptionsSize, 1 byte each; padding to a
//	    pointer; OptionsData, a pointer
func decodeEchoReply(b []byte, pointer int) (echoAnswer, error) {
	if len(b) < echoReplySize(pointer) {
		return echoAnswer{}, fmt.Errorf("%w: ICMP_ECHO_REPLY of %d bytes", packet.ErrTruncated, len(b))
	}
	return echoAnswer{
		from:   netip.AddrFrom4([4]byte(b)),
		status: binary.LittleEndian.Uint32(b[4:]),
		ttl:    b[16+pointer],
	}, nil
}

// echoReplySize is the size of an ICMP_ECHO_REPLY.
func echoReplySize(pointer int) int { return 16 + pointer + max(4, pointer) + pointer }

// echoReply6Size is that of an ICMPV6_ECHO_REPLY_LH.
const echoReply6Size = 36

// decodeEchoReply6 reads the ICMPV6_ECHO_REPLY_LH (ipexport.h) that
// Icmp6SendEcho2 leaves, the same on all machines. It does not tell the answer's
// hop limit.
//
//	 0  Address: sin6_port, 2 bytes; sin6_flowinfo, 4; sin6_addr, 16;
//	    sin6_scope_id, 4; packed, so it ends at 26
//	28  Status, 4 bytes
//	32  RoundTripTime, 4 bytes, in milliseconds
func decodeEchoReply6(b []byte) (echoAnswer, error) {
	if len(b) < echoReply6Size {
		return echoAnswer{}, fmt.Errorf("%w: ICMPV6_ECHO_REPLY of %d bytes", packet.ErrTruncated, len(b))
	}
	return echoAnswer{from: netip.AddrFrom16([16]byte(b[6:])), status: binary.LittleEndian.Uint32(b[28:])}, nil
}

// typeAndCode is what the IP_STATUS of an answer (ipexport.h) was on the wire.
// It reports false for a status that no ICMP message stands behind: a timeout
// (11010), an error of this host.
func (a *echoAnswer) typeAndCode() (typ, code uint8, ok bool) {
	statuses := ipStatus6
	if a.from.Is4() {
		statuses = ipStatus4
	}
	message, ok := statuses[a.status]
	return message[0], message[1], ok
}

// The types and codes behind each IP_STATUS. Several codes of destination
// unreachable have one status: the commonest stands for them.
var (
	ipStatus4 = map[uint32][2]uint8{
		0:     {packet.ICMPv4EchoReply, 0},
		11002: {packet.ICMPv4DestinationUnreachable, packet.ICMPv4CodeNetUnreachable},
		11003: {packet.ICMPv4DestinationUnreachable, packet.ICMPv4CodeHostUnreachable},
		11004: {packet.ICMPv4DestinationUnreachable, packet.ICMPv4CodeProtocolUnreachable},
		11005: {packet.ICMPv4DestinationUnreachable, packet.ICMPv4CodePortUnreachable},
		11009: {packet.ICMPv4DestinationUnreachable, packet.ICMPv4CodeFragmentationNeeded},
		11013: {packet.ICMPv4TimeExceeded, packet.ICMPv4CodeTTLExceeded},
		11014: {packet.ICMPv4TimeExceeded, packet.ICMPv4CodeFragmentReassemblyExceeded},
		11015: {packet.ICMPv4ParameterProblem, packet.ICMPv4CodePointerIndicatesError},
	}
	ipStatus6 = map[uint32][2]uint8{
		0:     {packet.ICMPv6EchoReply, 0},
		11002: {packet.ICMPv6DestinationUnreachable, packet.ICMPv6CodeNoRoute},
		11003: {packet.ICMPv6DestinationUnreachable, packet.ICMPv6CodeAddressUnreachable},
		11004: {packet.ICMPv6DestinationUnreachable, packet.ICMPv6CodeCommunicationProhibited},
		11005: {packet.ICMPv6DestinationUnreachable, packet.ICMPv6CodePortUnreachable},
		11009: {packet.ICMPv6PacketTooBig, 0},
		11013: {packet.ICMPv6TimeExceeded, packet.ICMPv6CodeHopLimitExceeded},
		11014: {packet.ICMPv6TimeExceeded, packet.ICMPv6CodeFragmentReassemblyExceeded},
		11015: {packet.ICMPv6ParameterProblem, packet.ICMPv6CodeErroneousHeader},
		11040: {packet.ICMPv6DestinationUnreachable, packet.ICMPv6CodeNoRoute},
		11043: {packet.ICMPv6ParameterProblem, packet.ICMPv6CodeUnrecognizedNextHeader},
		11045: {packet.ICMPv6DestinationUnreachable, packet.ICMPv6CodeBeyondScope},
	}
)

// appendAnswer appends the packet that the answer was to b: the reply to the
// echo request sent, or an error that quotes it. What Windows does not tell is
// made up from the packet sent: all of the quote, so that its TTL and TOS say
// nothing of the way. It reports whether there was a packet.
func (a *echoAnswer) appendAnswer(b, sent []byte) ([]byte, bool) {
	h, body, err := packet.DecodeIP(sent)
	if err != nil || !a.from.IsValid() || a.from.Is4() != h.Source.Is4() || a.from.Is4In6() {
		return b, false
	}
	request, err := packet.DecodeICMP(body, h.Source, h.Destination)
	typ, code, ok := a.typeAndCode()
	if err != nil || !ok {
		return b, false
	}
	var message []byte
	if a.status == 0 {
		request.Type, request.Code = typ, code
		message = packet.AppendEcho(nil, a.from, h.Source, &request)
	} else {
		message = packet.AppendICMPError(nil, a.from, h.Source, typ, code, 0, sent, nil, packet.CompliantLayout)
	}
	outer := packet.IP{Source: a.from, Destination: h.Source, Protocol: h.Protocol, TTL: a.ttl}
	return append(packet.AppendIP(b, &outer, len(message)), message...), true
}
