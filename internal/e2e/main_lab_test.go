// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"traceflow"
	"traceflow/internal/cli"
	"traceflow/internal/netlab"
	"traceflow/internal/topology"
	"traceflow/internal/topology/topologytest"
)

// asCommand in the environment makes the test binary be the traceflow command.
const asCommand = "TRACEFLOW_E2E_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Unsetenv(asCommand)
		os.Exit(cli.Run(context.Background(), cli.System(), os.Args[1:]))
	}
	os.Exit(netlab.Main(m))
}

// command returns the path of a copy of this binary that other users may run,
// which the one in go test's own folder is not.
func command(t testing.TB) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "traceflow-e2e-") //nolint:usetesting // the parents of t.TempDir are closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "traceflow")
	// Not by this process: what is open for writing where another test forks cannot
	// be run (ETXTBSY).
	if out, err := exec.Command("cp", self, path).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}
	return path
}

// outcome is what one run of the command left.
type outcome struct {
	code           int
	stdout, stderr string
	cpu            time.Duration
	memory         int64 // largest resident set, bytes
}

// trace returns the JSON document of a run.
func (o *outcome) trace(t testing.TB) *traceflow.Trace {
	t.Helper()
	var trace traceflow.Trace
	if err := json.Unmarshal([]byte(o.stdout), &trace); err != nil {
		t.Fatalf("%v; exit code %d; standard error:\n%s", err, o.code, o.stderr)
	}
	return &trace
}

// lab is a network of kernels and the command to run in it.
type lab struct {
	*netlab.Lab
	command string
}

// run runs the command at the vantage point of a lab, as an ordinary user
// without any capability if wanted.
func (l *lab) run(t testing.TB, unprivileged bool, args ...string) *outcome {
	t.Helper()
	// There is no name server in a lab, and that of this machine knows nothing.
	return l.runCommand(t, unprivileged, append([]string{"-n"}, args...)...)
}

// runCommand runs any of the commands, as run runs the one that traces.
func (l *lab) runCommand(t testing.TB, unprivileged bool, args ...string) *outcome {
	t.Helper()
	cmd := l.Command(t.Context(), l.command, args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := l.Run
	if unprivileged {
		start = l.RunUnprivileged
	}
	o := &outcome{}
	if err := start(cmd); err != nil {
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		o.code = netlab.ExitStatus(failed)
	}
	o.stdout, o.stderr = stdout.String(), stderr.String()
	if s := cmd.ProcessState; s != nil {
		o.cpu = s.UserTime() + s.SystemTime()
		o.memory = s.SysUsage().(*syscall.Rusage).Maxrss * 1024
	}
	return o
}

// build makes the lab of a built-in network, and removes it with the test.
func build(t testing.TB, name string) *lab {
	t.Helper()
	return buildNetwork(t, topologytest.Builtin(t, name))
}

func buildNetwork(t testing.TB, network *topology.Topology) *lab {
	t.Helper()
	return buildWith(t, network, netlab.Options{IgnoreTiming: true})
}

func buildWith(t testing.TB, network *topology.Topology, options netlab.Options) *lab {
	t.Helper()
	netlab.Require(t)
	l, err := netlab.Build(network, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return &lab{l, command(t)}
}

// describeStderr drops the lines that every run prints.
func describeStderr(s string) string {
	var out []string
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "Resolved ") && !strings.HasPrefix(line, "Looking ") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}
