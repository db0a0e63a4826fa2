// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"net/netip"

	"traceflow"
)

// maxKey is the longest key: two IPv6 addresses, protocol, two ports, label.
const maxKey = 16 + 16 + 1 + 2 + 2 + 3

// HashFlow is the value by which the node balances a flow: 32 bits that depend
// on the node's hash family, seed and fields and on nothing else.
//
// The families differ as they do in hardware. CRC and XOR are linear: as they
// stand, two nodes with different seeds would divide the flows alike. So their
// value is multiplied by an odd number made of the seed and the top bits
// count, which keeps neighbouring flows evenly spread. Nodes with equal family,
// seed and fields always choose alike (polarisation).
func (n *Node) HashFlow(f *traceflow.Flow) uint32 {
	fields := n.Fields
	if n.Balance == PerDestination {
		fields = FieldDestination
	}
	var space [maxKey]byte
	key := appendKey(space[:0], f, fields)
	switch n.Hash {
	case CRC16:
		return spread(uint32(crcCCITT(key)), n.HashSeed)
	case CRC32:
		return spread(crcIEEE(key), n.HashSeed)
	case XOR:
		return spread(uint32(xorFold(key)), n.HashSeed)
	case Toeplitz:
		return toeplitz(key, n.HashSeed)
	default:
		return oneAtATime(key, uint32(mix(n.HashSeed)))
	}
}

// appendKey writes the chosen fields one after the other, in network order.
func appendKey(b []byte, f *traceflow.Flow, fields Fields) []byte {
	if fields&FieldSource != 0 {
		b = appendAddr(b, f.Source)
	}
	if fields&FieldDestination != 0 {
		b = appendAddr(b, f.Destination)
	}
	if fields&FieldProtocol != 0 {
		b = append(b, f.Number())
	}
	first, second := ports(f)
	if fields&FieldSourcePort != 0 {
		b = binary.BigEndian.AppendUint16(b, first)
	}
	if fields&FieldDestinationPort != 0 {
		b = binary.BigEndian.AppendUint16(b, second)
	}
	if fields&FieldLabel != 0 {
		b = append(b, byte(f.Label>>16), byte(f.Label>>8), byte(f.Label))
	}
	return b
}

// ports returns the first four bytes behind the IP header, where routers look
// for ports whatever the protocol is. Those of an echo request are its type,
// code and checksum.
func ports(f *traceflow.Flow) (first, second uint16) {
	const echo, echoIPv6 = 8 << 8, 128 << 8 // type and code
	switch {
	case f.Protocol != traceflow.ProtocolICMP:
		return f.SourcePort, f.DestinationPort
	case f.Destination.Is6():
		return echoIPv6, f.SourcePort
	default:
		return echo, f.SourcePort
	}
}

func appendAddr(b []byte, a netip.Addr) []byte {
	if a.Is4() {
		octets := a.As4()
		return append(b, octets[:]...)
	}
	octets := a.As16()
	return append(b, octets[:]...)
}

// mix spreads a number over 64 bits: the finaliser of SplitMix64.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// spread is multiplicative hashing with a multiplier made of the seed.
func spread(h uint32, seed uint64) uint32 {
	wide := uint64(h) * (mix(seed) | 1)
	return uint32(wide >> 32)
}

// oneAtATime is Bob Jenkins's hash of that name, started from the seed.
func oneAtATime(key []byte, h uint32) uint32 {
	for _, c := range key {
		h += uint32(c)
		h += h << 10
		h ^= h >> 6
	}
	h += h << 3
	h ^= h >> 11
	return h + h<<15
}

// crcCCITT is CRC-16 with polynomial x¹⁶+x¹²+x⁵+1, most significant bit first,
// started from all ones.
func crcCCITT(key []byte) uint16 {
	crc := uint16(0xffff)
	for _, c := range key {
		crc = crc<<8 ^ crc16Table[byte(crc>>8)^c]
	}
	return crc
}

// crcIEEE is the CRC-32 of Ethernet. That of package crc32 is built for long
// input, and lets the key escape to the heap.
func crcIEEE(key []byte) uint32 {
	crc := ^uint32(0)
	for _, c := range key {
		crc = crc>>8 ^ crc32.IEEETable[byte(crc)^c]
	}
	return ^crc
}

var crc16Table = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			top := crc >> 15
			crc = crc<<1 ^ top*0x1021
		}
		table[i] = crc
	}
	return table
}()

// xorFold is the exclusive or of the key's 16-bit words.
func xorFold(key []byte) uint16 {
	var h uint16
	for len(key) >= 2 {
		h ^= binary.BigEndian.Uint16(key)
		key = key[2:]
	}
	if len(key) == 1 {
		h ^= uint16(key[0]) << 8
	}
	return h
}

// toeplitz multiplies the key by a Toeplitz matrix over GF(2), as receive-side
// scaling does; the matrix's bits come from the seed, 64 at a time.
func toeplitz(key []byte, seed uint64) uint32 {
	const step = 0x9e3779b97f4a7c15
	seed += step
	window, next := mix(seed), uint64(0)
	var h uint32
	for i, c := range key {
		if i%8 == 0 {
			seed += step
			next = mix(seed)
		}
		for c != 0 {
			first := bits.LeadingZeros8(c)
			h ^= uint32(window << first >> 32)
			c &^= 0x80 >> first
		}
		window = window<<8 | next>>56
		next <<= 8
	}
	return h
}
