// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"fmt"
	"sync"
	"time"
)

// showProgress keeps one line on a terminal up to date until stop is called, which
// wipes it. Elsewhere, and if it is not wanted, it does nothing.
func showProgress(env Env, wanted bool, line func(since time.Duration) string) (stop func()) {
	if !env.Terminal || !wanted {
		return func() {}
	}
	started := time.Now()
	end := every(100*time.Millisecond, func() {
		fmt.Fprintf(env.Err, "\r\x1b[K%s", line(time.Since(started)))
	})
	return func() {
		end()
		fmt.Fprint(env.Err, "\r\x1b[K")
	}
}

// every calls a function at an interval, in a goroutine that stop ends and waits
// for.
func every(interval time.Duration, do func()) (stop func()) {
	done := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				do()
			}
		}
	})
	return func() {
		close(done)
		wait.Wait()
	}
}
