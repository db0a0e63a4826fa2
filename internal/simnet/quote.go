// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"encoding/binary"

	"traceflow/internal/topology"
	"traceflow/packet"
)

// The longest ICMP errors, IP header included: RFC 1812, section 4.3.2.3, and
// RFC 4443, section 2.4 (c).
const (
	maxErrorIPv4 = 576
	maxErrorIPv6 = 1280
)

// The headers that are not in the packet package's structs.
const (
	ipv4HeaderLength = 20
	ipv6HeaderLength = 40
	icmpHeaderLength = 8
)

// damage is what mangled bits are exchanged with: no byte keeps its value.
const damage = 0x5a

// appendQuote appends what the node quotes of the packet that has reached it,
// as it arrived there, leaving room for extensions.
func (n *Network) appendQuote(b []byte, f *flight, extensions int) []byte {
	node := &n.t.Nodes[f.at]
	v4 := f.header.Source.Is4()
	length := quoteRoom(v4, extensions)
	if node.QuoteLength > 0 {
		length = min(length, node.QuoteLength)
	}
	if node.Mangle&topology.MangleTruncate != 0 {
		length = min(length, f.header.HeaderLength+4)
	}
	b = append(b, f.data[:min(len(f.data), max(length, f.header.HeaderLength+icmpHeaderLength))]...)
	ttl := f.ttl
	if node.QuotedTTL != 0 {
		ttl = node.QuotedTTL
	}
	if node.Mangle&topology.MangleTTL != 0 {
		ttl = 1
	}
	if v4 {
		b[8] = ttl
	} else {
		b[7] = ttl
	}
	// NATs on the way back do not mind the damage.
	f.restore(b)
	mangle(b, f, node.Mangle)
	if v4 {
		header := b[:f.header.HeaderLength]
		binary.BigEndian.PutUint16(header[10:], 0)
		binary.BigEndian.PutUint16(header[10:], packet.Checksum(header))
	}
	return b[:min(len(b), length)]
}

// quoteRoom is the longest quote that an ICMP error has room for. With
// extensions, quotes come in whole words (RFC 4884, section 4).
func quoteRoom(v4 bool, extensions int) int {
	room, word := maxErrorIPv6-ipv6HeaderLength-icmpHeaderLength-extensions, 8
	if v4 {
		room, word = maxErrorIPv4-ipv4HeaderLength-icmpHeaderLength-extensions, 4
	}
	if extensions > 0 {
		room -= room % word
	}
	return room
}

// mangle damages fields of a quote. Fields that the packet does not have stay.
func mangle(b []byte, f *flight, m topology.Mangle) {
	flip := func(at, length int) {
		for i := at; i < min(at+length, len(b)); i++ {
			b[i] ^= damage
		}
	}
	v4, transport := f.header.Source.Is4(), f.header.HeaderLength
	if m&topology.MangleID != 0 && v4 {
		flip(4, 2)
	}
	if m&topology.MangleAddress != 0 {
		at := 39 // the last byte of the destination
		if v4 {
			at = 19
		}
		flip(at, 1)
	}
	if m&topology.ManglePorts != 0 {
		flip(transport, 2)
	}
	if m&topology.MangleChecksum != 0 {
		switch f.header.Protocol {
		case packet.ProtocolUDP:
			flip(transport+6, 2)
		case packet.ProtocolTCP:
			flip(transport+16, 2)
		case packet.ProtocolICMP, packet.ProtocolICMPv6:
			flip(transport+2, 2)
		}
	}
}
