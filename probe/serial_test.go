// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/simnet"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
	"traceflow/packet"
)

// blindWire does to a wire what the unprivileged one of Linux cannot help
// doing: of a quote there is left what follows the UDP header, and the headers
// are made up.
type blindWire struct{ Wire }

var blind = Capabilities{
	Kind: KindSockets, Sends: map[traceflow.Protocol]Sending{traceflow.ProtocolUDP: {Nameless: true}},
}

func (w blindWire) Recv(batch []traceflow.Datagram) (int, error) {
	for {
		n, err := w.Wire.Recv(batch)
		if err != nil {
			return 0, err
		}
		filled := 0
		for i := range batch[:n] {
			if data := strip(batch[i].Data); data != nil {
				batch[filled].Data, batch[filled].Time = data, batch[i].Time
				filled++
			}
		}
		if filled > 0 {
			return filled, nil
		}
	}
}

// strip returns nil for what the error queue does not show at all. What a
// server answers arrives whole.
func strip(data []byte) []byte {
	outer, body, err := packet.DecodeIP(data)
	if err != nil {
		return nil
	}
	if outer.Protocol == packet.ProtocolUDP {
		return data
	}
	e, err := packet.DecodeICMPError(body, outer.Source, outer.Destination)
	if err != nil || e.Quote.IP.Protocol != packet.ProtocolUDP {
		return nil
	}
	source := netip.AddrPortFrom(e.Quote.IP.Source, e.Quote.SourcePort)
	probed := netip.AddrPortFrom(e.Quote.IP.Destination, e.Quote.DestinationPort)
	header := packet.IP{Source: source.Addr(), Destination: probed.Addr(), Protocol: packet.ProtocolUDP}
	quote := packet.AppendIP(nil, &header, transportHeader+len(e.Quote.Payload))
	quote = packet.AppendUDP(quote, source, probed, e.Quote.Payload)
	message := packet.AppendICMPError(nil, outer.Source, outer.Destination, e.Type, e.Code, 0, quote, e.Extensions, packet.CompliantLayout)
	h := packet.IP{Source: outer.Source, Destination: outer.Destination, Protocol: outer.Protocol, TTL: outer.TTL}
	return append(packet.AppendIP(nil, &h, len(message)), message...)
}

// shorten has routers quote 8 bytes of the transport, all of them or every
// other.
func shorten(network *topology.Topology, v6 bool, every int) {
	for i := range network.Nodes {
		if i%every == 0 {
			network.Nodes[i].QuoteLength = 28
			if v6 {
				network.Nodes[i].QuoteLength = 48
			}
		}
	}
}

// TestBlindTruth compares every reply on every built-in network with the
// truth, for wires that see no quoted header.
func TestBlindTruth(t *testing.T) {
	for _, name := range topology.BuiltinNames() {
		for _, v6 := range []bool{false, true} {
			for quotes, every := range map[string]int{"full": 1 << 20, "all short": 1, "some short": 2} {
				t.Run(name+map[bool]string{false: "/IPv4/", true: "/IPv6/"}[v6]+quotes, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						network := topologytest.Builtin(t, name)
						if v6 && !network.IPv6 || !v6 && !network.IPv4 {
							t.Skip("not of this family")
						}
						shorten(network, v6, every)
						var flows []traceflow.Flow
						for id := range 6 {
							flows = append(flows, flowOf(network, id+1, v6))
						}
						start := time.Now()
						e := open(t, blindWire{simnet.New(network).Open()}, blind, Config{Retries: 2})
						fixed := discover.Fixed{Flows: flows, FirstTTL: 1, MaxTTL: 30}
						r, err := fixed.Discover(t.Context(), e)
						if err != nil {
							t.Fatal(err)
						}
						if took := time.Since(start); took > time.Minute {
							t.Errorf("took %v", took)
						}
						checkWalks(t, network, r.Walks)
						checkTrue(t, network, flows, r.Exchanges)
						for _, x := range r.Exchanges {
							if x.Reply.QuotedTTL != 0 {
								t.Errorf("%+v: a quoted TTL that nobody saw", x)
							}
						}
					})
				})
			}
		}
	}
}

func checkWalks(t *testing.T, network *topology.Topology, walks []traceflow.Walk) {
	t.Helper()
	for i := range walks {
		w := &walks[i]
		truth := network.Truth(w.Flow)
		if w.End == traceflow.EndReached && len(w.Hops) != len(truth) && !perPacket(network) {
			t.Errorf("flow %d: %d hops, want %d", w.Flow.ID, len(w.Hops), len(truth))
		}
	}
}

func perPacket(network *topology.Topology) bool {
	for i := range network.Nodes {
		if network.Nodes[i].Balance == topology.PerPacket {
			return true
		}
	}
	return false
}

// TestBlindAwkward has short quotes together with what makes replies late,
// rare or none: no reply may stand at another TTL than its own.
func TestBlindAwkward(t *testing.T) {
	const line = "link s > r1 > r2 > r3 > r4 > r5 > r6 > d"
	for _, tt := range []struct {
		name, topology string
		// slowest is what the walk may take: silent and slow hops cost a whole
		// timeout each.
		slowest time.Duration
	}{
		{"nothing wrong", line, 4 * time.Second},
		{"silent hop", "node r3 silent; " + line, 15 * time.Second},
		{"two silent hops", "node r2 r5 silent; " + line, 25 * time.Second},
		{"loss", "default reply-loss=30%; " + line, time.Minute},
		{"a slow router", "node r3 answer-delay=700ms; " + line, 15 * time.Second},
		{"a router slower than all attempts", "node r3 answer-delay=2500ms; " + line, 20 * time.Second},
		{"all slow", "default delay=100ms answer-delay=900ms; " + line, time.Minute},
		{"slow at random", "default jitter=150ms; " + line, time.Minute},
		{"slow and lossy", "default jitter=80ms reply-loss=20%; node r2 answer-delay=1500ms; " + line, time.Minute},
		{"silent destination", "node d destination drop-udp; " + line, time.Minute},
	} {
		for _, v6 := range []bool{false, true} {
			for _, every := range []int{1, 2, 3} {
				t.Run(tt.name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						network := topologytest.Parse(t, tt.topology)
						shorten(network, v6, every)
						var flows []traceflow.Flow
						var probes []traceflow.Probe
						for id := range 8 {
							flows = append(flows, flowOf(network, id+1, v6))
							probes = append(probes, probesTo(flows[id], 8)...)
						}
						e := open(t, blindWire{simnet.New(network).Open()}, blind, Config{Retries: 2})
						start := time.Now()
						exchanges := mustProbe(t, e, probes)
						checkTrue(t, network, flows, exchanges)
						if took := time.Since(start); took > tt.slowest {
							t.Errorf("took %v, want %v at most", took, tt.slowest)
						}
						if tt.name == "nothing wrong" {
							checkAnswered(t, network, probes, exchanges)
							if len(exchanges) != len(probes) {
								t.Errorf("%d exchanges, want %d", len(exchanges), len(probes))
							}
						}
						// And once more on the same flows at once.
						exchanges, _ = e.Probe(t.Context(), probes[:8])
						checkTrue(t, network, flows, exchanges)
					})
				})
			}
		}
	}
}

// TestBlindShared cancels one caller's probes of a serial flow while another's
// wait for their turn: they must get it.
func TestBlindShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Parse(t, "default quote=28 delay=5ms; family 4; link s > r1 > r2 > r3 > d")
		e := open(t, blindWire{simnet.New(network).Open()}, blind, Config{Rate: 200, Retries: 1})
		f := flowOf(network, 1, false)
		probes := probesTo(f, 4)
		mustProbe(t, e, probes) // the flow is serial from here on
		var others []traceflow.Probe
		for id := range 10 {
			others = append(others, probesTo(flowOf(network, id+2, false), 4)...)
		}
		for after := time.Duration(0); after < 500*ms; after += 10 * ms {
			ctx, cancel := contextAfter(t, after)
			first := started(ctx, e, probes)
			synctest.Wait()
			// What else is to be sent keeps the first caller's probes waiting.
			beside := started(t.Context(), e, others)
			synctest.Wait()
			exchanges := mustProbe(t, e, probes)
			_, _ = first()
			_, _ = beside()
			cancel()
			checkTrue(t, network, []traceflow.Flow{f}, exchanges)
			checkAnswered(t, network, probes, exchanges)
		}
	})
}

// TestBlindClose ends an engine with tasks held back.
func TestBlindClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := topologytest.Parse(t, "default quote=28; family 4; node r2 silent; link s > r1 > r2 > r3 > d")
		e, err := NewEngine(blindWire{simnet.New(network).Open()}, blind, Config{Retries: 5})
		if err != nil {
			t.Fatal(err)
		}
		finish := started(t.Context(), e, probesTo(flowOf(network, 1, false), 4))
		time.Sleep(1500 * ms)
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if _, err := finish(); err == nil || err.Error() != net.ErrClosed.Error() {
			t.Errorf("error %v, want %v", err, net.ErrClosed)
		}
	})
}
