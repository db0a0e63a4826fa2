// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"slices"
	"time"

	"traceflow"
)

// maxForged is after how many replies with a wrong identity somebody is taken
// to be guessing: from then on only quotes that hold the whole identity count.
// The 22 bits of a short IPv6 quote would not hold out against a flood.
const maxForged = 64

// match credits answers to the packets that they answer, and counts the rest.
func (o *owner) match(answers []answer) {
	var unmatched, foreign, late, duplicates int
	count := func(p *attempt, a *answer) {
		switch p.state {
		case waitingState:
			o.answered(p, a)
		case answeredState:
			duplicates++
		default:
			late++
			o.learn(p, a)
			p.task.flow.layGhost(p)
		}
	}
	give := func(credits []credit) {
		for i := range credits {
			count(credits[i].to, &credits[i].by)
		}
	}
	for i := range answers {
		a := &answers[i]
		f := o.flows[a.flow]
		if f == nil {
			credits, pending := o.stray(a)
			give(credits)
			// What quotes nothing is other programs' traffic.
			if n := unclaimed(credits); a.reply.Kind.Quotes() {
				unmatched += n
				foreign += n
				if n > 0 && !pending && !a.hasCookie && o.trips[a.flow.destination] != nil {
					o.strangers++
				}
			}
			continue
		}
		p := f.find(a)
		switch {
		case a.hasCookie || a.flow.protocol == traceflow.ProtocolTCP:
		case o.forged >= maxForged:
			p = nil
		case !a.named():
			if p = o.attribute(f, a); p == nil {
				continue
			}
			a.reply.Unverified = true
		case p == nil:
			if credits, pending := f.translated(a); pending || credits != nil {
				give(credits)
				unmatched += unclaimed(credits)
				continue
			}
		}
		if p == nil {
			unmatched++
			o.forged++
			continue
		}
		count(p, a)
	}
	if unmatched != 0 || late+duplicates > 0 {
		o.count(func(s *traceflow.Stats) {
			s.Unmatched += unmatched
			s.Foreign += foreign
			s.Late += late
			s.Duplicates += duplicates
		})
	}
}

// unclaimed returns how many replies more than before an answer leaves that
// nobody has claimed: 1 if it is credited to nobody, -1 if it has confirmed the
// one before.
func unclaimed(credits []credit) int { return 1 - len(credits) }

// answered records the reply to a packet. Earlier attempts of the same probe
// are given up: they have had at least a whole timeout. Later ones, sent
// because this reply was slow, keep theirs.
func (o *owner) answered(a *attempt, by *answer) {
	a.reply = by.reply
	a.reply.RTT = max(0, by.at.Sub(a.sent))
	a.reply.Quote = a.compare(by)
	t := a.task
	o.giveUp(t.attempts[:a.number-1])
	if !by.named() && len(t.flow.ghosts) > 0 {
		// It may have been an earlier attempt's, and this one's is to come.
		t.flow.ghosts = t.flow.ghosts[1:]
		t.flow.haunt(a, a.sent.Add(o.config.Timeout))
	}
	o.retire(a, answeredState)
	o.count(func(s *traceflow.Stats) { s.Replies++ })
	// Where a reply names no packet, one to a retry may be the first attempt's
	// and its round trip too short; nothing is to be learned from it (as from
	// TCP's, RFC 6298, section 3).
	certain := by.named() || a.number == 1
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

// learn takes from a reply that came too late how long such replies take, so
// that the next are waited for: a path may have become slower.
func (o *owner) learn(a *attempt, by *answer) {
	if rtt := by.at.Sub(a.sent); !a.sent.IsZero() && by.named() && rtt <= o.config.Timeout {
		o.tripsTo(a.task.probe.Flow.Destination).add(a.task.probe.TTL, rtt)
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
	f.serial, f.nameless = true, true
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
