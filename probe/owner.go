// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"

	"traceflow"
)

// linger is how long a finished packet is remembered, so that what still
// comes for it is counted as late or duplicate rather than as a stranger's.
const linger = 10 * time.Second

// maxForged is after how many replies with a wrong identity somebody is taken
// to be guessing: from then on only quotes that hold the whole identity count.
// The 22 bits of a short IPv6 quote would not hold out against a flood.
const maxForged = 64

// owner is the state of an engine. Only the goroutine in run touches it.
type owner struct {
	*Engine
	identities *identities
	pacer      pacer
	flows      map[flowKey]*flowState
	trips      map[netip.Addr]*roundTrips // by destination
	live       map[*request]bool          // requests under way
	queue      []*task                    // to be sent, in order
	waiting    []*attempt                 // in the order sent; finished ones are dropped lazily
	finished   []*attempt                 // in the order finished, to be forgotten
	quiet      []*flowState               // serial flows that wait until no old reply can come
	expiry     time.Time                  // when expire has something to do; zero: nothing waits
	forged     int                        // replies that name a flow of ours with a wrong identity
	batch      []traceflow.Datagram
	inBatch    []*attempt
}

func newOwner(e *Engine) *owner {
	o := &owner{
		Engine:     e,
		identities: newIdentities(e.config.Key),
		flows:      make(map[flowKey]*flowState),
		trips:      make(map[netip.Addr]*roundTrips),
		live:       make(map[*request]bool),
		batch:      make([]traceflow.Datagram, maxBatch),
	}
	if e.config.Rate > 0 {
		o.pacer.gap = time.Duration(float64(time.Second) / e.config.Rate)
	}
	return o
}

func (o *owner) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-o.closing:
			o.failAll(net.ErrClosed)
			return
		case err := <-o.broken:
			o.failAll(err)
			return
		case r := <-o.requests:
			o.accept(r)
		case c := <-o.cancels:
			if o.live[c.request] {
				o.abandon(c.request, c.why)
			}
		case answers := <-o.answers:
			o.match(answers)
		case <-timer.C:
		}
		now := time.Now()
		if err := o.send(now); err != nil {
			o.failAll(err)
			return
		}
		o.expire(now)
		timer.Reset(o.pause(time.Now()))
	}
}

// pause returns how long there is nothing to do.
func (o *owner) pause(now time.Time) time.Duration {
	wake := now.Add(time.Hour)
	if !o.expiry.IsZero() && o.expiry.Before(wake) {
		wake = o.expiry
	}
	if len(o.queue) > 0 && o.pacer.next.Before(wake) {
		wake = o.pacer.next
	}
	return max(0, wake.Sub(now))
}

func (o *owner) accept(r *request) {
	o.live[r] = true
	for _, t := range r.tasks {
		key := keyOf(t.probe.Flow)
		f := o.flows[key]
		if f == nil {
			f = &flowState{key: key, packets: make(map[tag]*attempt)}
			o.flows[key] = f
		}
		t.flow = f
		f.open++
	}
	o.queue = append(o.queue, interleave(r.tasks)...)
}

// finish ends a request whose tasks are all done.
func (o *owner) finish(r *request, err error) {
	delete(o.live, r)
	r.result <- err
}

// abandon ends a request early: what was sent stays in its result, without
// the replies that had not come.
func (o *owner) abandon(r *request, err error) {
	for _, t := range r.tasks {
		if !t.done {
			t.done = true
			t.flow.open--
			for _, a := range t.attempts {
				a.abandoned = a.state == waitingState && !a.overdue
			}
			o.giveUp(t.attempts)
		}
	}
	// Those that the serial flows had sent on their way make room for others'.
	var stopped []*flowState
	o.queue = slices.DeleteFunc(o.queue, func(t *task) bool {
		if t.done {
			stopped = append(stopped, t.flow)
		}
		return t.done
	})
	for _, f := range stopped {
		o.release(f)
	}
	for _, t := range r.tasks {
		o.forgetFlow(t.flow)
	}
	o.finish(r, err)
}

func (o *owner) failAll(err error) {
	o.why = err
	for r := range o.live {
		o.abandon(r, err)
	}
}

// send sends what the rate allows, at most one batch. It returns an error when
// nothing can be sent any more.
func (o *owner) send(now time.Time) error {
	room := o.pacer.allowed(now, maxBatch)
	o.inBatch = o.inBatch[:0]
	for len(o.queue) > 0 && len(o.inBatch) < room {
		t := o.queue[0]
		o.queue[0] = nil
		o.queue = o.queue[1:]
		if t.done {
			// Its retry was on the way out when the reply came after all.
			o.release(t.flow)
			continue
		}
		if t.flow.serial && !o.turn(t, now) {
			t.flow.held = append(t.flow.held, t)
			continue
		}
		a := o.newAttempt(t)
		d := &o.batch[len(o.inBatch)]
		d.Data = appendUDP(d.Data[:0], &t.probe, a.id)
		o.inBatch = append(o.inBatch, a)
	}
	o.pacer.spend(len(o.inBatch))

	for from := 0; from < len(o.inBatch); {
		sent, err := o.wire.Send(o.batch[from:len(o.inBatch)])
		for i := from; i < from+sent; i++ {
			o.sent(o.inBatch[i], o.batch[i].Time)
		}
		from += sent
		switch {
		case from == len(o.inBatch):
		case errors.Is(err, net.ErrClosed):
			for _, a := range o.inBatch[from:] {
				a.err = err
			}
			return err
		case err == nil && sent > 0: // a short count without a reason: go on
		default:
			if err == nil {
				err = io.ErrNoProgress
			}
			o.sendFailed(o.inBatch[from], err)
			from++
		}
	}
	return nil
}

// turn reports whether a task of a serial flow may be sent: nothing else of
// the flow is in flight, and no reply to another task's packet can still come.
func (o *owner) turn(t *task, now time.Time) bool {
	f := t.flow
	if f.waiting > 0 {
		return false
	}
	f.layGhosts(now)
	if !f.haunted(t) {
		return true
	}
	if !slices.Contains(o.quiet, f) {
		o.quiet = append(o.quiet, f)
	}
	o.wakeAt(f.ghosts[0].until)
	return false
}

// release sends the next task of a serial flow on its way.
func (o *owner) release(f *flowState) {
	for f.waiting == 0 && len(f.held) > 0 {
		next := f.held[0]
		f.held = f.held[1:]
		if !next.done {
			o.queue = append(o.queue, next)
			return
		}
	}
}

// newAttempt registers a packet as outstanding, before it is sent: its reply
// can be faster than the next line.
func (o *owner) newAttempt(t *task) *attempt {
	f := t.flow
	a := &attempt{task: t, number: len(t.attempts) + 1}
	a.id = o.identities.next(firstValues(t.probe.Flow), func(g tag) bool { return f.packets[g] != nil })
	t.attempts = append(t.attempts, a)
	t.tries++
	f.packets[a.id.tag] = a
	f.waiting++
	return a
}

func (o *owner) sent(a *attempt, at time.Time) {
	a.sent = at
	o.waiting = append(o.waiting, a)
	o.wakeAt(at.Add(o.patience(a)))
	o.count(func(s *traceflow.Stats) {
		s.Probes++
		if a.number > 1 {
			s.Retries++
		}
	})
}

func (o *owner) sendFailed(a *attempt, err error) {
	a.err = err
	o.giveUp(a.task.attempts)
	o.count(func(s *traceflow.Stats) { s.SendErrors++ })
	o.done(a.task)
}

// patience returns how long an attempt is waited for.
func (o *owner) patience(a *attempt) time.Duration {
	t := a.task
	if t.probe.Patient && t.tries > o.config.Retries {
		return o.config.Timeout
	}
	return o.tripsTo(t.probe.Flow.Destination).wait(t.probe.TTL, o.config.Timeout)
}

func (o *owner) tripsTo(destination netip.Addr) *roundTrips {
	trips := o.trips[destination]
	if trips == nil {
		trips = new(roundTrips)
		o.trips[destination] = trips
	}
	return trips
}

func (o *owner) wakeAt(t time.Time) {
	if o.expiry.IsZero() || t.Before(o.expiry) {
		o.expiry = t
	}
}

// match credits answers to the packets that they answer, and counts the rest.
func (o *owner) match(answers []answer) {
	var unmatched, foreign, late, duplicates int
	for i := range answers {
		a := &answers[i]
		f := o.flows[a.flow]
		if f == nil {
			unmatched++
			foreign++
			continue
		}
		p := f.find(a, o.caps.QuotedHeader)
		switch {
		case a.hasCookie:
		case o.forged >= maxForged:
			p = nil
		case !o.caps.QuotedHeader:
			if p = o.attribute(f, a); p == nil {
				continue
			}
			a.reply.Unverified = true
		}
		switch {
		case p == nil || p.task.flow.key != a.flow:
			unmatched++
			o.forged++
		case p.state == waitingState:
			o.answered(p, a)
		case p.state == answeredState:
			duplicates++
		default:
			late++
			f.layGhost(p)
		}
	}
	if unmatched+late+duplicates > 0 {
		o.count(func(s *traceflow.Stats) {
			s.Unmatched += unmatched
			s.Foreign += foreign
			s.Late += late
			s.Duplicates += duplicates
		})
	}
}

// answered records the reply to a packet. Earlier attempts of the same probe
// are given up: they have had at least a whole timeout. Later ones, sent
// because this reply was slow, keep theirs.
func (o *owner) answered(a *attempt, by *answer) {
	a.reply = by.reply
	a.reply.RTT = max(0, by.at.Sub(a.sent))
	if !o.caps.QuotedHeader {
		a.reply.QuotedTTL, a.reply.QuotedTOS = 0, 0
	}
	t := a.task
	o.giveUp(t.attempts[:a.number-1])
	if !o.caps.QuotedHeader && !by.hasCookie && len(t.flow.ghosts) > 0 {
		// It may have been an earlier attempt's, and this one's is to come.
		t.flow.ghosts = t.flow.ghosts[1:]
		t.flow.haunt(a, a.sent.Add(o.config.Timeout))
	}
	o.retire(a, answeredState)
	o.count(func(s *traceflow.Stats) { s.Replies++ })
	// Where a reply names no packet, one to a retry may be the first attempt's
	// and its round trip too short; nothing is to be learned from it (as from
	// TCP's, RFC 6298, section 3).
	certain := o.caps.QuotedHeader || by.hasCookie || a.number == 1
	if certain && o.tripsTo(t.probe.Flow.Destination).add(t.probe.TTL, a.reply.RTT) {
		// Timeouts may have become shorter: look at all that wait.
		o.expiry = time.Now()
	}
	if !t.has(waitingState) {
		o.done(t)
	}
	if t.flow.unattributed > 0 {
		o.settle(t.flow)
	}
}

// giveUp retires those of the attempts that still wait.
func (o *owner) giveUp(attempts []*attempt) {
	for _, a := range attempts {
		if a.state == waitingState {
			o.retire(a, goneState)
		}
	}
}

// attribute finds the packet that a reply answers which names only the flow:
// the only one that could still be answered. With more than one, the reply
// says nothing but that this flow must go on with one at a time.
//
// A reply that came before that packet was sent is none to it.
func (o *owner) attribute(f *flowState, by *answer) *attempt {
	var waiting []*attempt
	for _, p := range f.packets {
		if p.state == waitingState {
			waiting = append(waiting, p)
		}
	}
	f.layGhosts(time.Now())
	if len(waiting) == 0 {
		o.count(func(s *traceflow.Stats) { s.Late++ })
		// Nobody knows whose it was; the oldest is the first to have gone anyway.
		f.ghosts = f.ghosts[min(1, len(f.ghosts)):]
		if len(f.ghosts) == 0 {
			o.release(f)
		}
		return nil
	}
	// Several attempts at one probe differ in nothing but the round trip; the
	// last one is credited.
	last := slices.MaxFunc(waiting, func(a, b *attempt) int { return a.number - b.number })
	if f.unattributed == 0 && !f.haunted(last.task) &&
		!slices.ContainsFunc(waiting, func(a *attempt) bool { return a.task != last.task }) {
		if by.at.Before(last.sent) {
			o.count(func(s *traceflow.Stats) { s.Unmatched++ })
			return nil
		}
		return last
	}
	f.serial = true
	f.unattributed++
	o.count(func(s *traceflow.Stats) { s.Unattributed++ })
	if from := by.reply.Address; !slices.Contains(f.voices, from) {
		f.voices = append(f.voices, from)
	}
	o.settle(f)
	return nil
}

// settle takes back the packets of a flow of which nobody knows whose replies
// have come, once there is no more to wait for: as many have replied as packets
// are outstanding. Two replies from one address may be one and its duplicate.
func (o *owner) settle(f *flowState) {
	all := len(f.voices) >= f.waiting+len(f.ghosts)
	for _, p := range f.packets {
		// An overdue packet has no timeout but its retry's, which from now on
		// would wait until the packet is out of the way.
		if p.state == waitingState && (all || p.overdue) {
			o.discard(p)
		}
	}
	if all {
		f.ghosts = nil
	}
}

// discard takes back a packet whose reply cannot be told from another's, and
// sends its probe again without counting the attempt.
func (o *owner) discard(a *attempt) {
	t := a.task
	t.tries--
	o.retire(a, discardedState)
	switch {
	case t.has(waitingState):
	case t.has(answeredState):
		o.done(t)
	case slices.Contains(o.queue, t) || slices.Contains(t.flow.held, t):
		// Its retry is already on the way out.
	default:
		o.queue = append(o.queue, t)
	}
}

// expire gives up on packets whose time has passed, and forgets old ones.
func (o *owner) expire(now time.Time) {
	if o.expiry.IsZero() || now.Before(o.expiry) {
		return
	}
	o.expiry = time.Time{}
	waiting := o.waiting[:0]
	// What times out may queue retries, never new packets in o.waiting.
	for _, a := range o.waiting {
		if a.state != waitingState || a.overdue {
			continue
		}
		deadline := a.sent.Add(o.patience(a))
		if now.Before(deadline) {
			waiting = append(waiting, a)
			o.wakeAt(deadline)
			continue
		}
		o.timedOut(a)
	}
	clear(o.waiting[len(waiting):])
	o.waiting = waiting
	o.quiet = slices.DeleteFunc(o.quiet, func(f *flowState) bool {
		if f.layGhosts(now); len(f.ghosts) > 0 {
			o.wakeAt(f.ghosts[0].until)
			return false
		}
		o.release(f)
		return true
	})
	o.forget(now)
}

func (o *owner) timedOut(a *attempt) {
	t := a.task
	switch {
	case t.flow.unattributed > 0:
		o.discard(a)
	case t.has(answeredState) || t.tries > o.config.Retries:
		o.giveUp(t.attempts)
		o.done(t)
	default:
		a.overdue = true
		if t.flow.serial {
			// One in flight: the retry must be the only one that counts.
			o.retire(a, goneState)
		}
		o.queue = append(o.queue, t)
	}
}

// retire takes a packet out of flight.
func (o *owner) retire(a *attempt, state attemptState) {
	f := a.task.flow
	a.state = state
	f.waiting--
	o.finished = append(o.finished, a)
	if !o.caps.QuotedHeader && state != answeredState && !a.sent.IsZero() {
		f.haunt(a, a.sent.Add(o.config.Timeout))
	}
	if o.config.Observe != nil && state != discardedState {
		o.config.Observe(a.exchange())
	}
	if f.waiting == 0 {
		f.unattributed, f.voices = 0, nil
		o.release(f)
	}
}

func (o *owner) done(t *task) {
	if t.done {
		return
	}
	t.done = true
	t.flow.open--
	t.request.open--
	if t.request.open == 0 {
		o.finish(t.request, nil)
	}
}

// forget drops packets that finished long ago, and flows that have none left.
func (o *owner) forget(now time.Time) {
	n := 0
	for _, a := range o.finished {
		if now.Sub(a.sent) < max(linger, o.config.Timeout) {
			break
		}
		n++
		f := a.task.flow
		delete(f.packets, a.id.tag)
		o.forgetFlow(f)
	}
	clear(o.finished[:n])
	o.finished = o.finished[n:]
}

func (o *owner) forgetFlow(f *flowState) {
	if len(f.packets) == 0 && f.open == 0 && o.flows[f.key] == f {
		delete(o.flows, f.key)
	}
}
