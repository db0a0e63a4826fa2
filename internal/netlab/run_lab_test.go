// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package netlab_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"traceflow/internal/netlab"
	"traceflow/internal/topology/topologytest"
)

// namespaceOf reads the calling thread's network namespace.
func namespaceOf(t *testing.T) string {
	t.Helper()
	name, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDo(t *testing.T) {
	l := build(t, topologytest.Builtin(t, "b"))
	outside, inside := namespaceOf(t), map[string]bool{}
	for node := range l.Topology().Nodes {
		if err := l.DoAt(node, func() error { inside[namespaceOf(t)] = true; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if len(inside) != len(l.Topology().Nodes) || inside[outside] {
		t.Errorf("%d namespaces for %d nodes", len(inside), len(l.Topology().Nodes))
	}
	want := errors.New("mine")
	if err := l.Do(func() error { return want }); !errors.Is(err, want) {
		t.Errorf("got error %v, want the function's", err)
	}
	if err := l.Do(func() error { runtime.Goexit(); return nil }); err == nil {
		t.Error("no error from a function that ended its goroutine")
	}
	if err := l.DoAt(len(l.Topology().Nodes), func() error { return nil }); err == nil {
		t.Error("no error for a node that does not exist")
	}
	if got := namespaceOf(t); got != outside {
		t.Errorf("left in %s, came from %s", got, outside)
	}
}

func TestCommand(t *testing.T) {
	l := build(t, topologytest.Builtin(t, "b"))
	for _, tt := range []struct {
		name string
		run  func(*exec.Cmd) error
	}{
		{"Run", l.Run},
		{"RunUnprivileged", l.RunUnprivileged},
		{"Start", func(cmd *exec.Cmd) error { return errors.Join(l.Start(cmd), cmd.Wait()) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := l.Command(t.Context(), "/bin/sh", "-c", "echo {dst} $DST {dst6} $DST6 {src} $SRC {src6} $SRC6; grep ^CapEff /proc/self/status; readlink /proc/self/ns/net")
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, os.Stderr
			if err := tt.run(cmd); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(out.String(), "\n")
			want := fmt.Sprintf("%[1]v %[1]v %[2]v %[2]v %[3]v %[3]v %[4]v %[4]v",
				l.Destination4(), l.Destination6(), l.Source4(), l.Source6())
			if lines[0] != want {
				t.Errorf("got addresses %q, want %q", lines[0], want)
			}
			if none := strings.HasSuffix(lines[1], "\t0000000000000000"); none != (tt.name == "RunUnprivileged") {
				t.Errorf("got capabilities %q", lines[1])
			}
			if err := l.Do(func() error {
				if here := namespaceOf(t); lines[2] != here {
					t.Errorf("ran in %s, want %s", lines[2], here)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestUnprivilegedCannotReturn wants root's programs to be no way back.
func TestUnprivilegedCannotReturn(t *testing.T) {
	l := build(t, topologytest.Builtin(t, "b"))
	cmd := l.Command(t.Context(), "/bin/sh", "-c", "unshare -n true || exit 42")
	var exit *exec.ExitError
	if err := l.RunUnprivileged(cmd); !errors.As(err, &exit) || netlab.ExitStatus(exit) != 42 {
		t.Errorf("got error %v, want exit status 42", err)
	}
}

// buildProgram compiles the lab program.
func buildProgram(t *testing.T) string {
	t.Helper()
	netlab.Require(t)
	program := filepath.Join(t.TempDir(), "lab")
	cmd := exec.Command("go", "build", "-o", program, "./lab")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

func TestProgram(t *testing.T) {
	program := buildProgram(t)
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		want   string // in the output
	}{
		{"map", []string{"-topology", "f"}, 0, "a1 … a64 (64)"},
		{"command", []string{"-topology", "b", "--", "echo", "to", "{dst}"}, 0, "to 198.18.0.2"},
		{"flags of the command", []string{"-topology", "b", "sh", "-c", "exit 7"}, 7, ""},
		{"as user", []string{"-topology", "b", "-as-user", "sh", "-c", "grep CapBnd /proc/self/status"}, 0, "0000000000000000"},
		{"killed", []string{"-topology", "b", "sh", "-c", "kill -TERM $$"}, 128 + int(unix.SIGTERM), ""},
		{"no such command", []string{"-topology", "b", "no-such-command"}, 127, "no-such-command"},
		{"no such network", []string{"-topology", "zzz"}, 1, "choose one of"},
		{"unsupported", []string{"-topology", "mpls"}, 1, "MPLS labels"},
		{"usage", []string{"-zzz"}, 64, "usage"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.Command(program, tt.args...)
			out, _ := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != tt.status {
				t.Errorf("exit status %d, want %d", got, tt.status)
			}
			if !strings.Contains(string(out), tt.want) {
				t.Errorf("got output %q, want %q in it", out, tt.want)
			}
		})
	}
}

// TestProgramInterrupted interrupts the program, which passes it on and ends
// with the command.
func TestProgramInterrupted(t *testing.T) {
	cmd := exec.CommandContext(context.Background(), buildProgram(t), "-topology", "b", "--",
		"sh", "-c", "trap 'echo caught; exit 3' INT TERM; echo ready; while :; do sleep 0.1; done")
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true} // no keyboard
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("ready\n"))
	if _, err := out.Read(line); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var rest bytes.Buffer
	if _, err := rest.ReadFrom(out); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 3 || rest.String() != "caught\n" {
		t.Errorf("exit status %d, output %q, want 3 and the command's", got, rest.String())
	}
}
