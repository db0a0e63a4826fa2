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
)

var replyKindNames = [...]string{
	NoReply: "no-reply", Mute: "mute", NotAsked: "not-asked", Inferred: "inferred", TimeExceeded: "time-exceeded", PortUnreachable: "port-unreachable",
	Unreachable: "unreachable", PacketTooBig: "packet-too-big", ParameterProblem: "parameter-problem",
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
	// QuotedTTL is the probe's TTL as the sender of the reply quoted it; 0
	// when the wire cannot see it (or when it really was 0).
	QuotedTTL uint8
	// QuotedTOS is the probe's TOS or traffic class as quoted.
	QuotedTOS uint8
	// MPLS is the label stack, top first; nil when none was quoted.
	MPLS []MPLSLabel
	// Unverified is true when the quote was too short to hold the packet's
	// identity: the reply names the flow, and only one packet of the flow was in
	// flight. Whoever knows the ports could have made it up.
	Unverified bool
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
