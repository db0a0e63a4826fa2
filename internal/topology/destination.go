// SPDX-License-Identifier: BSD-3-Clause

package topology

import "traceflow"

// TCP is what a destination does with a segment that opens a connection,
// whatever its port.
type TCP uint8

// The kinds of destination ports of TCP.
const (
	TCPClosed TCP = iota // answers with a reset
	TCPOpen              // accepts
)

// UDP is what a destination does with a datagram, whatever its port.
type UDP uint8

// The kinds of destination ports of UDP.
const (
	UDPClosed UDP = iota // answers with port unreachable
	UDPOpen              // answers with a datagram
	UDPQUIC              // is a QUIC server on QUICPort and swallows the rest
)

// QUICPort is the port of a destination that is a QUIC server.
const QUICPort = 443

// Drops reports whether a destination like this answers no probe of the flow.
// A QUIC server is no such: what it makes of a datagram is up to its content.
func (n *Node) Drops(f *traceflow.Flow) bool {
	switch f.Protocol {
	case traceflow.ProtocolUDP:
		return n.DropUDP || n.UDP == UDPQUIC && f.DestinationPort != QUICPort
	case traceflow.ProtocolTCP:
		return n.DropTCP
	case traceflow.ProtocolICMP:
		return n.DropICMP
	}
	return false
}
