// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"traceflow"
	"traceflow/internal/snapshot"
)

// The sides of a comparison.
const (
	before = 0
	after  = 1
)

// pair is one target of both snapshots, flow by flow.
type pair struct {
	index int
	matched
	rules *rules
	flows []sharedFlow
	sides [2]side
	noise noise
	moves []*move
	// moved is the move of each flow; nil for one that did not move.
	moved []*move
	found []*finding
	// tests is how many tests found nothing: they count where chances are corrected.
	tests int
}

// side is a target as one snapshot has it. Passes that were cut short are no
// evidence, and not in it.
type side struct {
	passes []*traceflow.Trace
	tracks []track     // by index of pair.flows
	byID   map[int]int // index of pair.flows by the IDs of this side
	// packets are those sent to the destination, by pass; nil before they are
	// counted.
	packets []packets
}

// eachExchange calls do for every packet of the flows that both sides have, with the
// index of its pass, the flow, and the flow's walk in that pass.
func (s *side) eachExchange(do func(pass, flow int, w *traceflow.Walk, e *traceflow.Exchange)) {
	for i, pass := range s.passes {
		walks := make(map[int]*traceflow.Walk, len(pass.Graph.Walks))
		for j := range pass.Graph.Walks {
			walks[pass.Graph.Walks[j].Flow.ID] = &pass.Graph.Walks[j]
		}
		for j := range pass.Exchanges {
			e := &pass.Exchanges[j]
			if flow, shared := s.byID[e.Flow]; shared && walks[e.Flow] != nil {
				do(i, flow, walks[e.Flow], e)
			}
		}
	}
}

// track is what one flow met on one side.
type track struct {
	walks []*traceflow.Walk // of every pass that sent packets of the flow
	cells []cell            // by TTL
}

// cell is who answered a flow at a TTL, over all passes of a side.
type cell struct {
	who     []traceflow.Responder // none where nobody did
	answers int                   // passes in which somebody did
	varied  bool                  // not the same always
}

// longest is how many TTLs there can be, and 0.
const longest = 256

func newPair(index int, m matched, r *rules) *pair {
	p := &pair{index: index, matched: m, rules: r, flows: m.flows}
	if m.other.What == "" {
		p.sides[before] = newSide(m.before, p.flows, func(f *sharedFlow) int { return f.ID })
		p.sides[after] = newSide(m.after, p.flows, func(f *sharedFlow) int { return f.after })
	}
	p.noise = newNoise(&p.sides)
	p.moved = make([]*move, len(p.flows))
	return p
}

func newSide(t *snapshot.Target, flows []sharedFlow, id func(*sharedFlow) int) side {
	s := side{tracks: make([]track, len(flows)), byID: make(map[int]int, len(flows))}
	for i := range flows {
		s.byID[id(&flows[i])] = i
	}
	for _, pass := range t.Passes {
		if pass == nil || !pass.Complete {
			continue
		}
		s.passes = append(s.passes, pass)
		for i := range pass.Graph.Walks {
			w := &pass.Graph.Walks[i]
			if at, ok := s.byID[w.Flow.ID]; ok && w.End != traceflow.EndNotSent && len(w.Hops) > 0 {
				s.tracks[at].add(w)
			}
		}
		s.addVaried(pass)
	}
	return s
}

// evidence returns who answered a hop of a walk. A router that refuses to forward
// answers out of its place, and what is hidden (Trace.Mask) is nobody.
func evidence(w *traceflow.Walk, r *traceflow.Reply) (traceflow.Responder, bool) {
	if !r.Kind.Answered() || r.Address.IsUnspecified() || r.Kind.Ends() && r.Address != w.Flow.Destination {
		return traceflow.Responder{}, false
	}
	return w.Responder(r), true
}

func (k *track) add(w *traceflow.Walk) {
	k.walks = append(k.walks, w)
	if n := int(w.First) + len(w.Hops); n > len(k.cells) {
		k.cells = slices.Grow(k.cells, n-len(k.cells))[:n]
	}
	for i := range w.Hops {
		if who, ok := evidence(w, &w.Hops[i]); ok {
			c := &k.cells[int(w.First)+i]
			c.answers++
			c.add(who)
		}
	}
}

// add takes in a responder. One that does not tell its interface is no other than
// one that does.
func (c *cell) add(who traceflow.Responder) {
	for i := range c.who {
		if joined, same := c.who[i].Join(who); same {
			c.who[i] = joined
			return
		}
	}
	c.varied = len(c.who) > 0
	c.who = append(c.who, who)
}

// addVaried takes in everybody who answered where a flow was answered by several
// in one pass.
func (s *side) addVaried(pass *traceflow.Trace) {
	varied := make(map[int]*traceflow.Walk)
	for i := range pass.Graph.Walks {
		if w := &pass.Graph.Walks[i]; len(w.Varied) > 0 {
			varied[w.Flow.ID] = w
		}
	}
	if len(varied) == 0 {
		return
	}
	for i := range pass.Exchanges {
		e := &pass.Exchanges[i]
		w := varied[e.Flow]
		at, ok := s.byID[e.Flow]
		if w == nil || !ok || !slices.Contains(w.Varied, e.TTL) || int(e.TTL) >= len(s.tracks[at].cells) || e.Reply.Terminal(w.Flow.Destination) {
			continue
		}
		if who, ok := evidence(w, &e.Reply); ok {
			s.tracks[at].cells[e.TTL].add(who)
		}
	}
}

// cell returns what a flow met at a TTL on one side.
func (p *pair) cell(side, flow, ttl int) *cell {
	if cells := p.sides[side].tracks[flow].cells; ttl < len(cells) {
		return &cells[ttl]
	}
	return &cell{}
}

// depth is one more than the highest TTL of a flow on either side.
func (p *pair) depth(flow int) int {
	return max(len(p.sides[before].tracks[flow].cells), len(p.sides[after].tracks[flow].cells))
}

// compared reports whether a flow was answered at a TTL on both sides.
func (p *pair) compared(flow, ttl int) bool {
	return p.cell(before, flow, ttl).answers > 0 && p.cell(after, flow, ttl).answers > 0
}

// common reports whether both sides were answered by the same, or by some that
// stand for each other.
func (p *pair) common(flow, ttl int) bool {
	for _, b := range p.cell(before, flow, ttl).who {
		for _, a := range p.cell(after, flow, ttl).who {
			if _, same := b.Join(a); same || p.noise.alike(ttl, a, b) {
				return true
			}
		}
	}
	return false
}

// at returns who stands for those who answered a flow at a TTL on one side.
func (p *pair) at(side, flow, ttl int) traceflow.Responder {
	c := p.cell(side, flow, ttl)
	if len(c.who) == 0 {
		return traceflow.Responder{}
	}
	return p.noise.find(ttl, c.who[0])
}

// reached counts the passes in which the destination answered a flow.
func (k *track) reached() (n int) {
	for _, w := range k.walks {
		if w.End == traceflow.EndReached {
			n++
		}
	}
	return n
}

// refused counts the passes in which a router refused to forward a flow.
func (k *track) refused() (n int) {
	for _, w := range k.walks {
		if w.End == traceflow.EndUnreachable {
			n++
		}
	}
	return n
}

// ids returns the IDs of flows, ascending.
func (p *pair) ids(flows []int) []int {
	out := make([]int, len(flows))
	for i, f := range flows {
		out[i] = p.flows[f].ID
	}
	slices.Sort(out)
	return out
}

// destination is the address that was measured.
func (p *pair) destination() netip.Addr {
	t := p.before
	if t == nil {
		t = p.after
	}
	a, _ := netip.ParseAddr(t.Address) // invalid if it is none, which is no concern here
	return a
}

// finding is a change that may be. It counts if it is certain, or if the chance
// of it is small after correction for everything that was tested.
type finding struct {
	Change
	certain bool
	cause   *finding
	// links are what else is known of where it is, for what is said of it.
	gone, came []traceflow.Responder
	move       *move
	// ends is set where all flows that are lost end between Near and Far.
	ends bool
	// unclear is what to say where chance cannot be excluded; "" for nothing.
	unclear string
	// rise is by how much latency rose; forbidden is set where the plan wants no
	// change at all.
	rise      time.Duration
	forbidden bool
}

// add notes what a class has found.
func (p *pair) add(f *finding) *finding {
	f.Target, f.Cause = p.index, -1
	p.found = append(p.found, f)
	return f
}

// compare looks for changes of every class.
func (p *pair) compare() []*finding {
	if !p.measured() {
		return p.found
	}
	p.findMoves()
	p.findReach()
	p.findOwners()
	p.findRelax()
	p.findLatency()
	p.findLoss()
	p.findMTU()
	p.findTunnels()
	p.findNAT()
	p.findRemarks()
	p.findReturn()
	return p.settle()
}

// settle corrects every chance for having looked so often, and drops what chance
// explains.
func (p *pair) settle() []*finding {
	chances := make([]float64, len(p.found))
	for i, f := range p.found {
		chances[i] = f.P
	}
	for i, chance := range holm(chances, p.tests) {
		p.found[i].P = chance
	}
	var kept []*finding
	for _, f := range p.found {
		sure := f.P <= p.rules.Alpha
		switch {
		case !sure && !f.certain && f.unclear != "":
			kept = append(kept, &finding{Change: Change{
				Kind: Unmeasured, Target: p.index, Confidence: traceflow.ConfidenceLow, P: f.P, Flows: f.Flows, Of: f.Of,
				TTL: f.TTL, Near: f.Near, Far: f.Far, Before: f.Before, After: f.unclear, Cause: -1,
			}})
			continue
		case !sure && !f.certain:
			continue
		case f.Confidence != "":
		case sure:
			f.Confidence = traceflow.ConfidenceHigh
		case len(f.Flows) > 1:
			f.Confidence = traceflow.ConfidenceMedium
		default:
			f.Confidence = traceflow.ConfidenceLow
		}
		kept = append(kept, f)
	}
	for _, f := range kept {
		for f.cause != nil && !slices.Contains(kept, f.cause) {
			f.cause = f.cause.cause
		}
	}
	slices.SortStableFunc(kept, func(a, b *finding) int { return cmp.Or(rank(a.Kind)-rank(b.Kind), cmp.Compare(a.TTL, b.TTL)) })
	return kept
}

func rank(k Kind) int { return slices.Index(kinds, k) }

// target is what the report has of it.
func (p *pair) target() Target {
	t := p.before
	if t == nil {
		t = p.after
	}
	out := Target{Name: t.Name, Address: p.destination(), Flows: len(p.flows), LossFloor: 1}
	if p.other.What != "" {
		return out
	}
	for f := range p.flows {
		for ttl := range p.depth(f) {
			if p.compared(f, ttl) {
				out.Cells++
			}
		}
	}
	out.NoiseBefore, out.NoiseAfter = p.noise.share(before), p.noise.share(after)
	out.LossFloor = p.lossFloor()
	return out
}
