// SPDX-License-Identifier: BSD-3-Clause

package topology

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"traceflow"
)

// shown writes a truth as node names: "r1 a1|a2 -b" where "-" marks silence.
func shown(t *Topology, hops []Hop) string {
	var words []string
	for _, hop := range hops {
		var names []string
		for i, n := range hop.Nodes {
			name := t.Nodes[n].Name
			if !hop.Addresses[i].IsValid() {
				name = "-" + name
			}
			names = append(names, name)
		}
		slices.Sort(names)
		words = append(words, strings.Join(names, "|"))
	}
	return strings.Join(words, " ")
}

func TestTruth(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"line", "link s > a > b > d", "a b d"},
		{"silent", "node b silent/link s > a > b > d", "a -b d"},
		{"hidden", "node a b keep-ttl/link s > x > a > b > c > d", "x c d"},
		{"hidden before the end", "node a keep-ttl/link s > a > d", "d"},
		{"refusal", "node b unreachable=host/link s > a > b > c > d", "a b b"},
		{"hidden refusal", "node b unreachable=net keep-ttl/link s > a > b > c > d", "a b"},
		{"zero", "node a zero-ttl/link s > x > a > b > c > d", "x b b c d"},
		{"zero twice", "node a b zero-ttl/link s > a > b > c > d", "b c c d"},
		{"zero at the end", "node a zero-ttl/link s > x > a > d", "x d"},
		{"zero before hidden", "node a zero-ttl/node b keep-ttl/link s > a > b > c > d", "c c d"},
		{"zero before refusal", "node a zero-ttl/node b unreachable=net/link s > a > b > d", "b b b"},
		{"zero and refusal", "node a zero-ttl unreachable=net/link s > a > d", "a"},
		{"zero and hidden", "node a zero-ttl keep-ttl/link s > a > b > d", "b d"},
		{"zero in turn", "node a zero-ttl balance=packet/link s > a > b1 b2 > d", "b1|b2 b1|b2 d"},
		{"in turn, one zero", "node a balance=packet/node b2 zero-ttl/link s > a > b1 b2 > c > d", "a b1|c c d"},
		{"in turn", "node a balance=packet/link s > a > b1 b2 b3 > c > d", "a b1|b2|b3 c d"},
		{"in turn, unequal", "node a balance=packet/link s > a > b > c > d/link a > c", "a b|c c|d d"},
		{"in turn, one hidden", "node a balance=packet/node b2 keep-ttl/link s > a > b1 b2 > c > d", "a b1|c c|d d"},
		{"in turn, one refuses", "node a balance=packet/node b2 unreachable=net/link s > a > b1 b2 > c > d", "a b1|b2 b2|c b2|d"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := "-- topology --/node s source/node d destination/" + tt.text + "/"
			net, err := Parse("t", []byte(strings.ReplaceAll(text, "/", "\n")))
			if err != nil {
				t.Fatal(err)
			}
			for _, node := range []netip.Addr{net.Nodes[0].Address4, net.Nodes[0].Address6} {
				f := traceflow.Flow{
					Protocol: traceflow.ProtocolUDP, Source: node, Destination: net.Nodes[net.Destination].AddressFor(node),
					SourcePort: 1, DestinationPort: 2,
				}
				if got := shown(net, net.Truth(f)); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			}
		})
	}
}

// TestTruthOfDestination looks at who answers at the end of the path.
func TestTruthOfDestination(t *testing.T) {
	for _, tt := range []struct {
		keys           string
		udp, tcp, icmp bool // is answered
	}{
		{"", true, true, true},
		{"silent", false, false, false},
		{"drop-udp", false, true, true},
		{"drop-tcp", true, false, true},
		{"drop-icmp", true, true, false},
		{"drop-udp drop-tcp", false, false, true},
		{"drop-udp drop-tcp drop-icmp", false, false, false},
		{"tcp=open udp=open", true, true, true},
		{"udp=quic", false, true, true},
		{"ttl-expired", true, true, true},
	} {
		net, err := Parse("t", []byte("-- topology --\nnode s source\nnode d destination "+tt.keys+"\nlink s > a > d\n"))
		if err != nil {
			t.Fatal(err)
		}
		for protocol, answered := range map[traceflow.Protocol]bool{
			traceflow.ProtocolUDP: tt.udp, traceflow.ProtocolTCP: tt.tcp, traceflow.ProtocolICMP: tt.icmp,
		} {
			f := traceflow.Flow{
				Protocol: protocol, SourcePort: 5, DestinationPort: 33434,
				Source: net.Nodes[net.Source].Address6, Destination: net.Nodes[net.Destination].Address6,
			}
			want := map[bool]string{true: "a d", false: "a -d"}[answered]
			if got := shown(net, net.Truth(f)); got != want {
				t.Errorf("%q, %v: %s, want %s", tt.keys, protocol, got, want)
			}
			f.DestinationPort = QUICPort
			if got := shown(net, net.Truth(f)); tt.keys == "udp=quic" && got != "a d" {
				t.Errorf("%q, %v to port %d: %s, want a d", tt.keys, protocol, f.DestinationPort, got)
			}
		}
	}
}

// TestTruthSpreads looks at who is met, over many flows.
func TestTruthSpreads(t *testing.T) {
	shares := func(name, layer string) []int {
		net, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(3, 3))
		counts := map[string]int{}
		for range 8000 {
			f := randomFlow(r, net.Nodes[net.Source].Address6, net.Nodes[net.Destination].Address6)
			for _, hop := range net.Truth(f) {
				counts[net.Nodes[hop.Nodes[0]].Name]++
			}
		}
		var got []int
		for _, n := range net.Nodes {
			if strings.HasPrefix(n.Name, layer) {
				got = append(got, counts[n.Name])
			}
		}
		return got
	}
	if got := shares("weights", "a"); got[0] < 900 || got[0] > 1100 || got[1] < 1850 || got[1] > 2150 {
		t.Errorf("weights 1, 2 and 5 shared 8000 flows as %v", got)
	}
	if got := shares("perdest", "a"); got[0]+got[1]+got[2]+got[3] != 8000 || max(got[0], got[1], got[2], got[3]) != 8000 {
		t.Errorf("per destination, but shared as %v", got)
	}
	if got := shares("g", "a"); tooUneven(got) {
		t.Errorf("behind a NAT shared as %v", got)
	}
}

// TestPolarised counts the paths that flows take through two diamonds.
func TestPolarised(t *testing.T) {
	for name, want := range map[string]int{"polarised": 4, "d": 16} {
		net, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(3, 3))
		paths := map[string]bool{}
		for range 1000 {
			paths[shown(net, net.Truth(randomFlow(r, net.Nodes[net.Source].Address4, net.Nodes[net.Destination].Address4)))] = true
		}
		if len(paths) != want {
			t.Errorf("%s: %d paths, want %d", name, len(paths), want)
		}
	}
}
