// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"

	"traceflow"
)

var hashNames = []string{Jenkins: "jenkins", CRC16: "crc16", CRC32: "crc32", Toeplitz: "toeplitz", XOR: "xor"}

// randomFlow is a flow between fixed addresses with random ports and label.
func randomFlow(r *rand.Rand, source, destination netip.Addr) traceflow.Flow {
	f := traceflow.Flow{
		Protocol: traceflow.ProtocolUDP, Source: source, Destination: destination,
		SourcePort: uint16(1024 + r.IntN(64512)), DestinationPort: uint16(1 + r.IntN(65535)),
	}
	if source.Is6() {
		f.Label = r.Uint32N(1 << 20)
	}
	return f
}

// tooUneven says whether counts are further from uniform than chance allows in
// one of a hundred thousand cases: chi-square against its normal approximation
// (Wilson and Hilferty).
func tooUneven(counts []int) bool {
	total := 0
	for _, n := range counts {
		total += n
	}
	expect := float64(total) / float64(len(counts))
	var chi float64
	for _, n := range counts {
		chi += (float64(n) - expect) * (float64(n) - expect) / expect
	}
	k := float64(len(counts) - 1)
	return (math.Cbrt(chi/k)-1+2/(9*k))/math.Sqrt(2/(9*k)) > 4.27
}

func TestHashIsUniform(t *testing.T) {
	ends := [][2]string{{"198.18.0.1", "198.18.0.9"}, {"2001:db8::1", "2001:db8::9"}}
	for hash, name := range hashNames {
		for _, end := range ends {
			for _, width := range []int{2, 3, 4, 5, 8, 16, 64, 255} {
				t.Run(fmt.Sprintf("%s/%s/%d", name, end[0], width), func(t *testing.T) {
					r := rand.New(rand.NewPCG(1, uint64(width)))
					first := Node{Hash: Hash(hash), HashSeed: mix(1), Fields: FiveTuple}
					second := Node{Hash: Hash(hash), HashSeed: mix(2), Fields: FiveTuple}
					counts := make([]int, width)
					// What the second node chooses for those to which the first gave branch 0.
					after := make([]int, min(width, 4))
					for range 100 * width {
						f := randomFlow(r, netip.MustParseAddr(end[0]), netip.MustParseAddr(end[1]))
						k := uint64(first.HashFlow(&f)) * uint64(width) >> 32
						counts[k]++
						if k == 0 {
							after[uint64(second.HashFlow(&f))*uint64(len(after))>>32]++
						}
					}
					if tooUneven(counts) {
						t.Errorf("uneven: %v", counts)
					}
					for k, n := range after {
						if n == 0 {
							t.Errorf("a second node never chooses %d for the flows of one branch: %v", k, after)
						}
					}
				})
			}
		}
	}
}

// TestHashReadsFields changes one field at a time.
func TestHashReadsFields(t *testing.T) {
	flow := traceflow.Flow{
		Protocol: traceflow.ProtocolUDP, SourcePort: 33434, DestinationPort: 33435, Label: 77,
		Source: netip.MustParseAddr("2001:db8::1"), Destination: netip.MustParseAddr("2001:db8::9"),
	}
	changes := []struct {
		field  Fields
		change func(f *traceflow.Flow)
	}{
		{FieldSource, func(f *traceflow.Flow) { f.Source = netip.MustParseAddr("2001:db8::2") }},
		{FieldDestination, func(f *traceflow.Flow) { f.Destination = netip.MustParseAddr("2001:db8::a") }},
		{FieldProtocol, func(f *traceflow.Flow) { f.Protocol = 6 }},
		{FieldSourcePort, func(f *traceflow.Flow) { f.SourcePort++ }},
		{FieldDestinationPort, func(f *traceflow.Flow) { f.DestinationPort++ }},
		{FieldLabel, func(f *traceflow.Flow) { f.Label++ }},
		{0, func(f *traceflow.Flow) { f.ID++ }},
	}
	for hash, name := range hashNames {
		for fields := range FieldLabel * 2 {
			n := Node{Hash: Hash(hash), HashSeed: 5, Fields: fields}
			for _, c := range changes {
				other := flow
				c.change(&other)
				differ := n.HashFlow(&flow) != n.HashFlow(&other)
				if want := fields&c.field != 0; differ != want {
					t.Errorf("%s over fields %06b: field %06b changes the hash: %t, want %t", name, fields, c.field, differ, want)
				}
			}
		}
		n := Node{Hash: Hash(hash), HashSeed: 5, Fields: FiveTuple, Balance: PerDestination}
		other := flow
		other.SourcePort++
		if n.HashFlow(&flow) != n.HashFlow(&other) {
			t.Errorf("%s: per destination, but reads the port", name)
		}
	}
}

// TestHashOfICMP wants echo requests hashed by the bytes that they have where
// the ports of others are: type, code and checksum.
func TestHashOfICMP(t *testing.T) {
	for _, tt := range []struct {
		name, source, destination string
		number                    traceflow.Protocol // in the IP header
		typeAndCode               uint16
	}{
		{"IPv4", "198.18.0.1", "198.18.0.9", 1, 0x0800},
		{"IPv6", "2001:db8::1", "2001:db8::9", 58, 0x8000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			echo := traceflow.Flow{
				Protocol: traceflow.ProtocolICMP, SourcePort: 0x1234, TOS: 0xb8,
				Source: netip.MustParseAddr(tt.source), Destination: netip.MustParseAddr(tt.destination),
			}
			ported := traceflow.Flow{
				Protocol: traceflow.ProtocolUDP, SourcePort: tt.typeAndCode, DestinationPort: 0x1234,
				Source: echo.Source, Destination: echo.Destination,
			}
			for hash, name := range hashNames {
				n := Node{Hash: Hash(hash), HashSeed: 5, Fields: FiveTuple &^ FieldProtocol}
				if n.HashFlow(&echo) != n.HashFlow(&ported) {
					t.Errorf("%s does not read type, code and checksum alone", name)
				}
			}
			key := appendKey(nil, &echo, FieldProtocol)
			if len(key) != 1 || key[0] != byte(tt.number) {
				t.Errorf("protocol %v is hashed, want %d", key, tt.number)
			}
		})
	}
}

// TestHashKnownValues compares with published check values of the functions.
func TestHashKnownValues(t *testing.T) {
	if got := crcCCITT([]byte("123456789")); got != 0x29b1 {
		t.Errorf("CRC-16-CCITT of the check string = %#x, want 0x29b1", got)
	}
	if got := crcIEEE([]byte("123456789")); got != 0xcbf43926 {
		t.Errorf("CRC-32 of the check string = %#x, want 0xcbf43926", got)
	}
	if got := oneAtATime([]byte("a"), 0); got != 0xca2e9442 {
		t.Errorf("one-at-a-time of a = %#x, want 0xca2e9442", got)
	}
	if got := xorFold([]byte{1, 2, 3, 4, 5}); got != 0x0706 {
		t.Errorf("fold = %#x, want 0x0706", got)
	}
	// Toeplitz is linear: the hash of a sum is the sum of the hashes.
	r := rand.New(rand.NewPCG(1, 1))
	var a, b, sum [37]byte
	for range 100 {
		for i := range sum {
			a[i], b[i] = byte(r.Uint32()), byte(r.Uint32())
			sum[i] = a[i] ^ b[i]
		}
		if got, want := toeplitz(sum[:], 3), toeplitz(a[:], 3)^toeplitz(b[:], 3); got != want {
			t.Fatalf("toeplitz is not linear: %#x, want %#x", got, want)
		}
	}
	// A single bit moved by one moves its column by one: that is what makes the
	// matrix Toeplitz.
	for bit := range 37*8 - 1 {
		var one, next [40]byte
		one[bit/8] = 0x80 >> (bit % 8)
		next[(bit+1)/8] = 0x80 >> ((bit + 1) % 8)
		if toeplitz(one[:37], 3)<<1 != toeplitz(next[:37], 3)&^1 {
			t.Fatalf("columns %d and %d do not overlap", bit, bit+1)
		}
	}
}

func BenchmarkHashFlow(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	f := randomFlow(r, netip.MustParseAddr("198.18.0.1"), netip.MustParseAddr("198.18.0.2"))
	for hash, name := range hashNames {
		n := Node{Hash: Hash(hash), HashSeed: 5, Fields: FiveTuple}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var ports [2]byte
			for b.Loop() {
				binary.BigEndian.PutUint16(ports[:], uint16(n.HashFlow(&f)))
				f.SourcePort = binary.BigEndian.Uint16(ports[:])
			}
		})
	}
}
