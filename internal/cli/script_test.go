// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"traceflow/internal/enrich/dnstest"
	"traceflow/internal/enrich/enrichtest"
)

// go test ./internal/cli -update writes golden files and the outputs that
// scripts compare anew; review the diff.
var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		// As in cmd/traceflow.
		"traceflow": func() { os.Exit(Run(context.Background(), System(), os.Args[1:])) },
	})
}

// TestScripts runs the real command. Beside testscript's own commands there
// are:
//
//	exits CODE COMMAND...   run it and want this exit code
//	refuses CODE ARGS...    run traceflow: this exit code, nothing on standard
//	                        output, one harmless line on standard error
//	interrupts [TERM|HUP] ARGS...
//	                        run traceflow --debug, send SIGINT or that signal
//	                        after the first reply and want exit code 130;
//	                        leaves files out, err
//	serves ARGS...          run traceflow in the background until it has printed an
//	                        address, which is $page then, $bind the part --bind takes
//	answers CODE PATH [PATTERN]
//	                        that page answers so, and what it answers matches
//	says PATTERN            wait until standard error of that traceflow matches
//	signals INT|TERM|HUP    send it a signal
//	ends CODE               want it to end with this exit code; leaves files out,
//	                        err
//	nameserver [DELAY]      answer questions of DNS on loopback, after so long, at
//	                        $nameserver; "dead" answers nothing
//	asked NAME...           the name server was asked for these and nothing else
//	valid N FILE            the file holds N result documents that obey the
//	                        schema; "stdout" is the last command's output
//	mmdb FILE TYPE PREFIX [CITY]
//	                        write an MMDB file of that type, which says AS 64500,
//	                        DE and the city of the prefix
//
// and the conditions [netraw], this process may open raw sockets, and [netns], it
// may make a network of its own.
func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("a command takes two seconds to start under the race detector; make test runs them without")
	}
	loose, strict := schemas(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Values[nameServerKey{}] = new(*dnstest.Server)
			env.Values[servingKey{}] = new(*serving)
			env.Setenv("LANG", "C.UTF-8")
			env.Setenv("evil", "a\x1b[31mb\u202ec\u2066\rd\ne\u009bf\xff\u2028g")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      exits,
			"refuses":    refuses,
			"interrupts": interrupts,
			"serves":     serves,
			"answers":    answers,
			"says":       says,
			"signals":    signalsIt,
			"ends":       ends,
			"nameserver": startNameServer,
			"asked":      asked,
			"mmdb":       writeMMDB,
			"valid": func(ts *testscript.TestScript, _ bool, args []string) {
				want, err := strconv.Atoi(args[0])
				ts.Check(err)
				got, err := validate(loose, strict, []byte(ts.ReadFile(args[1])))
				ts.Check(err)
				if got != want {
					ts.Fatalf("%d documents, want %d", got, want)
				}
			},
		},
		Condition: func(name string) (bool, error) {
			var holds bool
			var err error
			switch name {
			case "netraw":
				holds, err = hasNetRaw()
			case "netns":
				holds = exec.Command("unshare", "-n", "ip", "link", "set", "lo", "up").Run() == nil
			default:
				return false, fmt.Errorf("unknown condition %q", name)
			}
			if !holds && err == nil && os.Getenv("TRACEFLOW_LAB") == "require" {
				err = fmt.Errorf("TRACEFLOW_LAB=require: [%s] does not hold", name)
			}
			return holds, err
		},
	})
}

// nameServerKey is where a script keeps its name server.
type nameServerKey struct{}

// startNameServer knows the loopback addresses from 127.0.0.2 on, and of one name
// that nobody wants on a terminal.
func startNameServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: nameserver [DELAY]")
	}
	s := &dnstest.Server{Answer: dnstest.Records(map[string][]string{
		"2.0.0.127.in-addr.arpa. PTR": {"two.example.net.", "zwei.example.net."},
		"3.0.0.127.in-addr.arpa. PTR": {"\x1b[31mthree\u202e.example.net."},
	})}
	if len(args) == 1 && args[0] == "dead" {
		s.Delay = -1
	} else if len(args) == 1 {
		var err error
		s.Delay, err = time.ParseDuration(args[0])
		ts.Check(err)
	}
	address, stop, err := s.Start()
	ts.Check(err)
	ts.Defer(stop)
	ts.Setenv("nameserver", address.String())
	*ts.Value(nameServerKey{}).(**dnstest.Server) = s
}

func asked(ts *testscript.TestScript, neg bool, args []string) {
	got := (*ts.Value(nameServerKey{}).(**dnstest.Server)).Asked()
	slices.Sort(got)
	slices.Sort(args)
	if neg || !slices.Equal(slices.Compact(got), args) {
		ts.Fatalf("the name server was asked for %q", got)
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func refuses(ts *testscript.TestScript, neg bool, args []string) {
	exits(ts, neg, append([]string{args[0], "traceflow"}, args[1:]...))
	if got := ts.ReadFile("stdout"); got != "" {
		ts.Fatalf("%d bytes on standard output", len(got))
	}
	got := ts.ReadFile("stderr")
	line, whole := strings.CutSuffix(got, "\n")
	if !whole || !strings.HasPrefix(line, "traceflow: ") {
		ts.Fatalf("not one line that begins with the program's name: %q", got)
	}
	for _, r := range line {
		if !unicode.IsPrint(r) {
			ts.Fatalf("%q in %q", r, line)
		}
	}
}

// program is the path of the traceflow that scripts run.
func program(ts *testscript.TestScript) string {
	path, err := exec.LookPath("traceflow")
	if found := filepath.SplitList(ts.Getenv("PATH")); err != nil && len(found) > 0 {
		path, err = filepath.Join(found[0], "traceflow"), nil
	}
	ts.Check(err)
	return path
}

func interrupts(ts *testscript.TestScript, _ bool, args []string) {
	with := os.Interrupt
	if number, ok := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP}[args[0]]; ok {
		with, args = number, args[1:]
	}
	var out bytes.Buffer
	command := exec.Command(program(ts), append([]string{"--debug"}, args...)...)
	command.Dir, command.Stdout = ts.MkAbs("."), &out
	stderr, err := command.StderrPipe()
	ts.Check(err)
	ts.Check(command.Start())
	var log strings.Builder
	lines := bufio.NewScanner(stderr)
	for signalled := false; lines.Scan(); {
		fmt.Fprintln(&log, lines.Text())
		if !signalled && strings.Contains(lines.Text(), "time-exceeded from") {
			ts.Check(command.Process.Signal(with))
			signalled = true
		}
	}
	_ = command.Wait() // its exit code is looked at next
	if got := command.ProcessState.ExitCode(); got != exitInterrupted {
		ts.Fatalf("exit code %d, want %d\n%s", got, exitInterrupted, log.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs("out"), out.Bytes(), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs("err"), []byte(log.String()), 0o644))
}

func writeMMDB(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: mmdb FILE TYPE PREFIX [CITY]")
	}
	network := enrichtest.Network{Prefix: args[2], ASN: 64500, ASName: "Example", Country: "DE"}
	if len(args) > 3 {
		network.City = args[3]
	}
	b, err := enrichtest.MMDB(args[1], network)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// hasNetRaw reports whether CAP_NET_RAW, bit 13, is effective.
func hasNetRaw() (bool, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(string(status)) {
		if hex, ok := strings.CutPrefix(line, "CapEff:"); ok {
			set, err := strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
			return set&(1<<13) != 0, err
		}
	}
	return false, errors.New("no CapEff")
}

// TestScriptsCoverFlags finds flags and exit codes that no script uses.
func TestScriptsCoverFlags(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	env := Env{Out: io.Discard, Err: io.Discard}
	root := newRoot(env)
	commands := map[string]*cobra.Command{"": root}
	for _, name := range []string{"show", "doctor", "data", "snapshot", "diff", "maint"} {
		c, _, err := root.Find([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range everyCommand(c) {
			commands[c.CommandPath()+" "] = c
		}
	}
	for command, c := range commands {
		// refuses and serves know the program's name.
		command = strings.Replace(command, "traceflow ", "(?:traceflow )?", 1)
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" && c != root {
				return // TestHelp has those
			}
			names := []string{"--" + f.Name}
			if f.Shorthand != "" {
				names = append(names, "-"+f.Shorthand)
			}
			for _, name := range names {
				if !regexp.MustCompile(`(?m)^(exec|exits|refuses|interrupts|serves) (.*[ '])?` + command + `(.*[ '])?` + name + `([= ']|$)`).MatchString(all.String()) {
					t.Errorf("no script uses %s%s", command, name)
				}
			}
		})
	}
	for _, code := range []int{exitInternal, exitUsage, exitNotReached, exitPermission, exitResolve, exitNoReply} {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^(\[.*\] )*(exits|refuses) %d `, code)).MatchString(all.String()) {
			t.Errorf("no script wants exit code %d", code)
		}
	}
}
