// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"traceflow"
	"traceflow/packet"
)

// appendEcho appends an echo request. Routers that look for ports find type,
// code and checksum there, so the checksum is the flow's, and the two bytes at
// the body's begin make it valid. So is the ID, which others hash and NATs
// take for a port. The sequence number is the second carrier.
func appendEcho(b []byte, p *traceflow.Probe, id identity, body []byte) []byte {
	f := &p.Flow
	typ := packet.ICMPv4EchoRequest
	if !f.Destination.Is4() {
		typ = packet.ICMPv6EchoRequest
	}
	return packet.AppendEchoWithChecksum(b, f.Source, f.Destination, &packet.ICMP{
		Type: typ, ID: f.SourcePort, Sequence: id.tag.second(), Body: body,
	}, fixupOffset, f.SourcePort)
}

// readEchoQuote reads what a quoted echo request tells.
func readEchoQuote(a *answer, q *packet.Quote, header bool) {
	a.flow.sourcePort = q.EchoID
	a.cookie, a.hasCookie = cookieIn(q.Payload)
	a.tag, a.mask = newTag(0, q.EchoSequence), secondCarrier
	if !header {
		return
	}
	first := q.IP.ID
	if !q.IP.Destination.Is4() {
		first = lengthCarrier(q.IP.Length - q.IP.HeaderLength - transportHeader)
	}
	a.tag, a.mask = newTag(first, q.EchoSequence), wholeTag
	a.checksum, a.hasChecksum = q.Checksum, true
}

// readEcho reads the destination's reply.
func readEcho(a *answer, m *packet.ICMP) {
	a.flow.sourcePort = m.ID
	a.tag, a.mask = newTag(0, m.Sequence), secondCarrier
	a.cookie, a.hasCookie = cookieIn(m.Body)
	a.reply.Kind = traceflow.EchoReply
}
