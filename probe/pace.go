// SPDX-License-Identifier: BSD-3-Clause

package probe

import (
	"slices"
	"time"
)

// maxBatch is how many packets one Wire.Send carries at most. A batch takes
// the kernel well under a millisecond, so replies are never kept waiting.
const maxBatch = 64

// interleave orders tasks so that packets for one TTL are as far apart as the
// batch allows: one task of each TTL in turn, lowest TTL first. A router then
// sees the probes that expire there spread over the whole batch, which is
// what keeps them under its ICMP rate limit.
func interleave(tasks []*task) []*task {
	var byTTL [256][]*task
	for _, t := range tasks {
		byTTL[t.probe.TTL] = append(byTTL[t.probe.TTL], t)
	}
	lanes := slices.DeleteFunc(byTTL[:], func(l []*task) bool { return len(l) == 0 })
	out := make([]*task, 0, len(tasks))
	for len(out) < len(tasks) {
		for i, lane := range lanes {
			if len(lane) > 0 {
				out = append(out, lane[0])
				lanes[i] = lane[1:]
			}
		}
	}
	return out
}

// pacer spaces packets by a gap. The zero gap does not hold anything back.
type pacer struct {
	gap  time.Duration
	next time.Time // when the next packet is due
}

// maxBurst is how far the pacer may catch up after it was late: timers and
// schedulers are, by about this much.
const maxBurst = 2 * time.Millisecond

// allowed returns how many packets may be sent now, at most limit. Those that
// are must be told to spend.
func (p *pacer) allowed(now time.Time, limit int) int {
	if p.gap == 0 {
		return limit
	}
	if now.Before(p.next) {
		return 0
	}
	if late := now.Add(-maxBurst); p.next.Before(late) {
		p.next = late
	}
	return min(limit, 1+int(now.Sub(p.next)/p.gap))
}

// spend counts packets as sent.
func (p *pacer) spend(n int) { p.next = p.next.Add(time.Duration(n) * p.gap) }
