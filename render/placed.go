// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"slices"
	"strconv"
	"time"

	"traceflow"
)

// placed is what one flow sent, by TTL, as tools of one flow list it: up to the
// end of its path, and nothing beyond.
type placed struct {
	walk *traceflow.Walk
	sent int            // packets, those beyond the end too
	hops []placedProbes // by TTL, ascending; only those that were asked
	// began and ended are when the first packet left and the last reply came.
	began, ended time.Time
}

type placedProbes struct {
	ttl    int
	probes []placedProbe
}

// placedProbe is a packet and what came back. Where only a packet that was to go
// further was answered from the end of the path, that reply stands for the
// silence there, and its quoted TTL is what it would be if the packet had been
// sent to there.
type placedProbe struct {
	*traceflow.Exchange
	quotedTTL int
}

// placeFlows returns the flows of which anything was sent.
func placeFlows(t *traceflow.Trace) []placed {
	byFlow := make(map[int][]*traceflow.Exchange)
	for i := range t.Exchanges {
		byFlow[t.Exchanges[i].Flow] = append(byFlow[t.Exchanges[i].Flow], &t.Exchanges[i])
	}
	var out []placed
	for i := range t.Graph.Walks {
		w := &t.Graph.Walks[i]
		if all := byFlow[w.Flow.ID]; len(all) > 0 {
			out = append(out, placeFlow(t, w, all))
		}
	}
	return out
}

func placeFlow(t *traceflow.Trace, w *traceflow.Walk, all []*traceflow.Exchange) placed {
	p := placed{walk: w}
	slices.SortStableFunc(all, func(a, b *traceflow.Exchange) int { return a.Attempt - b.Attempt })
	end, known := w.Distance(), hasEnd(w)
	var byTTL [256][]placedProbe
	var beyond *traceflow.Exchange // the answer from the end to the lowest TTL beyond it
	for _, e := range all {
		if e.Err == nil {
			p.sent++
			if p.began.IsZero() || e.Sent.Before(p.began) {
				p.began = e.Sent
			}
			if back := e.Sent.Add(e.Reply.RTT); back.After(p.ended) {
				p.ended = back
			}
		}
		switch ttl := int(e.TTL); {
		case e.Abandoned && !e.Reply.Kind.Answered():
		case ttl <= end || !known && (e.Err != nil || e.Reply.Kind.Answered()):
			byTTL[ttl] = append(byTTL[ttl], placedProbe{e, int(e.Reply.QuotedTTL)})
		case !known: // silence beyond all that is known
		case e.Reply.Terminal(w.Flow.Destination) && (beyond == nil || e.TTL < beyond.TTL):
			beyond = e
		}
	}
	answers := func(x placedProbe) bool { return x.Reply.Kind.Answered() }
	if beyond != nil && !slices.ContainsFunc(byTTL[end], answers) {
		byTTL[end] = append(byTTL[end], placedProbe{beyond, max(0, int(beyond.Reply.QuotedTTL)-(int(beyond.TTL)-end))})
	}
	for ttl, probes := range byTTL {
		if len(probes) > 0 {
			p.hops = append(p.hops, placedProbes{ttl, probes})
		}
	}
	if p.sent == 0 {
		p.began, p.ended = t.Started, t.Ended
	}
	return p
}

// What the engine puts behind the IP header of the smallest probes: the header
// of UDP or ICMP and the packet's identity, a SYN with its options, or a QUIC
// packet that a server has to answer.
const (
	smallestDatagram = 8 + 19
	smallestSYN      = 20 + 20
	smallestQUIC     = 8 + 1200
)

// probeBytes is the length of a flow's packets, IP header included. Where no
// size was asked for, those of IPv6 are up to 64 bytes longer, each by another
// number.
func probeBytes(c *traceflow.Config, f *traceflow.Flow) int {
	if c.Size > 0 {
		return c.Size
	}
	return ipHeader(f) + smallest(c, f)
}

// ipHeader is the length of the IP header of a flow's packets.
func ipHeader(f *traceflow.Flow) int {
	if f.Destination.Is4() {
		return 20
	}
	return 40
}

func smallest(c *traceflow.Config, f *traceflow.Flow) int {
	switch {
	case f.Protocol == traceflow.ProtocolTCP:
		return smallestSYN
	case c.QUIC:
		return smallestQUIC
	}
	return smallestDatagram
}

// fractionalMS is a duration in milliseconds as tools write round trips: three decimals.
type fractionalMS time.Duration

func (m fractionalMS) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Duration(m).Microseconds())/1000, 'f', 3, 64), nil
}

// bit is a flag as tools write it: 0 or 1.
func bit(set bool) int {
	if set {
		return 1
	}
	return 0
}
