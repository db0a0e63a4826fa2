// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// roundTrips are what the destination took to answer one flow, by pass.
type roundTrips [][]time.Duration

// roundTripsOf collects them, for every flow of a side.
func (p *pair) roundTripsOf(side int) []roundTrips {
	s := &p.sides[side]
	out := make([]roundTrips, len(p.flows))
	for i := range out {
		out[i] = make(roundTrips, len(s.passes))
	}
	for i, pass := range s.passes {
		for j := range pass.Exchanges {
			e := &pass.Exchanges[j]
			f, ok := s.byID[e.Flow]
			if ok && e.Reply.Kind.Answered() && e.Reply.Address == p.flows[f].Destination && e.Reply.RTT > 0 {
				out[f][i] = append(out[f][i], e.Reply.RTT)
			}
		}
	}
	return out
}

// leastAnswers is how many round trips either side needs.
const leastAnswers = 4

// rise is how latency differs for a set of flows.
type rise struct {
	flows         []int
	before, after time.Duration // medians
	up            bool
	chance        float64
}

// compareRTT compares the round trips of some flows. They differ if the intervals
// of the medians are apart, the median of each pass on one side is apart from each
// on the other by what the policy counts, and so are the two.
func (p *pair) compareRTT(flows []int, rtt *[2][]roundTrips) (r rise, differs bool) {
	r.flows = flows
	var sorted [2][]time.Duration
	var lowest, highest [2]time.Duration // of the passes' medians
	for side := range sorted {
		for pass := range p.sides[side].passes {
			var all []time.Duration
			for _, f := range flows {
				all = append(all, rtt[side][f][pass]...)
			}
			if len(all) == 0 {
				continue
			}
			slices.Sort(all)
			median := all[(len(all)-1)/2]
			if highest[side] == 0 {
				lowest[side] = median
			}
			lowest[side], highest[side] = min(lowest[side], median), max(highest[side], median)
			sorted[side] = append(sorted[side], all...)
		}
		if len(sorted[side]) < leastAnswers {
			return r, false
		}
		slices.Sort(sorted[side])
	}
	z := deviations(p.rules.Alpha)
	lowB, b, highB := medianInterval(sorted[before], z)
	lowA, a, highA := medianInterval(sorted[after], z)
	r.before, r.after, r.up = b, a, a > b
	var apart, passes time.Duration
	if r.up {
		apart, passes = lowA-highB, lowest[after]-highest[before]
	} else {
		apart, passes = lowB-highA, lowest[before]-highest[after]
	}
	least := p.counts(min(a, b))
	if apart <= 0 || passes < least || max(a, b)-min(a, b) < least {
		p.tests++
		return r, false
	}
	// How many are on which side of the middle (Mood's median test).
	middle := min(a, b) + (max(a, b)-min(a, b))/2
	slow := [2]int{}
	for side := range sorted {
		at, _ := slices.BinarySearch(sorted[side], middle)
		slow[side] = len(sorted[side]) - at
	}
	if r.up {
		r.chance = fisher(slow[before], len(sorted[before]), slow[after], len(sorted[after]))
	} else {
		r.chance = fisher(slow[after], len(sorted[after]), slow[before], len(sorted[before]))
	}
	return r, true
}

// counts is the least difference from a round trip that counts.
func (p *pair) counts(rtt time.Duration) time.Duration {
	return max(p.rules.Latency, time.Duration(p.rules.LatencyPart*float64(rtt)))
}

// findLatency compares the round trips of the destination: of the flows that
// stayed on their way, for each node that some of them pass, and of those that
// moved, for each move. Flows that it does not answer are judged by those on their
// way.
func (p *pair) findLatency() {
	rtt := [2][]roundTrips{p.roundTripsOf(before), p.roundTripsOf(after)}
	var rises []rise
	for _, flows := range p.bundles() {
		if r, ok := p.compareRTT(flows, &rtt); ok {
			rises = append(rises, r)
		}
	}
	// The clearest first, and of those the one of most flows; what it explains in
	// others is not told again.
	slices.SortStableFunc(rises, func(a, b rise) int {
		return cmp.Or(cmp.Compare(a.chance, b.chance), len(b.flows)-len(a.flows))
	})
	told := make(map[int]bool)
	for _, r := range rises {
		if slices.ContainsFunc(r.flows, func(f int) bool { return told[f] }) {
			p.tests++
			continue
		}
		for _, f := range r.flows {
			told[f] = true
		}
		f := p.addRise(r, LatencyUp)
		p.locate(f, r)
	}
	for _, m := range p.moves {
		if r, ok := p.compareRTT(m.flows, &rtt); ok {
			f := p.addRise(r, LatencyMoved)
			f.cause, f.TTL, f.Near = m.finding, uint8(m.ttl), m.near.Address
		}
	}
	p.findLatencyOnTheWay(&rtt)
}

func (p *pair) addRise(r rise, kind Kind) *finding {
	f := &finding{}
	f.Kind, f.P, f.Flows, f.Of = kind, r.chance, p.ids(r.flows), len(p.flows)
	f.rise = r.after - r.before
	if !r.up {
		f.Kind = LatencyDown
	}
	f.Before, f.After = milliseconds(r.before), milliseconds(r.after)
	if r.up {
		f.unclear = fmt.Sprintf("%s was %s: too few round trips to tell from chance", f.After, f.Before)
	}
	return p.add(f)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// bundles are the sets of flows that stayed on their way: all of them, and those
// through each node.
func (p *pair) bundles() (out [][]int) {
	seen := make(map[string]bool)
	take := func(flows []int) {
		key := make([]byte, 0, 4*len(flows))
		for _, f := range flows {
			key = binary.BigEndian.AppendUint32(key, uint32(f))
		}
		if len(flows) > 0 && !seen[string(key)] {
			seen[string(key)] = true
			out = append(out, flows)
		}
	}
	var all []int
	through := make(map[place][]int)
	var order []place
	for f := range p.flows {
		if p.moved[f] != nil {
			continue
		}
		all = append(all, f)
		for ttl := range p.depth(f) {
			if !p.compared(f, ttl) || !p.common(f, ttl) {
				continue
			}
			at := place{ttl, p.at(before, f, ttl)}
			if through[at] == nil {
				order = append(order, at)
			}
			through[at] = append(through[at], f)
		}
	}
	take(all)
	for _, at := range order {
		take(through[at])
	}
	return out
}

// locate says between which nodes a change of latency begins: behind the last one
// that does not show half of it. Routers that take long to answer show more, and
// are not asked: those behind them do not.
func (p *pair) locate(f *finding, r rise) {
	half := (r.after - r.before) / 2
	shows := func(ttl int) (node netip.Addr, yes, known bool) {
		var median [2]time.Duration
		for side := range median {
			var all []time.Duration
			for _, flow := range r.flows {
				for _, w := range p.sides[side].tracks[flow].walks {
					if at := ttl - int(w.First); at >= 0 && at < len(w.Hops) && w.Hops[at].Kind.Answered() {
						all = append(all, w.Hops[at].RTT)
						node = w.Hops[at].Address
					}
				}
			}
			if len(all) == 0 {
				return node, false, false
			}
			slices.Sort(all)
			median[side] = all[(len(all)-1)/2]
		}
		if half > 0 {
			return node, median[after]-median[before] >= half, true
		}
		return node, median[after]-median[before] <= half, true
	}
	deepest := 0
	for _, flow := range r.flows {
		deepest = max(deepest, p.depth(flow))
	}
	for ttl := deepest; ttl > 0; ttl-- {
		node, yes, known := shows(ttl)
		switch {
		case !known:
		case yes:
			f.TTL, f.Far = uint8(ttl), node
		default:
			f.Near = node
			return
		}
	}
}
