// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

var (
	liveTop = regexp.MustCompile(`^traceflow dst \(198\.18\.0\.2\) .* round (\d+)  \d+:\d\d$`)
	// liveHead are titles; livePath is a path: its number, flows, port, hops, loss.
	// On a busy machine packets may be late, and then they are lost.
	liveHead = regexp.MustCompile(`^ +PATH FLOWS +PORT HOPS +LOSS +LAST +BEST +MED +P95 +JITT HISTORY$|^TTL +(NODE +)?ADDRESS +(AS +)?LOSS +LAST +BEST +MED +P95 +JITT HISTORY$`)
	livePath = regexp.MustCompile(`^[ ▸](?:  | \?| !|!!|RL) +(\d+) +(\d+) +(\d{4,5}) +3 +(\d+\.\d|100)%(?: +\d+(?:\.\d+)?){5} +[▁▂▃▄▅▆▇█×]+$`)
	liveHop  = regexp.MustCompile(`^  [123] (?:  | \?| !|RL) (?:n\d+ +)?(?:r1|w\d+|dst|198\.18\.\d+\.\d+) +(\d+\.\d|100)%(?: +\d+(?:\.\d+)?){5} +[▁▂▃▄▅▆▇█×]+$`)
	liveRule = regexp.MustCompile(`^── .* ─+$`)
	liveFork = regexp.MustCompile(`^[ \dn─┬┴┼├┤┌┐└┘│.!?RL]+(?:others[ ─┴┬┘]*)?(nodes|others|slowest|worst)?[ \dn─┬┴┼├┤┌┐└┘│.!?RL%]*$`)
	liveNews = regexp.MustCompile(`^(\d+ paths, no loss on the way|\d+ of \d+ paths lose packets)( +by [a-z0-9 ]+)?$`)
	liveKeys = regexp.MustCompile(`^q leave  \? help`)
)

// whole reports what is wrong with a screen: a line that is torn, too long, or
// missing. It returns the numbers of the paths that it shows.
func whole(lines []string, width, height int) (paths []int, err error) {
	if len(lines) != height {
		return nil, fmt.Errorf("%d lines, want %d", len(lines), height)
	}
	for i, l := range lines {
		l = strings.TrimRight(l, " ")
		if n := utf8.RuneCountInString(l); n > width {
			return nil, fmt.Errorf("line %d has %d cells", i+1, n)
		}
		ok := false
		switch i {
		case 0:
			ok = liveTop.MatchString(l) && utf8.RuneCountInString(l) == width
		case height - 2:
			ok = liveNews.MatchString(l)
		case height - 1:
			ok = liveKeys.MatchString(l)
		default:
			if m := livePath.FindStringSubmatch(l); m != nil {
				id, _ := strconv.Atoi(m[1]) // digits
				paths, ok = append(paths, id), true
			}
			ok = ok || l == "" || liveHead.MatchString(l) || liveHop.MatchString(l) || liveFork.MatchString(l) ||
				liveRule.MatchString(l) && utf8.RuneCountInString(l) == width
		}
		if !ok {
			return nil, fmt.Errorf("line %d: %q", i+1, l)
		}
	}
	return paths, nil
}

// awaitWhole waits for a screen without fault, in which some paths are right. A
// screen may be caught while it is drawn, so one fault is none.
func (t *terminal) awaitWhole(width, height int, right func(paths []int) bool) []string {
	t.Helper()
	var fault error
	var paths []int
	defer func() {
		if t.Failed() {
			t.Logf("%v; paths %v", fault, paths)
		}
	}()
	return t.await(fmt.Sprintf("whole screen of %d×%d", width, height), func(lines []string) bool {
		paths, fault = whole(lines, width, height)
		return fault == nil && right(paths)
	})
}

// upTo reports whether paths are so many numbers in a row, up to one of them.
func upTo(last, atLeast int) func([]int) bool {
	return func(paths []int) bool {
		for i, id := range paths {
			if id != last-len(paths)+1+i {
				return false
			}
		}
		return len(paths) >= atLeast
	}
}

// from is the same, from one of them.
func from(first, atLeast int) func([]int) bool {
	return func(paths []int) bool {
		return len(paths) > 0 && upTo(first+len(paths)-1, atLeast)(paths)
	}
}

// TestLiveScreen looks at paths in a terminal that changes its size, and leaves.
func TestLiveScreen(t *testing.T) {
	for _, paths := range []int{4, 64, 255} {
		t.Run(fmt.Sprint(paths), func(t *testing.T) {
			term := openTerminal(t, 80, 24, "env LC_ALL=C.UTF-8", "--sim", fmt.Sprintf("wide%d", paths), "--tui", "--rate", "2000")
			few := min(paths, 5)
			term.awaitWhole(80, 24, from(1, few))
			term.keys("End")
			term.awaitText(fmt.Sprintf("── Path %d ", paths))
			term.awaitWhole(80, 24, upTo(paths, few))
			term.keys("s")
			term.awaitText("by loss")
			term.keys("s", "s", "s")
			term.resize(200, 50)
			term.awaitWhole(200, 50, upTo(paths, min(paths, 20)))
			term.awaitText("Fork")
			term.keys("Home")
			term.awaitWhole(200, 50, from(1, min(paths, 20)))
			term.resize(60, 14)
			term.await("small screen", func(lines []string) bool { return len(lines) == 14 && strings.HasPrefix(lines[13], "q leave") })
			term.resize(30, 8)
			term.awaitText("too small")
			term.resize(80, 24)
			term.awaitWhole(80, 24, from(1, few))
			term.keys("?")
			term.awaitText("loss that persists to the destination")
			term.keys("?")
			before := term.awaitWhole(80, 24, from(1, few))
			rounds, _ := strconv.Atoi(liveTop.FindStringSubmatch(before[0])[1])
			term.keys("q")
			term.awaitText("modes as before")
			checkReport(t, term.all(), paths, rounds)
			checkLeft(t, term, 0)
		})
	}
}

// checkReport wants a report of so many paths with the packets of so many rounds
// or a few more, none of them lost.
func checkReport(t *testing.T, text string, paths, rounds int) {
	t.Helper()
	row := regexp.MustCompile(`(?m)^ *(\d+) +\d+ +3 +\d+\.\d.? +(\d+) +\S+ +\S+ +from port \d+$`)
	all := row.FindAllStringSubmatch(text, -1)
	if len(all) != paths {
		t.Fatalf("%d paths reported, want %d:\n%s", len(all), paths, text)
	}
	seen := make(map[string]bool)
	for _, m := range all {
		seen[m[1]] = true
		if sent, _ := strconv.Atoi(m[2]); sent < rounds-2 || sent > rounds+10 {
			t.Errorf("path %s: %d packets in %d rounds", m[1], sent, rounds)
		}
	}
	if len(seen) != paths {
		t.Errorf("%d different paths reported, want %d", len(seen), paths)
	}
}

// checkLeft wants an exit code, and the terminal to be as it was.
func checkLeft(t *testing.T, term *terminal, code int) {
	t.Helper()
	if all := term.all(); !strings.Contains(all, fmt.Sprintf("left with %d\n", code)) {
		t.Errorf("want exit code %d:\n%s", code, all)
	}
	const modes = "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{wrap_flag} #{insert_flag}"
	if got := strings.TrimSpace(term.tmux("display-message", "-p", modes)); got != "0 1 0 1 0" {
		t.Errorf("alternate screen, cursor, mouse, wrap, insert: %s", got)
	}
}

// TestLiveEnds leaves the screen in every other way there is.
func TestLiveEnds(t *testing.T) {
	const found = "PATH FLOWS"
	tests := []struct {
		name, sim, wait string
		code            int
		end             func(*terminal)
	}{
		{"ctrl-c", "b", found, 0, func(t *terminal) { t.keys("C-c") }},
		{"while it looks", "wide255", "Looking for every path: ", 130, func(t *terminal) { t.keys("q") }},
		{"terminated", "b", found, 130, func(t *terminal) { t.signal("TERM") }},
		{"hung up", "b", found, 130, func(t *terminal) { t.signal("HUP") }},
		{"not reached", "blackhole", found, 3, func(t *terminal) { t.keys("q") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			term := openTerminal(t, 80, 24, "env LC_ALL=C.UTF-8", "--sim", tt.sim, "--tui")
			term.awaitText(tt.wait)
			tt.end(term)
			term.awaitText("modes as before")
			if all := term.all(); !regexp.MustCompile(`paths? by UDP`).MatchString(all) {
				t.Errorf("no report:\n%s", all)
			}
			checkLeft(t, term, tt.code)
		})
	}
}

// signal sends one to the command.
func (t *terminal) signal(name string) {
	t.Helper()
	if out, err := exec.Command("kill", "-"+name, t.process()).CombinedOutput(); err != nil {
		t.Fatalf("kill: %v: %s", err, out)
	}
}

// TestLiveFormat writes another format on leaving.
func TestLiveFormat(t *testing.T) {
	term := openTerminal(t, 80, 24, "env LC_ALL=C.UTF-8", "--sim", "b", "--tui", "--format", "csv")
	term.awaitText("PATH FLOWS")
	term.keys("q")
	term.awaitText("modes as before")
	if all := term.all(); !strings.Contains(all, "198.18.0.3,") || strings.Contains(all, "times in ms") {
		t.Errorf("no CSV:\n%s", all)
	}
}

// TestLiveColors looks for colours: there are some, and none with NO_COLOR, with
// --color never, or in a terminal that has none.
func TestLiveColors(t *testing.T) {
	color := regexp.MustCompile(`\x1b\[(?:[\d;]*;)?(?:3[0-8]|4[0-8]|9\d|10\d)[;\dm]`)
	tests := []struct {
		name, environment string
		args              []string
		want              bool
	}{
		{"usual", "env LC_ALL=C.UTF-8 COLORTERM=truecolor", nil, true},
		{"NO_COLOR", "env LC_ALL=C.UTF-8 COLORTERM=truecolor NO_COLOR=1", nil, false},
		{"never", "env LC_ALL=C.UTF-8 COLORTERM=truecolor", []string{"--color", "never"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			term := openTerminal(t, 80, 24, tt.environment, append([]string{"--sim", "b", "--tui"}, tt.args...)...)
			term.awaitText("PATH FLOWS")
			text := term.tmux("capture-pane", "-p", "-e")
			if got := color.MatchString(text); got != tt.want {
				t.Errorf("colours %t, want %t: %q", got, tt.want, text)
			}
			if !strings.Contains(text, "\x1b[") {
				t.Error("not even what is picked stands out")
			}
			term.keys("q")
			term.awaitText("modes as before")
		})
	}
}

// TestLiveASCII draws without a UTF-8 locale.
func TestLiveASCII(t *testing.T) {
	term := openTerminal(t, 80, 34, "env LC_ALL=C", "--sim", "b", "--tui")
	lines := term.awaitText("PATH FLOWS")
	for _, l := range lines {
		if len(l) != utf8.RuneCountInString(l) {
			t.Errorf("%q", l)
		}
	}
}

// TestLiveTooSmall has a terminal that is too small from the beginning.
func TestLiveTooSmall(t *testing.T) {
	term := openTerminal(t, 39, 12, "env LC_ALL=C.UTF-8", "--sim", "b", "--tui")
	term.awaitText("modes as before")
	all := term.all()
	if !strings.Contains(all, "No live screen: the terminal has 39×12 cells, and it takes 40×10") || !strings.Contains(all, "4 paths, 4 hops long") {
		t.Errorf("want a line and the ordinary trace:\n%s", all)
	}
	checkLeft(t, term, 0)
}
