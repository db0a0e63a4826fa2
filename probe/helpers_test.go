// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"traceflow"
	"traceflow/internal/simnet"
	"traceflow/internal/topology"
	"traceflow/packet"
)

const ms = time.Millisecond

var sees = Capabilities{Kind: KindSim, QuotedHeader: true}

// flowOf is flow id of a network: source port 40000 + id.
func flowOf(network *topology.Topology, id int, v6 bool) traceflow.Flow {
	f := traceflow.Flow{ID: id, Protocol: traceflow.ProtocolUDP, SourcePort: uint16(40000 + id), DestinationPort: 33452}
	s, d := network.Nodes[network.Source], network.Nodes[network.Destination]
	f.Source, f.Destination = s.Address4, d.Address4
	if v6 {
		f.Source, f.Destination, f.Label = s.Address6, d.Address6, uint32(id)*77
	}
	return f
}

// open starts an engine that is closed before the bubble ends.
func open(t testing.TB, wire Wire, caps Capabilities, config Config) *Engine {
	t.Helper()
	e, err := NewEngine(wire, caps, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return e
}

// probesTo asks for TTLs from 1 to last of one flow.
func probesTo(f traceflow.Flow, last int) []traceflow.Probe {
	out := make([]traceflow.Probe, last)
	for i := range out {
		out[i] = traceflow.Probe{Flow: f, TTL: uint8(i + 1)}
	}
	return out
}

func mustProbe(t testing.TB, e *Engine, probes []traceflow.Probe) []traceflow.Exchange {
	t.Helper()
	exchanges, err := e.Probe(t.Context(), probes)
	if err != nil {
		t.Fatal(err)
	}
	return exchanges
}

// checkTrue compares each reply with what the flow can meet at its TTL. Where
// the truth has ended, the last hop answers.
func checkTrue(t testing.TB, network *topology.Topology, flows []traceflow.Flow, exchanges []traceflow.Exchange) {
	t.Helper()
	truth := make(map[int][]topology.Hop)
	for _, f := range flows {
		truth[f.ID] = network.Truth(f)
	}
	for i := range exchanges {
		e := &exchanges[i]
		if e.Reply.Kind == traceflow.NoReply {
			continue
		}
		hops := truth[e.Flow]
		at := min(int(e.TTL), len(hops)) - 1
		if want := hops[at].Addresses; !slices.Contains(want, e.Reply.Address) {
			t.Errorf("flow %d TTL %d attempt %d: %v by %v, want one of %v", e.Flow, e.TTL, e.Attempt, e.Reply.Kind, e.Reply.Address, want)
		}
	}
}

// checkAnswered fails for each probe of which no attempt was answered.
func checkAnswered(t testing.TB, network *topology.Topology, probes []traceflow.Probe, exchanges []traceflow.Exchange) {
	t.Helper()
	type key struct {
		flow int
		ttl  uint8
	}
	answered := make(map[key]bool)
	for _, e := range exchanges {
		if e.Reply.Kind != traceflow.NoReply {
			answered[key{e.Flow, e.TTL}] = true
		}
	}
	for _, p := range probes {
		hops := network.Truth(p.Flow)
		silent := slices.Contains(hops[min(int(p.TTL), len(hops))-1].Addresses, netip.Addr{})
		if !silent && !answered[key{p.Flow.ID, p.TTL}] {
			t.Errorf("flow %d TTL %d: no attempt was answered", p.Flow.ID, p.TTL)
		}
	}
}

// tap is a wire that notes what is sent, and may swallow or refuse it.
type tap struct {
	*simnet.Wire
	// swallow loses a packet on its way, refuse makes sending it fail, atMost
	// is the largest count that one Send returns.
	swallow func(h *packet.IP, u *packet.UDP) bool
	refuse  func(h *packet.IP, u *packet.UDP) error
	atMost  int

	mu   sync.Mutex
	sent []sentPacket
}

type sentPacket struct {
	at   time.Time
	ttl  uint8
	data []byte
}

func (w *tap) Send(batch []traceflow.Datagram) (int, error) {
	for i := range batch {
		if w.atMost > 0 && i == w.atMost {
			return i, nil
		}
		h, body, err := packet.DecodeIP(batch[i].Data)
		if err != nil {
			return i, err
		}
		u, _, err := packet.DecodeUDP(body)
		if err != nil {
			return i, err
		}
		if w.refuse != nil {
			if err := w.refuse(&h, &u); err != nil {
				return i, err
			}
		}
		w.mu.Lock()
		w.sent = append(w.sent, sentPacket{time.Now(), h.TTL, slices.Clone(batch[i].Data)})
		w.mu.Unlock()
		if w.swallow != nil && w.swallow(&h, &u) {
			batch[i].Time = time.Now()
			continue
		}
		if _, err := w.Wire.Send(batch[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(batch), nil
}

// packets returns what was sent so far.
func (w *tap) packets() []sentPacket {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sent)
}

// errorFrom makes the ICMP error that quotes a packet.
func errorFrom(from netip.Addr, typ, code uint8, quote []byte) []byte {
	h, _, err := packet.DecodeIP(quote)
	if err != nil {
		panic(err)
	}
	message := packet.AppendICMPError(nil, from, h.Source, typ, code, 0, quote, nil, packet.CompliantLayout)
	outer := packet.IP{Source: from, Destination: h.Source, Protocol: packet.ProtocolICMP, TTL: 60}
	if !from.Is4() {
		outer.Protocol = packet.ProtocolICMPv6
	}
	return append(packet.AppendIP(nil, &outer, len(message)), message...)
}

// timeExceeded makes the time exceeded that quotes a packet.
func timeExceeded(from netip.Addr, quote []byte) []byte {
	if from.Is4() {
		return errorFrom(from, packet.ICMPv4TimeExceeded, 0, quote)
	}
	return errorFrom(from, packet.ICMPv6TimeExceeded, 0, quote)
}

// started runs Probe beside the test and returns what it returns.
func started(ctx context.Context, e *Engine, probes []traceflow.Probe) func() ([]traceflow.Exchange, error) {
	var exchanges []traceflow.Exchange
	var err error
	var wait sync.WaitGroup
	wait.Go(func() { exchanges, err = e.Probe(ctx, probes) })
	return func() ([]traceflow.Exchange, error) {
		wait.Wait()
		return exchanges, err
	}
}

// contextAfter ends after a time.
func contextAfter(t *testing.T, after time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), after)
}
