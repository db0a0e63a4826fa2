// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"fmt"
	"sync"
	"time"

	"traceflow"
)

// showProgress keeps one line on a terminal up to date until stop is called,
// which wipes it. Elsewhere it does nothing.
func showProgress(env Env, o *traceOptions, stats func() traceflow.Stats) (stop func()) {
	if !env.Terminal || o.quiet || o.debug {
		return func() {}
	}
	done := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		started := time.Now()
		for {
			select {
			case <-done:
				fmt.Fprint(env.Err, "\r\x1b[K")
				return
			case <-tick.C:
				s := stats()
				fmt.Fprintf(env.Err, "\r\x1b[Ksent %d · replies %d · %.1f s", s.Probes, s.Replies, time.Since(started).Seconds())
			}
		}
	})
	return func() {
		close(done)
		wait.Wait()
	}
}
