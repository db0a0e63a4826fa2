// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// terminal is a real one, in tmux, with the command running in it.
type terminal struct {
	testing.TB
	socket string
}

// patience is how long a screen is waited for. Nothing takes as long.
const patience = 90 * time.Second

// openTerminal runs the command in a terminal of that size. When it has ended,
// its exit code stands there, and whether the terminal's modes are as before.
func openTerminal(t testing.TB, width, height int, environment string, args ...string) *terminal {
	t.Helper()
	needTool(t, "tmux", "tmux")
	term := &terminal{t, filepath.Join(t.TempDir(), "tmux")}
	script := filepath.Join(t.TempDir(), "run")
	lines := fmt.Sprintf(`stty -g >%[1]s.before
%[2]s %[3]s %[4]s
echo "left with $?"
stty -g >%[1]s.after
cmp %[1]s.before %[1]s.after && echo "modes as before"
exec sleep 1000
`, script, environment, realCommand(t), strings.Join(args, " "))
	if err := os.WriteFile(script, []byte(lines), 0o700); err != nil {
		t.Fatal(err)
	}
	term.tmux("-f", "/dev/null", "set-option", "-g", "history-limit", "100000", ";", // the report is long
		"new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "sh "+script)
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", term.socket, "kill-server").Run() })
	return term
}

// built is the command as it is shipped, once it was needed.
var built string

func realCommand(t testing.TB) string {
	t.Helper()
	if built != "" {
		return built
	}
	folder, err := os.MkdirTemp("", "traceflow-e2e-") //nolint:usetesting // several tests share it
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "traceflow")
	build := exec.Command("go", "build", "-trimpath", "-o", path, "traceflow/cmd/traceflow")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	built = path
	return path
}

func (t *terminal) tmux(args ...string) string {
	t.Helper()
	cmd := exec.Command("tmux", append([]string{"-S", t.socket}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TERM=xterm-256color")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

func (t *terminal) keys(names ...string) {
	t.Helper()
	t.tmux(append([]string{"send-keys"}, names...)...)
}

func (t *terminal) resize(width, height int) {
	t.Helper()
	t.tmux("resize-window", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height))
}

// screen is what can be seen, line by line.
func (t *terminal) screen() []string {
	t.Helper()
	return strings.Split(strings.TrimSuffix(t.tmux("capture-pane", "-p"), "\n"), "\n")
}

// all is what has been written since, too, as long as it was not on a screen of
// its own.
func (t *terminal) all() string {
	t.Helper()
	return t.tmux("capture-pane", "-p", "-J", "-S", "-")
}

// await waits until a screen is as it should be.
func (t *terminal) await(what string, ok func(lines []string) bool) []string {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		lines := t.screen()
		if ok(lines) {
			return lines
		}
		if time.Now().After(end) {
			t.Fatalf("no %s within %v:\n%s", what, patience, strings.Join(lines, "\n"))
		}
	}
}

// awaitText waits until there is a text.
func (t *terminal) awaitText(text string) []string {
	t.Helper()
	return t.await(fmt.Sprintf("%q", text), func(lines []string) bool { return strings.Contains(strings.Join(lines, "\n"), text) })
}

// process is the command's.
func (t *terminal) process() string {
	t.Helper()
	shell := strings.TrimSpace(t.tmux("list-panes", "-F", "#{pane_pid}"))
	children, err := os.ReadFile(fmt.Sprintf("/proc/%s/task/%s/children", shell, shell))
	if err != nil || len(strings.Fields(string(children))) != 1 {
		t.Fatalf("children of %s: %q, %v", shell, children, err)
	}
	return strings.TrimSpace(string(children))
}
