// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"traceflow"
	"traceflow/packet"
)

// TestToken decodes the packets of Paths: they have to be what the flow says,
// with checksums in order, or a NAT and a destination would not know them.
func TestToken(t *testing.T) {
	for _, ends := range [][2]string{{"198.18.0.1", "198.18.0.9"}, {"2001:db8::1", "2001:db8::9"}} {
		for _, protocol := range []traceflow.Protocol{traceflow.ProtocolUDP, traceflow.ProtocolTCP, traceflow.ProtocolICMP} {
			for port := uint16(1); port < 65000; port += 711 {
				f := traceflow.Flow{
					Protocol: protocol, Source: netip.MustParseAddr(ends[0]), Destination: netip.MustParseAddr(ends[1]),
					SourcePort: port, DestinationPort: 443, TOS: 0x28,
				}
				want := token{run: uint32(port), flow: 7}
				b := want.encode(f)
				h, body, err := packet.DecodeIP(b)
				if err != nil || h.Length != len(b) || h.Protocol != f.Number() || h.TOS != f.TOS ||
					!packet.ValidChecksum(body, h.Source, h.Destination, h.Protocol) {
					t.Fatalf("%v: %+v, %v, body %x", protocol, h, err, body)
				}
				ports := [2]uint16{port, 443}
				if protocol == traceflow.ProtocolICMP {
					ports = [2]uint16{uint16(body[0]) << 8, port} // type and code, checksum
					if id := binary.BigEndian.Uint16(body[4:]); id != port {
						t.Errorf("%v: ID %d, want %d", protocol, id, port)
					}
				}
				if got := [2]uint16{binary.BigEndian.Uint16(body), binary.BigEndian.Uint16(body[2:])}; got != ports {
					t.Errorf("%v: routers read %x, want %x", protocol, got, ports)
				}
				if got, ok := readToken(b); !ok || got != want {
					t.Errorf("%v: token %+v, %t, want %+v", protocol, got, ok, want)
				}
				for n := range b {
					if _, ok := readToken(b[:n]); ok && n < len(b)-fixUp {
						t.Errorf("%v: a token in %d bytes of %d", protocol, n, len(b))
					}
				}
				if protocol == traceflow.ProtocolICMP {
					b[len(b)-len(body)]++ // to a type that is no request
					if _, ok := readToken(b); ok {
						t.Error("a token in the echo")
					}
				}
			}
		}
	}
}

func FuzzReadToken(f *testing.F) {
	f.Add([]byte{0x45})
	f.Add(make([]byte, longest))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, ok := readToken(b); ok && len(b) < headerIPv4+headerUDP+tokenLength {
			t.Errorf("a token in %x", b)
		}
	})
}
