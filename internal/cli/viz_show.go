// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"

	"traceflow"
)

// showViz serves the one result of one file until it is interrupted.
func showViz(ctx context.Context, env Env, o *outputOptions, files []string) error {
	if len(files) > 1 {
		return usagef("--format viz shows one file, and there are %d", len(files))
	}
	t, err := onlyResult(env, files[0])
	if err != nil {
		return err
	}
	_, serving, over, release := env.phases(ctx)
	defer release()
	over() // there is nothing to measure
	l, err := o.bind.listen(serving, env, false)
	if err != nil {
		return err
	}
	p := newVizPage(env, o, false)
	if err := p.serve(l, t.Mask(o.mask), false, over); err != nil {
		return err
	}
	defer p.close(goodbye)
	p.say("Ctrl-C ends it")
	return p.wait(serving)
}

// onlyResult reads the result of a file that must hold no more than that.
func onlyResult(env Env, file string) (*traceflow.Trace, error) {
	all, err := openResults(env, file)
	if err != nil {
		return nil, err
	}
	defer all.close()
	t, err := all.next()
	if err == nil && all.more() {
		err = usagef("--format viz shows one result, and %s holds several", all.name)
	}
	return t, err
}
