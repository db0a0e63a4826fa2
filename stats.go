// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"math"
	"slices"
	"time"
)

// Window is how many of its latest packets a Series remembers one by one.
// Median, 95th percentile and jitter are of these; counts, best, worst and mean
// are of all.
const Window = 300

// lost stands for a packet without a reply in a Series.
const lost = math.MaxUint32

// Series sums up the packets sent to one TTL of one path in the order of
// sending. Its size is bounded however many there are. The zero value is
// empty.
type Series struct {
	sent, replies     int
	last, best, worst time.Duration
	mean, m2          float64  // nanoseconds, and their squares' sum (Welford)
	ring              []uint32 // microseconds, or lost; oldest at next
	next              int
	sorted            []uint32 // those of the ring that are not lost: percentiles are asked for often
}

// Answered adds a packet that was answered after rtt.
func (s *Series) Answered(rtt time.Duration) {
	rtt = max(0, rtt)
	s.sent++
	s.replies++
	s.last = rtt
	if s.replies == 1 || rtt < s.best {
		s.best = rtt
	}
	s.worst = max(s.worst, rtt)
	d := float64(rtt) - s.mean
	s.mean += d / float64(s.replies)
	s.m2 += d * (float64(rtt) - s.mean)
	s.remember(uint32(min(rtt.Microseconds(), lost-1)))
}

// Lost adds a packet without a reply.
func (s *Series) Lost() {
	s.sent++
	s.remember(lost)
}

func (s *Series) remember(v uint32) {
	if len(s.ring) < Window {
		s.ring = append(s.ring, v)
	} else {
		if old := s.ring[s.next]; old != lost {
			i, _ := slices.BinarySearch(s.sorted, old)
			s.sorted = slices.Delete(s.sorted, i, i+1)
		}
		s.ring[s.next] = v
		s.next = (s.next + 1) % Window
	}
	if v != lost {
		i, _ := slices.BinarySearch(s.sorted, v)
		s.sorted = slices.Insert(s.sorted, i, v)
	}
}

// Recent returns the round trips of the latest n packets at most, the oldest
// first; those without a reply are negative.
func (s *Series) Recent(n int) []time.Duration {
	n = min(n, len(s.ring))
	out := make([]time.Duration, n)
	at := (s.next + len(s.ring) - n) % max(1, len(s.ring))
	for i := range out {
		if out[i] = fromMicro(s.ring[at]); s.ring[at] == lost {
			out[i] = -1
		}
		if at++; at == len(s.ring) {
			at = 0
		}
	}
	return out
}

func fromMicro(v uint32) time.Duration { return time.Duration(v) * time.Microsecond }

// jitter returns the mean difference between one round trip of the ring and the
// next.
func (s *Series) jitter() time.Duration {
	if len(s.sorted) < 2 {
		return 0
	}
	var sum, before int64 = 0, -1
	for _, part := range [][]uint32{s.ring[s.next:], s.ring[:s.next]} {
		for _, v := range part {
			if v == lost {
				continue
			}
			if before >= 0 {
				sum += max(int64(v)-before, before-int64(v))
			}
			before = int64(v)
		}
	}
	return time.Duration(sum) * time.Microsecond / time.Duration(len(s.sorted)-1)
}

// RTTStats are the round trips of a series. All but the counts are zero where
// nothing was answered. Median, P95 and Jitter are of the latest Window packets,
// the others of all.
type RTTStats struct {
	Sent, Replies                      int
	Last, Best, Mean, Worst, Deviation time.Duration
	// Median and P95 are nearest-rank percentiles, so each is one that was measured.
	Median, P95 time.Duration
	// Jitter is the mean difference between one round trip and the next.
	Jitter time.Duration
}

// Loss returns the share of packets without a reply, 0 to 1.
func (s *RTTStats) Loss() float64 {
	if s.Sent == 0 {
		return 0
	}
	return 1 - float64(s.Replies)/float64(s.Sent)
}

// Stats sums the series up.
func (s *Series) Stats() RTTStats {
	out := RTTStats{Sent: s.sent, Replies: s.replies, Last: s.last, Best: s.best, Worst: s.worst, Mean: time.Duration(s.mean)}
	if s.replies > 1 {
		out.Deviation = time.Duration(math.Sqrt(s.m2 / float64(s.replies-1)))
	}
	if len(s.sorted) > 0 {
		out.Median, out.P95 = fromMicro(percentile(s.sorted, 50)), fromMicro(percentile(s.sorted, 95))
		out.Jitter = s.jitter()
	}
	return out
}

// percentile returns the nearest-rank percentile of sorted values.
func percentile[T any](sorted []T, p int) T {
	return sorted[(p*len(sorted)+99)/100-1]
}

// HopStats sums up what the flows of one path sent to one TTL.
type HopStats struct {
	TTL uint8
	// Node is the graph's at this hop; "" where the path has none.
	Node string
	// Responder is who stands there; invalid for a silent hop.
	Responder
	RTTStats
	// Recent are the latest round trips, oldest first; negative without a reply.
	Recent []time.Duration
	// Limited is true where a rate limit of the answers was seen: then Loss says
	// nothing of what the hop forwards, nor of what gets there.
	Limited bool
}

// PathStats sums up one path, hop by hop.
type PathStats struct {
	Path    int   // Path.ID
	Flows   []int // Flow.ID
	Reached bool
	Hops    []HopStats // from the first TTL on
}

// PathStats sums up every path of the trace. What a flow sent beyond the end of
// its path counts for the last hop, where it was answered. Silence that may be
// another path's counts for none.
func (t *Trace) PathStats() []PathStats {
	nodes := make(map[string]*Node, len(t.Graph.Nodes))
	for i := range t.Graph.Nodes {
		nodes[t.Graph.Nodes[i].ID] = &t.Graph.Nodes[i]
	}
	walks := make(map[int]*Walk, len(t.Graph.Walks))
	for i := range t.Graph.Walks {
		walks[t.Graph.Walks[i].Flow.ID] = &t.Graph.Walks[i]
	}
	out := make([]PathStats, len(t.Graph.Paths))
	series := make([][]Series, len(out))
	for i := range out {
		p := &t.Graph.Paths[i]
		out[i] = PathStats{Path: p.ID, Flows: p.Flows, Reached: p.Reached, Hops: make([]HopStats, len(p.Nodes))}
		for j, id := range p.Nodes {
			out[i].Hops[j] = HopStats{TTL: nodes[id].TTL, Node: id, Responder: nodes[id].Responder}
		}
		series[i] = make([]Series, len(p.Nodes))
	}
	answered := make(map[string][]bool, len(nodes)) // by Node.ID, of all paths
	for _, e := range inOrder(t.Exchanges) {
		w := walks[e.Flow]
		if w == nil || w.Path == 0 || e.Err != nil || e.Abandoned && e.Reply.Kind == NoReply {
			continue
		}
		at := int(e.TTL) - int(w.First)
		if w.ended() {
			at = min(at, len(w.Hops)-1)
		}
		if at < 0 || at >= len(series[w.Path-1]) {
			continue
		}
		if e.Reply.Kind == NoReply && w.Ambiguous && (at >= len(w.Hops) || w.Hops[at].Kind == NoReply) {
			continue // nobody knows whose silence it is
		}
		id := out[w.Path-1].Hops[at].Node
		answered[id] = append(answered[id], e.Reply.Kind != NoReply)
		if s := &series[w.Path-1][at]; e.Reply.Kind == NoReply {
			s.Lost()
		} else {
			s.Answered(e.Reply.RTT)
		}
	}
	for i := range out {
		for j := range out[i].Hops {
			h := &out[i].Hops[j]
			h.RTTStats, h.Recent = series[i][j].Stats(), series[i][j].Recent(Window)
			h.Limited = h.IsValid() && limits(answered[h.Node], slices.Contains(t.Guarantee.RateLimited, h.TTL))
		}
	}
	return out
}

// inOrder returns exchanges in the order of sending.
func inOrder(exchanges []Exchange) []*Exchange {
	out := make([]*Exchange, len(exchanges))
	for i := range exchanges {
		out[i] = &exchanges[i]
	}
	slices.SortStableFunc(out, func(a, b *Exchange) int { return a.Sent.Compare(b.Sent) })
	return out
}
