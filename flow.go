// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"fmt"
	"net/netip"
)

// Protocol is the transport a flow uses, as its IANA protocol number.
type Protocol uint8

// ProtocolUDP is the only protocol that the engine sends so far.
const ProtocolUDP Protocol = 17

// String returns the name that the command line and the JSON use.
func (p Protocol) String() string {
	switch p {
	case ProtocolUDP:
		return "udp"
	}
	return fmt.Sprintf("protocol-%d", uint8(p))
}

// Flow is what a router hashes to choose among equal-cost next hops: the
// 5-tuple, and for IPv6 the flow label (RFC 6438). Every probe of one flow
// carries exactly these fields at every TTL, so all of them take one path
// wherever balancing is per flow.
type Flow struct {
	// ID counts from 1 within a trace. It is the seed's "Path ID": with a
	// fixed number of flows, flow i uses source port base + i.
	ID              int
	Protocol        Protocol
	Source          netip.Addr
	Destination     netip.Addr
	SourcePort      uint16
	DestinationPort uint16
	// Label is the IPv6 flow label, 20 bits; always 0 for IPv4.
	Label uint32
}
