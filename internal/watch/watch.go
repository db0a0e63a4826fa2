// SPDX-License-Identifier: BSD-3-Clause

package watch

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"traceflow"
)

// Prober sends probes: probe.Engine does.
type Prober interface {
	// Probe returns an exchange for every packet sent, in the order given. It is
	// safe for concurrent use.
	Probe(ctx context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error)
}

const (
	// chunk is about how many probes are asked for at once. Their results are
	// known together, so small ones keep the screen up to date; in large ones
	// packets that expire at one router are further apart.
	chunk = 64
	// pause is the shortest time between two snapshots.
	pause = 500 * time.Millisecond
)

// Watch measures the paths of a trace. All of it belongs to the goroutine in
// Run.
type Watch struct {
	interval time.Duration
	stats    func() traceflow.Stats
	paths    []*path
	spots    []*spot
	flows    map[int]*flow // by Flow.ID

	round   int
	began   time.Time
	events  []Event
	emitted time.Time

	reset atomic.Bool // asked for by Reset
}

// New prepares to watch the paths of a finished trace. Interval is the shortest
// time from the beginning of one round to that of the next. Stats, which may be
// nil, returns the engine's counts.
func New(t *traceflow.Trace, interval time.Duration, stats func() traceflow.Stats) *Watch {
	w := &Watch{interval: interval, stats: stats}
	w.paths, w.spots, w.flows = survey(t)
	return w
}

// Reset has statistics begin anew. It may be called by any goroutine.
func (w *Watch) Reset() { w.reset.Store(true) }

// Run measures until ctx ends or the prober fails, whose error it returns. It
// hands snapshots to emit, one at the beginning, at most two a second, and one at
// the end, in the goroutine that called it.
func (w *Watch) Run(ctx context.Context, prober Prober, emit func(Snapshot)) error {
	w.began = time.Now()
	emit(w.snapshot())
	defer func() { emit(w.snapshot()) }()
	for {
		next := time.Now().Add(w.interval)
		w.round++
		if err := w.measure(ctx, prober, emit); err != nil {
			return err
		}
		wait := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
			wait.Stop()
			return context.Cause(ctx)
		case <-wait.C:
		}
	}
}

// errand is some of a round's probes, and which spot each is for.
type errand struct {
	probes    []traceflow.Probe
	spots     []*spot
	exchanges []traceflow.Exchange
	err       error
}

// measure sends one round and counts what comes back as it comes.
func (w *Watch) measure(ctx context.Context, prober Prober, emit func(Snapshot)) error {
	errands := w.plan()
	done := make(chan *errand, len(errands)) // nobody waits to hand over
	var wait sync.WaitGroup
	for _, e := range errands {
		wait.Go(func() {
			e.exchanges, e.err = prober.Probe(ctx, e.probes)
			done <- e
		})
	}
	defer wait.Wait()
	var err error
	for range errands {
		e := <-done
		if w.reset.Swap(false) {
			w.restart()
		}
		w.count(e)
		if e.err != nil {
			err = e.err
		}
		if now := time.Now(); err == nil && now.Sub(w.emitted) >= pause {
			w.emitted = now
			emit(w.snapshot())
		}
	}
	if err == nil && len(errands) == 0 {
		<-ctx.Done() // no path has a hop: there is nothing to measure
		return context.Cause(ctx)
	}
	return err
}

// plan says what to send in a round. All probes of one flow are in one errand,
// because they are judged together.
func (w *Watch) plan() []*errand {
	for _, p := range w.paths {
		if len(p.spots) > 0 {
			p.turn()
		}
	}
	byPath := make(map[*path][]*spot, len(w.paths))
	for _, s := range w.spots {
		p := s.turn()
		byPath[p] = append(byPath[p], s)
	}
	var errands []*errand
	var e *errand
	for _, p := range w.paths {
		if len(byPath[p]) == 0 {
			continue
		}
		if e == nil || len(e.probes) >= chunk {
			e = &errand{}
			errands = append(errands, e)
		}
		for _, s := range byPath[p] {
			e.probes = append(e.probes, traceflow.Probe{Flow: p.flow().Flow, TTL: s.ttl})
			e.spots = append(e.spots, s)
		}
	}
	return errands
}

// fates returns what became of each probe of an errand; nil where nothing is
// known. Where the engine repeats what was not answered, what counts is the
// packet that it repeats.
func (e *errand) fates() []*traceflow.Exchange {
	fates := make([]*traceflow.Exchange, len(e.probes))
	next := 0
	for i := range e.exchanges {
		x := &e.exchanges[i]
		for next < len(e.probes) && (e.probes[next].Flow.ID != x.Flow || e.probes[next].TTL != x.TTL) {
			next++
		}
		if next == len(e.probes) {
			break
		}
		if x.Attempt == 1 && x.Err == nil && !x.Abandoned {
			fates[next] = x
		}
	}
	return fates
}
