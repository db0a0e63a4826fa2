// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"slices"
	"time"
)

// linger is how long a finished packet is remembered, so that what still
// comes for it is counted as late or duplicate rather than as a stranger's.
const linger = 10 * time.Second

const (
	// punctual is how late timers are on a host that is not too busy.
	punctual = time.Millisecond
	// reprieve is how long replies have to be handed over that came while the
	// host was too busy to look.
	reprieve = 20 * time.Millisecond
)

func (o *owner) wakeAt(t time.Time) {
	if o.expiry.IsZero() || t.Before(o.expiry) {
		o.expiry = t
	}
}

// expire gives up on packets whose time has passed, and forgets old ones.
func (o *owner) expire(now time.Time) {
	if o.expiry.IsZero() || now.Before(o.expiry) {
		return
	}
	if now.Sub(o.expiry) > punctual && !o.spared {
		// This host was late, and the replies may not be: they are still with the
		// receiver, or the kernel. What it did not read is no loss of the network's.
		o.expiry, o.spared = now.Add(reprieve), true
		return
	}
	o.expiry, o.spared = time.Time{}, false
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
	if f.nameless && state != answeredState && !a.sent.IsZero() {
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
		o.forgetStray(a)
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
