// SPDX-License-Identifier: BSD-3-Clause

package snapshot_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/simnet"
	"traceflow/internal/snapshot"
	"traceflow/internal/topology"
	"traceflow/probe"
)

// core has 12 hops, of the widths of the table in docs/snapshot.md; its destination
// answers for a whole prefix, so that there are many targets.
const core = `
-- topology --
seed 7
family 4
default delay=0
node src source
node dst destination address=203.0.113.1
link src > a > b > c > d[1..2] > e[1..4] > f[1..4] > g[1..8] > h[1..4] > i[1..2] > j[1..2] > k > dst
`

// measured is a snapshot of so many targets, as a simulated network answers.
func measured(t testing.TB, targets, flows, passes int) *snapshot.Snapshot {
	t.Helper()
	network, err := topology.Parse("core", []byte(core))
	if err != nil {
		t.Fatal(err)
	}
	engine, err := probe.NewEngine(simnet.New(network).Open(), probe.Capabilities{Kind: probe.KindSim, QuotedHeader: true}, probe.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	started := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	s := &snapshot.Snapshot{Manifest: snapshot.Manifest{
		Schema: snapshot.Schema, Name: "test", Version: "0", Started: started, Ended: started.Add(time.Minute),
		Seed: 1, Passes: passes, Wire: "sim", Rate: 500, Complete: true,
	}}
	source := network.Nodes[network.Source].Address4
	for i := range targets {
		address := netip.AddrFrom4([4]byte{203, 0, 113, byte(i + 1)})
		mapper := discover.Vary(discover.VarySourcePort, traceflow.Flow{
			Protocol: traceflow.ProtocolUDP, Source: source, Destination: address, SourcePort: 33452, DestinationPort: 33452,
		}, 1)
		var list []traceflow.Flow
		for n := range flows {
			f, _ := mapper(n)
			list = append(list, f)
		}
		target := snapshot.Target{TargetHead: snapshot.TargetHead{
			Name: fmt.Sprint("host", i), Address: address.String(), Source: source.String(), Flows: flows,
			Protocol: "udp", Vary: "srcport", Pinned: snapshot.Pin(list, address),
		}}
		for range passes {
			r, err := discover.Fixed{Flows: list, FirstTTL: 1, MaxTTL: 64}.Discover(t.Context(), engine)
			if err != nil {
				t.Fatal(err)
			}
			trace := &traceflow.Trace{
				Version: "0", Destination: traceflow.Destination{Name: target.Name, Address: address},
				VantagePoint: traceflow.VantagePoint{Hostname: "here", Address: source},
				Started:      started, Ended: started.Add(time.Second), Complete: true, StopReason: r.StopReason,
				Config: traceflow.Config{Protocol: traceflow.ProtocolUDP, Paths: flows, Confidence: 0.95, FirstTTL: 1, MaxTTL: 64, Repeats: 1, Wire: "sim", Seed: 1},
				Flows:  list, Exchanges: r.Exchanges, Graph: traceflow.NewGraph(r.Walks, r.Exchanges),
			}
			for i := range trace.Exchanges {
				trace.Exchanges[i].Sent = started.Add(time.Duration(i) * time.Millisecond)
				trace.Exchanges[i].Reply.RTT = trace.Exchanges[i].Reply.RTT.Truncate(time.Microsecond)
			}
			target.Passes = append(target.Passes, trace)
		}
		target.Noise = snapshot.NoiseOf(target.Passes)
		s.Manifest.Noise = s.Manifest.Noise.Add(target.Noise)
		s.Manifest.Targets = append(s.Manifest.Targets, target.TargetHead)
		s.Targets = append(s.Targets, target)
	}
	return s
}
