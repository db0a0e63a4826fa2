// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"
	"errors"
	"fmt"

	"traceflow/discover"
)

// validateViz refuses what a page that is served cannot do.
func (o *traceOptions) validateViz(args []string) error {
	switch {
	case o.format != viz:
		return nil
	case o.tui:
		return errors.New("--tui and --format viz contradict each other: one is a terminal's, one a browser's")
	case len(args) > 1:
		return errors.New("--format viz has one destination")
	}
	return nil
}

// runViz measures one destination, shows that on a page while it goes on, and
// serves the page until it is interrupted.
func (o *traceOptions) runViz(ctx context.Context, env Env, args []string) error {
	measuring, serving, over, release := env.phases(ctx)
	defer release()
	l, err := o.bind.listen(measuring, env, o.quiet)
	if err != nil {
		return err
	}
	look := newOnlooker(o.mask)
	s, err := prepare(measuring, env, o, args, look.observe)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer s.close()
	target, e := &s.targets[0], s.engines.of(&s.targets[0])
	look.at(e, o.newTrace(target, e))
	p := newVizPage(env, &o.outputOptions, o.quiet)
	if err := p.serve(l, look.trace(), true, over); err != nil {
		return err
	}
	defer p.close(goodbye)

	stop := p.follow(look)
	t, err := measure(measuring, env, o, target, e)
	stop()
	if serr := p.show(t.Mask(o.mask), false); serr != nil {
		return serr
	}
	s.names.annotate(measuring, env, t, o.quiet || o.debug)
	s.names.report(env)
	interrupted := measuring.Err() != nil
	over()
	t = t.Mask(o.mask) // all that is said from here on
	if serr := p.show(t, false); serr != nil {
		return serr
	}
	complain(env, t.Stats.SendErrors, firstUnsent(t))
	if !o.quiet {
		remark(env, t, false)
	}
	code := verdict(t)
	switch {
	case interrupted && serving.Err() != nil: // nothing is left to say
		return codeError(exitInterrupted)
	case err != nil && !discover.IsCancelled(measuring, err):
		var why string
		code, why = explain(err, "traceflow")
		fmt.Fprintf(env.Err, "traceflow: %s; what was measured stays on the page until Ctrl-C\n", printable(why))
	case len(p.failed) > 0: // which is why measuring has ended
	case interrupted:
		code = exitInterrupted
		p.say("Stopped: what was measured stays on the page until Ctrl-C")
	default:
		p.say("Done: the page stays until Ctrl-C")
	}
	if err := p.wait(serving); err != nil {
		return err
	}
	if code != exitOK {
		return codeError(code)
	}
	return nil
}
