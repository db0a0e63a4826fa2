// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"net/netip"
	"time"
)

// Probe asks what answers one flow at one TTL.
type Probe struct {
	Flow Flow
	TTL  uint8
	// Patient waits the whole reply timeout for an answer to the last
	// attempt, where others wait as long as the round trips seen suggest. It
	// is for the few probes whose silence decides something: a router that
	// reports a dead host may take three seconds to find out.
	Patient bool
	// Size is the length of the whole IP packet in bytes, IP header included; 0
	// is the smallest that holds the identity.
	Size int
	// DontFragment forbids routers to fragment the packet. Those of IPv6 never do.
	DontFragment bool
}

// ReplyKind says what came back for a probe. Silence, refusal and errors are
// data: none of them is a Go error.
type ReplyKind uint8

// The kinds of reply. The zero value is silence.
const (
	NoReply          ReplyKind = iota // nothing matched before the timeout; printed "*"
	Mute                              // in a Walk only: no answer to many tries where other flows are answered at once
	NotAsked                          // in a Walk only: the flow was not probed at this TTL
	Inferred                          // in a Walk only: not probed, but the other flows leave one possibility
	TimeExceeded                      // a router dropped the probe at TTL 0 (ICMP 11/0, ICMPv6 3/0)
	PortUnreachable                   // nothing listens on the port (ICMP 3/3, ICMPv6 1/4)
	Unreachable                       // any other destination unreachable (ICMP 3, ICMPv6 1)
	PacketTooBig                      // ICMP 3/4, ICMPv6 2
	ParameterProblem                  // ICMP 12, ICMPv6 4
	EchoReply                         // the destination answered an echo request (ICMP 0, ICMPv6 129)
	SynAck                            // the destination's TCP port is open
	Reset                             // the destination's TCP port is closed
	UDPReply                          // a server on the destination's UDP port answered
)

var replyKindNames = [...]string{
	NoReply: "no-reply", Mute: "mute", NotAsked: "not-asked", Inferred: "inferred", TimeExceeded: "time-exceeded", PortUnreachable: "port-unreachable",
	Unreachable: "unreachable", PacketTooBig: "packet-too-big", ParameterProblem: "parameter-problem",
	EchoReply: "echo-reply", SynAck: "syn-ack", Reset: "reset", UDPReply: "udp-reply",
}

// String returns the name that the JSON uses.
func (k ReplyKind) String() string {
	if int(k) < len(replyKindNames) {
		return replyKindNames[k]
	}
	return "unknown"
}

// Answered reports whether a reply of this kind came in.
func (k ReplyKind) Answered() bool { return k >= TimeExceeded }

// Ends reports whether a reply of this kind says that the probe got no
// further for a reason other than its TTL.
func (k ReplyKind) Ends() bool { return k > TimeExceeded }

// Quotes reports whether a reply of this kind quotes the probe: an ICMP error,
// as opposed to an answer of the destination's own.
func (k ReplyKind) Quotes() bool { return k >= TimeExceeded && k <= ParameterProblem }

// MPLSLabel is one entry of the label stack that the probe carried when it
// was dropped, as quoted by RFC 4950.
type MPLSLabel struct {
	Label  uint32 // 20 bits
	TC     uint8  // traffic class, 3 bits (RFC 5462)
	Bottom bool   // bottom of stack
	TTL    uint8
}

// Reply is what came back for one probe.
type Reply struct {
	Kind ReplyKind
	// Address is who sent it.
	Address netip.Addr
	// RTT is the time from handing the probe to the kernel to the kernel
	// receiving the reply. Never negative.
	RTT time.Duration
	// ICMPType and ICMPCode as on the wire, of the destination's family.
	ICMPType, ICMPCode uint8
	// TTL is the reply's own TTL or hop limit on arrival; 0 when the wire
	// cannot see it.
	TTL uint8
	// HeaderQuoted is true when the reply quotes the probe's IP header and the
	// wire can see it. Otherwise QuotedTTL and QuotedTOS are 0.
	HeaderQuoted bool
	// QuotedTTL is the probe's TTL as the sender of the reply quoted it. An
	// intact one is 1 at the router that dropped the probe; 0 is that of a probe
	// that the router before should have dropped.
	QuotedTTL uint8
	// QuotedTOS is the probe's TOS or traffic class as quoted.
	QuotedTOS uint8
	// Quote says how the quote differs from the packet that was sent; nil when
	// it does not, or the wire cannot see it.
	Quote *QuoteChange
	// MTU is that of the link which the probe was too big for, in bytes; 0
	// unless Kind is PacketTooBig, and from routers that do not tell.
	MTU uint32
	// MPLS is the label stack, top first; nil when none was quoted.
	MPLS []MPLSLabel
	// Interfaces are the interfaces that the sender told about (RFC 5837).
	Interfaces []Interface
	// Unverified is true when the quote was too short to hold the packet's
	// identity: the reply names the flow, and only one packet of the flow was in
	// flight. Whoever knows the ports could have made it up.
	Unverified bool
}

// QuoteChange is how a quote differs from the packet that was sent. Whatever
// changed the packet on its way (a NAT, a middlebox) lies before the sender of
// the reply, and has not undone the change in the quote.
type QuoteChange struct {
	// Source is the source address and port that the packet had; the zero value
	// when they are as sent. For ICMP the port is the echo ID.
	Source netip.AddrPort
	// Checksum is what was added to the transport checksum on the way, as a one's
	// complement difference: the quoted one minus that of the packet sent, modulo
	// 65535. 0 when it is as sent.
	Checksum uint16
	// ID is true when the IPv4 identification is not the one sent.
	ID bool
}

// InterfaceRole says which interface of a router is told about (RFC 5837,
// section 4.2).
type InterfaceRole uint8

// The roles.
const (
	IncomingInterface    InterfaceRole = 0 // that the probe came in by
	IncomingSubInterface InterfaceRole = 1 // the part of an IP interface that it came in by
	OutgoingInterface    InterfaceRole = 2 // that it would have left by
	NextHopInterface     InterfaceRole = 3 // the next hop that it would have gone to
)

var interfaceRoleNames = [...]string{
	IncomingInterface: "incoming", IncomingSubInterface: "incoming-sub",
	OutgoingInterface: "outgoing", NextHopInterface: "next-hop",
}

// String returns the name that the JSON uses.
func (r InterfaceRole) String() string { return interfaceRoleNames[r&3] }

// Interface is what a router tells about one of its interfaces.
type Interface struct {
	Role    InterfaceRole
	Index   uint32     // ifIndex (RFC 2863); 0 when not told
	Address netip.Addr // invalid when not told
	Name    string     // at most 63 bytes, as the router gave it; "" when not told
	MTU     uint32     // bytes; 0 when not told
}

// IncomingIndex returns the index of the interface that the probe came in by,
// or 0 when the router did not tell. Two replies from one address with
// different indices came by different links.
func (r *Reply) IncomingIndex() uint32 { return r.incoming().Index }

// incoming returns the interface that the probe came in by; the zero value
// when the router did not tell.
func (r *Reply) incoming() Interface {
	for i := range r.Interfaces {
		if r.Interfaces[i].Role == IncomingInterface {
			return r.Interfaces[i]
		}
	}
	return Interface{}
}

// Exchange is one packet sent and what came back for it. A retry is an
// exchange of its own.
type Exchange struct {
	Flow    int // Flow.ID
	TTL     uint8
	Attempt int // from 1
	// Sent is when the probe was handed to the kernel; zero if it never was.
	Sent time.Time
	// Err says why the probe could not be sent; nil when it was.
	Err   error
	Reply Reply
	// Abandoned is true when the measurement ended before a reply was due: the
	// packet was neither answered nor lost.
	Abandoned bool
}

// Datagram is one whole IP packet, from its IP header on, and the time it
// crossed the wire.
type Datagram struct {
	Data []byte
	// Time is set by the wire: on sending, when the packet was handed to the
	// kernel; on receiving, when the kernel got it.
	Time time.Time
}
