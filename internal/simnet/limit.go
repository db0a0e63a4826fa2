// SPDX-License-Identifier: BSD-3-Clause

package simnet

import (
	"time"

	"traceflow/internal/topology"
)

// bucket is a token bucket as Linux keeps one for each host that it sends ICMP
// errors to: time is the currency, an answer costs one interval, and at most
// burst intervals are saved up.
type bucket struct {
	saved   time.Duration
	last    time.Duration // when saved was counted
	started bool          // false means full
}

// take reports whether an answer may be sent at the given time, and pays.
// Times may go back a little, since packets of one moment reach a node by ways
// of different length: then nothing is saved up.
func (b *bucket) take(limit topology.RateLimit, at time.Duration) bool {
	if limit.Burst == 0 {
		return true
	}
	full := time.Duration(limit.Burst) * limit.Interval
	if !b.started {
		b.started, b.saved, b.last = true, full, at
	}
	if at > b.last {
		b.saved = min(full, b.saved+at-b.last)
		b.last = at
	}
	if b.saved < limit.Interval {
		return false
	}
	b.saved -= limit.Interval
	return true
}
