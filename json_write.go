// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"math"
	"net/netip"
	"time"
)

func toDocument(t *Trace) *document {
	d := &document{
		Schema:       Schema,
		Version:      t.Version,
		Destination:  docDestination(t.Destination),
		VantagePoint: docVantagePoint(t.VantagePoint),
		Started:      t.Started.UTC(),
		Ended:        t.Ended.UTC(),
		Config:       toDocConfig(&t.Config),
		Complete:     t.Complete,
		StopReason:   t.StopReason,
		Reached:      t.Reached(),
		Stats: docStats{
			Probes: t.Stats.Probes, Replies: t.Stats.Replies, Retries: t.Stats.Retries,
			Duplicates: t.Stats.Duplicates, Late: t.Stats.Late, Unmatched: t.Stats.Unmatched,
			SendErrors: t.Stats.SendErrors, Foreign: t.Stats.Foreign,
			Malformed: t.Stats.Malformed, Unattributed: t.Stats.Unattributed,
		},
		Guarantee: docGuarantee{
			Confidence: t.Guarantee.Confidence, Alpha: t.Guarantee.Alpha,
			MinShare: t.Guarantee.MinShare, EqualShares: t.Guarantee.EqualShares,
			LimitedHops: toInts(t.Guarantee.LimitedHops), RateLimited: toInts(t.Guarantee.RateLimited),
			Short: []docHopShare{}, Hops: []docHopShare{},
		},
		Flows: []docFlow{}, Exchanges: docExchanges{}, Paths: []docPath{},
		Nodes: []docNode{}, Links: []docLink{}, Diamonds: []docDiamond{}, Changes: []docRouteChange{},
	}
	for _, h := range t.Guarantee.Short {
		d.Guarantee.Short = append(d.Guarantee.Short, docHopShare(h))
	}
	for _, h := range t.Guarantee.Hops {
		d.Guarantee.Hops = append(d.Guarantee.Hops, docHopShare(h))
	}
	for _, c := range t.Changes {
		d.Changes = append(d.Changes, docRouteChange(c))
	}
	ends := make(map[int]*Walk, len(t.Graph.Walks))
	for i := range t.Graph.Walks {
		ends[t.Graph.Walks[i].Flow.ID] = &t.Graph.Walks[i]
	}
	for _, f := range t.Flows {
		doc := docFlow{
			ID: f.ID, Protocol: f.Protocol.String(), SourcePort: f.SourcePort,
			DestinationPort: f.DestinationPort, Label: f.Label, TOS: f.TOS, End: EndUnknown.String(),
		}
		if f.Destination != t.Destination.Address {
			doc.Destination = &f.Destination
		}
		if w := ends[f.ID]; w != nil {
			doc.Ambiguous, doc.Reached, doc.End = w.Ambiguous, w.Reached(), w.End.String()
			if w.Path != 0 {
				doc.Path = &w.Path
			}
		}
		d.Flows = append(d.Flows, doc)
	}
	for i := range t.Exchanges {
		d.Exchanges = append(d.Exchanges, toDocExchange(&t.Exchanges[i], t.Started))
	}
	d.addGraph(&t.Graph)
	d.addFingerprints(t.Fingerprints())
	d.addAnnotations(t)
	d.addExits(t.Exits())
	d.addFindings(t.Findings())
	d.EndReason, d.Finish = t.EndReason(), toDocFinish(t)
	d.MTUs = []docPathMTU{}
	for _, m := range t.MTUs {
		doc := docPathMTU{
			Flow: m.Flow, TTL: m.TTL, Bytes: m.Bytes, Whole: m.Whole, BlackHole: m.BlackHole, Sure: m.Sure,
			Limit: validAddress(m.Limit),
		}
		if w := ends[m.Flow]; w != nil {
			doc.Path = w.Path
		}
		if m.LimitTTL > 0 {
			doc.LimitTTL = &m.LimitTTL
		}
		d.MTUs = append(d.MTUs, doc)
	}
	return d
}

func toDocFinish(t *Trace) *docFinish {
	f := t.Finish
	if f == nil {
		return nil
	}
	d := &docFinish{Flows: []docFinishFlow{}, Exchanges: []docExchange{}}
	for _, flow := range f.Flows {
		d.Flows = append(d.Flows, docFinishFlow{flow.ID, flow.Protocol.String(), flow.SourcePort, flow.DestinationPort})
	}
	for i := range f.Exchanges {
		d.Exchanges = append(d.Exchanges, toDocExchange(&f.Exchanges[i], t.Started))
	}
	if w, ok := f.Walk(max(1, t.Config.FirstTTL)); ok {
		distance, protocol := w.Distance(), w.Flow.Protocol.String()
		d.Distance, d.Protocol = &distance, &protocol
	}
	return d
}

func toDocConfig(c *Config) docConfig {
	d := docConfig{
		Protocol: c.Protocol.String(), Paths: docPaths(c.Paths), Confidence: c.Confidence,
		FirstTTL: c.FirstTTL, MaxTTL: c.MaxTTL, SourcePort: c.SourcePort, DestinationPort: c.DestinationPort,
		RatePPS: int64(math.Round(c.Rate)), Retries: c.Retries, Repeats: c.Repeats,
		TimeoutUS: c.Timeout.Microseconds(), Seed: c.Seed, Wire: c.Wire,
		QUIC: c.QUIC, TOS: c.TOS, Size: c.Size, DontFragment: c.DontFragment, Masked: c.Masked,
	}
	if c.Rate > 0 {
		d.RatePPS = max(1, d.RatePPS) // 0 is no limit
		d.GapNS = int64(math.Round(float64(time.Second) / c.Rate))
	}
	return d
}

func toDocExchange(e *Exchange, started time.Time) docExchange {
	d := docExchange{Flow: e.Flow, TTL: e.TTL, Attempt: e.Attempt, Abandoned: e.Abandoned}
	if e.Err != nil {
		d.Error = e.Err.Error()
	} else {
		us := e.Sent.Sub(started).Microseconds()
		d.SentUS = &us
	}
	if r := &e.Reply; r.Kind != NoReply {
		d.Reply = &docReply{
			Kind: r.Kind.String(), Address: r.Address, RTTUS: r.RTT.Microseconds(),
			ICMPType: r.ICMPType, ICMPCode: r.ICMPCode, MPLS: []docLabel{}, Verified: !r.Unverified,
		}
		if r.TTL != 0 {
			d.Reply.ReplyTTL = &r.TTL
		}
		if r.HeaderQuoted {
			d.Reply.QuotedTTL, d.Reply.QuotedTOS = &r.QuotedTTL, &r.QuotedTOS
		}
		if q := r.Quote; q != nil {
			d.Reply.Quote = &docQuoteChange{Checksum: q.Checksum, ID: q.ID}
			if q.Source.IsValid() {
				source := q.Source.Addr()
				d.Reply.Quote.Source, d.Reply.Quote.SourcePort = &source, q.Source.Port()
			}
		}
		d.Reply.MTU = r.MTU
		for _, x := range r.Interfaces {
			d.Reply.Interfaces = append(d.Reply.Interfaces, docInterface{
				Role: x.Role.String(), Index: x.Index, Address: validAddress(x.Address), Name: x.Name, MTU: x.MTU,
			})
		}
		for _, l := range r.MPLS {
			d.Reply.MPLS = append(d.Reply.MPLS, docLabel(l))
		}
	}
	return d
}

func (d *document) addGraph(g *Graph) {
	nodes := make(map[string]*Node, len(g.Nodes))
	for i := range g.Nodes {
		n := &g.Nodes[i]
		nodes[n.ID] = n
		doc := docNode{
			ID: n.ID, TTL: n.TTL, Address: validAddress(n.Address),
			Flows: n.Flows, Sent: n.Sent, Replies: n.Replies,
			InterfaceIndex: n.Interface, InterfaceName: n.InterfaceName,
		}
		if n.Replies > 0 {
			doc.RTT = &docRTT{
				n.RTT.Min.Microseconds(), n.RTT.Median.Microseconds(),
				n.RTT.P95.Microseconds(), n.RTT.Max.Microseconds(),
			}
		}
		d.Nodes = append(d.Nodes, doc)
	}
	for _, p := range g.Paths {
		doc := docPath{ID: p.ID, Flows: p.Flows, Reached: p.Reached, Length: p.Length, Hops: []docHop{}}
		for _, id := range p.Nodes {
			doc.Hops = append(doc.Hops, docHop{nodes[id].TTL, id, validAddress(nodes[id].Address)})
		}
		d.Paths = append(d.Paths, doc)
	}
	for _, l := range g.Links {
		d.Links = append(d.Links, docLink(l))
	}
	for i := range g.Diamonds {
		x := &g.Diamonds[i]
		doc := docDiamond{Divergence: x.Divergence, Width: x.Width, Length: x.Length, Meshed: x.Meshed, Balancer: x.Balancer}
		if x.Convergence != "" {
			doc.Convergence = &x.Convergence
		}
		d.Diamonds = append(d.Diamonds, doc)
	}
}

// toInts writes TTLs as numbers; encoding/json makes a string of []uint8.
func toInts(ttls []uint8) []int {
	out := make([]int, len(ttls))
	for i, ttl := range ttls {
		out[i] = int(ttl)
	}
	return out
}

func validAddress(a netip.Addr) *netip.Addr {
	if !a.IsValid() {
		return nil
	}
	return &a
}
