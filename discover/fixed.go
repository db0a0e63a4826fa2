// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"traceflow"
)

// Fixed follows a given set of flows, each to its end, and is the seed's way:
// flow by flow, every TTL once, no more flows than asked for.
//
// It takes about two round trips. In the first, one probe with the highest TTL
// (the scout) goes all the way and tells the distance, while every flow
// probes its first hops; in the second, every flow probes the rest, up to that
// distance. Flows that turn out to be longer go on from there.
type Fixed struct {
	Flows            []traceflow.Flow
	FirstTTL, MaxTTL uint8
	// Repeats is how many probes are sent for each flow and TTL; 0 means 1.
	Repeats int
	// Ends is how many probes of each flow are sent to the destination at least, once
	// it has answered: what they lose is packets and not answers of routers; 0 means
	// Repeats.
	Ends int
	// SilentHops is how many TTLs in a row may stay unanswered, beyond the
	// last hop known to exist, before a flow is given up; 0 means
	// DefaultSilentHops.
	SilentHops int
}

// DefaultSilentHops is one more than the four silent routers in a row that an
// MPLS core without TTL propagation or a filtered provider commonly shows.
const DefaultSilentHops = 5

const (
	// firstHops is how many TTLs every flow probes before the distance is
	// known. It is small because beyond the destination they are wasted, and
	// not 1 because two batches in a row cost two round trips.
	firstHops = 3
	// scoutFirst is how long the flows let the scout go ahead, which takes no
	// time to speak of: where time is simulated, who comes first is then not
	// left to the scheduler, and a seed gives one trace.
	scoutFirst = time.Microsecond
	// step is how many TTLs a flow that is longer than the scout's goes on by.
	step = 3
	// headStart is how long the flows wait for the scout when they could go on
	// without it, at the price of probes beyond the destination: longer than
	// nearly every round trip on Earth.
	headStart = 600 * time.Millisecond
	// confirmations is how often the TTL before the destination is probed
	// again when it is silent and the quotes do not tell the distance.
	confirmations = 4
)

// Discover probes until every flow has an end. The error is that of the
// Prober; the result is valid with it, and holds all that was measured.
//
// There must be at least one flow.
func (f Fixed) Discover(ctx context.Context, prober Prober) (Result, error) {
	s := newFixedState(&f)
	// The scout goes on beside the first rounds, and is called back when they
	// no longer need it.
	scoutCtx, recall := context.WithCancel(ctx)
	scouted := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		defer close(scouted)
		scout := traceflow.Probe{Flow: f.Flows[0], TTL: f.MaxTTL, Patient: true}
		exchanges, _ := prober.Probe(scoutCtx, []traceflow.Probe{scout})
		s.add(exchanges)
	})
	time.Sleep(scoutFirst)
	err := s.run(ctx, prober, scouted)
	recall()
	wait.Wait()
	return s.result(err), err
}

// fixedState is the progress of one discovery.
type fixedState struct {
	*Fixed
	flows []flowState

	mu        sync.Mutex // guards what follows: the scout adds to it
	exchanges map[int][]traceflow.Exchange
	back      int  // how many hops the scout's answer seems to have come, or 0
	there     bool // the destination answered the scout
	told      bool // the destination has been seen to quote TTLs that tell the distance
}

// flowState is the progress of one flow.
type flowState struct {
	walk      traceflow.Walk
	next      int  // lowest TTL not probed yet
	doubted   int  // the TTL before the end that was last probed again
	confirmed int  // how often it was
	ended     bool // the rest of Fixed.Ends was sent
}

func newFixedState(f *Fixed) *fixedState {
	s := &fixedState{Fixed: f, exchanges: make(map[int][]traceflow.Exchange)}
	s.FirstTTL = max(1, s.FirstTTL)
	s.Repeats = max(1, s.Repeats)
	if s.SilentHops == 0 {
		s.SilentHops = DefaultSilentHops
	}
	for _, flow := range f.Flows {
		s.flows = append(s.flows, flowState{walk: traceflow.NewWalk(flow, s.FirstTTL, nil), next: int(s.FirstTTL)})
	}
	return s
}

func (s *fixedState) add(exchanges []traceflow.Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range exchanges {
		s.exchanges[e.Flow] = append(s.exchanges[e.Flow], e)
	}
}

func (s *fixedState) run(ctx context.Context, prober Prober, scouted <-chan struct{}) error {
	patience := time.NewTimer(headStart)
	defer patience.Stop()
	first, wait := true, true
	for {
		// Asked first, so that what the scout brought is in the update.
		back := isClosed(scouted)
		s.update()
		probes := s.plan(first, wait && !back)
		if len(probes) == 0 {
			if back || s.allEnded() {
				return nil
			}
			// Only the scout can tell how to go on.
			select {
			case <-scouted:
			case <-patience.C:
				wait = false
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			continue
		}
		first = false
		exchanges, err := prober.Probe(ctx, probes)
		s.add(exchanges)
		if err != nil {
			return err
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// update lines up what every flow has met so far.
func (s *fixedState) update() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.flows {
		f := &s.flows[i]
		f.walk = traceflow.NewWalk(f.walk.Flow, s.FirstTTL, s.exchanges[f.walk.Flow.ID])
	}
	for _, exchanges := range s.exchanges {
		transit := transitOf(exchanges)
		for i := range exchanges {
			e := &exchanges[i]
			s.told = s.told || e.Reply.Address == s.Flows[0].Destination && tells(e, transit)
		}
	}
	for _, e := range s.exchanges[s.Flows[0].ID] {
		s.there = s.there || e.TTL == s.MaxTTL && e.Reply.Kind != traceflow.NoReply && e.Reply.Address == s.Flows[0].Destination
		if e.TTL == s.MaxTTL && e.Reply.TTL != 0 && e.Reply.Terminal(s.Flows[0].Destination) {
			s.back = min(traceflow.ReturnDistance(e.Reply.TTL), int(s.MaxTTL))
		}
	}
}

func (s *fixedState) allEnded() bool {
	return !slices.ContainsFunc(s.flows, func(f flowState) bool { return f.walk.End == traceflow.EndUnknown })
}

func (s *fixedState) anyEnded() bool {
	return slices.ContainsFunc(s.flows, func(f flowState) bool { return f.walk.End != traceflow.EndUnknown })
}

// plan returns what to probe next; nothing when every flow has its end or is
// given up, or when the scout should be heard first.
func (s *fixedState) plan(first, wait bool) []traceflow.Probe {
	s.mu.Lock()
	defer s.mu.Unlock()
	hint := s.hint()
	var probes []traceflow.Probe
	for i := range s.flows {
		f := &s.flows[i]
		upTo := s.reach(f, hint, first, wait)
		for ttl := f.next; ttl <= upTo; ttl++ {
			for range s.Repeats {
				probes = append(probes, traceflow.Probe{Flow: f.walk.Flow, TTL: uint8(ttl)})
			}
		}
		f.next = max(f.next, upTo+1)
		if ttl := s.doubtful(f); ttl > 0 {
			probes = append(probes, traceflow.Probe{Flow: f.walk.Flow, TTL: uint8(ttl)})
			continue
		}
		if f.walk.End == traceflow.EndReached && f.next > f.walk.Distance() && !f.ended {
			f.ended = true
			for range s.Ends - s.Repeats {
				probes = append(probes, traceflow.Probe{Flow: f.walk.Flow, TTL: uint8(f.walk.Distance())})
			}
		}
	}
	return probes
}

// reach returns the highest TTL that a flow should probe now.
func (s *fixedState) reach(f *flowState, hint int, first, wait bool) int {
	limit := int(s.MaxTTL)
	switch {
	case f.walk.End != traceflow.EndUnknown:
		// The end is known; what lies before it has to be probed still.
		return min(f.walk.Distance(), limit)
	case first:
		return min(f.next+firstHops-1, limit)
	case f.next <= hint:
		return min(hint, limit)
	case hint == 0 && wait && f.silence() == 0:
		// The destination is further away than what was probed, and the scout
		// is about to tell how far.
		return f.next - 1
	case f.silence() >= s.SilentHops && (!s.there || s.anyEnded()):
		// Unless the destination is known to be there, and nothing but probing
		// on can tell where.
		return f.next - 1
	case hint > 0:
		return min(f.next+step-1, limit)
	}
	return min(f.next+s.SilentHops-1, limit)
}

// silence counts the unanswered TTLs at the end of what a flow has probed.
func (f *flowState) silence() int {
	if last := f.walk.LastAnswered(); last > 0 {
		return f.next - 1 - last
	}
	return f.next - int(f.walk.First)
}

// hint returns the largest distance that any flow is known to have; where
// none is, how far the scout's answer seems to have come back; or 0.
func (s *fixedState) hint() int {
	hint := 0
	for i := range s.flows {
		if w := &s.flows[i].walk; w.End == traceflow.EndReached || w.End == traceflow.EndUnreachable {
			hint = max(hint, w.Distance())
		}
	}
	if hint == 0 {
		hint = s.back
	}
	return hint
}

// doubtful returns the TTL that has to be probed again before a flow's end
// can be believed, or 0. Where no quote tells the distance and the TTL before
// the first that reached the end is silent, the silence may be a lost reply of
// the end itself.
func (s *fixedState) doubtful(f *flowState) int {
	w := &f.walk
	if w.End != traceflow.EndReached || f.next <= w.Distance() {
		return 0
	}
	reached := 256
	transit := transitOf(s.exchanges[w.Flow.ID])
	var answered [256]bool
	for i := range s.exchanges[w.Flow.ID] {
		e := &s.exchanges[w.Flow.ID][i]
		if e.Reply.Kind == traceflow.NoReply {
			continue
		}
		answered[e.TTL] = true
		if e.Reply.Terminal(w.Flow.Destination) {
			if tells(e, transit) || e.Reply.QuotedTTL == 1 && s.told {
				return 0
			}
			reached = min(reached, int(e.TTL))
		}
	}
	ttl := reached - 1
	if ttl < int(w.First) || answered[ttl] {
		return 0
	}
	if ttl != f.doubted {
		f.doubted, f.confirmed = ttl, 0
	}
	if f.confirmed == confirmations {
		return 0
	}
	f.confirmed++
	return ttl
}

// tells reports whether a quoted TTL is what the distance has left of the one
// sent: routers answered up to TTL transit, so the distance is larger. 1 is
// what an intact one is at the end, but some quote it always.
func tells(e *traceflow.Exchange, transit int) bool {
	q := e.Reply.QuotedTTL
	return q > 1 && q <= e.TTL && int(e.TTL-q)+1 > transit
}

// transitOf returns the largest TTL of a flow that ended at a router.
func transitOf(exchanges []traceflow.Exchange) int {
	transit := 0
	for i := range exchanges {
		if exchanges[i].Reply.Kind == traceflow.TimeExceeded {
			transit = max(transit, int(exchanges[i].TTL))
		}
	}
	return transit
}

func (s *fixedState) result(err error) Result {
	// In the order in which they are stored: whoever reads them makes the same
	// walks of them.
	for _, exchanges := range s.exchanges {
		number(exchanges)
	}
	s.update()
	r := Result{Complete: err == nil, StopReason: traceflow.StopFlowsExhausted}
	if err != nil {
		r.StopReason = traceflow.StopCancelled
	}
	answered, sent := false, 0
	for _, exchanges := range s.exchanges {
		sent += len(exchanges)
	}
	r.Exchanges = make([]traceflow.Exchange, 0, sent)
	for i := range s.flows {
		w := &s.flows[i].walk
		if w.End == traceflow.EndUnknown && err == nil {
			w.End = traceflow.EndSilent
			if s.flows[i].next > int(s.MaxTTL) && s.flows[i].silence() < s.SilentHops {
				w.End = traceflow.EndMaxTTL
			}
		}
		r.Walks = append(r.Walks, *w)
		for _, e := range s.exchanges[w.Flow.ID] {
			answered = answered || e.Reply.Kind != traceflow.NoReply
			r.Exchanges = append(r.Exchanges, e)
		}
	}
	if err == nil && !answered {
		r.StopReason = traceflow.StopNoReply
		if !slices.ContainsFunc(r.Exchanges, func(e traceflow.Exchange) bool { return e.Err == nil }) {
			r.StopReason = traceflow.StopSendFailed
		}
	}
	return r
}

// IsCancelled reports whether an error of Discover is that its context ended,
// as opposed to a wire that broke.
func IsCancelled(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Cause(ctx))
}
