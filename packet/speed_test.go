// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"net/netip"
	"testing"

	"traceflow/packet"
)

// operation is one encoder or decoder at work on something typical.
type operation struct {
	name string
	run  func()
}

// operations are all of them but the decoders' refusals.
func operations(tb testing.TB) []operation {
	buffer := make([]byte, 0, 2048)
	payload := []byte("the payload of a probe, 32 bytes")
	stack := labels(3)
	extensions := mpls(3)
	found := make([]packet.LabelStackEntry, 0, 8)
	told := make([]packet.InterfaceInfo, 0, 4)
	negotiation := packet.AppendVersionNegotiation(nil, payload[:8], payload[8:16], 1, 0x6b3343cf)
	synOptions := packet.TCP{Options: packet.AppendSYNOptions(nil, 1460, 1, 7)}
	var all []operation
	add := func(name string, run func()) { all = append(all, operation{name, run}) }
	for _, f := range families {
		src, dst := netip.AddrPortFrom(f.host, 40000), netip.AddrPortFrom(f.target, 33434)
		h := packet.IP{Source: f.host, Destination: f.target, Protocol: packet.ProtocolUDP, TTL: 1}
		segment := packet.TCP{SourcePort: 40000, DestinationPort: 443, Flags: packet.FlagSYN, Options: unhex(tb, "020405b4")}
		echo := packet.ICMP{Type: packet.ICMPv4EchoRequest, ID: 1, Sequence: 2, Body: payload}
		about := packet.InterfaceInfo{Index: 7, Address: f.router, Name: []byte("eth0"), MTU: 1500}
		interfaces := packet.Extensions(packet.AppendExtensions(nil, packet.AppendInterfaceObject(nil, &about)))
		whole := probe(f.host, f.target, 1, payload)
		datagram := whole[len(whole)-8-len(payload):]
		tcp := packet.AppendTCP(nil, f.host, f.target, &segment, payload)
		icmp := packet.AppendEcho(nil, f.host, f.target, &echo)
		plain := packet.AppendICMPError(nil, f.router, f.host, timeExceeded(f.host), 0, 0, whole, nil, packet.CompliantLayout)
		compliant := packet.AppendICMPError(nil, f.router, f.host, timeExceeded(f.host), 0, 0, whole, extensions, packet.CompliantLayout)
		// The dearest: nothing says where the extensions are.
		searched := rawError(f.router, f.host, timeExceeded(f.host), 0, probe(f.host, f.target, 1, make([]byte, 600))[:512], extensions)

		add(f.name+"/AppendIP", func() { buffer = packet.AppendIP(buffer[:0], &h, len(payload)) })
		add(f.name+"/AppendUDP", func() { buffer = packet.AppendUDP(buffer[:0], src, dst, payload) })
		add(f.name+"/AppendUDPWithChecksum", func() {
			buffer = packet.AppendUDPWithChecksum(buffer[:0], src, dst, payload, 30, 0x1234)
		})
		add(f.name+"/probe", func() {
			buffer = packet.AppendIP(buffer[:0], &h, 8+len(payload))
			buffer = packet.AppendUDPWithChecksum(buffer, src, dst, payload, 30, 0x1234)
		})
		add(f.name+"/AppendTCP", func() { buffer = packet.AppendTCP(buffer[:0], f.host, f.target, &segment, payload) })
		add(f.name+"/AppendEcho", func() { buffer = packet.AppendEcho(buffer[:0], f.host, f.target, &echo) })
		add(f.name+"/AppendICMPError", func() {
			buffer = packet.AppendICMPError(buffer[:0], f.router, f.host, timeExceeded(f.host), 0, 0, whole, extensions, packet.CompliantLayout)
		})
		add(f.name+"/AppendEchoWithChecksum", func() {
			buffer = packet.AppendEchoWithChecksum(buffer[:0], f.host, f.target, &echo, 30, 0x1234)
		})
		add(f.name+"/AppendInterfaceObject", func() { buffer = packet.AppendInterfaceObject(buffer[:0], &about) })
		add(f.name+"/AppendInterfaces", func() {
			if told = interfaces.AppendInterfaces(told[:0]); len(told) != 1 {
				panic("the interface is lost")
			}
		})
		add(f.name+"/TranslatedChecksum", func() { _ = packet.TranslatedChecksum(1, src, dst) })
		add(f.name+"/ValidChecksum", func() { _ = packet.ValidChecksum(datagram, f.host, f.target, packet.ProtocolUDP) })

		add(f.name+"/DecodeIP", func() { must(packet.DecodeIP(whole)) })
		add(f.name+"/DecodeUDP", func() { must(packet.DecodeUDP(datagram)) })
		add(f.name+"/DecodeTCP", func() { must(packet.DecodeTCP(tcp)) })
		add(f.name+"/DecodeICMP", func() { mustOne(packet.DecodeICMP(icmp, f.host, f.target)) })
		add(f.name+"/DecodeQuote", func() { mustOne(packet.DecodeQuote(whole)) })
		add(f.name+"/DecodeICMPError", func() { mustOne(packet.DecodeICMPError(plain, f.router, f.host)) })
		add(f.name+"/DecodeICMPError with labels", func() {
			e, err := packet.DecodeICMPError(compliant, f.router, f.host)
			mustOne(e, err)
			if found = e.Extensions.AppendMPLS(found[:0]); len(found) != 3 {
				panic("the labels are lost")
			}
		})
		add(f.name+"/DecodeICMPError with a search", func() { mustOne(packet.DecodeICMPError(searched, f.router, f.host)) })
	}
	add("AppendExtensions", func() { buffer = packet.AppendExtensions(buffer[:0], extensions[4:]) })
	add("AppendSYNOptions", func() { buffer = packet.AppendSYNOptions(buffer[:0], 1460, 1, 7) })
	add("Timestamps", func() {
		if _, _, ok := synOptions.Timestamps(); !ok {
			panic("the timestamps are lost")
		}
	})
	add("AppendQUICProbe", func() { buffer = packet.AppendQUICProbe(buffer[:0], [8]byte{1}, [8]byte{2}, packet.QUICMinimum) })
	add("DecodeVersionNegotiation", func() { mustOne(packet.DecodeVersionNegotiation(negotiation)) })
	add("AppendMPLSObject", func() { buffer = packet.AppendMPLSObject(buffer[:0], stack) })
	add("AppendObject", func() { buffer = packet.AppendObject(buffer[:0], packet.Object{Class: 1, CType: 1, Payload: payload}) })
	add("Objects", func() {
		for o := range packet.Extensions(extensions).Objects() {
			if len(o.Payload) != 12 {
				panic("an object has changed")
			}
		}
	})
	add("Checksum of 1280 bytes", func() { _ = packet.Checksum(buffer[:1280]) })
	return all
}

func must[T any](_ T, _ []byte, err error) {
	if err != nil {
		panic(err)
	}
}

func mustOne[T any](_ T, err error) {
	if err != nil {
		panic(err)
	}
}

func TestNothingAllocates(t *testing.T) {
	for _, o := range operations(t) {
		if n := testing.AllocsPerRun(100, o.run); n != 0 {
			t.Errorf("%s: %v allocations", o.name, n)
		}
	}
}

// Nor does refusing a packet: a flood of broken ones must cost nothing more
// than good ones.
func TestRefusingAllocatesNothing(t *testing.T) {
	broken := [][]byte{
		nil,
		unhex(t, "45"),
		unhex(t, "4400 001c 00000000 40110000", hexHostV4, hexTargetV4),
		unhex(t, "60000000 0088 3c 40", hexHostV6, hexTargetV6, repeat("3c 00"+zeros(6), 17)),
		unhex(t, "60000000 0010 3c 40", hexHostV6, hexTargetV6, "11 01"+zeros(13)),
		unhex(t, "9c40 829a 0007 0000"),
		unhex(t, "0b 00 0000 00000000", quoteV4UDP),
	}
	refused := 0
	n := testing.AllocsPerRun(100, func() {
		for _, b := range broken {
			_, _, err := packet.DecodeIP(b)
			refused += count(err)
			_, _, err = packet.DecodeUDP(b)
			refused += count(err)
			_, _, err = packet.DecodeTCP(b)
			refused += count(err)
			_, err = packet.DecodeQuote(b)
			refused += count(err)
			_, err = packet.DecodeICMPError(b, routerV4, hostV4)
			refused += count(err)
		}
	})
	if n != 0 || refused == 0 {
		t.Errorf("%v allocations in refusing %d times", n, refused)
	}
}

func count(err error) int {
	if err != nil {
		return 1
	}
	return 0
}

func BenchmarkPacket(b *testing.B) {
	for _, o := range operations(b) {
		b.Run(o.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o.run()
			}
		})
	}
}
