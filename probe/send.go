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
		d.Data = appendProbe(d.Data[:0], &t.probe, a.id, o.config.QUIC)
		a.tcpChecksum = segmentChecksum(d.Data, &t.probe.Flow)
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
	a.id = o.identities.next(firstValues(&t.probe, o.config.QUIC), f.taken)
	t.attempts = append(t.attempts, a)
	t.tries++
	f.packets[a.id.tag] = a
	o.remember(a)
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
