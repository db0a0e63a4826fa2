// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"context"
	"errors"
	"slices"
	"time"

	"traceflow"
)

// Adaptive follows as many flows as it takes to have seen every link at a
// stated confidence.
//
// It works in rounds of one round trip, all TTLs at once. One set of flows is
// shared by all TTLs. After each round, every test that the statement rests on
// (see hoppair.go and node.go) says how many more flows it needs answered and
// where; what is silent, limited or beyond the destination is left alone.
type Adaptive struct {
	// Flows are used in order. For the statement to hold for every kind of
	// hash they have to be in random order; see RandomPorts.
	Flows            FlowMapper
	FirstTTL, MaxTTL uint8
	// Confidence is that of the whole map, 0.5 to 0.9999.
	Confidence float64
	// PerNode makes the statement hold for each node (--guarantee node), as
	// the MDA does, rather than for each pair of neighbouring TTLs.
	PerNode bool
	// PairAlpha, if not 0, is the chance of a miss allowed for each single
	// test, instead of the one that follows from Confidence. For tests.
	PairAlpha float64
	// MaxProbes bounds the packets sent; 0 is DefaultMaxProbes.
	MaxProbes int
	// TimeLimit bounds the time taken; 0 is DefaultTimeLimit.
	TimeLimit time.Duration
	// Axis is what tells the Flows apart; it decides how balancers are told
	// apart. The zero value is VarySourcePort.
	Axis Axis
	// Retries is how often a flow is asked again at a TTL where it was silent, if
	// an answer would change anything. 0 is none.
	Retries int
	// SkipBalancers leaves out the repeats that tell kinds of balancers apart.
	SkipBalancers bool
}

const (
	// DefaultMaxProbes is enough for hops about 1,000 wide.
	DefaultMaxProbes = 30_000
	// DefaultTimeLimit leaves a router that answers once a second the time to
	// answer for a dozen flows more than its burst.
	DefaultTimeLimit = 30 * time.Second
	// scoutTries is how often the scout is sent.
	scoutTries = 3
	// deafAfter is after how many packets without any answer a TTL is taken to
	// be silent for every flow.
	deafAfter = 9
)

// errStopped ends the rounds for a reason of the algorithm's own.
var errStopped = errors.New("stopped")

// adaptive is the progress of one discovery.
type adaptive struct {
	*Adaptive
	*table
	prober  Prober
	upTo    int // highest TTL that is probed
	back    int // how far the scout's answer seems to have come back, or 0
	windows []window
	sent    int
	// reserved is how many packets the scout may still send.
	reserved int
	started  time.Time
	reason   traceflow.StopReason

	unseen   map[int]bool      // TTLs at which a node has no witness yet
	probes   []traceflow.Probe // of the round being planned
	planned  map[[2]int]bool   // row and TTL of these
	classify classifier
}

// Discover probes until the statement can be made or a limit is reached. The
// error is that of the Prober; the result is valid with it, and holds all that
// was measured.
func (a Adaptive) Discover(ctx context.Context, prober Prober) (Result, error) {
	a.FirstTTL = max(1, a.FirstTTL)
	if a.MaxProbes == 0 {
		a.MaxProbes = DefaultMaxProbes
	}
	if a.TimeLimit == 0 {
		a.TimeLimit = DefaultTimeLimit
	}
	s := &adaptive{
		Adaptive: &a, table: newTable(a.Flows, int(a.FirstTTL), int(a.MaxTTL)), prober: prober,
		upTo: min(int(a.FirstTTL)+firstHops-1, int(a.MaxTTL)), windows: newWindows(int(a.MaxTTL) + 2),
		started: time.Now(), reason: traceflow.StopConfident, planned: make(map[[2]int]bool),
	}
	s.classify.init(s)
	err := s.run(ctx)
	return s.result(err), err
}

// plan fills s.probes with the next round.
func (s *adaptive) plan() {
	s.probes = s.probes[:0]
	clear(s.planned)
	now := time.Now()
	for ttl := s.first; ttl <= s.upTo; ttl++ {
		s.windows[ttl].refill(now, len(s.columns[ttl].counts))
	}
	if s.sent >= s.MaxProbes {
		s.reason = traceflow.StopProbeBudget
		return
	}
	s.control()
	s.locate()
	s.witness()
	if s.PerNode {
		s.planNodes()
	} else {
		s.planPairs()
	}
}

// result puts together what was found out.
func (s *adaptive) result(err error) Result {
	s.update()
	r := Result{Complete: err == nil, StopReason: s.reason, Balancers: s.classify.found, Changes: s.classify.changes}
	answered := false
	for _, row := range s.rows {
		if len(row.exchanges) == 0 {
			continue
		}
		w := row.walk
		if w.End == traceflow.EndUnknown && err == nil && s.upTo >= int(s.MaxTTL) && s.goesOn(int(s.MaxTTL)) {
			w.End = traceflow.EndMaxTTL
		}
		answered = answered || w.LastAnswered() > 0
		r.Walks = append(r.Walks, w)
		r.Exchanges = append(r.Exchanges, number(row.exchanges)...)
	}
	tests := s.tests()
	if s.PerNode {
		tests = s.nodeTests()
	}
	r.Guarantee = s.statement(tests, s.Confidence)
	for ttl := s.first; ttl <= s.upTo; ttl++ {
		// A link that no flow was answered on both ends of is not on the map.
		if s.unseen[ttl] && !slices.ContainsFunc(r.Guarantee.Short, func(h traceflow.HopShare) bool { return int(h.TTL) == ttl }) {
			r.Guarantee.Short = append(r.Guarantee.Short, traceflow.HopShare{TTL: uint8(ttl), MinShare: 1})
		}
	}
	for ttl := range s.windows {
		if s.windows[ttl].limited {
			r.Guarantee.RateLimited = append(r.Guarantee.RateLimited, uint8(ttl))
		}
	}
	traceflow.InferHops(r.Walks, r.Exchanges, &r.Guarantee)
	if err == nil {
		for i := range r.Walks {
			if w := &r.Walks[i]; w.End == traceflow.EndUnknown && !s.anyEnd() && s.reason == traceflow.StopConfident {
				w.End = traceflow.EndSilent
			}
		}
	}
	switch {
	case err != nil:
		r.StopReason = traceflow.StopCancelled
	case !answered:
		r.StopReason = traceflow.StopNoReply
	case r.StopReason == traceflow.StopConfident && len(r.Guarantee.Short) > 0 && s.PairAlpha == 0:
		r.StopReason = traceflow.StopLimited
	}
	return r
}
