// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"
)

// toTTLs reads them back.
func toTTLs(numbers []int) ([]uint8, error) {
	var out []uint8
	for _, n := range numbers {
		if n < 1 || n > 255 {
			return nil, fmt.Errorf("limited hop %d is no TTL", n)
		}
		out = append(out, uint8(n))
	}
	return out, nil
}

// trace rebuilds the trace from flows and exchanges; the graph follows from
// them, so a document cannot contradict itself.
func (d *document) trace() (*Trace, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	t := &Trace{
		Version: d.Version, Destination: Destination(d.Destination), VantagePoint: VantagePoint(d.VantagePoint),
		Started: d.Started, Ended: d.Ended, Complete: d.Complete, StopReason: d.StopReason,
		Stats: Stats{
			Probes: d.Stats.Probes, Replies: d.Stats.Replies, Retries: d.Stats.Retries,
			Duplicates: d.Stats.Duplicates, Late: d.Stats.Late, Unmatched: d.Stats.Unmatched,
			SendErrors: d.Stats.SendErrors, Foreign: d.Stats.Foreign,
			Malformed: d.Stats.Malformed, Unattributed: d.Stats.Unattributed,
		},
		Guarantee: Guarantee{
			Confidence: d.Guarantee.Confidence, Alpha: d.Guarantee.Alpha, MinShare: d.Guarantee.MinShare,
			EqualShares: d.Guarantee.EqualShares,
		},
	}
	var err error
	if t.Guarantee.LimitedHops, err = toTTLs(d.Guarantee.LimitedHops); err != nil {
		return nil, err
	}
	if t.Guarantee.RateLimited, err = toTTLs(d.Guarantee.RateLimited); err != nil {
		return nil, err
	}
	for _, h := range d.Guarantee.Short {
		t.Guarantee.Short = append(t.Guarantee.Short, HopShare(h))
	}
	for _, h := range d.Guarantee.Hops {
		t.Guarantee.Hops = append(t.Guarantee.Hops, HopShare(h))
	}
	for _, c := range d.Changes {
		t.Changes = append(t.Changes, RouteChange(c))
	}
	if t.Annotations, t.DataSets, err = d.annotations(); err != nil {
		return nil, err
	}
	for i := range d.MTUs {
		t.MTUs = append(t.MTUs, d.MTUs[i].read())
	}
	c := &d.Config
	protocol, err := ParseProtocol(c.Protocol)
	if err != nil {
		return nil, err
	}
	timeout, err := duration(c.TimeoutUS)
	if err != nil {
		return nil, fmt.Errorf("config.timeout_us: %w", err)
	}
	t.Config = Config{
		Protocol: protocol, Paths: int(c.Paths), Confidence: c.Confidence,
		FirstTTL: c.FirstTTL, MaxTTL: c.MaxTTL, SourcePort: c.SourcePort, DestinationPort: c.DestinationPort,
		Retries: c.Retries, Repeats: c.Repeats, Timeout: timeout,
		Seed: c.Seed, Wire: c.Wire, QUIC: c.QUIC, TOS: c.TOS, Size: c.Size, DontFragment: c.DontFragment, Masked: c.Masked,
	}
	// The gap is rounded where the rate is high, the rate where it is low.
	if c.GapNS > 0 {
		t.Config.Rate = float64(time.Second) / float64(c.GapNS)
	}
	if c.RatePPS > 0 && (c.GapNS < 0 || int64(math.Round(float64(time.Second)/float64(c.RatePPS))) == c.GapNS) {
		t.Config.Rate = float64(c.RatePPS)
	}
	if len(d.Exchanges) > 0 {
		t.Exchanges = make([]Exchange, 0, len(d.Exchanges))
	}
	for i := range d.Exchanges {
		e, err := d.Exchanges[i].exchange(d.Started)
		if err != nil {
			return nil, fmt.Errorf("exchange %d: %w", i, err)
		}
		t.Exchanges = append(t.Exchanges, e)
	}
	ends := make(map[int]End, len(d.Flows))
	for i := range d.Flows {
		f := &d.Flows[i]
		protocol, err := ParseProtocol(f.Protocol)
		if err != nil {
			return nil, fmt.Errorf("flow %d: %w", f.ID, err)
		}
		flow := Flow{
			ID: f.ID, Protocol: protocol, Source: d.VantagePoint.Address, Destination: d.Destination.Address,
			SourcePort: f.SourcePort, DestinationPort: f.DestinationPort, Label: f.Label, TOS: f.TOS,
		}
		if f.Destination != nil {
			flow.Destination = *f.Destination
		}
		t.Flows = append(t.Flows, flow)
		ends[f.ID] = parseEnd(f.End)
	}
	if t.Finish, err = d.finish(); err != nil {
		return nil, err
	}
	t.rebuild(ends)
	// How a balancer was told is not in the exchanges.
	for _, known := range d.Diamonds {
		for i := range t.Graph.Diamonds {
			if x := &t.Graph.Diamonds[i]; x.Divergence == known.Divergence {
				x.Balancer = known.Balancer.known()
			}
		}
	}
	return t, nil
}

func (d *docPathMTU) read() PathMTU {
	m := PathMTU{Flow: d.Flow, TTL: d.TTL, Bytes: d.Bytes, Whole: d.Whole, BlackHole: d.BlackHole, Sure: d.Sure}
	if d.Limit != nil {
		m.Limit = *d.Limit
	}
	if d.LimitTTL != nil {
		m.LimitTTL = *d.LimitTTL
	}
	return m
}

func (d *document) finish() (*Finish, error) {
	if d.Finish == nil {
		return nil, nil
	}
	f := &Finish{}
	for _, flow := range d.Finish.Flows {
		protocol, err := ParseProtocol(flow.Protocol)
		if err != nil {
			return nil, fmt.Errorf("finish: flow %d: %w", flow.ID, err)
		}
		f.Flows = append(f.Flows, Flow{
			ID: flow.ID, Protocol: protocol, Source: d.VantagePoint.Address, Destination: d.Destination.Address,
			SourcePort: flow.SourcePort, DestinationPort: flow.DestinationPort, TOS: d.Config.TOS,
		})
	}
	for i := range d.Finish.Exchanges {
		e, err := d.Finish.Exchanges[i].exchange(d.Started)
		if err != nil {
			return nil, fmt.Errorf("finish: exchange %d: %w", i, err)
		}
		f.Exchanges = append(f.Exchanges, e)
	}
	return f, nil
}

func parseEnd(name string) End {
	for e, n := range endNames {
		if n == name {
			return End(e)
		}
	}
	return EndUnknown
}

func (d *docExchange) exchange(started time.Time) (Exchange, error) {
	e := Exchange{Flow: d.Flow, TTL: d.TTL, Attempt: d.Attempt, Abandoned: d.Abandoned}
	if d.Error != "" {
		e.Err = errors.New(d.Error)
	}
	if d.SentUS != nil {
		e.Sent = started.Add(time.Duration(*d.SentUS) * time.Microsecond)
	}
	if d.Reply == nil {
		return e, nil
	}
	r := d.Reply
	kind := NoReply
	for k, name := range replyKindNames {
		if name == r.Kind {
			kind = ReplyKind(k)
		}
	}
	if kind == NoReply {
		return Exchange{}, fmt.Errorf("unknown kind of reply %q", r.Kind)
	}
	if !r.Address.IsValid() {
		return Exchange{}, errors.New("reply without an address")
	}
	rtt, err := duration(r.RTTUS)
	if err != nil {
		return Exchange{}, fmt.Errorf("rtt_us: %w", err)
	}
	e.Reply = Reply{
		Kind: kind, Address: r.Address, RTT: rtt,
		ICMPType: r.ICMPType, ICMPCode: r.ICMPCode, Unverified: !r.Verified,
		HeaderQuoted: r.QuotedTTL != nil, MTU: r.MTU,
	}
	for _, field := range []struct {
		to   *uint8
		from *uint8
	}{{&e.Reply.TTL, r.ReplyTTL}, {&e.Reply.QuotedTTL, r.QuotedTTL}, {&e.Reply.QuotedTOS, r.QuotedTOS}} {
		if field.from != nil {
			*field.to = *field.from
		}
	}
	for _, l := range r.MPLS {
		e.Reply.MPLS = append(e.Reply.MPLS, MPLSLabel(l))
	}
	if q := r.Quote; q != nil {
		e.Reply.Quote = &QuoteChange{Checksum: q.Checksum, ID: q.ID}
		if q.Source != nil {
			e.Reply.Quote.Source = netip.AddrPortFrom(*q.Source, q.SourcePort)
		}
	}
	for i := range r.Interfaces {
		x, err := r.Interfaces[i].read()
		if err != nil {
			return Exchange{}, err
		}
		e.Reply.Interfaces = append(e.Reply.Interfaces, x)
	}
	return e, nil
}

func (d *docInterface) read() (Interface, error) {
	x := Interface{Index: d.Index, Name: d.Name, MTU: d.MTU}
	if d.Address != nil {
		x.Address = *d.Address
	}
	for role, name := range interfaceRoleNames {
		if name == d.Role {
			x.Role = InterfaceRole(role)
			return x, nil
		}
	}
	return Interface{}, fmt.Errorf("unknown role of an interface %q", d.Role)
}
