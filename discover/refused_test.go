// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"context"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"

	"traceflow"
)

// scarce is a host with sockets for a few flows only: packets of others cannot
// be sent. Every flow sees another router, so there are always more to look for.
type scarce int

func (s scarce) Probe(_ context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error) {
	out := make([]traceflow.Exchange, len(probes))
	for i, p := range probes {
		out[i] = traceflow.Exchange{Flow: p.Flow.ID, TTL: p.TTL, Attempt: 1}
		switch {
		case p.Flow.ID > int(s):
			out[i].Err = syscall.EMFILE
		case p.TTL == 1:
			out[i].Reply = traceflow.Reply{Kind: traceflow.TimeExceeded, Address: netip.AddrFrom4([4]byte{198, 51, 100, byte(p.Flow.ID)}), HeaderQuoted: true, QuotedTTL: 1}
		default:
			out[i].Reply = traceflow.Reply{Kind: traceflow.PortUnreachable, Address: p.Flow.Destination, HeaderQuoted: true, QuotedTTL: p.TTL - 1}
		}
	}
	return out, nil
}

// TestScarceSockets wants the search to end soon after this host can send no
// more flows, rather than to try all there are.
func TestScarceSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const few = 20
		flow := traceflow.Flow{
			Protocol: traceflow.ProtocolUDP, SourcePort: 40000, DestinationPort: 33452,
			Source: netip.MustParseAddr("192.0.2.1"), Destination: netip.MustParseAddr("203.0.113.9"),
		}
		r, err := Adaptive{Flows: RandomPorts(flow, 40000, 1), MaxTTL: 8, Confidence: 0.95, Retries: 2}.Discover(t.Context(), scarce(few))
		if err != nil {
			t.Fatal(err)
		}
		// What a round asks for at once may go beyond it.
		if len(r.Walks) < few || len(r.Walks) > few+400 {
			t.Errorf("%d flows were tried, of which %d could be sent", len(r.Walks), few)
		}
	})
}
