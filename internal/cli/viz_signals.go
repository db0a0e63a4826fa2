// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"
	"os"
	"os/signal"
)

// phases returns two contexts for a measurement whose result is served: the first
// Ctrl-C ends measuring, the next one serving. When over has been called, there is
// only the latter to end. Other signals end both at once. The signals are ours
// until release is called, or serving is over.
func (e *Env) phases(ctx context.Context) (measuring, serving context.Context, over, release func()) {
	serving, end := context.WithCancel(ctx)
	measuring, over = context.WithCancel(serving)
	if len(e.Interrupt) == 0 { // which would be all that there are
		return measuring, serving, over, end
	}
	signals := make(chan os.Signal, 2) // nobody is that quick
	signal.Notify(signals, e.Interrupt...)
	context.AfterFunc(serving, func() { signal.Stop(signals) })
	go func() {
		for {
			select {
			case <-serving.Done():
				return
			case s := <-signals:
				if s != os.Interrupt || measuring.Err() != nil {
					end()
				}
				over()
			}
		}
	}()
	return measuring, serving, over, end
}
