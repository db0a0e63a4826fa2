// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// asCommand in the environment makes the test binary be the release command.
const asCommand = "TRACEFLOW_RELEASE_COMMAND"

// The source that the tests say they build.
const (
	testCommit = "0123456789abcdef0123456789abcdef01234567"
	testTime   = "1767323046" // 2026-01-02T03:04:06Z
)

// dist is where TestMain made a release for this machine's architecture.
var dist string

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	flag.Parse()
	os.Exit(prepared(m))
}

func prepared(m *testing.M) int {
	folder, err := os.MkdirTemp("", "traceflow-dist-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	dist = folder
	if err := os.Chdir("../.."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := run(arguments(dist)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func arguments(out string) []string {
	return []string{"-out", out, "-platforms", "linux/" + runtime.GOARCH, "-commit", testCommit, "-time", testTime}
}

// made returns the one file of the release that a pattern matches.
func made(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dist, pattern))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q are of the form %s", files, pattern)
	}
	return files[0]
}

// need skips a test that this machine has not what it takes for; with
// TRACEFLOW_LAB=require it fails it instead.
func need(t *testing.T, root bool, programs ...string) {
	t.Helper()
	var missing []string
	if root && os.Geteuid() != 0 {
		missing = append(missing, "root")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = append(missing, p)
		}
	}
	switch {
	case len(missing) == 0:
	case os.Getenv("TRACEFLOW_LAB") == "require":
		t.Fatalf("TRACEFLOW_LAB=require: needs %s", strings.Join(missing, ", "))
	default:
		t.Skipf("needs %s", strings.Join(missing, ", "))
	}
}

// command runs a program and returns what it wrote, standard error last.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestChecksums has coreutils check the release.
func TestChecksums(t *testing.T) {
	need(t, false, "sha256sum")
	cmd := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	cmd.Dir = dist
	if out, err := cmd.CombinedOutput(); err != nil || bytes.Count(out, []byte(": OK\n")) != 10 {
		t.Errorf("%v: %s", err, out)
	}
}

// TestArchive unpacks what most users unpack and runs it.
func TestArchive(t *testing.T) {
	need(t, false, "tar")
	folder := t.TempDir()
	command(t, "tar", "-xzf", made(t, "*_"+runtime.GOARCH+".tar.gz"), "-C", folder, "--strip-components=1")
	for _, name := range []string{
		"LICENSE", "README.md", "CHANGELOG.md", "THIRD-PARTY.txt", "traceflow.1", "systemd/traceflow@.service", "systemd/traceflow@.timer",
		"completions/traceflow.bash", "completions/_traceflow", "completions/traceflow.fish", "completions/traceflow.ps1",
	} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() == 0 || info.Mode() != 0o644 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	version := command(t, filepath.Join(folder, "traceflow"), "version")
	if !strings.Contains(version, "commit    "+testCommit+"\ndate      2026-01-02T03:04:06Z\n") {
		t.Errorf("the binary says %s", version)
	}
	here := strings.TrimSpace(command(t, "go", "env", "GOROOT"))
	if binary, err := os.ReadFile(filepath.Join(folder, "traceflow")); err != nil || bytes.Contains(binary, []byte(here)) {
		t.Errorf("the binary names folders of this machine (%v)", err)
	}
}
