// SPDX-License-Identifier: BSD-3-Clause

package packet

// Types of ICMP messages (RFC 792 and IANA, ICMP Type Numbers).
const (
	ICMPv4EchoReply              uint8 = 0
	ICMPv4DestinationUnreachable uint8 = 3
	ICMPv4SourceQuench           uint8 = 4 // deprecated, RFC 6633
	ICMPv4Redirect               uint8 = 5
	ICMPv4EchoRequest            uint8 = 8
	ICMPv4TimeExceeded           uint8 = 11
	ICMPv4ParameterProblem       uint8 = 12
)

// Codes of ICMPv4DestinationUnreachable (RFC 792; 6 to 12 of RFC 1122 section
// 3.2.2.1; 13 to 15 of RFC 1812 section 5.2.7.1).
const (
	ICMPv4CodeNetUnreachable             uint8 = 0
	ICMPv4CodeHostUnreachable            uint8 = 1
	ICMPv4CodeProtocolUnreachable        uint8 = 2
	ICMPv4CodePortUnreachable            uint8 = 3
	ICMPv4CodeFragmentationNeeded        uint8 = 4 // and DF set; carries the MTU, RFC 1191
	ICMPv4CodeSourceRouteFailed          uint8 = 5
	ICMPv4CodeNetUnknown                 uint8 = 6
	ICMPv4CodeHostUnknown                uint8 = 7
	ICMPv4CodeSourceHostIsolated         uint8 = 8
	ICMPv4CodeNetProhibited              uint8 = 9  // administratively
	ICMPv4CodeHostProhibited             uint8 = 10 // administratively
	ICMPv4CodeNetUnreachableForTOS       uint8 = 11
	ICMPv4CodeHostUnreachableForTOS      uint8 = 12
	ICMPv4CodeCommunicationProhibited    uint8 = 13 // administratively, by a filter
	ICMPv4CodeHostPrecedenceViolation    uint8 = 14
	ICMPv4CodePrecedenceCutoff           uint8 = 15
	ICMPv4CodeTTLExceeded                uint8 = 0 // of ICMPv4TimeExceeded: in transit
	ICMPv4CodeFragmentReassemblyExceeded uint8 = 1 // of ICMPv4TimeExceeded
	ICMPv4CodePointerIndicatesError      uint8 = 0 // of ICMPv4ParameterProblem
	ICMPv4CodeMissingOption              uint8 = 1 // of ICMPv4ParameterProblem, RFC 1108
	ICMPv4CodeBadLength                  uint8 = 2 // of ICMPv4ParameterProblem
)

// Types of ICMPv6 messages (RFC 4443 and IANA, ICMPv6 Parameters).
const (
	ICMPv6DestinationUnreachable uint8 = 1
	ICMPv6PacketTooBig           uint8 = 2
	ICMPv6TimeExceeded           uint8 = 3
	ICMPv6ParameterProblem       uint8 = 4
	ICMPv6EchoRequest            uint8 = 128
	ICMPv6EchoReply              uint8 = 129
)

// Codes of ICMPv6DestinationUnreachable (RFC 4443, section 3.1; 7 of RFC 6550
// section 20.14, 8 of RFC 8883), and of the types that the comments name.
const (
	ICMPv6CodeNoRoute                    uint8 = 0
	ICMPv6CodeCommunicationProhibited    uint8 = 1 // administratively
	ICMPv6CodeBeyondScope                uint8 = 2 // of the source address
	ICMPv6CodeAddressUnreachable         uint8 = 3
	ICMPv6CodePortUnreachable            uint8 = 4
	ICMPv6CodeSourcePolicyFailed         uint8 = 5 // ingress or egress policy
	ICMPv6CodeRejectRoute                uint8 = 6
	ICMPv6CodeSourceRoutingError         uint8 = 7
	ICMPv6CodeHeadersTooLong             uint8 = 8
	ICMPv6CodeHopLimitExceeded           uint8 = 0 // of ICMPv6TimeExceeded: in transit
	ICMPv6CodeFragmentReassemblyExceeded uint8 = 1 // of ICMPv6TimeExceeded
	ICMPv6CodeErroneousHeader            uint8 = 0 // of ICMPv6ParameterProblem
	ICMPv6CodeUnrecognizedNextHeader     uint8 = 1 // of ICMPv6ParameterProblem
	ICMPv6CodeUnrecognizedOption         uint8 = 2 // of ICMPv6ParameterProblem
)
