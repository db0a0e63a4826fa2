// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"fmt"
	"slices"
	"time"
)

// clockFacts are how far this host's clocks can be trusted. The kernel stamps
// packets with the time of day, so a clock that is set during a trace falsifies
// the round trips that span it; pacing and timeouts go by the monotonic clock.
type clockFacts struct {
	// stepped is how far the time of day moved against the monotonic clock while
	// the checks ran.
	stepped time.Duration
	// late is by how much a sleep of a millisecond is usually too long.
	late time.Duration
	// tick is the smallest step of the clock that was seen.
	tick time.Duration
	// state is what the kernel says of its time.
	state syncState
}

type syncState int

const (
	syncUnknown syncState = iota
	synchronised
	unsynchronised
)

// watch compares the two clocks from watchClock to stop.
type watch struct{ start time.Time }

func watchClock() watch { return watch{time.Now()} }

func (w watch) stop() *clockFacts {
	f := &clockFacts{state: readSync(), late: lateness(), tick: tick()}
	end := time.Now()
	// Round strips the monotonic reading (package time).
	f.stepped = end.Round(0).Sub(w.start.Round(0)) - end.Sub(w.start)
	return f
}

// lateness returns the median of a few sleeps' delays.
func lateness() time.Duration {
	var late [9]time.Duration
	for i := range late {
		start := time.Now()
		time.Sleep(time.Millisecond)
		late[i] = time.Since(start) - time.Millisecond
	}
	slices.Sort(late[:])
	return late[len(late)/2]
}

// tick returns the smallest difference between two readings of the clock.
func tick() time.Duration {
	smallest := time.Duration(0)
	for range 100 {
		start := time.Now()
		step := time.Since(start)
		for n := 0; step == 0 && n < 1_000_000; n++ {
			step = time.Since(start)
		}
		if step > 0 && (smallest == 0 || step < smallest) {
			smallest = step
		}
	}
	return smallest
}

// Beyond these a trace shows it: the round trip of a neighbour takes 100 µs and
// more, and at the default 500 packets a second one leaves every 2 ms. Slewing
// moves the clock by 500 ppm, 5 ms in ten seconds.
const (
	muchTick = 50 * time.Microsecond
	muchLate = 2 * time.Millisecond
	muchStep = 20 * time.Millisecond
)

func (f *clockFacts) checks() []Check {
	c := Check{Subject: "clock", Verdict: OK}
	switch {
	case f.stepped.Abs() > muchStep:
		c.Verdict = Limited
		c.Finding = fmt.Sprintf("the time of day was moved by %v during these checks: round trips measured meanwhile are wrong", f.stepped.Round(time.Millisecond))
		c.Mend = "timedatectl timesync-status"
	case f.state == unsynchronised:
		c.Verdict = Limited
		c.Finding = "the kernel's time of day is not synchronised: round trips are right, but the times of results may not be"
		c.Mend = "sudo timedatectl set-ntp true"
	case f.state == synchronised:
		c.Finding = "synchronised, and was not moved during these checks"
	default:
		c.Finding = "was not moved during these checks; whether it is synchronised is not known here"
	}
	t := Check{Subject: "timers", Verdict: OK}
	t.Finding = fmt.Sprintf("the clock ticks every %v, and a sleep of 1ms takes %v more", f.tick, f.late.Round(time.Microsecond))
	switch {
	case f.tick > muchTick:
		t.Verdict = Limited
		t.Finding += ": round trips are no better than that"
	case f.late > muchLate:
		t.Verdict = Limited
		t.Finding += ": packets leave in small bursts, which rate limits punish"
	}
	if t.Verdict != OK {
		t.Mend = "cat /sys/devices/system/clocksource/clocksource0/current_clocksource"
	}
	return []Check{c, t}
}
