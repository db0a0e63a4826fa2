// SPDX-License-Identifier: BSD-3-Clause

package discover

import "time"

const (
	// burst is how many packets each address may draw answers from at first:
	// the token bucket of a Linux router (net.ipv4.icmp_ratelimit).
	burst = 6
	// trickle is the pace of a limited router: that of Linux, one a second.
	trickle = time.Second
	// giveUp is how many times in a row a limited TTL may stay silent.
	giveUp = 5
)

// window bounds how many packets expire at one TTL in one round. It holds a
// bucket for each address known there: it starts at burst, doubles as long as
// everything is answered, and where answers stop after a burst it goes on at
// the pace of a trickle.
type window struct {
	size    int // for each address
	left    int // in this round
	limited bool
	// suspect: most of a round was lost after answers before. That is a limit,
	// or a router that does not answer beside one that does; flows that were
	// answered before are asked again as a control. cleared: they answered.
	suspect, cleared           bool
	controls, controlsAnswered int
	wanted                     bool      // a test could not ask all that it needs
	next                       time.Time // when a limited window opens again
	asked                      int       // in the last round
	answered                   int
	total                      int // answered in all rounds
	silences                   int // rounds in a row without an answer, while limited
}

func newWindows(n int) []window {
	w := make([]window, n)
	for i := range w {
		w[i].size = burst
	}
	return w
}

// refill opens the window for a round.
func (w *window) refill(now time.Time, addresses int) {
	w.wanted = false
	w.left = w.size * max(1, addresses)
	if w.limited {
		w.left = max(1, addresses)
		if now.Before(w.next) || w.exhausted() {
			w.left = 0
		}
	}
}

// exhausted reports whether a limited TTL has stopped answering for good.
func (w *window) exhausted() bool { return w.silences >= giveUp }

func (w *window) open() { w.asked, w.answered, w.controls, w.controlsAnswered = 0, 0, 0, 0 }

// close draws conclusions from a round.
func (w *window) close(now time.Time) {
	if w.controls > 0 {
		w.suspect = false
		w.cleared = w.controlsAnswered > 0
		if !w.cleared {
			w.limited = true
			w.next = now.Add(trickle)
		}
	}
	if w.asked == 0 {
		return
	}
	lost := w.asked - w.answered
	switch {
	case w.limited:
		w.next = now.Add(trickle)
		w.silences++
		if w.answered > 0 {
			w.silences = 0
		}
	case lost >= 2 && 2*w.answered < w.asked && w.total >= 3 && !w.cleared:
		w.suspect = true
	case lost == 0:
		w.size = min(2*w.size, 1<<16)
	}
	w.total += w.answered
}
