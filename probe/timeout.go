// SPDX-License-Identifier: BSD-3-Clause

package probe

import "time"

const (
	// slack is added to twice the longest round trip: what a router's slow
	// path and a busy host add to it.
	slack = 50 * time.Millisecond
	// unknownTimeout is how long the first attempts wait before anything has
	// answered; farTimeout how long they wait beyond the last TTL that has.
	// Either is followed by retries, and a reply to an earlier attempt counts
	// until the last has timed out.
	unknownTimeout = time.Second
	farTimeout     = 500 * time.Millisecond
	// farFactor bounds how much longer than the nearer hops a farther one is
	// expected to take.
	farFactor = 10
)

// roundTrips remembers the longest round trip seen at each TTL towards one
// destination, and derives from it how long to wait.
type roundTrips struct {
	longest [256]time.Duration
	seen    bool
	timeout [256]time.Duration // by TTL; valid while not stale
	stale   bool
}

// add records a round trip and reports whether timeouts changed by it.
func (r *roundTrips) add(ttl uint8, rtt time.Duration) bool {
	if r.seen && rtt <= r.longest[ttl] {
		return false
	}
	r.seen = true
	// A round trip of 0 is a sample too.
	r.longest[ttl] = max(rtt, 1)
	r.stale = true
	return true
}

// wait returns how long an attempt at a TTL is waited for, at most limit:
// twice the longest round trip of the nearest TTL at or beyond it that has
// answered, because what is nearer should not take longer.
func (r *roundTrips) wait(ttl uint8, limit time.Duration) time.Duration {
	if !r.seen {
		return min(unknownTimeout, limit)
	}
	if r.stale {
		r.derive()
	}
	return min(r.timeout[ttl], limit)
}

func (r *roundTrips) derive() {
	r.stale = false
	var overall time.Duration
	for _, d := range r.longest {
		overall = max(overall, d)
	}
	wait := max(farTimeout, farFactor*overall)
	for ttl := 255; ttl >= 0; ttl-- {
		if d := r.longest[ttl]; d > 0 {
			wait = 2*d + slack
		}
		r.timeout[ttl] = wait
	}
}
