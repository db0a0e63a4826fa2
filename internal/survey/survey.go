// SPDX-License-Identifier: BSD-3-Clause

package survey

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"traceflow"
	"traceflow/discover"
	"traceflow/internal/plan"
)

// Target is one destination, and how it is measured.
type Target struct {
	Prober discover.Prober
	// Trace is what the trace of each pass begins with: destination, vantage point
	// and config.
	Trace traceflow.Trace
	// Flows are pinned: those, and no others. Without any, as many are taken from
	// Mapper as the width takes, or Count if that is not 0.
	Flows  []traceflow.Flow
	Mapper discover.FlowMapper
	Count  int
	// Ends is how many packets of each flow are sent to the destination in each pass,
	// for its loss; 0 is 1.
	Ends int
	// MTU has path MTUs measured, too; nil does not.
	MTU *discover.MTU
}

// Config is how a survey is made.
type Config struct {
	Passes int     // 0 is plan.DefaultPasses
	Rate   float64 // packets a second; 0 is plan.DefaultRate
	// Budget is the longest that it may take; 0 is no limit.
	Budget time.Duration
	// Seed is what the order of the targets follows from.
	Seed uint64
}

// Pass is what was measured of a target, from pass 1 on.
type Pass struct {
	Target, Pass int
	Trace        *traceflow.Trace
}

// Outcome is what became of a target.
type Outcome struct {
	Flows []traceflow.Flow
	// Width is the largest number of next hops that the first pass found, Passes how
	// many were made to their end.
	Width, Passes int
}

// Result is what became of a survey.
type Result struct {
	Targets []Outcome
	// Passes is how many every target has at least.
	Passes int
	// Complete is false when the survey was cut short.
	Complete bool
	// Notes say what was left out to keep the budget.
	Notes []string
	Stats traceflow.Stats
}

// ErrBudget ends what is under way when there is no more time.
var ErrBudget = errors.New("the budget of time has run out")

// Survey is one survey. Run makes it; Progress may be called meanwhile.
type Survey struct {
	config  Config
	targets []Target
	gate    *gate

	mu       sync.Mutex // guards what follows
	states   []state
	running  int // targets
	left     int // flows that are still to be followed, each pass counted
	hops     mean
	finished int // passes of targets
	passes   int // that every target is to have
	notes    []string
	curbed   int       // targets with fewer flows than their width takes
	deadline time.Time // zero without a budget
}

// state is what is known of a target.
type state struct {
	flows   []traceflow.Flow
	width   int
	done    int // passes
	running bool
	// promised are probes that the gate expects of it.
	promised int
	memory   map[spot]traceflow.Reply // of the pass before
}

// spot is a flow at a TTL.
type spot struct {
	flow int
	ttl  uint8
}

// mean is an average.
type mean struct {
	sum float64
	n   int
}

// New returns a survey of targets.
func New(config Config, targets []Target) *Survey {
	if config.Passes == 0 {
		config.Passes = plan.DefaultPasses
	}
	if config.Rate == 0 {
		config.Rate = plan.DefaultRate
	}
	return &Survey{
		config: config, targets: targets, gate: newGate(config.Rate, plan.RouterRate(config.Rate)),
		states: make([]state, len(targets)), passes: config.Passes,
	}
}

// Progress is how far a survey has come: passes of targets, and packets.
type Progress struct {
	Passes, Of int
	Stats      traceflow.Stats
}

// Progress returns how far it has come.
func (s *Survey) Progress() Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Progress{Passes: s.finished, Of: s.passes * len(s.targets), Stats: s.gate.sent()}
}

// Run measures. Keep is called with each pass of a target when it is over, one at a
// time; an error of it ends the survey. What was under way when ctx ends is handed
// over, too, as an incomplete trace. The result is valid with an error, which is
// that of ctx, of Keep or of a Prober; a budget that has run out is none.
func (s *Survey) Run(ctx context.Context, keep func(Pass) error) (Result, error) {
	s.fit()
	began := ctx
	if s.config.Budget > 0 {
		s.deadline = time.Now().Add(s.config.Budget)
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, s.deadline, ErrBudget)
		defer cancel()
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	// The gate outlives every call of it.
	open, shut := context.WithCancel(context.WithoutCancel(ctx))
	var gate sync.WaitGroup
	gate.Go(func() { s.gate.run(open) })
	err := s.all(ctx, stop, keep)
	shut()
	gate.Wait()
	r := s.result(err)
	if errors.Is(err, ErrBudget) && began.Err() == nil {
		err = nil
	}
	return r, err
}

// all runs the jobs, and returns the first error.
func (s *Survey) all(ctx context.Context, stop context.CancelCauseFunc, keep func(Pass) error) error {
	var wait sync.WaitGroup
	var keeping sync.Mutex
	finished := make(chan struct{}, 1) // a token: look again
	tick := time.NewTicker(pause)
	defer tick.Stop()
	order := s.order()
	for pass := 1; ctx.Err() == nil && pass <= s.mayPass(pass); pass++ {
		for _, target := range order {
			for !s.ready(target) && ctx.Err() == nil {
				select {
				case <-finished:
				case <-tick.C:
				case <-ctx.Done():
				}
			}
			if ctx.Err() != nil {
				break
			}
			s.begin(target)
			wait.Go(func() {
				trace, err := s.measure(ctx, target, pass)
				keeping.Lock()
				if trace != nil {
					err = errors.Join(err, keep(Pass{target, pass, trace}))
				}
				keeping.Unlock()
				s.end(target, err == nil)
				if err != nil {
					stop(err)
				}
				select {
				case finished <- struct{}{}:
				default:
				}
			})
		}
	}
	wait.Wait()
	return context.Cause(ctx)
}

// pause is how often a target that waits looks whether it may begin.
const pause = 20 * time.Millisecond

// order is that of the targets, the same in every pass: at random, so that those of
// one network, which stand together in a plan, do not come one after the other.
func (s *Survey) order() []int {
	const stream = 0x737572766579 // "survey"
	return rand.New(rand.NewPCG(s.config.Seed, stream)).Perm(len(s.targets))
}

const (
	// ahead is for how long the gate has work when no more targets are begun: a
	// little more than a round trip.
	ahead = 500 * time.Millisecond
	// firstBatches is how many targets may begin in any case.
	firstBatches = 3 * 2 * fewest
	// mostRunning bounds what is under way: targets that wait for silence.
	mostRunning = 1000
)

// ready reports whether a pass of a target may begin: the one before is over, and
// there is little left to do for the gate. Targets that wait for silence do not
// hold up others.
func (s *Survey) ready(target int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.states[target].running || s.running >= mostRunning {
		return false
	}
	enough := max(firstBatches, int(s.config.Rate*ahead.Seconds()))
	return s.running == 0 || s.gate.backlog() < enough
}

// begin notes that a target is measured, and what it is about to send.
func (s *Survey) begin(target int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &s.states[target]
	x.running, x.promised = true, firstHops*len(x.flows)
	s.gate.promise(x.promised)
	s.running++
}

// firstHops is how many probes of each flow discover.Fixed begins with.
const firstHops = 3

// keep returns how many probes were promised and are now there.
func (s *Survey) keep(target int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &s.states[target]
	kept := x.promised
	x.promised = 0
	return kept
}

func (s *Survey) end(target int, whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &s.states[target]
	s.gate.promise(-x.promised) // it never came to that
	x.running, x.promised = false, 0
	s.running--
	s.finished++
	s.left -= len(x.flows)
	if whole {
		x.done++
	}
}

func (s *Survey) result(err error) Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := Result{Complete: err == nil, Notes: s.notes, Stats: s.gate.sent(), Passes: s.passes}
	for i := range s.states {
		x := &s.states[i]
		r.Targets = append(r.Targets, Outcome{Flows: x.flows, Width: x.width, Passes: x.done})
		r.Passes = min(r.Passes, x.done)
	}
	if s.curbed > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d of %d targets have fewer flows than their width takes, so that the budget is kept", s.curbed, len(s.targets)))
	}
	return r
}
