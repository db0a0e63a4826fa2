// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"traceflow"
)

// ends names a link by the IDs of its nodes.
type ends struct{ from, to string }

// sight is what one path says of a link.
type sight struct {
	delta   int64
	flows   int
	samples int
}

// measure adds to links and paths what was measured along the paths: a node that
// several paths share has round trips of each of them, so that those of two
// nodes may be compared on one path only.
func (d *describer) measure() {
	sights := make(map[ends][]sight)
	lost := make(map[ends]float64)
	stats := d.trace.PathStats()
	for i := range stats {
		p := &stats[i]
		before := sourceID
		from := traceflow.RTTStats{Replies: math.MaxInt}
		var fromLoss float64
		verdicts := p.Losses()
		for j := range p.Hops {
			h := &p.Hops[j]
			id := d.ids[h.Node]
			link := ends{before, id}
			if h.Replies > 0 && from.Replies > 0 {
				sights[link] = append(sights[link], sight{(h.Median - from.Median).Microseconds(), len(p.Flows), min(h.Replies, from.Replies)})
			}
			n := d.node(id)
			n.Verdict = worse(n.Verdict, string(verdicts[j]))
			if verdicts[j] == traceflow.LossPersists {
				if now := h.Loss(); now > fromLoss && (j == 0 || verdicts[j-1] != traceflow.LossPersists) {
					lost[link] = math.Max(lost[link], now-fromLoss)
				}
				fromLoss = h.Loss()
			}
			before, from = id, h.RTTStats
		}
		// Flows that were not asked about the destination have no round trip, though
		// others say that they lead there.
		if n := len(p.Hops); n > 0 && d.node(d.ids[p.Hops[n-1].Node]).Kind == Destination {
			last := &p.Hops[n-1]
			d.Paths[i].Median, d.Paths[i].Sent, d.Paths[i].Replies = last.Median.Microseconds(), last.Sent, last.Replies
		}
	}
	for i := range d.Links {
		l := &d.Links[i]
		key := ends{l.From, l.To}
		l.Lost = lost[key]
		if delta, samples := middle(sights[key]); samples > 0 {
			l.Samples = samples
			if delta >= 0 && !l.Inferred {
				l.Delta = &delta
			}
		}
	}
	d.label()
}

// middle returns the median over flows of what paths say, and how many replies
// that rests on.
func middle(s []sight) (delta int64, samples int) {
	slices.SortFunc(s, func(a, b sight) int { return cmp.Compare(a.delta, b.delta) })
	total, upTo := 0, 0
	for _, x := range s {
		total += x.flows
		samples += x.samples
	}
	for _, x := range s {
		if upTo += x.flows; 2*upTo >= total {
			return x.delta, samples
		}
	}
	return 0, 0
}

// verdicts are what loss may mean, the least first.
var verdicts = []string{"", string(traceflow.LossNone), string(traceflow.LossLocal), string(traceflow.LossUnclear), string(traceflow.LossPersists)}

func worse(a, b string) string {
	if slices.Index(verdicts, b) > slices.Index(verdicts, a) {
		return b
	}
	return a
}

const (
	// labels are how many links are labelled with their delay at most.
	labels = 12
	// A delay stands out when it is at least so many times that of most links,
	// this part of the longest round trip, and a millisecond.
	labelTimes = 3
	labelPart  = 0.15
)

// label names the links where most of the delay comes from, and those that lose
// packets.
func (d *Drawing) label() {
	longest := int64(0)
	for i := range d.Nodes {
		longest = max(longest, d.Nodes[i].RTT.Median)
	}
	var slow []*Link
	var all []int64
	for i := range d.Links {
		if l := &d.Links[i]; l.Delta != nil {
			slow, all = append(slow, l), append(all, *l.Delta)
		}
	}
	slices.Sort(all)
	least := max(1000, int64(labelPart*float64(longest)))
	if len(all) > 0 {
		least = max(least, labelTimes*all[len(all)/2])
	}
	slow = slices.DeleteFunc(slow, func(l *Link) bool { return *l.Delta < least })
	slices.SortStableFunc(slow, func(a, b *Link) int { return cmp.Compare(*b.Delta, *a.Delta) })
	for _, l := range slow[:min(labels, len(slow))] {
		l.Label = "+" + Milliseconds(*l.Delta)
	}
	for i := range d.Links {
		if l := &d.Links[i]; l.Lost > 0 {
			l.Label = fmt.Sprintf("%.0f %% lost", 100*l.Lost)
		}
	}
}

// Milliseconds writes microseconds with three digits at most.
func Milliseconds(us int64) string {
	switch ms := (time.Duration(us) * time.Microsecond).Seconds() * 1000; {
	case ms < 9.95:
		return fmt.Sprintf("%.1f ms", ms)
	default:
		return fmt.Sprintf("%.0f ms", ms)
	}
}
