// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"net/netip"
	"testing"

	"traceflow"
)

func TestTranslate(t *testing.T) {
	own, other := netip.MustParseAddr("198.18.0.7"), netip.MustParseAddr("203.0.113.5")
	for _, tt := range []struct {
		name  string
		node  Node
		want  netip.Addr
		moves bool // the port
	}{
		{"none", Node{Address4: own}, netip.MustParseAddr("192.0.2.1"), false},
		{"own address", Node{Address4: own, NAT: NATRestore, HashSeed: 5}, own, true},
		{"another", Node{Address4: own, NAT: NATKeepAll, NATAddress4: other}, other, true},
		{"of the other family", Node{Address4: own, NAT: NATKeepAll, NATAddress6: netip.IPv6LinkLocalAllNodes()}, own, true},
		{"keeps ports", Node{Address4: own, NAT: NATRestore, NATKeepsPorts: true}, own, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			seen := make(map[uint16]bool)
			for port := range 65536 {
				source := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(port))
				to := tt.node.Translate(source)
				if moved := to.Port() != source.Port(); to.Addr() != tt.want || moved != (tt.moves && port != 0) {
					t.Fatalf("%v becomes %v", source, to)
				}
				if seen[to.Port()] {
					t.Fatalf("%v is the source of two", to)
				}
				seen[to.Port()] = true
			}
		})
	}
	one, two := Node{NAT: NATRestore, HashSeed: mix(1)}, Node{NAT: NATRestore, HashSeed: mix(2)}
	source := netip.AddrPortFrom(netip.IPv6Unspecified(), 4000)
	if one.Translate(source) == two.Translate(source) {
		t.Error("two nodes translate alike")
	}
}

// TestTranslateChecksum compares with the checksum made anew.
func TestTranslateChecksum(t *testing.T) {
	for _, addresses := range [][2]string{{"192.0.2.1", "198.18.0.7"}, {"2001:db8::1", "2001:db8:ffff::7"}} {
		from, to := netip.MustParseAddr(addresses[0]), netip.MustParseAddr(addresses[1])
		sum := func(source netip.AddrPort) uint16 {
			checksum := exchangeWord(0xffff, 0, 0x1234) // of the rest of the message
			if source.Addr().Is6() {
				checksum = translateChecksum(checksum, netip.AddrPortFrom(netip.IPv6Unspecified(), 0), source)
			} else {
				checksum = exchangeWord(checksum, 0, source.Port())
			}
			return checksum
		}
		for port := uint16(1); port < 65000; port += 777 {
			a, b := netip.AddrPortFrom(from, port), netip.AddrPortFrom(to, port*3)
			if got, want := translateChecksum(sum(a), a, b), sum(b); got != want {
				t.Errorf("from %v to %v: %#x, want %#x", a, b, got, want)
			}
		}
	}
}

func TestTruthBehindNAT(t *testing.T) {
	net, err := Parse("t", []byte("-- topology --\nnode s source\nnode d destination\nnode n m nat=restore\n"+
		"link s > n > m > a[1..64] > c > d\n"))
	if err != nil {
		t.Fatal(err)
	}
	plain := *net
	plain.Nodes = append([]Node(nil), net.Nodes...)
	for i := range plain.Nodes {
		plain.Nodes[i].NAT = NATNone
	}
	for _, protocol := range []traceflow.Protocol{traceflow.ProtocolUDP, traceflow.ProtocolTCP, traceflow.ProtocolICMP} {
		// m chooses after n has translated, and before it does itself.
		met := make(map[string]int)
		for port := uint16(1000); port < 1200; port++ {
			f := traceflow.Flow{
				Protocol: protocol, SourcePort: port, DestinationPort: 33434,
				Source: net.Nodes[net.Source].Address6, Destination: net.Nodes[net.Destination].Address6,
			}
			s := sourceOf(&f).behind(&net.Nodes[2], protocol)
			behind := f
			s.apply(&behind)
			if got, want := shown(net, net.Truth(f)), shown(&plain, plain.Truth(behind)); got != want {
				t.Fatalf("%v %d: %s, want %s", protocol, port, got, want)
			}
			met[shown(net, net.Truth(f))]++
		}
		if len(met) < 50 {
			t.Errorf("%v: 200 flows take %d of 64 paths", protocol, len(met))
		}
	}
}
