// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// servingKey is where a script keeps the traceflow that serves a page.
type servingKey struct{}

// serving is a traceflow that runs in the background.
type serving struct {
	command *exec.Cmd
	out     transcript
	err     transcript
}

// transcript is what a program has written so far.
type transcript struct {
	mu    sync.Mutex
	text  strings.Builder
	ended bool
}

func (t *transcript) follow(from io.Reader) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		t.mu.Lock()
		t.text.WriteString(line)
		t.ended = err != nil
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// await returns what there is once it matches, or false if it never will.
func (t *transcript) await(pattern *regexp.Regexp) (string, bool) {
	const enough = 30 * time.Second // on the slowest machine
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		t.mu.Lock()
		text, ended := t.text.String(), t.ended
		t.mu.Unlock()
		if pattern.MatchString(text) {
			return text, true
		}
		if ended || time.Since(begin) > enough {
			return text, false
		}
	}
}

func (t *transcript) over() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended
}

func serves(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: serves ARGS...")
	}
	command := exec.Command(program(ts), args...)
	command.Dir = ts.MkAbs(".")
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "HOME", "LANG", "PATH", "SUDO_USER", "SystemRoot"} {
		if value := ts.Getenv(name); value != "" {
			command.Env = append(command.Env, name+"="+value)
		}
	}
	stdout, err := command.StdoutPipe()
	ts.Check(err)
	stderr, err := command.StderrPipe()
	ts.Check(err)
	ts.Check(command.Start())
	s := &serving{command: command}
	ts.Defer(func() { _ = command.Process.Kill() }) // if it is still there
	go s.out.follow(stdout)
	go s.err.follow(stderr)
	*ts.Value(servingKey{}).(**serving) = s
	text, ok := s.out.await(regexp.MustCompile(`(?m)^http://.*\n`))
	if !ok {
		log, _ := s.err.await(regexp.MustCompile(``))
		ts.Fatalf("no address in %q\n%s", text, log)
	}
	address, _, _ := strings.Cut(text, "\n")
	ts.Setenv("page", address)
	ts.Setenv("bind", strings.TrimSuffix(strings.TrimPrefix(address, "http://"), "/"))
}

func answers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: answers CODE PATH [PATTERN]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	address, _, _ := strings.Cut(ts.Getenv("page"), "/?")
	if path, ok := strings.CutPrefix(args[1], "?"); ok { // of the page with what else is in its address
		address, args[1] = ts.Getenv("page"), path
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get(strings.TrimSuffix(address, "/") + args[1])
	ts.Check(err)
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	ts.Check(response.Body.Close())
	if response.StatusCode != want || len(args) == 3 && !regexp.MustCompile(args[2]).Match(body) {
		ts.Fatalf("%s: %d, want %d\n%.600s", args[1], response.StatusCode, want, body)
	}
}

func says(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: says PATTERN")
	}
	if text, ok := current(ts).err.await(regexp.MustCompile(`(?m)` + args[0])); !ok {
		ts.Fatalf("no %s in %q", args[0], text)
	}
}

func signalsIt(ts *testscript.TestScript, neg bool, args []string) {
	known := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP}
	if neg || len(args) != 1 || known[args[0]] == nil {
		ts.Fatalf("usage: signals INT|TERM|HUP")
	}
	ts.Check(current(ts).command.Process.Signal(known[args[0]]))
}

func ends(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ends CODE")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	s := current(ts)
	never := regexp.MustCompile(`a^`) // so that all is read before Wait closes it
	out, _ := s.out.await(never)
	log, _ := s.err.await(never)
	if !s.out.over() {
		ts.Fatalf("it does not end\n%s", log)
	}
	_ = s.command.Wait() // its exit code is looked at next
	if got := s.command.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d, want %d\n%s", got, want, log)
	}
	ts.Check(os.WriteFile(ts.MkAbs("out"), []byte(out), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs("err"), []byte(log), 0o644))
	*ts.Value(servingKey{}).(**serving) = nil
}

func current(ts *testscript.TestScript) *serving {
	s := *ts.Value(servingKey{}).(**serving)
	if s == nil {
		ts.Fatalf("nothing serves")
	}
	return s
}
