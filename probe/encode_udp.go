// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"net/netip"

	"traceflow"
	"traceflow/packet"
)

// appendUDP appends a UDP datagram whose checksum is the second carrier. The
// bytes at fixup of the body are solved for.
func appendUDP(b []byte, p *traceflow.Probe, id identity, body []byte, fixup int) []byte {
	return packet.AppendUDPWithChecksum(b,
		netip.AddrPortFrom(p.Flow.Source, p.Flow.SourcePort),
		netip.AddrPortFrom(p.Flow.Destination, p.Flow.DestinationPort),
		body, fixup, id.tag.second())
}

// readUDPQuote reads what a quoted UDP probe tells: the flow and the identity,
// without the tag where the wire does not see the header.
func readUDPQuote(a *answer, q *packet.Quote, header bool) {
	a.flow.sourcePort, a.flow.destinationPort = q.SourcePort, q.DestinationPort
	a.cookie, a.hasCookie = cookieIn(q.Payload)
	if !header {
		return
	}
	first := q.IP.ID
	if !q.IP.Destination.Is4() {
		first = lengthCarrier(q.UDPLength - transportHeader)
	}
	a.tag, a.mask = newTag(first, q.Checksum), wholeTag
	a.checksum, a.hasChecksum = q.Checksum, true
}

// readUDP reads a datagram that a server at the destination has sent: it
// names the flow, and the packet only if it returns the cookie.
func readUDP(a *answer, datagram []byte) error {
	u, payload, err := packet.DecodeUDP(datagram)
	if err != nil {
		return err
	}
	if a.flow.source == a.flow.destination && u.SourcePort == u.DestinationPort {
		return errIrrelevant // the probe itself, of a host that traces itself
	}
	a.flow.sourcePort, a.flow.destinationPort = u.DestinationPort, u.SourcePort
	a.reply.Kind = traceflow.UDPReply
	a.cookie, a.hasCookie = negotiatedCookie(payload)
	if len(payload) >= minPayload && string(payload[textOffset:minPayload]) == payloadText {
		a.cookie, a.hasCookie = cookieIn(payload) // an echo server (RFC 862)
	}
	return nil
}
