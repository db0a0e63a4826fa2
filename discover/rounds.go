// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"context"
	"errors"
	"time"

	"traceflow"
)

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
	// Its packets that are not accounted for yet count against the budget.
	s.reserved = scoutTries
	time.Sleep(scoutFirst)
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
			s.heard(sc, exchanges, ok)
		default:
			return
		}
	}
}

// heard takes in one try of the scout, or that there are no more.
func (s *adaptive) heard(sc *scout, exchanges []traceflow.Exchange, more bool) {
	if sc.pending = more; !more {
		s.reserved = 0
		return
	}
	s.reserved--
	s.take(exchanges)
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
		if !wait && pause == 0 && (!sc.pending || s.anyEnd()) {
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
		s.heard(sc, exchanges, ok)
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
