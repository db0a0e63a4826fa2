// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"net/netip"
	"slices"
	"testing"

	"traceflow/packet"
)

func TestDecodeIPRefuses(t *testing.T) {
	const (
		v4Addresses = hexHostV4 + hexTargetV4
		v6Addresses = hexHostV6 + hexTargetV6
		mapped      = "00000000 00000000 0000ffff c0000201"
	)
	tests := []struct {
		name   string
		hex    string
		want   error
		layer  string
		offset int
	}{
		{"nothing", "", packet.ErrTruncated, "IP", 0},
		{"version 0", zeros(40), packet.ErrMalformed, "IP", 0},
		{"version 5", "50" + zeros(39), packet.ErrMalformed, "IP", 0},
		{"version 15", "f0" + zeros(39), packet.ErrMalformed, "IP", 0},
		{"one byte of IPv4", "45", packet.ErrTruncated, "IPv4", 0},
		{"19 bytes of IPv4", "45" + zeros(18), packet.ErrTruncated, "IPv4", 0},
		{"a header of 16 bytes", "4400 001c 00000000 40110000" + v4Addresses, packet.ErrMalformed, "IPv4", 0},
		{"a header of 0 bytes", "4000 001c 00000000 40110000" + v4Addresses, packet.ErrMalformed, "IPv4", 0},
		{"options that are not there", "4600 001c 00000000 40110000" + v4Addresses + "000000", packet.ErrTruncated, "IPv4", 20},
		{"length within the header", "4500 0013 00000000 40110000" + v4Addresses, packet.ErrMalformed, "IPv4", 2},
		{"length within the options", "4600 0014 00000000 40110000" + v4Addresses + zeros(4), packet.ErrMalformed, "IPv4", 2},
		{"length of 0", "4500 0000 00000000 40110000" + v4Addresses + zeros(8), packet.ErrMalformed, "IPv4", 2},
		{"one byte of IPv6", "60", packet.ErrTruncated, "IPv6", 0},
		{"39 bytes of IPv6", "60" + zeros(38), packet.ErrTruncated, "IPv6", 0},
		{"IPv4 source in IPv6", "60000000 0000 11 40" + mapped + hexTargetV6, packet.ErrMalformed, "IPv6", 8},
		{"IPv4 destination in IPv6", "60000000 0000 11 40" + hexHostV6 + mapped, packet.ErrMalformed, "IPv6", 24},
		{"extension header beyond the length", "60000000 0000 00 40" + v6Addresses + "11 00" + zeros(6), packet.ErrMalformed, "IPv6", 4},
		{"extension header half in the length", "60000000 0008 00 40" + v6Addresses + "11 01" + zeros(14), packet.ErrMalformed, "IPv6", 4},
		{"extension header that is not there", "60000000 0008 3c 40" + v6Addresses + zeros(7), packet.ErrTruncated, "IPv6 extension header", 0},
		{"extension header cut short", "60000000 0010 3c 40" + v6Addresses + "11 01" + zeros(13), packet.ErrTruncated, "IPv6 extension header", 1},
		{"AH cut short", "60000000 0018 33 40" + v6Addresses + "11 04" + zeros(21), packet.ErrTruncated, "IPv6 extension header", 1},
		{"AH of 12 bytes", "60000000 000c 33 40" + v6Addresses + "11 01" + zeros(10), packet.ErrMalformed, "IPv6 extension header", 1},
		{"a chain of 17", "60000000 0088 3c 40" + v6Addresses + repeat("3c 00"+zeros(6), 17), packet.ErrMalformed, "IPv6", 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := packet.DecodeIP(unhex(t, tt.hex))
			checkError(t, err, tt.want, tt.layer, tt.offset)
		})
	}
}

// The end of the input is where the payload ends, unless the header says that
// it ends before.
func TestDecodeIPCutsThePayload(t *testing.T) {
	payload := []byte("twelve bytes")
	for _, f := range families {
		h := packet.IP{Source: f.host, Destination: f.target, TTL: 9, Protocol: packet.ProtocolUDP}
		b := append(packet.AppendIP(nil, &h, len(payload)), payload...)
		t.Run(f.name+" with padding", func(t *testing.T) {
			got, rest, err := packet.DecodeIP(append(slices.Clip(b), 0, 0, 0, 0))
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "payload", payload, rest)
			diff(t, "length", len(b), got.Length)
		})
		t.Run(f.name+" cut short", func(t *testing.T) {
			headerLength := len(b) - len(payload)
			for n := headerLength; n < len(b); n++ {
				got, rest, err := packet.DecodeIP(b[:n])
				if err != nil {
					t.Fatal(err)
				}
				diff(t, "payload", payload[:n-headerLength], rest)
				diff(t, "length", len(b), got.Length)
				diff(t, "header length", headerLength, got.HeaderLength)
			}
			for n := range headerLength {
				if _, _, err := packet.DecodeIP(b[:n]); err == nil {
					t.Errorf("no error with %d bytes", n)
				}
			}
		})
	}
}

// Appending to what a decoder returned must not write into the packet.
func TestDecodeIPLendsNoSpareRoom(t *testing.T) {
	b := packet.AppendIP(nil, &packet.IP{Source: hostV4, Destination: targetV4, Protocol: 17, Options: unhex(t, "01010100")}, 4)
	b = append(b, "data and padding"...)
	want := string(b)
	h, payload, err := packet.DecodeIP(b)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = append(payload, 0xff), append(h.Options, 0xff)
	diff(t, "input", want, string(b))
}

func TestAppendIPAppends(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			h := packet.IP{Source: f.host, Destination: f.target, Protocol: packet.ProtocolUDP}
			alone := packet.AppendIP(nil, &h, 100)
			got := packet.AppendIP([]byte("before"), &h, 100)
			diff(t, "bytes", "before"+string(alone), string(got))
		})
	}
}

// An address in the form that dual-stack sockets return is an IPv4 address.
func TestAppendIPTakesMappedAddressesForIPv4(t *testing.T) {
	h := packet.IP{Source: hostV4, Destination: targetV4, TTL: 1}
	want := packet.AppendIP(nil, &h, 0)
	h.Source, h.Destination = netip.AddrFrom16(hostV4.As16()), netip.AddrFrom16(targetV4.As16())
	diff(t, "bytes", want, packet.AppendIP(nil, &h, 0))
}

func repeat(piece string, n int) string {
	s := ""
	for range n {
		s += piece
	}
	return s
}

func FuzzDecodeIP(f *testing.F) {
	for _, s := range families {
		h := packet.IP{Source: s.host, Destination: s.target, TTL: 3, TOS: 0xb9, Protocol: packet.ProtocolUDP, ID: 0x1234}
		f.Add(packet.AppendUDP(packet.AppendIP(nil, &h, 8+4), netip.AddrPortFrom(s.host, 1), netip.AddrPortFrom(s.target, 2), []byte("data")))
	}
	f.Add(unhex(f, ipv4WithOptions...))
	f.Add(unhex(f, ipv4Fragment...))
	f.Add(unhex(f, ipv6WithEverything...))
	f.Add(unhex(f, ipv6MiddleFragment...))
	f.Add(unhex(f, "60000000 0088 3c 40", hexHostV6, hexTargetV6, repeat("3c 00"+zeros(6), 17)))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, payload, err := packet.DecodeIP(b)
		if err != nil {
			checkDecodable(t, err)
			return
		}
		if h.HeaderLength+len(payload) > min(len(b), h.Length) {
			t.Fatalf("%d+%d bytes out of %d with a length of %d", h.HeaderLength, len(payload), len(b), h.Length)
		}
		if h.Source.Is4() != h.Destination.Is4() || h.Source.Is4In6() || h.Destination.Is4In6() {
			t.Fatalf("from %v to %v", h.Source, h.Destination)
		}
		// The other way around, a header is what it was but for IPv4's
		// checksum, which is now right, and its unused flag.
		again := packet.AppendIP(nil, &h, h.Length-h.HeaderLength)
		h2, _, err := packet.DecodeIP(again)
		if err != nil {
			t.Fatalf("cannot decode the encoding: %v", err)
		}
		diff(t, "decoding of the encoding", h, h2)
		want := append([]byte(nil), b[:h.HeaderLength]...)
		if h.Source.Is4() {
			want[6] &^= 0x80
			copy(want[10:12], again[10:12])
			diff(t, "header checksum", uint16(0), packet.Checksum(again))
		}
		diff(t, "encoding of the decoding", want, again)
	})
}
