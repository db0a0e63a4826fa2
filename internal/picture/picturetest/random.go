// SPDX-License-Identifier: BSD-3-Clause

// Package picturetest makes traces that drawings are measured with.
package picturetest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"traceflow"
)

// columns is how many TTLs lie between source and destination of Random: few
// enough nodes stand in each that none becomes a bar.
const columns = 20

// Random returns a trace whose drawing has so many stations and links, both ends
// among the stations: every router has a name and an owner, every flow takes a
// way of its own. The same numbers make the same trace.
func Random(stations, links int) *traceflow.Trace {
	r := &random{Rand: rand.New(rand.NewPCG(uint64(stations), uint64(links))), budget: links, next: make(map[step][]int)}
	for i := range stations - 2 {
		r.width[i%columns]++
	}
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	out := &traceflow.Trace{
		Started: started, Ended: started.Add(3 * time.Second), Complete: true,
		Destination:  traceflow.Destination{Name: "dst.example.net", Address: netip.MustParseAddr("203.0.113.9")},
		VantagePoint: traceflow.VantagePoint{Hostname: "src", Address: netip.MustParseAddr("192.0.2.10")},
		Config: traceflow.Config{
			Protocol: traceflow.ProtocolUDP, Confidence: 0.95, FirstTTL: 1, MaxTTL: columns + 1, SourcePort: 20001, DestinationPort: 33434,
		},
		Guarantee: traceflow.Guarantee{Confidence: 0.95, Alpha: 1, MinShare: 0.06},
	}
	for column, width := range r.width {
		for node := range width {
			out.Annotations = append(out.Annotations, traceflow.Annotation{
				Address:  address(column, node),
				Hostname: traceflow.Hostname{Name: fmt.Sprintf("ae%d.r%d.site%d.example.net", node%4, node, column)},
				Origin:   traceflow.Origin{ASNs: []uint32{uint32(64500 + column/5)}, Name: fmt.Sprintf("EXAMPLE-%d", column/5)},
			})
		}
	}
	var walks []traceflow.Walk
	for id := 1; r.budget > 0; id++ {
		flow := traceflow.Flow{
			ID: id, Protocol: traceflow.ProtocolUDP, SourcePort: uint16(20000 + id), DestinationPort: 33434,
			Source: out.VantagePoint.Address, Destination: out.Destination.Address,
		}
		own := r.walk(&flow, started.Add(time.Duration(id)*10*time.Millisecond))
		out.Flows, out.Exchanges = append(out.Flows, flow), append(out.Exchanges, own...)
		walks = append(walks, traceflow.NewWalk(flow, 1, own))
	}
	out.Stats.Probes, out.Stats.Replies = len(out.Exchanges), len(out.Exchanges)
	out.Graph = traceflow.NewGraph(walks, out.Exchanges)
	return out
}

// step is a node of a column; the source's column is −1.
type step struct{ column, node int }

type random struct {
	*rand.Rand
	width  [columns]int
	budget int // links that are still to be made
	next   map[step][]int
}

// walk goes from node to node. The first flows go to all of a column in turn,
// the others anywhere; with no link left to make, where others went.
func (r *random) walk(flow *traceflow.Flow, sent time.Time) []traceflow.Exchange {
	var out []traceflow.Exchange
	at := step{-1, 0}
	for column := range columns {
		known := r.next[at]
		node := r.IntN(r.width[column])
		switch {
		case flow.ID <= r.width[column]:
			node = flow.ID - 1
		case r.budget == 0:
			node = known[r.IntN(len(known))]
		}
		r.link(at, node)
		at = step{column, node}
		// Distance adds up; where a column ends an ocean, more of it.
		rtt := time.Duration(column+1)*700*time.Microsecond + time.Duration(column/7)*31*time.Millisecond + time.Duration(node%5)*170*time.Microsecond
		out = append(out, traceflow.Exchange{
			Flow: flow.ID, TTL: uint8(column + 1), Attempt: 1, Sent: sent.Add(time.Duration(column) * time.Millisecond),
			Reply: traceflow.Reply{Kind: traceflow.TimeExceeded, ICMPType: 11, Address: address(column, node), RTT: rtt, TTL: 64},
		})
	}
	r.link(at, 0)
	return append(out, traceflow.Exchange{
		Flow: flow.ID, TTL: columns + 1, Attempt: 1, Sent: sent.Add(columns * time.Millisecond),
		Reply: traceflow.Reply{Kind: traceflow.PortUnreachable, ICMPType: 3, ICMPCode: 3, Address: flow.Destination, RTT: 98 * time.Millisecond, TTL: 44},
	})
}

// link notes where a flow goes from a node.
func (r *random) link(from step, to int) {
	if !slices.Contains(r.next[from], to) {
		r.next[from] = append(r.next[from], to)
		r.budget--
	}
}

func address(column, node int) netip.Addr {
	return netip.AddrFrom4([4]byte{198, 51, byte(column), byte(node + 1)})
}
