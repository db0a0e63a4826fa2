// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"fmt"
	"net/netip"
)

// Protocol is the transport a flow uses, as its IANA protocol number.
type Protocol uint8

// The protocols that probes are of.
const (
	ProtocolICMP Protocol = 1 // echo requests; of ICMPv6 between IPv6 addresses
	ProtocolTCP  Protocol = 6 // SYN segments
	ProtocolUDP  Protocol = 17
)

// String returns the name that the command line and the JSON use.
func (p Protocol) String() string {
	switch p {
	case ProtocolICMP:
		return "icmp"
	case ProtocolTCP:
		return "tcp"
	case ProtocolUDP:
		return "udp"
	}
	return fmt.Sprintf("protocol-%d", uint8(p))
}

// ParseProtocol reads the name that String returns.
func ParseProtocol(name string) (Protocol, error) {
	for _, p := range []Protocol{ProtocolICMP, ProtocolTCP, ProtocolUDP} {
		if p.String() == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("unknown protocol %q", name)
}

// Flow is what a router hashes to choose among equal-cost next hops: the
// 5-tuple, and for IPv6 the flow label (RFC 6438). Every probe of one flow
// carries exactly these fields at every TTL, so all of them take one path
// wherever balancing is per flow.
type Flow struct {
	// ID counts from 1 within a trace. It is the seed's "Path ID": with a
	// fixed number of flows, flow i uses source port base + i.
	ID          int
	Protocol    Protocol
	Source      netip.Addr
	Destination netip.Addr
	// SourcePort and DestinationPort are the ports of UDP and TCP. An ICMP flow
	// has no ports: what tells it from others is the checksum of its echo
	// requests, in the four bytes where routers look for ports. That checksum,
	// and the echo ID, is SourcePort, never 0 or 65535; DestinationPort is 0.
	SourcePort      uint16
	DestinationPort uint16
	// Label is the IPv6 flow label, 20 bits; always 0 for IPv4.
	Label uint32
	// TOS is the TOS byte or traffic class: DSCP in the upper 6 bits, ECN in
	// the lower 2. Some routers choose a path by it.
	TOS uint8
}

// Number is the protocol number in the IP header of the flow's packets.
func (f *Flow) Number() uint8 {
	const icmpv6 = 58
	if f.Protocol == ProtocolICMP && f.Destination.Is6() {
		return icmpv6
	}
	return uint8(f.Protocol)
}
