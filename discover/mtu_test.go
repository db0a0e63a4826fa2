// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"traceflow"
	"traceflow/internal/simnet"
	"traceflow/internal/topology/topologytest"
	"traceflow/probe"
)

// TestMTU measures paths through simulated networks.
func TestMTU(t *testing.T) {
	const nodes = "node c"
	for _, tt := range []struct {
		name, topology string
		want           traceflow.PathMTU // of IPv4; Limit is c where LimitTTL is set
		within         time.Duration
	}{
		{
			"whole", nodes + "; link s > r1 > c > e > d",
			traceflow.PathMTU{TTL: 4, Bytes: 1500, Whole: true, Sure: true},
			time.Second,
		},
		{
			"limited", nodes + "; link s > r1 > c; link c > e mtu=1400; link e > d",
			traceflow.PathMTU{TTL: 4, Bytes: 1400, LimitTTL: 2, Sure: true},
			time.Second,
		},
		{
			"an odd size", nodes + "; link s > r1 > c; link c > e mtu=1337; link e > d",
			traceflow.PathMTU{TTL: 4, Bytes: 1337, LimitTTL: 2, Sure: true},
			time.Second,
		},
		{
			"black hole", nodes + " no-ptb; link s > r1 > c; link c > e mtu=1400; link e > d",
			traceflow.PathMTU{TTL: 4, Bytes: 1400, BlackHole: true, LimitTTL: 2, Sure: true},
			5 * time.Second,
		},
		{
			"black hole of an odd size", nodes + " no-ptb; link s > r1 > c; link c > e mtu=1391; link e > d",
			traceflow.PathMTU{TTL: 4, Bytes: 1391, BlackHole: true, LimitTTL: 2, Sure: true},
			10 * time.Second,
		},
		{
			"silent router that limits", nodes + " silent; link s > r1 > c; link c > e mtu=1400; link e > d",
			traceflow.PathMTU{TTL: 4, Bytes: 1400, BlackHole: true, LimitTTL: 1, Sure: true},
			5 * time.Second,
		},
		{
			"destination drops UDP", nodes + "; node d destination drop-udp; link s > r1 > c; link c > e mtu=1400; link e > d",
			traceflow.PathMTU{TTL: 3, Bytes: 1400, LimitTTL: 2, Sure: true},
			time.Second,
		},
		{
			"a router that seldom says that it is too big", nodes + " limit=1/1s; link s > r1 > c; link c > e mtu=1400; link e > d",
			traceflow.PathMTU{TTL: 4, Bytes: 1400, LimitTTL: 2, Sure: true},
			10 * time.Second,
		},
		{
			"a black hole behind a router that refuses",
			nodes + "; node e no-ptb; link s > r1 > c; link c > e mtu=1450; link e > f mtu=1300; link f > d",
			traceflow.PathMTU{TTL: 5, Bytes: 1300, BlackHole: true, LimitTTL: 3, Sure: true},
			10 * time.Second,
		},
		{
			"loss", "seed 3; " + nodes + " forward-loss=20%; link s > r1 > c; link c > e; link e > d",
			traceflow.PathMTU{TTL: 4, Bytes: 1500, Whole: true, Sure: true},
			5 * time.Second,
		},
		{
			"loss and a black hole", "seed 3; " + nodes + " no-ptb; node r1 forward-loss=20%; link s > r1 > c; link c > e mtu=1400; link e > d",
			traceflow.PathMTU{TTL: 4, Bytes: 1400, BlackHole: true, LimitTTL: 2, Sure: true},
			20 * time.Second,
		},
		{
			"limited answers", nodes + "; node d destination limit=1/1s; link s > r1 > c; link c > e; link e > d",
			traceflow.PathMTU{TTL: 4, Bytes: 1500, Whole: true, Sure: true},
			10 * time.Second,
		},
		{
			"limited answers and a black hole", nodes + " no-ptb; node d destination limit=1/1s; link s > r1 > c; link c > e mtu=1400; link e > d",
			traceflow.PathMTU{TTL: 4, Bytes: 1400, BlackHole: true, LimitTTL: 2, Sure: true},
			30 * time.Second,
		},
	} {
		for _, v6 := range []bool{false, true} {
			t.Run(tt.name+map[bool]string{false: "/IPv4", true: "/IPv6"}[v6], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					network := topologytest.Parse(t, tt.topology)
					source, destination := network.Nodes[network.Source].Address4, network.Nodes[network.Destination].Address4
					want := tt.want
					want.Flow = 1
					if v6 {
						source, destination = network.Nodes[network.Source].Address6, network.Nodes[network.Destination].Address6
					}
					e := mustEngine(t, simnet.New(network).Open())
					flow := traceflow.Flow{
						ID: 1, Protocol: traceflow.ProtocolUDP, Source: source, Destination: destination,
						SourcePort: 40001, DestinationPort: 33452,
					}
					r, err := Fixed{Flows: []traceflow.Flow{flow}, MaxTTL: 20, Repeats: 10}.Discover(t.Context(), e)
					if err != nil {
						t.Fatal(err)
					}
					if want.LimitTTL > 0 {
						want.Limit = r.Walks[0].Hops[want.LimitTTL-1].Address
					}
					time.Sleep(time.Minute) // limits recover
					started := time.Now()
					m := MTU{Walks: r.Walks, Largest: 1500, Smallest: probe.SmallestSize(traceflow.ProtocolUDP, v6, false), TimeLimit: time.Minute}
					got, err := m.Discover(t.Context(), e)
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff([]traceflow.PathMTU{want}, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
						t.Errorf("(-want +got)\n%s", diff)
					}
					if took := time.Since(started); took > tt.within {
						t.Errorf("took %v, want %v at most", took, tt.within)
					}
				})
			})
		}
	}
}

// mustEngine opens an engine that is closed with the test.
func mustEngine(t *testing.T, wire probe.Wire) *probe.Engine {
	t.Helper()
	e, err := probe.NewEngine(wire, probe.Capabilities{Kind: probe.KindSim, QuotedHeader: true}, probe.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// liar answers every probe as told.
type liar func(p traceflow.Probe) traceflow.Reply

func (l liar) Probe(_ context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error) {
	var out []traceflow.Exchange
	for _, p := range probes {
		out = append(out, traceflow.Exchange{Flow: p.Flow.ID, TTL: p.TTL, Attempt: 1, Reply: l(p)})
	}
	return out, nil
}

// TestMTULies has routers tell nonsense: the search ends, and nothing is said
// to get through that did not.
func TestMTULies(t *testing.T) {
	router, far := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("203.0.113.9")
	walk := traceflow.NewWalk(traceflow.Flow{ID: 1, Destination: far}, 1, []traceflow.Exchange{
		{Flow: 1, TTL: 1, Attempt: 1, Reply: traceflow.Reply{Kind: traceflow.TimeExceeded, Address: router}},
		{Flow: 1, TTL: 2, Attempt: 1, Reply: traceflow.Reply{Kind: traceflow.PortUnreachable, Address: far}},
	})
	for _, tt := range []struct {
		name  string
		told  func(size int) uint32
		least int // what really gets through
	}{
		{"no MTU", func(int) uint32 { return 0 }, 1400},
		{"MTU of 1", func(int) uint32 { return 1 }, 1400},
		{"the size itself", func(size int) uint32 { return uint32(size) }, 1400},
		{"one less each time", func(size int) uint32 { return uint32(size - 1) }, 1499},
		{"more than the size", func(size int) uint32 { return uint32(size + 1000) }, 1400},
		{"far too much", func(int) uint32 { return 1 << 31 }, 1400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				prober := liar(func(p traceflow.Probe) traceflow.Reply {
					if asked++; asked > 10_000 {
						t.Fatal("does not end")
					}
					if p.Size > tt.least {
						return traceflow.Reply{Kind: traceflow.PacketTooBig, Address: router, MTU: tt.told(p.Size)}
					}
					return traceflow.Reply{Kind: traceflow.PortUnreachable, Address: far}
				})
				got, err := MTU{Walks: []traceflow.Walk{walk}, Largest: 1500, Smallest: 47}.Discover(t.Context(), prober)
				if err != nil || len(got) != 1 || got[0].Bytes != tt.least || !got[0].Sure || got[0].Limit != router {
					t.Errorf("%+v, %v; want %d", got, err, tt.least)
				}
			})
		})
	}
}
