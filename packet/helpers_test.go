// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"traceflow/packet"
)

// The hosts and routers of all fixtures, from RFC 5737 and RFC 3849.
var (
	hostV4   = netip.MustParseAddr("192.0.2.1")
	targetV4 = netip.MustParseAddr("198.51.100.7")
	routerV4 = netip.MustParseAddr("203.0.113.9")
	hostV6   = netip.MustParseAddr("2001:db8:1::1")
	targetV6 = netip.MustParseAddr("2001:db8:2::7")
	routerV6 = netip.MustParseAddr("2001:db8:ffff::9")
)

// The same as pieces of hex.
const (
	hexHostV4   = "c0000201"
	hexTargetV4 = "c6336407"
	hexRouterV4 = "cb007109"
	hexHostV6   = "20010db8 00010000 00000000 00000001"
	hexTargetV6 = "20010db8 00020000 00000000 00000007"
)

// families are what a test runs over when it is the same for both.
var families = []struct {
	name                 string
	host, target, router netip.Addr
	icmp                 uint8
}{
	{"IPv4", hostV4, targetV4, routerV4, packet.ProtocolICMP},
	{"IPv6", hostV6, targetV6, routerV6, packet.ProtocolICMPv6},
}

// addresses lets cmp look at netip.Addr, which has unexported fields.
var addresses = cmpopts.EquateComparable(netip.Addr{})

// unhex joins pieces of hex; spaces are for the eye.
func unhex(tb testing.TB, pieces ...string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(pieces, ""), " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// zeros is a piece of n zero bytes.
func zeros(n int) string { return strings.Repeat("00", n) }

// random is a source that gives every run the same numbers.
func random() *rand.Rand { return rand.New(rand.NewPCG(4884, 4950)) }

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// diff fails the test when got is not want.
func diff(tb testing.TB, what string, want, got any) {
	tb.Helper()
	// Nearly always equal, and cmp is too slow for thousands of those.
	if reflect.DeepEqual(want, got) {
		return
	}
	if d := cmp.Diff(want, got, addresses, cmpopts.EquateEmpty()); d != "" {
		tb.Errorf("%s (-want +got)\n%s", what, d)
	}
}

// checkError fails the test when err does not wrap want, or is not about the
// layer and offset.
func checkError(tb testing.TB, err, want error, layer string, offset int) {
	tb.Helper()
	if !errors.Is(err, want) {
		tb.Fatalf("got error %v, want %v", err, want)
	}
	var d *packet.DecodeError
	if !errors.As(err, &d) {
		tb.Fatalf("got a %T, want a *packet.DecodeError", err)
	}
	if d.Layer != layer || d.Offset != offset {
		t := packet.DecodeError{Layer: layer, Offset: offset, Err: want}
		tb.Errorf("got %q, want %q", err, t.Error())
	}
}

// checkDecodable fails the test when an error is none that decoders may
// return.
func checkDecodable(tb testing.TB, err error) {
	tb.Helper()
	var d *packet.DecodeError
	if !errors.As(err, &d) || errors.Is(err, packet.ErrTruncated) == errors.Is(err, packet.ErrMalformed) {
		tb.Fatalf("a decoder returned %v", err)
	}
}

// mustPanic fails the test when f does not panic in this package's name.
func mustPanic(tb testing.TB, f func()) {
	tb.Helper()
	defer func() {
		tb.Helper()
		message, ok := recover().(string)
		if !ok || !strings.HasPrefix(message, "packet: ") {
			tb.Errorf("panic %q, want one that starts with %q", message, "packet: ")
		}
	}()
	f()
}

// serialize is gopacket's encoding of the layers.
func serialize(tb testing.TB, ls ...gopacket.SerializableLayer) []byte {
	tb.Helper()
	buffer := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buffer, options, ls...); err != nil {
		tb.Fatal(err)
	}
	return buffer.Bytes()
}

// network is gopacket's IP header for a checksum or a packet of either family.
func network(src, dst netip.Addr, protocol uint8) interface {
	gopacket.NetworkLayer
	gopacket.SerializableLayer
} {
	if src.Is4() {
		return &layers.IPv4{
			Version: 4, TTL: 64, Protocol: layers.IPProtocol(protocol),
			SrcIP: net.IP(src.AsSlice()), DstIP: net.IP(dst.AsSlice()),
		}
	}
	return &layers.IPv6{
		Version: 6, HopLimit: 64, NextHeader: layers.IPProtocol(protocol),
		SrcIP: net.IP(src.AsSlice()), DstIP: net.IP(dst.AsSlice()),
	}
}

// dissect is gopacket's decoding of an IP packet.
func dissect(tb testing.TB, b []byte) gopacket.Packet {
	tb.Helper()
	first := layers.LayerTypeIPv4
	if b[0]>>4 == 6 {
		first = layers.LayerTypeIPv6
	}
	p := gopacket.NewPacket(b, first, gopacket.Default)
	if e := p.ErrorLayer(); e != nil {
		tb.Fatalf("gopacket cannot decode %x: %v", b, e.Error())
	}
	return p
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// randomAddr is an address out of the documentation ranges.
func randomAddr(r *rand.Rand, v4 bool) netip.Addr {
	if v4 {
		a := hostV4.As4()
		a[3] = byte(r.Uint32())
		return netip.AddrFrom4(a)
	}
	a := hostV6.As16()
	copy(a[4:], randomBytes(r, 12))
	return netip.AddrFrom16(a)
}

// gopacketPayload is a payload for serialize.
func gopacketPayload(b []byte) gopacket.Payload { return gopacket.Payload(b) }

// nopFeedback is what gopacket tells of truncated packets.
type nopFeedback struct{}

func (nopFeedback) SetTruncated() {}

// probe is a UDP datagram from host to target with its IP header.
func probe(src, dst netip.Addr, ttl uint8, payload []byte) []byte {
	h := packet.IP{Source: src, Destination: dst, Protocol: packet.ProtocolUDP, TTL: ttl}
	b := packet.AppendIP(nil, &h, 8+len(payload))
	return packet.AppendUDP(b, netip.AddrPortFrom(src, 40000), netip.AddrPortFrom(dst, 33434), payload)
}

// labels is a label stack of n entries that are all different.
func labels(n int) []packet.LabelStackEntry {
	stack := make([]packet.LabelStackEntry, n)
	for i := range stack {
		stack[i] = packet.LabelStackEntry{Label: 0xfff00 + uint32(i), TC: uint8(i) & 7, TTL: uint8(255 - i), Bottom: i == n-1}
	}
	return stack
}

// mpls is an extension structure with such a label stack.
func mpls(n int) []byte {
	return packet.AppendExtensions(nil, packet.AppendMPLSObject(nil, labels(n)))
}
