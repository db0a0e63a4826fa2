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
	// persists is true where every hop from here to the destination loses packets,
	// begins where none of those before does.
	persists, begins bool
}

// String says how much was lost of how many; nothing where nothing was.
func (l loss) String() string {
	if l.lost == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f %% of %d", 100*float64(l.lost)/float64(l.sent), l.sent)
}

// fewLost packets of the destination's are needed to speak of loss that persists.
const fewLost = 2

// measureLoss goes up from the destination. A node that did not answer at all
// has no loss: it is silent, or known by other means.
func (r *routes) measureLoss() {
	for _, v := range slices.Backward(r.vertices) {
		if !v.silent && v.Replies > 0 {
			v.loss = loss{sent: v.Sent, lost: max(0, v.Sent-v.Replies)}
			v.loss.limited = v.loss.lost > 0 && slices.Contains(r.trace.Guarantee.RateLimited, v.TTL)
		}
		switch onward := len(v.next) > 0; {
		case v.final:
			v.loss.persists = v.loss.lost >= fewLost && !v.loss.limited
		case v.silent || v.loss.lost > 0 && !v.loss.limited:
			for _, s := range v.next {
				onward = onward && s.loss.persists
			}
			v.loss.persists = onward
		}
	}
	for _, v := range r.vertices {
		v.loss.begins = v.loss.persists && v.loss.lost > 0 &&
			!slices.ContainsFunc(v.prev, func(s step) bool { return s.loss.persists })
	}
}
