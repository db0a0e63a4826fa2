// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"traceflow"
	"traceflow/internal/simnet"
	"traceflow/internal/topology/topologytest"
)

// kinds are the ways to probe.
var kinds = []struct {
	name     string
	protocol traceflow.Protocol
	quic     bool
	port     uint16
	// end is what the destination of a plain network answers, openEnd one with
	// servers.
	end, openEnd traceflow.ReplyKind
}{
	{"udp", traceflow.ProtocolUDP, false, 33452, traceflow.PortUnreachable, traceflow.UDPReply},
	{"quic", traceflow.ProtocolUDP, true, 443, traceflow.PortUnreachable, traceflow.UDPReply},
	{"tcp", traceflow.ProtocolTCP, false, 443, traceflow.Reset, traceflow.SynAck},
	{"icmp", traceflow.ProtocolICMP, false, 0, traceflow.EchoReply, traceflow.EchoReply},
}

// TestProtocols probes every TTL of many flows at once, with each protocol,
// family and size, and wants each probe to have its own reply.
func TestProtocols(t *testing.T) {
	network := topologytest.Parse(t, "default delay=5ms; link s > r1 > a[1..4] > c > b[1..4] > e > d")
	for _, tt := range kinds {
		for _, v6 := range []bool{false, true} {
			for _, size := range []int{0, 1400} {
				if size > 0 && tt.protocol == traceflow.ProtocolTCP {
					continue // a SYN has no data
				}
				t.Run(fmt.Sprintf("%s/IPv6=%v/%d", tt.name, v6, size), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var flows []traceflow.Flow
						var probes []traceflow.Probe
						for id := range 32 {
							f := flowOf(network, id+1, v6)
							f.Protocol, f.DestinationPort, f.TOS = tt.protocol, tt.port, 0xb8
							flows = append(flows, f)
							probes = append(probes, probesTo(f, 6)...)
						}
						for i := range probes {
							probes[i].Size, probes[i].DontFragment = size, size > 0
						}
						e := open(t, simnet.New(network).Open(), sees, Config{QUIC: tt.quic})
						exchanges := mustProbe(t, e, probes)
						checkTrue(t, network, flows, exchanges)
						for i := range exchanges {
							x := &exchanges[i]
							want := traceflow.Reply{
								Kind: traceflow.TimeExceeded, Address: x.Reply.Address, HeaderQuoted: true, QuotedTTL: 1, QuotedTOS: 0xb8,
								RTT: 10 * ms * time.Duration(x.TTL), TTL: x.Reply.TTL, ICMPType: x.Reply.ICMPType,
							}
							if x.TTL == 6 {
								want.Kind, want.ICMPCode = tt.end, x.Reply.ICMPCode
								if !tt.end.Quotes() {
									want.HeaderQuoted, want.QuotedTTL, want.QuotedTOS = false, 0, 0
								}
							}
							if diff := cmp.Diff(want, x.Reply, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
								t.Errorf("flow %d TTL %d (-want +got)\n%s", x.Flow, x.TTL, diff)
							}
						}
						if want := (traceflow.Stats{Probes: len(probes), Replies: len(probes)}); e.Stats() != want {
							t.Errorf("stats %+v, want %+v", e.Stats(), want)
						}
					})
				})
			}
		}
	}
}

// TestServers probes a destination that listens: each TTL has its own answer,
// and those of a UDP server, which name no packet, are marked.
func TestServers(t *testing.T) {
	for _, tt := range kinds {
		for _, v6 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/IPv6=%v", tt.name, v6), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					udp := "open"
					if tt.quic {
						udp = "quic"
					}
					network := topologytest.Parse(t, "default delay=5ms; node d destination tcp=open udp="+udp+"; link s > r1 > r2 > d")
					f := flowOf(network, 1, v6)
					f.Protocol, f.DestinationPort = tt.protocol, tt.port
					e := open(t, simnet.New(network).Open(), sees, Config{QUIC: tt.quic, Retries: 1})
					exchanges := mustProbe(t, e, probesTo(f, 5))
					checkTrue(t, network, []traceflow.Flow{f}, exchanges)
					answered := make(map[uint8]traceflow.Reply)
					for i := range exchanges {
						if x := &exchanges[i]; x.Reply.Kind != traceflow.NoReply {
							answered[x.TTL] = x.Reply
						}
					}
					nameless := tt.openEnd == traceflow.UDPReply && !tt.quic
					for ttl := uint8(1); ttl <= 5; ttl++ {
						want := tt.openEnd
						if ttl < 3 {
							want = traceflow.TimeExceeded
						}
						got := answered[ttl]
						if got.Kind != want || got.Unverified != (nameless && ttl >= 3) {
							t.Errorf("TTL %d: %v, unverified %v; want %v", ttl, got.Kind, got.Unverified, want)
						}
					}
				})
			})
		}
	}
}
