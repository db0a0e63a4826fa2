// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"slices"
)

// loss is how much of what was sent to a node was not answered, and what may be
// read into that. Routers answer when they have time to: what is lost at one of
// them and not behind it is no loss of the path's.
type loss struct {
	sent, lost int
	limited    bool // it answered a burst and then went on at a trickle
	// persists is true where loss goes on from here to the destination, begins at
	// the first TTL where it does.
	persists, begins bool
}

// share is the part that was lost.
func (l loss) share() float64 { return float64(l.lost) / float64(max(1, l.sent)) }

// String says how much was lost of how many; nothing where nothing was.
func (l loss) String() string {
	if l.lost == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f %% of %d", 100*l.share(), l.sent)
}

// measureLoss looks at each node. One that did not answer at all has no loss: it
// is silent, or known by other means.
func (r *routes) measureLoss() {
	var at [256]loss // of all nodes of a TTL
	for _, v := range r.vertices {
		if v.silent || v.Replies == 0 {
			continue
		}
		v.loss = loss{sent: v.Sent, lost: max(0, v.Sent-v.Replies)}
		v.loss.limited = v.loss.lost > 0 && slices.Contains(r.trace.Guarantee.RateLimited, v.TTL)
		sum := &at[v.TTL]
		sum.sent, sum.lost, sum.limited = sum.sent+v.loss.sent, sum.lost+v.loss.lost, sum.limited || v.loss.limited
	}
	from := r.persistent(&at)
	if from == 0 {
		return
	}
	for _, v := range r.vertices {
		v.loss.persists = v.loss.lost > 0 && int(v.TTL) >= from
		v.loss.begins = v.loss.persists && int(v.TTL) == from
	}
}

// fewLost packets of a TTL are needed to say that loss begins there; what later
// TTLs lose may be that much less.
const (
	fewLost  = 2
	muchLess = 3
)

// persistent returns the TTL from which on packets are lost at every TTL as far
// as the destination; 0 if there is none. A TTL where nothing answers says
// nothing. What only the destination loses may be its own limit on what it
// answers.
func (r *routes) persistent(at *[256]loss) int {
	first, last := 0, 0 // TTLs of the destination
	for _, v := range r.vertices {
		if v.final {
			last = int(v.TTL)
			if first == 0 {
				first = last
			}
		}
	}
	from, least := 0, 1.0
	for ttl := last; ttl > 0; ttl-- {
		l := &at[ttl]
		if l.sent == 0 {
			continue
		}
		if l.lost == 0 || l.limited || l.share() > muchLess*least {
			break
		}
		if least = min(least, l.share()); l.lost >= fewLost {
			from = ttl
		}
	}
	if from >= first {
		return 0
	}
	return from
}
