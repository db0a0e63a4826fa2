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
		verdicts := p.Losses()
		begins := beginnings(p.Hops, verdicts)
		for j := range p.Hops {
			h := &p.Hops[j]
			id := d.ids[h.Node]
			link := ends{before, id}
			if h.Replies > 0 && from.Replies > 0 {
				sights[link] = append(sights[link], sight{(h.Median - from.Median).Microseconds(), len(p.Flows), min(h.Replies, from.Replies)})
			}
			n := d.node(id)
			n.Verdict = worse(n.Verdict, string(verdicts[j]))
			lost[link] = math.Max(lost[link], begins[j])
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

// beginnings returns how much of what a path loses on to the destination is lost
// before each hop for the first time. Hops before the first that is judged to
// lose so, which lose about as much but too little to be sure of alone, are where
// it begins; a hop behind it is another beginning only if chance does not explain
// that it loses more.
func beginnings(hops []traceflow.HopStats, verdicts []traceflow.HopLoss) []float64 {
	out := make([]float64, len(hops))
	first := slices.Index(verdicts, traceflow.LossPersists)
	if first < 0 {
		return out
	}
	at := first
	for at > 0 && verdicts[at-1] == traceflow.LossUnclear && hops[at-1].Loss() >= hops[first].Loss()/2 {
		at--
	}
	out[at] = hops[first].Loss()
	last := first
	for j := first + 1; j < len(hops); j++ {
		if verdicts[j] != traceflow.LossPersists {
			continue
		}
		if rises(&hops[last], &hops[j]) {
			out[j] = hops[j].Loss() - hops[last].Loss()
			last = j
		}
	}
	return out
}

// rises reports whether a hop loses more than one before it by three standard
// errors of the difference.
func rises(a, b *traceflow.HopStats) bool {
	both := 1 - float64(a.Replies+b.Replies)/float64(a.Sent+b.Sent)
	deviation := math.Sqrt(both * (1 - both) * (1/float64(a.Sent) + 1/float64(b.Sent)))
	return b.Loss()-a.Loss() > 3*deviation
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
	for labelled := 0; len(slow) > 0 && labelled < labels; labelled++ {
		first, alike := slow[0], 0
		holder := first // the first of those alike: which is the slowest changes
		slow = slices.DeleteFunc(slow, func(l *Link) bool {
			if !l.alike(first) {
				return false
			}
			alike++
			if cmp.Or(cmp.Compare(l.From, holder.From), cmp.Compare(l.To, holder.To)) < 0 {
				holder = l
			}
			return true
		})
		holder.Label = "+" + Milliseconds(*first.Delta)
		if alike > 1 {
			holder.Label += " each"
		}
	}
	for i := range d.Links {
		if l := &d.Links[i]; l.Lost > 0 {
			l.Label = fmt.Sprintf("%.0f %% lost", 100*l.Lost)
		}
	}
}

// alike reports whether links that end at one node, or begin at one, add about
// the same delay: one label says it of all.
func (l *Link) alike(o *Link) bool {
	a, b := *l.Delta, *o.Delta
	return (l.From == o.From || l.To == o.To) && max(a, b) <= min(a, b)+min(a, b)/10
}

// Milliseconds writes microseconds with three digits at most.
func Milliseconds(us int64) string {
	switch ms := (time.Duration(us) * time.Microsecond).Seconds() * 1000; {
	case ms > 0 && ms < 0.0995:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 9.95:
		return fmt.Sprintf("%.1f ms", ms)
	default:
		return fmt.Sprintf("%.0f ms", ms)
	}
}
