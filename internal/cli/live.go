// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"

	"traceflow"
	"traceflow/internal/tui"
	"traceflow/internal/watch"
)

// liveOptions are the flags of the live screen.
type liveOptions struct {
	tui      bool
	interval seconds
}

// shortestInterval is how often paths may be measured.
const shortestInterval = 100 * time.Millisecond

func (o *liveOptions) addFlags(f *pflag.FlagSet) {
	o.interval = seconds(time.Second)
	f.BoolVar(&o.tui, "tui", false, "go on measuring, on a live screen; then report")
	f.Var(&o.interval, "interval", "with --tui, shortest `time` of a round, seconds")
}

// validateLive refuses what a live screen cannot do.
func (o *traceOptions) validateLive(args []string) error {
	switch {
	case !o.tui && o.given("interval"):
		return errors.New("--interval is of the live screen: give --tui, too")
	case !o.tui:
		return nil
	case time.Duration(o.interval) < shortestInterval:
		return fmt.Errorf("--interval %s is below %v", &o.interval, shortestInterval.Seconds())
	case len(args) > 1:
		return errors.New("--tui has one destination")
	case o.debug:
		return errors.New("--tui and --debug both write to the terminal: give one of them")
	}
	return nil
}

// goLive decides whether there will be a live screen, and says why not if one was
// asked for.
func (o *traceOptions) goLive(env Env) bool {
	if !o.tui {
		return false
	}
	switch c := env.Console; {
	case c == nil:
		fmt.Fprintln(env.Err, "No live screen: standard input or output is no terminal; this is the trace alone")
		return false
	case c.Width < tui.MinWidth || c.Height < tui.MinHeight:
		fmt.Fprintf(env.Err, "No live screen: the terminal has %d×%d cells, and it takes %d×%d; this is the trace alone\n",
			c.Width, c.Height, tui.MinWidth, tui.MinHeight)
		return false
	}
	if !o.given("format") && !o.json {
		o.format = "report"
	}
	return true
}

// live is a trace that is measured on, on a screen.
type live struct {
	*traceOptions
	target *target
	engine *engine
	names  *annotator
	screen *tui.Screen
	trace  *traceflow.Trace
	watch  atomic.Pointer[watch.Watch] // nil until there is one
	last   watch.Snapshot
}

// runLive shows the discovery and then the paths, round after round, until the
// user leaves. It returns the trace, and what was measured since, which is nil if
// that is nothing.
func (o *traceOptions) runLive(ctx context.Context, env Env, target *target, e *engine, names *annotator) (*traceflow.Trace, []traceflow.PathStats, error) {
	l := &live{traceOptions: o, target: target, engine: e, names: names, trace: o.newTrace(target, e)}
	name := target.name
	if address := target.address.String(); name != address {
		name += " (" + address + ")"
	}
	l.screen = tui.New(env.Console.In, env.Console.Out, tui.Options{
		Target: name, How: how(l.trace), Color: o.render(env).Color, ASCII: env.ASCII, Mask: o.mask,
		Reset: func() {
			if w := l.watch.Load(); w != nil {
				w.Reset()
			}
		},
	})
	// Packets go and come one by one. With several processors the runtime wakes
	// another for each of them, to look whether it can help: three times the work.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	inner, leave := context.WithCancel(ctx)
	defer leave()
	measured := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				l.screen.Abort()
				panic(r)
			}
		}()
		err := l.measure(inner)
		l.screen.Close()
		measured <- err
	}()
	screenErr := l.screen.Run(ctx)
	leave()
	err := <-measured
	if inner.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil
	}
	if err == nil && !l.trace.Complete && l.trace.StopReason == traceflow.StopCancelled {
		err = codeError(exitInterrupted) // left before the paths were known
	}
	o.mask = max(o.mask, l.screen.Mask()) // what was hidden stays so
	if l.last.Round == 0 {
		return l.trace, nil, errors.Join(err, screenErr)
	}
	return l.trace, l.last.Paths, errors.Join(err, screenErr)
}

// measure finds the paths and goes on measuring them until ctx ends or the wire
// breaks.
func (l *live) measure(ctx context.Context) error {
	before := l.engine.Stats()
	counts := func() traceflow.Stats { return l.engine.Stats().Since(before) }
	stop := every(250*time.Millisecond, func() { l.screen.Looking(counts()) })
	err := l.find(ctx, l.trace, l.target, l.engine)
	stop()
	if err != nil {
		return err
	}
	l.screen.Found(l.trace)
	// Names come when they come; measuring does not wait for them.
	var naming sync.WaitGroup
	named := *l.trace
	naming.Go(func() {
		l.names.Annotate(ctx, &named)
		l.screen.Named(named.Annotations)
	})
	defer func() {
		naming.Wait()
		l.trace.Annotations, l.trace.DataSets = named.Annotations, named.DataSets
	}()
	before = l.engine.Stats()
	w := watch.New(l.trace, time.Duration(l.interval), counts)
	l.watch.Store(w)
	return w.Run(ctx, l.engine, func(s watch.Snapshot) {
		l.last = s
		l.screen.Measured(s)
	})
}

// how says what is sent.
func how(t *traceflow.Trace) string {
	c := &t.Config
	text := strings.ToUpper(c.Protocol.String())
	if c.QUIC {
		text = "QUIC"
	}
	if c.Protocol != traceflow.ProtocolICMP {
		text += fmt.Sprintf(" to port %d", c.DestinationPort)
	}
	return text
}
