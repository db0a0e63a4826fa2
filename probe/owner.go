// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"net"
	"net/netip"
	"slices"
	"time"

	"traceflow"
)

// owner is the state of an engine. Only the goroutine in run touches it.
type owner struct {
	*Engine
	identities *identities
	pacer      pacer
	flows      map[flowKey]*flowState
	strays     map[strayKey][]*attempt    // every remembered packet, once a quote needs it
	trips      map[netip.Addr]*roundTrips // by destination
	live       map[*request]bool          // requests under way
	queue      []*task                    // to be sent, in order
	waiting    []*attempt                 // in the order sent; finished ones are dropped lazily
	finished   []*attempt                 // in the order finished, to be forgotten
	quiet      []*flowState               // serial flows that wait until no old reply can come
	expiry     time.Time                  // when expire has something to do; zero: nothing waits
	spared     bool                       // expire has put off what it had to do
	forged     int                        // replies that name a flow of ours with a wrong identity
	strangers  int                        // foreign short quotes of packets to a destination of ours
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
			how := o.caps.Sends[t.probe.Flow.Protocol]
			f = &flowState{key: key, packets: make(map[tag]*attempt), serial: how.Serial, nameless: how.Nameless}
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

// giveUp retires those of the attempts that still wait.
func (o *owner) giveUp(attempts []*attempt) {
	for _, a := range attempts {
		if a.state == waitingState {
			o.retire(a, goneState)
		}
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
