// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"traceflow"
	"traceflow/discover"
)

// onlooker stands between an algorithm and the engine, and makes a trace of what
// has been asked and answered so far. It keeps no probe waiting.
type onlooker struct {
	mask int // hops to hide
	// news holds something if there is more to see than last time. There is room
	// for that one.
	news chan struct{}

	prober discover.Prober
	counts func() traceflow.Stats
	before traceflow.Trace // the first packet

	mu        sync.Mutex // guards what follows
	asking    int        // calls of Probe that are under way
	flows     map[int]traceflow.Flow
	exchanges []traceflow.Exchange // only ever appended to
}

func newOnlooker(mask int) *onlooker {
	return &onlooker{mask: mask, news: make(chan struct{}, 1), flows: make(map[int]traceflow.Flow)}
}

// at puts the onlooker around an engine. t is the trace before the first packet.
func (l *onlooker) at(e *engine, t *traceflow.Trace) {
	start := e.Stats()
	l.prober, l.before = e.Engine, *t
	l.before.Flows, l.before.Started = nil, time.Now()
	l.counts = func() traceflow.Stats { return e.Stats().Since(start) }
	e.around = l
}

// Probe implements discover.Prober.
func (l *onlooker) Probe(ctx context.Context, probes []traceflow.Probe) ([]traceflow.Exchange, error) {
	l.mu.Lock()
	l.asking++
	for i := range probes {
		l.flows[probes[i].Flow.ID] = probes[i].Flow
	}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.asking--
	}()
	return l.prober.Probe(ctx, probes)
}

// observe is told of the fate of every packet. Those that the algorithm has not
// asked for, of which some are of other flows, it leaves aside.
func (l *onlooker) observe(e traceflow.Exchange) {
	l.mu.Lock()
	mine := l.asking > 0
	if mine {
		l.exchanges = append(l.exchanges, e)
	}
	l.mu.Unlock()
	if !mine {
		return
	}
	select {
	case l.news <- struct{}{}:
	default: // whoever looks next sees this, too
	}
}

// trace returns what has been seen so far, with the first hops hidden. It is
// valid before there is anything.
func (l *onlooker) trace() *traceflow.Trace {
	t := l.before
	l.mu.Lock()
	for _, id := range slices.Sorted(maps.Keys(l.flows)) {
		t.Flows = append(t.Flows, l.flows[id])
	}
	t.Exchanges = slices.Clip(l.exchanges)
	l.mu.Unlock()
	t.Stats, t.Ended = l.counts(), time.Now()
	if l.mask > 0 {
		t.Exchanges = sureToShow(t.Exchanges, l.mask, t.Destination)
	}
	byFlow := make(map[int][]traceflow.Exchange, len(t.Flows))
	for _, e := range t.Exchanges {
		byFlow[e.Flow] = append(byFlow[e.Flow], e)
	}
	walks := make([]traceflow.Walk, 0, len(t.Flows))
	for _, flow := range t.Flows {
		w := traceflow.NewWalk(flow, max(1, t.Config.FirstTTL), byFlow[flow.ID])
		if flow.Destination != t.Destination.Address {
			w.Alias = t.Destination.Address
		}
		walks = append(walks, w)
	}
	t.Guarantee = discover.Guarantee(walks, t.Config.Confidence)
	if t.Config.Paths == 0 {
		traceflow.InferHops(walks, t.Exchanges, &t.Guarantee)
	}
	t.Graph = traceflow.NewGraph(walks, t.Exchanges)
	return t.Mask(l.mask)
}

// sureToShow leaves out what may turn out to tell of the first hops when more is
// known: what came from there, who refused a flow, which may stand there, and what
// routers say of their interfaces. The trace as a whole knows better which of it
// may be shown.
func sureToShow(all []traceflow.Exchange, mask int, to traceflow.Destination) []traceflow.Exchange {
	var out []traceflow.Exchange
	for _, e := range all {
		if int(e.TTL) <= mask || e.Reply.Kind.Ends() && e.Reply.Address != to.Address {
			continue
		}
		e.Reply.Interfaces = nil
		out = append(out, e)
	}
	return out
}

// The page is drawn no more often than each shortestPause, and what draws it rests
// for so many times as long as it took, so that it leaves the processor to the
// probes.
const (
	shortestPause = 250 * time.Millisecond
	restAfter     = 2
)

// follow draws the page while there is news, beside what makes it. When stop
// returns, nothing draws any more.
func (p *vizPage) follow(l *onlooker) (stop func()) {
	done := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-l.news:
			}
			began := time.Now()
			if p.show(l.trace(), true) != nil {
				return // nor can the whole trace be shown, which is then said
			}
			rest := time.NewTimer(max(shortestPause, restAfter*time.Since(began)))
			select {
			case <-done:
			case <-rest.C:
			}
			rest.Stop()
		}
	})
	return func() {
		close(done)
		wait.Wait()
	}
}
