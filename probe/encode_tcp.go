// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"

	"traceflow"
	"traceflow/packet"
)

const (
	// synOptions is the length of what packet.AppendSYNOptions appends, tcpLength
	// that of a whole SYN segment, in bytes.
	synOptions = 20
	tcpLength  = 20 + synOptions
	// synWindow and synScale are what Linux offers.
	synWindow = 64240
	synScale  = 7
)

// appendTCP appends a SYN as an ordinary host sends it: firewalls drop those
// without options. The whole tag is the sequence number, which every quote and
// every answer of the destination repeats; the cookie's lower half is the
// timestamp.
func appendTCP(b []byte, p *traceflow.Probe, id identity) []byte {
	f := &p.Flow
	mss := uint16(1460)
	if !f.Destination.Is4() {
		mss = 1440
	}
	var room [synOptions]byte
	return packet.AppendTCP(b, f.Source, f.Destination, &packet.TCP{
		SourcePort: f.SourcePort, DestinationPort: f.DestinationPort, Sequence: uint32(id.tag),
		Flags: packet.FlagSYN, Window: synWindow,
		Options: packet.AppendSYNOptions(room[:0], mss, uint32(id.cookie), synScale),
	}, nil)
}

// readTCPQuote reads what a quoted SYN tells. The sequence number is the whole
// tag, so the cookie is not needed.
func readTCPQuote(a *answer, q *packet.Quote) {
	a.flow.sourcePort, a.flow.destinationPort = q.SourcePort, q.DestinationPort
	a.tag, a.mask = tag(q.Sequence), wholeTag
	a.checksum, a.hasChecksum = q.Checksum, q.Checksum != 0
}

// readTCP reads the destination's answer to a SYN (RFC 9293, sections 3.5 and
// 3.10.7): a SYN of its own where the port is open, a reset where it is closed.
// Either acknowledges our sequence number.
func readTCP(a *answer, segment []byte) error {
	t, _, err := packet.DecodeTCP(segment)
	if err != nil {
		return err
	}
	switch {
	case t.Flags&packet.FlagACK == 0:
		return errIrrelevant
	case t.Flags&packet.FlagRST != 0:
		a.reply.Kind = traceflow.Reset
	case t.Flags&packet.FlagSYN != 0:
		a.reply.Kind = traceflow.SynAck
	default:
		return errIrrelevant
	}
	a.flow.sourcePort, a.flow.destinationPort = t.DestinationPort, t.SourcePort
	a.tag, a.mask = tag(t.Acknowledgment-1), wholeTag
	return nil
}

// segmentChecksum reads the checksum out of a packet that we wrote; 0 if it is
// no TCP segment.
func segmentChecksum(b []byte, f *traceflow.Flow) uint16 {
	if f.Protocol != traceflow.ProtocolTCP {
		return 0
	}
	return binary.BigEndian.Uint16(b[len(b)-tcpLength+16:])
}
