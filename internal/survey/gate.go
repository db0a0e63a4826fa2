// SPDX-License-Identifier: BSD-3-Clause

package survey

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"traceflow"
	"traceflow/discover"
)

// gate lets probes through at a rate, and at another one those that one router will
// answer. It owns a goroutine, which run is, and one for each probe that is under
// way; run waits for them.
type gate struct {
	gap       time.Duration // between two probes
	routerGap time.Duration // between two that one router answers

	asked   chan *call
	revoked chan *call
	done    chan outcome
	wait    sync.WaitGroup

	mu       sync.Mutex // guards what follows
	stats    traceflow.Stats
	waiting  int // probes that wait to be let through
	promised int // and those that are about to
}

// place is who will answer a probe, as far as known: a router by its address, or,
// where nobody has answered before, whoever is at that distance; it may be the same
// for all targets. The zero place is nobody.
type place struct {
	router netip.Addr
	ttl    uint8
}

// call is one call of Probe: some probes, and what came of each.
type call struct {
	ctx    context.Context //nolint:containedctx // it is that of the call, and ends with it
	prober discover.Prober
	probes []traceflow.Probe
	places []place
	kept   int // probes that were promised and are these
	got    [][]traceflow.Exchange
	open   int
	err    error
	result chan struct{} // closed when nothing is open
}

// item is a probe that waits.
type item struct {
	of    *call
	index int
	order int // lower ones go first
}

// outcome is a probe that has come back.
type outcome struct {
	item
	exchanges []traceflow.Exchange
	err       error
}

// queue is the probes for one place.
type queue struct {
	items []item
	next  time.Time // when the next may go
}

func newGate(rate, routerRate float64) *gate {
	return &gate{
		gap: time.Duration(float64(time.Second) / rate), routerGap: time.Duration(float64(time.Second) / routerRate),
		asked: make(chan *call), revoked: make(chan *call), done: make(chan outcome),
	}
}

// probe sends probes of a target when their turn comes. It keeps the promise of
// discover.Prober.
func (g *gate) probe(c *call) ([]traceflow.Exchange, error) {
	if len(c.probes) == 0 {
		return nil, context.Cause(c.ctx)
	}
	c.got, c.open, c.result = make([][]traceflow.Exchange, len(c.probes)), len(c.probes), make(chan struct{})
	g.asked <- c // run outlives every call
	select {
	case <-c.result:
	case <-c.ctx.Done():
		g.revoked <- c
		<-c.result
	}
	var all []traceflow.Exchange
	for _, exchanges := range c.got {
		all = append(all, exchanges...)
	}
	return all, c.err
}

// run lets probes through until ctx ends; nobody may call probe from then on.
func (g *gate) run(ctx context.Context) {
	defer g.wait.Wait()
	q := &queues{places: make(map[place]*queue)}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var next time.Time // when the rate allows the next probe
	for {
		now := time.Now()
		wake := now.Add(time.Hour)
		if q.waiting > 0 {
			wake = next
			if !now.Before(next) {
				var i item
				var ok bool
				if i, ok, wake = q.pop(now, g.routerGap); ok {
					if !g.start(i) {
						continue // it was not sent
					}
					next = later(next, now.Add(-catchUp)).Add(g.gap)
					wake = next
				}
			}
		}
		g.tell(q.waiting, 0)
		timer.Reset(max(0, wake.Sub(now)))
		select {
		case <-ctx.Done():
			return
		case c := <-g.asked:
			q.push(c)
			g.tell(q.waiting, c.kept)
		case c := <-g.revoked:
			for _, i := range q.withdraw(c) {
				g.finish(outcome{item: i, err: context.Cause(c.ctx)})
			}
		case o := <-g.done:
			// Retries are sent whatever the gate says, and count, too.
			again := time.Duration(max(0, len(o.exchanges)-1))
			next = next.Add(again * g.gap)
			q.charge(&o, time.Now(), g.routerGap)
			g.finish(o)
		case <-timer.C:
		}
	}
}

// catchUp is how far the gate may catch up after it was late, as the engine does.
const catchUp = 2 * time.Millisecond

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// start sends a probe, unless its call has ended meanwhile.
func (g *gate) start(i item) bool {
	c := i.of
	if err := context.Cause(c.ctx); err != nil {
		g.finish(outcome{item: i, err: err})
		return false
	}
	g.wait.Go(func() {
		exchanges, err := c.prober.Probe(c.ctx, c.probes[i.index:i.index+1])
		g.done <- outcome{i, exchanges, err}
	})
	return true
}

func (g *gate) finish(o outcome) {
	c := o.of
	c.got[o.index] = o.exchanges
	if o.err != nil && c.err == nil {
		c.err = o.err
	}
	g.count(o.exchanges)
	if c.open--; c.open == 0 {
		close(c.result)
	}
}

func (g *gate) count(exchanges []traceflow.Exchange) {
	g.mu.Lock()
	defer g.mu.Unlock()
	addTo(&g.stats, exchanges)
}

func (g *gate) tell(waiting, kept int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = waiting
	g.promised -= kept
}

// promise announces probes that are about to come, and takes that back if they are
// less than none.
func (g *gate) promise(probes int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.promised += probes
}

// backlog is how many probes wait, or are about to.
func (g *gate) backlog() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waiting + g.promised
}

// sent returns what was sent and answered so far.
func (g *gate) sent() traceflow.Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stats
}

// addTo counts exchanges.
func addTo(s *traceflow.Stats, exchanges []traceflow.Exchange) {
	for i := range exchanges {
		e := &exchanges[i]
		if e.Err != nil {
			s.SendErrors++
			continue
		}
		s.Probes++
		if e.Attempt > 1 {
			s.Retries++
		}
		if e.Reply.Kind != traceflow.NoReply {
			s.Replies++
		}
	}
}

// queues are the probes that wait, by place.
type queues struct {
	places  map[place]*queue
	waiting int
	order   int
}

// push adds the probes of a call.
func (q *queues) push(c *call) {
	for i, p := range c.places {
		at := q.at(p)
		one := item{of: c, index: i, order: q.order}
		q.order++
		q.waiting++
		if c.probes[i].Patient {
			// A scout, which the rest of its flows waits for.
			at.items = append([]item{one}, at.items...)
			at.items[0].order = -1
			continue
		}
		at.items = append(at.items, one)
	}
}

// charge has a router wait for what it was made to answer without the gate's
// knowledge: retries, and probes for a distance at which nobody was known yet.
func (q *queues) charge(o *outcome, now time.Time, routerGap time.Duration) {
	where := o.of.places[o.index]
	extra := max(0, len(o.exchanges)-1)
	for i := range o.exchanges {
		if r := &o.exchanges[i].Reply; where.ttl > 0 && r.Kind != traceflow.NoReply {
			where = place{router: r.Address}
			extra++
		}
	}
	if where == (place{}) || extra == 0 {
		return
	}
	at := q.at(where)
	at.next = later(at.next, now).Add(time.Duration(extra) * routerGap)
}

// at returns the queue of a place.
func (q *queues) at(p place) *queue {
	at := q.places[p]
	if at == nil {
		at = &queue{}
		q.places[p] = at
	}
	return at
}

// withdraw takes out the probes of a call.
func (q *queues) withdraw(c *call) []item {
	var out []item
	for _, at := range q.places {
		at.items = slices.DeleteFunc(at.items, func(i item) bool {
			if i.of == c {
				out = append(out, i)
			}
			return i.of == c
		})
	}
	q.waiting -= len(out)
	return out
}

// pop takes the probe that has waited longest of those whose router may be asked.
// Where there is none, wake is when there may be.
func (q *queues) pop(now time.Time, routerGap time.Duration) (_ item, ok bool, wake time.Time) {
	wake = now.Add(time.Hour)
	var best *queue
	var where place
	for p, at := range q.places {
		switch {
		case len(at.items) == 0:
			if now.After(at.next) {
				delete(q.places, p)
			}
		case now.Before(at.next):
			if at.next.Before(wake) {
				wake = at.next
			}
		case best == nil || at.items[0].order < best.items[0].order || at.items[0].order == best.items[0].order && before(p, where):
			best, where = at, p
		}
	}
	if best == nil {
		return item{}, false, wake
	}
	i := best.items[0]
	best.items = best.items[1:]
	q.waiting--
	if where != (place{}) {
		best.next = now.Add(routerGap)
	}
	return i, true, wake
}

// before orders places, so that the order of a map decides nothing.
func before(a, b place) bool {
	if c := a.router.Compare(b.router); c != 0 {
		return c < 0
	}
	return a.ttl < b.ttl
}
