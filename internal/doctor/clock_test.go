// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"testing"
	"testing/synctest"
	"time"

	"traceflow/probe"
)

func TestClock(t *testing.T) {
	fine := clockFacts{state: synchronised, tick: time.Nanosecond, late: 60 * time.Microsecond}
	with := func(edit func(*clockFacts)) []Check {
		f := fine
		edit(&f)
		return f.checks()
	}
	const source = "cat /sys/devices/system/clocksource/clocksource0/current_clocksource"
	testVerdicts(t, []verdictTest{
		{"fine", fine.checks(), "clock", OK, "synchronised", ""},
		{"fine timers", fine.checks(), "timers", OK, "a sleep of 1ms takes 60µs more", ""},
		{"not synchronised", with(func(f *clockFacts) { f.state = unsynchronised }), "clock", Limited, "not synchronised", "sudo timedatectl set-ntp true"},
		{"not known", with(func(f *clockFacts) { f.state = syncUnknown }), "clock", OK, "not known here", ""},
		{"set back", with(func(f *clockFacts) { f.stepped = -time.Second }), "clock", Limited, "moved by -1s", "timedatectl timesync-status"},
		{"slewed", with(func(f *clockFacts) { f.stepped = time.Millisecond }), "clock", OK, "", ""},
		{"coarse", with(func(f *clockFacts) { f.tick = time.Millisecond }), "timers", Limited, "no better than that", source},
		{"late", with(func(f *clockFacts) { f.late = 10 * time.Millisecond }), "timers", Limited, "small bursts", source},
	})
}

// TestWatch runs on a clock that never steps and is never late.
func TestWatch(t *testing.T) {
	if got := tick(); got <= 0 || got > time.Second {
		t.Errorf("tick of %v", got)
	}
	synctest.Test(t, func(t *testing.T) {
		if got := lateness(); got != 0 {
			t.Errorf("late by %v", got)
		}
	})
}

func TestLimits(t *testing.T) {
	user, root := wiresWith(probe.KindSockets), wiresWith(probe.KindRaw)
	testVerdicts(t, []verdictTest{
		{"enough", limitFacts{true, 4096}.checks(user), "open files", OK, "4096 may be open", ""},
		{"few", limitFacts{true, 64}.checks(user), "open files", Limited, "no more than about 48 flows", moreFiles},
		{"very few", limitFacts{true, 8}.checks(user), "open files", Limited, "about 0 flows", moreFiles},
		{"few for root", limitFacts{true, 64}.checks(root), "open files", OK, "raw sockets serve all flows", ""},
		{"another system", limitFacts{}.checks(user), "open files", Unknown, "exists on Linux only", ""},
	})
}
