// SPDX-License-Identifier: BSD-3-Clause

package packet_test

import (
	"fmt"
	"net/netip"

	"traceflow/packet"
)

// A probe whose identity is its UDP checksum, a router's answer to it, and
// what the answer tells.
func Example() {
	src := netip.MustParseAddrPort("192.0.2.1:40000")
	dst := netip.MustParseAddrPort("198.51.100.7:33434")
	router := netip.MustParseAddr("203.0.113.9")

	// Two of the payload's bytes are left for the checksum to come out right.
	payload := []byte("traceflow\x00\x00\x00")
	header := packet.IP{
		Source: src.Addr(), Destination: dst.Addr(),
		Protocol: packet.ProtocolUDP, TTL: 3, ID: 7,
	}
	probe := packet.AppendIP(nil, &header, 8+len(payload))
	probe = packet.AppendUDPWithChecksum(probe, src, dst, payload, 10, 0xbeef)

	stack := packet.AppendMPLSObject(nil, []packet.LabelStackEntry{{Label: 24001, Bottom: true, TTL: 1}})
	reply := packet.AppendICMPError(nil, router, src.Addr(),
		packet.ICMPv4TimeExceeded, packet.ICMPv4CodeTTLExceeded, 0,
		probe[:28], packet.AppendExtensions(nil, stack), packet.CompliantLayout)

	e, err := packet.DecodeICMPError(reply, router, src.Addr())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("type %d, code %d\n", e.Type, e.Code)
	fmt.Printf("to %v port %d, checksum %#04x\n", e.Quote.IP.Destination, e.Quote.DestinationPort, e.Quote.Checksum)
	for _, label := range e.Extensions.AppendMPLS(nil) {
		fmt.Printf("label %d, TTL %d\n", label.Label, label.TTL)
	}
	// Output:
	// type 11, code 0
	// to 198.51.100.7 port 33434, checksum 0xbeef
	// label 24001, TTL 1
}
