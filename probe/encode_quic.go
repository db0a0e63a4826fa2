// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"

	"traceflow"
	"traceflow/packet"
)

// appendQUIC appends a UDP datagram with a QUIC packet of a version that no
// server has, which draws version negotiation (RFC 9000, section 6.1). The
// checksum is the second carrier, and the destination connection ID is solved
// for; the source connection ID, which the server returns, is the cookie.
func appendQUIC(b []byte, header *packet.IP, p *traceflow.Probe, id identity) []byte {
	n := packet.QUICMinimum
	if smallest := SmallestSize(traceflow.ProtocolUDP, header.Source.Is6(), true); p.Size > smallest {
		n += p.Size - smallest
	}
	var unused, cookie [packet.QUICConnectionID]byte
	binary.BigEndian.PutUint64(cookie[:], id.cookie)
	var room [2048]byte
	body := packet.AppendQUICProbe(room[:0], unused, cookie, n)
	return appendUDP(packet.AppendIP(b, header, transportHeader+len(body)), p, id, body, packet.QUICDestinationID)
}

// isQUIC reports whether a body begins as those of QUIC probes do. Of an
// ordinary one the same bytes are a fix-up and a part of the cookie, which look
// like that once in 2^34.
func isQUIC(body []byte) bool {
	return len(body) >= 5 && body[0]&0xc0 == 0xc0 && binary.BigEndian.Uint32(body[1:]) == packet.QUICProbeVersion
}

// negotiatedCookie reads the cookie that a version negotiation returns.
func negotiatedCookie(payload []byte) (uint64, bool) {
	v, err := packet.DecodeVersionNegotiation(payload)
	if err != nil || len(v.DestinationID) != packet.QUICConnectionID {
		return 0, false
	}
	return binary.BigEndian.Uint64(v.DestinationID), true
}
