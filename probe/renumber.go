// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"encoding/binary"
	"net/netip"
	"sync"

	"traceflow/packet"
)

// renumbering is for wires where the kernel chooses the IP ID of UDP packets
// but shows whole quotes: it gives quotes the ID back that the engine gave the
// packet, which it finds by what else the quote repeats: addresses, ports and
// the UDP checksum. So a short quote is matched by 16 bits, those of the
// checksum, where other wires match it by 32.
type renumbering struct {
	mu     sync.Mutex
	ids    map[quotedPacket]uint16
	recent []quotedPacket // a ring: the oldest entry is at next once it is full
	next   int
}

// quotedPacket is what the first 28 bytes of a UDP probe have besides the ID.
type quotedPacket struct {
	source, destination netip.AddrPort
	checksum            uint16
}

// maxRenumbered is how many packets are remembered: at any rate that an
// ordinary socket reaches, those of the last seconds.
const maxRenumbered = 1 << 16

func newRenumbering() *renumbering {
	return &renumbering{ids: make(map[quotedPacket]uint16)}
}

// sent remembers a packet with this IP ID. A UDP checksum of 0 is none.
func (r *renumbering) sent(p quotedPacket, id uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.ids[p]; !known {
		if len(r.recent) < maxRenumbered {
			r.recent = append(r.recent, p)
		} else {
			delete(r.ids, r.recent[r.next])
			r.recent[r.next] = p
			r.next = (r.next + 1) % maxRenumbered
		}
	}
	r.ids[p] = id
}

// received puts the ID into an ICMP error that quotes one of the packets, and
// keeps its checksum valid. Other packets stay as they are.
func (r *renumbering) received(b []byte) {
	icmp := icmpQuoting(b)
	if icmp == nil {
		return
	}
	q, err := packet.DecodeQuote(icmp[icmpHeader:])
	if err != nil || q.IP.Protocol != packet.ProtocolUDP {
		return
	}
	p := quotedPacket{
		netip.AddrPortFrom(q.IP.Source, q.SourcePort), netip.AddrPortFrom(q.IP.Destination, q.DestinationPort), q.Checksum,
	}
	r.mu.Lock()
	id, known := r.ids[p]
	r.mu.Unlock()
	if !known {
		return
	}
	checksum := binary.BigEndian.Uint16(icmp[icmpChecksumAt:])
	binary.BigEndian.PutUint16(icmp[icmpChecksumAt:], packet.UpdateChecksum(checksum, q.IP.ID, id))
	binary.BigEndian.PutUint16(icmp[quotedID:], id)
}
