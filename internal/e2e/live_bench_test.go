// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab && bench

package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clockTicks is the unit of the times in /proc/PID/stat on every Linux: USER_HZ.
const clockTicks = 100

// TestBenchLive measures what a live screen takes of a processor, all of it: the
// engine at 500 packets a second, the simulated network of 255 paths, statistics
// and drawing.
func TestBenchLive(t *testing.T) {
	const limit, long = 5.0, 25 * time.Second
	fmt.Println("live screen, 255 paths, share of one core:")
	for _, size := range [][2]int{{80, 24}, {200, 50}} {
		term := openTerminal(t, size[0], size[1], "env LC_ALL=C.UTF-8", "--sim", "wide255", "--tui")
		term.awaitText("── Path 1 ")
		process := term.process()
		start, before := time.Now(), cpuOf(t, process)
		time.Sleep(long)
		share := 100 * (cpuOf(t, process) - before).Seconds() / time.Since(start).Seconds()
		lines := term.screen()
		reached(t, fmt.Sprintf("%d×%d, %s", size[0], size[1], strings.Join(strings.Fields(lines[0][len(lines[0])-18:]), " ")),
			fmt.Sprintf("%.1f %%", share), fmt.Sprintf("%.0f %%", limit), share < limit)
		term.keys("q")
	}
}

// cpuOf is what a process has used of processors.
func cpuOf(t *testing.T, process string) time.Duration {
	t.Helper()
	stat, err := os.ReadFile("/proc/" + process + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // after the name
	fields := strings.Fields(rest)
	var ticks int
	for _, f := range fields[11:13] { // utime and stime: the 14th and 15th of proc(5)
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / clockTicks
}
