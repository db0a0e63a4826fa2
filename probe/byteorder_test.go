// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/packet"
)

var (
	router4 = netip.MustParseAddr("192.0.2.1")
	router6 = netip.MustParseAddr("2001:db8::1")
	here4   = netip.MustParseAddr("198.51.100.7")
	here6   = netip.MustParseAddr("2001:db8:7::7")
	far4    = netip.MustParseAddr("203.0.113.9")
	far6    = netip.MustParseAddr("2001:db8:9::9")
)

// probePacket is a UDP probe from here to far.
func probePacket(v6 bool, id identity) []byte {
	f := traceflow.Flow{Protocol: traceflow.ProtocolUDP, Source: here4, Destination: far4, SourcePort: 33434, DestinationPort: 33435}
	if v6 {
		f.Source, f.Destination = here6, far6
	}
	return appendProbe(nil, &traceflow.Probe{Flow: f, TTL: 3}, id, false)
}

// asKernel is a packet as a raw socket of an older BSD or of macOS gives it: the
// total length without the header's, in host order as the fragment field and,
// for codes that it knows, the quoted length.
func asKernel(b []byte, knownCode bool) []byte {
	b = slices.Clone(b)
	header := int(b[0]&0xf) * 4
	binary.NativeEndian.PutUint16(b[2:], binary.BigEndian.Uint16(b[2:])-uint16(header))
	binary.NativeEndian.PutUint16(b[6:], binary.BigEndian.Uint16(b[6:]))
	if knownCode {
		binary.NativeEndian.PutUint16(b[header+10:], binary.BigEndian.Uint16(b[header+10:]))
	}
	return b
}

// withHeader puts an IPv4 header with these fields in front of b's payload.
func withHeader(b []byte, change func(*packet.IP)) []byte {
	h, body, err := packet.DecodeIP(b)
	if err != nil {
		panic(err)
	}
	h.Options = nil
	change(&h)
	return append(packet.AppendIP(nil, &h, len(body)), body...)
}

func TestHeaderOrder(t *testing.T) {
	probe := probePacket(false, identity{tag: newTag(0x1234, 0x5678)})
	exceeded := errorFrom(router4, packet.ICMPv4TimeExceeded, 0, probe)
	message := packet.AppendEcho(nil, far4, here4, &packet.ICMP{Type: packet.ICMPv4EchoReply, ID: 7, Sequence: 8, Body: []byte("traceflow")})
	echo := append(packet.AppendIP(nil, &packet.IP{Source: far4, Destination: here4, Protocol: packet.ProtocolICMP, TTL: 60}, len(message)), message...)
	tests := []struct {
		name  string
		order headerOrder
		wire  []byte // what was on the wire, and what is wanted
		known bool   // the kernel knows the code
	}{
		{"time exceeded, host order", hostOrder, exceeded, true},
		{"time exceeded, network order", networkOrder, exceeded, false},
		{"quoted length turned round, network order", networkOrder, exceeded, true},
		{"unknown code, host order", hostOrder, errorFrom(router4, packet.ICMPv4DestinationUnreachable, 200, probe), false},
		{"short quote", hostOrder, errorFrom(router4, packet.ICMPv4DestinationUnreachable, 3, probe[:28]), true},
		{"Don't Fragment", hostOrder, withHeader(exceeded, func(h *packet.IP) { h.DontFragment = true }), true},
		{"Don't Fragment, network order", networkOrder, withHeader(exceeded, func(h *packet.IP) { h.DontFragment = true }), false},
		{"options", hostOrder, withHeader(exceeded, func(h *packet.IP) { h.Options = []byte{1, 1, 1, 0} }), true},
		{"echo reply", hostOrder, echo, false},
		{"damaged error", hostOrder, flip(exceeded, len(exceeded)-1), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := asKernel(tt.wire, tt.known)
			if tt.order == networkOrder {
				copy(got, tt.wire[:20])
			}
			tt.order.fromKernel(got)
			if diff := cmp.Diff(tt.wire, got); diff != "" {
				t.Errorf("from the kernel (-want +got)\n%s", diff)
			}
		})
	}
	for _, order := range []headerOrder{networkOrder, hostOrder} {
		got := slices.Clone(withHeader(probe, func(h *packet.IP) { h.DontFragment = true }))
		want := slices.Clone(got)
		if order == hostOrder {
			binary.NativeEndian.PutUint16(want[2:], uint16(len(want)))
			binary.NativeEndian.PutUint16(want[6:], 0x4000)
		}
		if order.toKernel(got); !bytes.Equal(got, want) {
			t.Errorf("to the kernel, host order %v: %x, want %x", order, got, want)
		}
	}
}

// TestHeaderOrderReaches wants a reply that the kernel has turned round to be
// matched like any other: the engine verifies its checksum and reads the quote.
func TestHeaderOrderReaches(t *testing.T) {
	id := identity{tag: newTag(0x1234, 0x5678), cookie: 42}
	d := traceflow.Datagram{Data: asKernel(errorFrom(router4, packet.ICMPv4TimeExceeded, 0, probePacket(false, id)), true)}
	if _, err := decodeAnswer(&d, true); err == nil {
		t.Error("a packet that was turned round is decoded as it is")
	}
	hostOrder.fromKernel(d.Data)
	a, err := decodeAnswer(&d, true)
	if err != nil {
		t.Fatal(err)
	}
	if a.tag != id.tag || a.cookie != id.cookie || a.reply.Address != router4 || a.reply.QuotedTTL != 3 {
		t.Errorf("got %+v", a)
	}
}

// FuzzFromKernel wants any packet to survive, changed in no more than the
// fields that kernels turn round, and one that a kernel could have given to be
// the same again.
func FuzzFromKernel(f *testing.F) {
	exceeded := errorFrom(router4, packet.ICMPv4TimeExceeded, 0, probePacket(false, identity{tag: newTag(1, 2)}))
	f.Add(exceeded, true)
	f.Add(asKernel(exceeded, true), true)
	f.Add(exceeded[:30], false)
	f.Add([]byte{0x4f}, true)
	f.Fuzz(func(t *testing.T, b []byte, order bool) {
		got := slices.Clone(b)
		headerOrder(order).fromKernel(got)
		for i := range got {
			icmp := 0
			if len(b) > 0 {
				icmp = int(b[0]&0xf) * 4
			}
			if got[i] != b[i] && i != 2 && i != 3 && i != 6 && i != 7 && i != icmp+10 && i != icmp+11 {
				t.Fatalf("byte %d of %x changed to %x", i, b, got)
			}
		}
		again := slices.Clone(got)
		networkOrder.fromKernel(again)
		if !bytes.Equal(got, again) {
			t.Fatalf("%x is not the same when read again: %x", got, again)
		}
	})
}

func TestAppendHeaderless(t *testing.T) {
	message := packet.AppendICMPError(nil, router6, here6, packet.ICMPv6TimeExceeded, 0, 0,
		probePacket(true, identity{tag: newTag(9, 2)}), nil, packet.CompliantLayout)
	tests := []struct {
		name                string
		source, destination netip.Addr
		want                netip.Addr // destination; invalid if there is no packet
	}{
		{"as told", router6, here6, here6},
		{"destination not told", router6, netip.Addr{}, netip.IPv6Unspecified()},
		{"zone", netip.MustParseAddr("fe80::1%em0"), here6, here6},
		{"source of the other family", router4, here6, netip.Addr{}},
		{"mapped source", netip.AddrFrom16(router4.As16()), here6, netip.Addr{}},
		{"source not told", netip.Addr{}, here6, netip.Addr{}},
		{"destination of the other family", router6, here4, netip.Addr{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, ok := appendHeaderless(nil, tt.source, tt.destination, 61, message)
			if ok != tt.want.IsValid() {
				t.Fatalf("ok is %v", ok)
			}
			if !ok {
				return
			}
			h, body, err := packet.DecodeIP(b)
			if err != nil {
				t.Fatal(err)
			}
			if h.Source != tt.source.WithZone("") || h.Destination != tt.want || h.TTL != 61 || h.Protocol != packet.ProtocolICMPv6 || !bytes.Equal(body, message) {
				t.Errorf("got %+v with %x", h, body)
			}
		})
	}
}
