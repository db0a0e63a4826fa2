// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"traceflow/internal/netlab"
)

// go test -tags lab ./internal/e2e -run Walkthrough -update writes what the commands
// of docs/maintenance.md print into it; review the diff.
var update = flag.Bool("update", false, "write the outputs of the walkthrough anew")

// The prompts of the walkthrough: outside of the lab, and at its vantage point.
const (
	outside = "$ "
	inside  = "lab$ "
)

// walker is whose folder the walkthrough shows.
const walker = "/home/ann/traceflow"

// masks hide what is another in every run: how long things took, how many packets
// that was, how large a file became, the date; and on a machine with much else to do
// that an answer came late, with what follows from that.
var masks = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\d+ packets in \d+\.\d s`), "N packets in T s"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d UTC`), "DATE"},
	{regexp.MustCompile(`, \d+ (bytes|KiB)\n`), ", SIZE\n"},
	{regexp.MustCompile(`0 of \d+ hops differ(, \d+ answered in one pass of two)?\n`), "0 of N hops differ\n"},
	{regexp.MustCompile(`a rise of less than \d+ %`), "a rise of less than N %"},
}

func masked(s string) string {
	for _, m := range masks {
		s = m.pattern.ReplaceAllString(s, m.instead)
	}
	return s
}

// session is a block of a document with commands and what they print.
var session = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")

// planFile is the block that is the plan.
var planFile = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// step is a command of the walkthrough, and what is printed below it.
type step struct {
	prompt, command, output string
}

// TestMaintenanceWalkthrough types what docs/maintenance.md tells a new user to, into
// a shell in the kernel lab, and compares what comes with what stands there.
func TestMaintenanceWalkthrough(t *testing.T) {
	netlab.Require(t)
	const file = "../../docs/maintenance.md"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	plans := planFile.FindAllSubmatch(data, -1)
	if len(plans) != 1 {
		t.Fatalf("%d blocks of YAML, want the plan", len(plans))
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "plan.yaml"), plans[0][1], 0o644); err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]string{"traceflow": command(t), "lab": labCommand(t)} {
		if err := os.Symlink(from, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	var steps []*step
	document := session.ReplaceAllStringFunc(string(data), func(block string) string {
		steps = append(steps, readSteps(t, session.FindStringSubmatch(block)[1])...)
		return block
	})
	if len(steps) < 20 {
		t.Fatalf("only %d commands were found", len(steps))
	}
	started := time.Now()
	got := walk(t, folder, steps)
	t.Logf("%d commands took %.1f s", len(steps), time.Since(started).Seconds())
	var next int
	document = session.ReplaceAllStringFunc(document, func(block string) string {
		var b strings.Builder
		b.WriteString("```console\n")
		for range readSteps(t, session.FindStringSubmatch(block)[1]) {
			s := steps[next]
			b.WriteString(s.prompt + s.command + "\n")
			if masked(got[next]) == masked(s.output) {
				b.WriteString(s.output)
			} else {
				b.WriteString(got[next])
				if !*update {
					t.Errorf("%s (-document +got)\n%s", s.command, cmp.Diff(s.output, got[next]))
				}
			}
			next++
		}
		return b.String() + "```"
	})
	if *update {
		if err := os.WriteFile(file, []byte(document), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// readSteps reads a block of the document.
func readSteps(t *testing.T, block string) (steps []*step) {
	t.Helper()
	for line := range strings.Lines(block) {
		prompt := ""
		for _, p := range []string{outside, inside} {
			if strings.HasPrefix(line, p) {
				prompt = p
			}
		}
		switch {
		case prompt != "":
			steps = append(steps, &step{prompt: prompt, command: strings.TrimSuffix(strings.TrimPrefix(line, prompt), "\n")})
		case len(steps) == 0:
			t.Fatalf("a block begins with an output: %q", line)
		default:
			steps[len(steps)-1].output += line
		}
	}
	return steps
}

// walk runs the commands of outside in a shell each; the last of them opens one in
// the lab, which reads all of inside as if somebody typed them. It returns what each
// has printed.
func walk(t *testing.T, folder string, steps []*step) []string {
	t.Helper()
	var got []string
	for i, s := range steps {
		if s.prompt == inside {
			t.Fatalf("%s: no shell has been opened", s.command)
		}
		opens := i+1 < len(steps) && steps[i+1].prompt == inside
		var typed strings.Builder
		if opens {
			for _, s := range steps[i+1:] {
				if s.prompt != inside {
					t.Fatalf("%s: the shell of the lab is open still", s.command)
				}
				// What a command leaves as its status is there for the next one.
				typed.WriteString(s.command + "\nleft=$?; printf '\\036'; (exit $left)\n")
			}
		}
		cmd := exec.Command("sh", "-c", s.command)
		cmd.Dir, cmd.Stdin, cmd.Env = folder, strings.NewReader(typed.String()), walkerEnvironment(folder)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		text := strings.ReplaceAll(out.String(), folder, walker)
		if !opens {
			if err != nil {
				t.Fatalf("%s: %v: %s", s.command, err, text)
			}
			got = append(got, text)
			continue
		}
		parts := strings.Split(text, "\x1e")
		if len(parts) != len(steps)-i {
			t.Fatalf("%d outputs of %d commands:\n%s", len(parts)-1, len(steps)-i-1, text)
		}
		return append(append(got, ""), parts[:len(parts)-1]...)
	}
	t.Fatal("no command opens a shell in the lab")
	return nil
}

// walkerEnvironment is that of somebody who has set nothing, but that this test binary
// is the command. The folder is that of the process, by the name that it was given.
func walkerEnvironment(folder string) []string {
	return []string{asCommand + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + folder, "PWD=" + folder, "LANG=C.UTF-8", "TZ=UTC"}
}

// labCommand builds the command of the lab.
func labCommand(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lab")
	build := exec.Command("go", "build", "-trimpath", "-o", path, "traceflow/internal/netlab/lab")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}
