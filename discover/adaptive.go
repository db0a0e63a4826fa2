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
	started time.Time
	reason  traceflow.StopReason

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

// scout is the probe that goes all the way and tells the distance.
type scout struct {
	answers chan []traceflow.Exchange // closed when there are no more tries
	pending bool
}

func (s *adaptive) run(ctx context.Context) error {
	first := s.row(0)
	if first == nil {
		return nil
	}
	// The scout goes on beside the rounds, and is called back when they no
	// longer need it.
	scoutCtx, recall := context.WithCancel(ctx)
	sc := &scout{answers: make(chan []traceflow.Exchange, scoutTries), pending: true}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(sc.answers)
		for try := range scoutTries {
			p := traceflow.Probe{Flow: first.flow, TTL: s.MaxTTL, Patient: try == scoutTries-1}
			exchanges, err := s.prober.Probe(scoutCtx, []traceflow.Probe{p})
			sc.answers <- exchanges
			if err != nil || len(exchanges) == 0 || exchanges[len(exchanges)-1].Reply.Kind.Answered() {
				return
			}
		}
	}()
	err := s.rounds(ctx, sc)
	recall()
	<-done
	for exchanges := range sc.answers {
		s.take(exchanges)
	}
	s.update()
	if errors.Is(err, errStopped) {
		err = nil
	}
	return err
}

// hear takes in what the scout has sent so far, without waiting.
func (s *adaptive) hear(sc *scout) {
	for sc.pending {
		select {
		case exchanges, ok := <-sc.answers:
			sc.pending = ok
			s.take(exchanges)
		default:
			return
		}
	}
}

func (s *adaptive) take(exchanges []traceflow.Exchange) {
	s.add(exchanges)
	for i := range exchanges {
		e := &exchanges[i]
		if e.Err == nil {
			s.sent++
		}
		if e.TTL == s.MaxTTL && e.Reply.TTL != 0 && e.Reply.Terminal(s.rows[0].flow.Destination) {
			s.back = min(traceflow.ReturnDistance(e.Reply.TTL), int(s.MaxTTL))
		}
	}
}

func (s *adaptive) rounds(ctx context.Context, sc *scout) error {
	for {
		s.hear(sc)
		s.update()
		wait := s.grow(sc.pending)
		s.plan()
		if len(s.probes) > 0 {
			s.classify.add(s, false)
			if err := s.round(ctx); err != nil {
				return err
			}
			continue
		}
		// Nothing to send now. What may change that: a rate limit that has
		// recovered, the scout, or the time that the flows wait for it.
		pause := s.recovery()
		if !wait && pause == 0 && !(sc.pending && !s.anyEnd()) {
			more, err := s.classify.round(ctx, s)
			if more && err == nil {
				continue
			}
			return err
		}
		if wait && (pause == 0 || headStart < pause) {
			pause = headStart
		}
		if err := s.sleep(ctx, sc, pause); err != nil {
			return err
		}
	}
}

// round sends what was planned and accounts for it.
func (s *adaptive) round(ctx context.Context) error {
	exchanges, err := s.prober.Probe(ctx, s.probes)
	s.take(exchanges)
	for i := range s.windows {
		s.windows[i].open()
	}
	for i := range exchanges {
		e := &exchanges[i]
		w := &s.windows[e.TTL]
		if w.suspect && s.rows[e.Flow-1].cells[e.TTL] >= 0 {
			w.controls++
			if e.Reply.Kind.Answered() {
				w.controlsAnswered++
			}
			continue
		}
		if !w.limited && s.rows[e.Flow-1].tries[e.TTL] > 1 {
			// Asked again because it was silent: its silence is no news.
			continue
		}
		w.asked++
		if e.Reply.Kind.Answered() {
			w.answered++
		}
	}
	s.classify.judge(exchanges)
	now := time.Now()
	for i := range s.windows {
		s.windows[i].close(now)
	}
	switch {
	case err != nil:
		return err
	case time.Since(s.started) > s.TimeLimit:
		s.reason = traceflow.StopTimeLimit
		return errStopped
	}
	return nil
}

// sleep waits for the scout, or for a while; 0 is as long as the scout takes.
func (s *adaptive) sleep(ctx context.Context, sc *scout, pause time.Duration) error {
	left := s.TimeLimit - time.Since(s.started)
	if left <= 0 || pause > left {
		s.reason = traceflow.StopTimeLimit
		return errStopped
	}
	if pause == 0 {
		pause = left
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	answers := sc.answers
	if !sc.pending {
		answers = nil
	}
	select {
	case exchanges, ok := <-answers:
		sc.pending = ok
		s.take(exchanges)
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// anyEnd reports whether the end of any flow is known.
func (s *adaptive) anyEnd() bool { return s.extent() > 0 }

// extent returns the largest distance of a flow whose end is known, or 0.
func (s *adaptive) extent() int {
	extent := 0
	for _, r := range s.rows {
		if r.ended() {
			extent = max(extent, r.walk.Distance())
		}
	}
	return extent
}

// grow extends how far is probed, and reports whether the flows should rather
// wait for the scout to tell.
func (s *adaptive) grow(scoutPending bool) (wait bool) {
	highest := int(s.MaxTTL)
	hint := s.extent()
	if hint == 0 {
		hint = s.back
	}
	if hint > 0 {
		s.upTo = min(max(s.upTo, hint), highest)
		// Whoever was answered by a router at the last TTL goes on.
		for s.upTo < highest && s.goesOn(s.upTo) {
			s.upTo = min(s.upTo+step, highest)
		}
		return false
	}
	last := s.first - 1
	for ttl := s.first; ttl <= s.upTo; ttl++ {
		if len(s.columns[ttl].counts) > 0 {
			last = ttl
		}
	}
	if last == s.upTo && scoutPending && time.Since(s.started) < headStart {
		return true
	}
	for ttl := last + 1; ttl <= s.upTo; ttl++ {
		if !s.deaf(ttl) {
			return false // let it be asked first
		}
	}
	s.upTo = min(max(s.upTo, last+DefaultSilentHops), highest)
	return false
}

// goesOn reports whether a flow was answered at a TTL by a router and its end
// is not known.
func (s *adaptive) goesOn(ttl int) bool {
	for _, r := range s.rows {
		if r.cells[ttl] >= 0 && !r.ended() {
			return true
		}
	}
	return false
}

// deaf reports whether a TTL has been asked often enough without any answer.
func (s *adaptive) deaf(ttl int) bool {
	if s.columns[ttl].known > s.columns[ttl].over {
		return false
	}
	tries := 0
	for _, r := range s.rows {
		if r.cells[ttl] == silent {
			tries += int(r.tries[ttl])
		}
	}
	return tries >= deafAfter
}

// ask plans a probe of a row at a TTL, if the TTL's window and the budget
// allow it.
func (s *adaptive) ask(index, ttl int) bool { return s.askTimes(index, ttl, s.Retries) }

// witnessTries is how much oftener a flow is asked that alone can witness a
// link: what it would answer decides whether the link is on the map.
const witnessTries = 3

// askTimes is ask with another number of retries.
func (s *adaptive) askTimes(index, ttl, retries int) bool {
	r := s.rows[index]
	if s.planned[[2]int{index, ttl}] || int(r.tries[ttl]) > retries && !s.windows[ttl].limited {
		return false
	}
	if s.windows[ttl].left <= 0 || s.sent+len(s.probes) >= s.MaxProbes {
		return false
	}
	s.windows[ttl].left--
	s.planned[[2]int{index, ttl}] = true
	if !s.windows[ttl].limited {
		r.tries[ttl]++
	} else {
		// Under a rate limit silence says nothing about the flow.
		r.tries[ttl] = 1
	}
	r.stale = true
	s.probes = append(s.probes, traceflow.Probe{Flow: r.flow, TTL: uint8(ttl)})
	return true
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

// controls is how many flows are asked again where a rate limit is suspected.
const controls = 2

// control asks flows again that were answered, at the TTLs that are suspected
// of a rate limit, and nothing else there until that is settled.
func (s *adaptive) control() {
	for ttl := s.first; ttl <= s.upTo; ttl++ {
		w := &s.windows[ttl]
		if !w.suspect {
			continue
		}
		w.left, w.wanted = 0, true
		n := 0
		for _, r := range s.rows {
			if r.cells[ttl] >= 0 && n < controls && !(r.ended() && r.walk.Distance() < ttl) {
				s.probes = append(s.probes, traceflow.Probe{Flow: r.flow, TTL: uint8(ttl)})
				n++
			}
		}
		w.suspect = n > 0
	}
}

// locate goes on with flows that reached the end in a way that does not tell
// where it is: with one TTL more if quotes are seen, because the quote then
// tells, and otherwise with one TTL less.
func (s *adaptive) locate() {
	for i, r := range s.rows {
		if r.ended() || i == 0 && s.back == 0 && len(r.exchanges) == 0 {
			continue
		}
		lowest, quoted := 0, false
		for j := range r.exchanges {
			e := &r.exchanges[j]
			if e.Reply.Terminal(r.flow.Destination) && (lowest == 0 || int(e.TTL) < lowest) && int(e.TTL) < int(s.MaxTTL) {
				lowest, quoted = int(e.TTL), e.Reply.QuotedTTL > 0
			}
		}
		switch {
		case lowest == 0:
		case quoted && lowest+1 < int(s.MaxTTL) && r.tries[lowest+1] == 0:
			s.ask(i, lowest+1)
		case lowest > s.first:
			s.ask(i, lowest-1)
		}
	}
}

// witness sees to it that every node has a neighbour on both sides that one
// and the same flow was answered by: a link is never drawn otherwise.
func (s *adaptive) witness() {
	s.unseen = make(map[int]bool)
	for ttl := s.first; ttl < s.upTo; ttl++ {
		if s.deaf(ttl) || s.deaf(ttl+1) {
			continue
		}
		s.witnessSide(ttl, ttl+1)
		s.witnessSide(ttl+1, ttl)
	}
}

// witnessSide asks at TTL there, for each node at TTL here that no flow joins
// to anything there, one flow that is known to pass the node.
func (s *adaptive) witnessSide(here, there int) {
	need := make([]bool, len(s.columns[here].counts))
	missing := 0
	for n, count := range s.columns[here].counts {
		if count > 0 {
			need[n] = true
			missing++
		}
	}
	for _, r := range s.rows {
		if n := r.cells[here]; n >= 0 && need[n] && (r.cells[there] >= 0 || r.cells[there] == over || s.planned[[2]int{r.flow.ID - 1, there}]) {
			need[n] = false
			missing--
		}
	}
	for i := 0; i < len(s.rows) && missing > 0; i++ {
		r := s.rows[i]
		if n := r.cells[here]; n >= 0 && need[n] && s.askTimes(i, there, s.Retries+witnessTries) {
			need[n] = false
			missing--
		}
	}
	if missing > 0 {
		s.windows[there].wanted = true
		s.unseen[max(here, there)] = true
	}
}

// recovery returns after what time a limited TTL that a test still needs can
// be asked again; 0 if there is none.
func (s *adaptive) recovery() time.Duration {
	now := time.Now()
	var soonest time.Duration
	for ttl := s.first; ttl <= s.upTo; ttl++ {
		w := &s.windows[ttl]
		if !w.limited || !w.wanted || w.exhausted() {
			continue
		}
		if d := w.next.Sub(now); d > 0 && (soonest == 0 || d < soonest) {
			soonest = d
		}
	}
	return soonest
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
	r.Guarantee = s.statement(s.Confidence)
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
	traceflow.InferHops(r.Walks, r.Exchanges, r.Guarantee.RateLimited)
	if err == nil {
		for i := range r.Walks {
			if w := &r.Walks[i]; w.End == traceflow.EndUnknown && !s.anyEnd() {
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
