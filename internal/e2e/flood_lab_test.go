// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"

	"traceflow"
	"traceflow/discover"
	"traceflow/packet"
	"traceflow/probe"
)

// TestKernelFlood has the first router send time exceeded and port unreachable
// messages to the vantage point as fast as it can while the command runs: about
// strangers' packets, about the command's own flows with made-up identities,
// and malformed ones. Nothing of that is in the result.
func TestKernelFlood(t *testing.T) {
	for _, mode := range []string{"auto", "16"} {
		t.Run(mode, func(t *testing.T) {
			l := build(t, "d")
			stop, wait := make(chan struct{}), sync.WaitGroup{}
			var wire probe.Wire
			router := l.Topology().Edges[0].To
			if err := l.DoAt(router, func() (err error) {
				wire, _, err = probe.Open(probe.KindRaw, probe.Options{})
				return err
			}); err != nil {
				t.Fatal(err)
			}
			// The source ports that the command is going to use, in either mode.
			var ports []uint16
			mapper := discover.RandomPorts(traceflow.Flow{}, 33452, 1)
			for i := range 16 {
				f, _ := mapper(i)
				ports = append(ports, f.SourcePort, uint16(33453+i))
			}
			wait.Go(func() {
				random := rand.New(rand.NewPCG(1, 2))
				for {
					select {
					case <-stop:
						return
					default:
						if _, err := wire.Send(flood(random, l, ports)); err != nil {
							t.Error(err)
							return
						}
					}
				}
			})
			o := l.run(t, false, "-j", "--rate", "200", "--seed", "1", "--paths", mode, l.Destination4().String())
			close(stop)
			wait.Wait()
			wire.Close()
			trace := o.trace(t)
			checkTruth(t, l.Topology(), trace, kernelTruth(t, l, trace))
			if mode == "auto" {
				checkComplete(t, l.Topology(), trace, 0)
			}
			s := &trace.Stats
			t.Logf("%+v", *s)
			if s.Foreign == 0 || s.Unmatched == s.Foreign || s.Malformed == 0 {
				t.Errorf("of the flood %d are unmatched, %d of these foreign, and %d malformed: the flood did not arrive", s.Unmatched, s.Foreign, s.Malformed)
			}
			if s.Replies != s.Probes && s.Retries == 0 && mode != "auto" {
				t.Errorf("%d replies to %d packets: the flood drowned some", s.Replies, s.Probes)
			}
		})
	}
}

// flood returns a batch of ICMP errors that answer nothing.
func flood(random *rand.Rand, l *lab, ports []uint16) []traceflow.Datagram {
	liar := netip.MustParseAddr("203.0.113.66")
	out := make([]traceflow.Datagram, 64)
	for i := range out {
		to, port := l.Destination4(), ports[random.IntN(len(ports))]
		if i%4 == 0 {
			to = netip.MustParseAddr("203.0.113.1")
		}
		h := packet.IP{Source: l.Source4(), Destination: to, Protocol: packet.ProtocolUDP, TTL: 1, ID: uint16(random.Uint32())}
		quote := packet.AppendUDP(packet.AppendIP(nil, &h, 27), netip.AddrPortFrom(l.Source4(), port),
			netip.AddrPortFrom(to, 33452), []byte(fmt.Sprintf("%019d", random.Uint32())))
		if i%2 == 0 {
			quote = quote[:28]
		}
		if i%8 == 1 {
			quote = quote[:random.IntN(27)]
		}
		typ, code := packet.ICMPv4TimeExceeded, uint8(0)
		if i%3 == 0 {
			typ, code = packet.ICMPv4DestinationUnreachable, packet.ICMPv4CodePortUnreachable
		}
		message := packet.AppendICMPError(nil, liar, l.Source4(), typ, code, 0, quote, nil, packet.CompliantLayout)
		outer := packet.IP{Source: liar, Destination: l.Source4(), Protocol: packet.ProtocolICMP, TTL: 64}
		out[i].Data = append(packet.AppendIP(nil, &outer, len(message)), message...)
	}
	return out
}
