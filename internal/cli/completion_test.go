// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// The last line of an answer tells the shell what else to offer.
const (
	onlyThese = ":4" // no files
	orFiles   = ":0"

	onlyFolders = ":16"
)

func TestCompletions(t *testing.T) {
	tests := []struct {
		name      string
		args      []string
		want      []string // all of these, each a whole line but for its description
		directive string
	}{
		{"commands", []string{""}, []string{"completion", "trace", "version"}, onlyThese},
		{"destinations are no files", []string{"--quiet", "x"}, nil, onlyThese},
		{"flags", []string{"--"}, []string{"--format", "--paths", "--sim", "--version"}, onlyThese},
		{"format", []string{"--format", ""}, formatNames(), onlyThese},
		{"format, joined", []string{"--format="}, formatNames(), onlyThese},
		{"format, begun", []string{"--format", "nd"}, []string{"ndjson"}, onlyThese},
		{"format of trace", []string{"trace", "--format", "h"}, []string{"horiz"}, onlyThese},
		{"guarantee", []string{"--guarantee", ""}, []string{"pair", "node"}, onlyThese},
		{"paths", []string{"-P", ""}, []string{"auto"}, onlyThese},
		{"vary", []string{"--vary", ""}, []string{"srcport", "dstport", "both", "label", "dst"}, onlyThese},
		{"wire", []string{"--wire", ""}, []string{"auto", "raw", "sockets"}, onlyThese},
		{"sim", []string{"--sim", ""}, []string{"b", "d", "wide64"}, orFiles},
		{"sim, a file", []string{"--sim", "./"}, nil, orFiles},
		{"a number", []string{"--ttl", ""}, nil, onlyThese},
		{"interface", []string{"-i", ""}, interfaceNames(), onlyThese},
		{"shells", []string{"completion", ""}, shellNames, onlyThese},
		{"version", []string{"version", ""}, nil, onlyThese},
		{"data", []string{"data", ""}, []string{"add", "remove", "status", "verify"}, onlyThese},
		{"data, files", []string{"data", "add", ""}, nil, orFiles},
		{"data, kind", []string{"data", "add", "--kind", ""}, kindNames(), onlyThese},
		{"plan", []string{"snapshot", "--plan", ""}, nil, orFiles},
		{"format of diff", []string{"diff", "--format", ""}, []string{"html", "json", "junit", "markdown", "svg", "text"}, onlyThese},
		{"policy", []string{"diff", "--policy", ""}, nil, orFiles},
		{"fail-on", []string{"diff", "--fail-on", "in"}, []string{"inconclusive"}, onlyThese},
		{"report", []string{"maint", "end", "--report", ""}, []string{"md", "json", "junit", "html", "svg"}, onlyThese},
		{"vary of snapshot", []string{"snapshot", "--vary", ""}, []string{"srcport", "dst"}, onlyThese},
		{"maint", []string{"maint", ""}, []string{"begin", "check", "end"}, onlyThese},
		{"maintenances", []string{"maint", "check", "--dir", "testdata", "scr"}, []string{"script"}, onlyThese},
		{"data, folders", []string{"data", "add", "--data", ""}, nil, onlyFolders},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Split(strings.TrimSpace(traceSim(t, append([]string{"__complete"}, tt.args...)...).out), "\n")
			directive, values := got[len(got)-1], got[:len(got)-1]
			if directive != tt.directive {
				t.Errorf("directive %s, want %s", directive, tt.directive)
			}
			for i := range values {
				values[i], _, _ = strings.Cut(values[i], "\t")
			}
			for _, want := range tt.want {
				if !slices.Contains(values, want) {
					t.Errorf("no %s in %q", want, values)
				}
			}
			if len(tt.want) == 0 && len(values) > 0 {
				t.Errorf("got %q, want nothing", values)
			}
		})
	}
}

// TestCompletedValuesAreAccepted gives every word that is completed to the
// command, and wants every word that its refusal names completed.
func TestCompletedValuesAreAccepted(t *testing.T) {
	newRoot(Env{Out: io.Discard, Err: io.Discard}).Flags().VisitAll(func(f *pflag.Flag) {
		if f.NoOptDefVal != "" || slices.Contains([]string{"interface", "sim", "data"}, f.Name) {
			return // takes no value; has no list of its own, or takes anything
		}
		for _, value := range flagValues(f.Name) {
			// No destination: refused for that, after the value was read.
			if got := traceSim(t, "-6", "--"+f.Name, value); strings.Contains(got.err, "--"+f.Name) {
				t.Errorf("--%s %s is completed, and refused: %s", f.Name, value, got.err)
			}
		}
		_, offered, found := strings.Cut(traceSim(t, "--"+f.Name, "no-such", "::1").err, "is none of ")
		if !found {
			return
		}
		offered, _, _ = strings.Cut(offered, " (see")
		for value := range strings.SplitSeq(offered, ", ") {
			if !slices.Contains(flagValues(f.Name), value) {
				t.Errorf("--%s %s is not completed", f.Name, value)
			}
		}
	})
}

// TestCompletionScripts has each shell read its script, where it is installed.
func TestCompletionScripts(t *testing.T) {
	if len(shells) != len(shellNames) {
		t.Errorf("%d shells, %d names", len(shells), len(shellNames))
	}
	checks := map[string][]string{
		"bash":       {"bash", "-n"},
		"zsh":        {"zsh", "-n"},
		"fish":       {"fish", "--no-execute"},
		"powershell": {"pwsh", "-NoProfile", "-File"},
	}
	for shell := range shells {
		t.Run(shell, func(t *testing.T) {
			script := traceSim(t, "completion", shell).out
			if !strings.Contains(script, "__complete") || !strings.Contains(script, "traceflow") {
				t.Fatalf("this completes nothing of traceflow: %s", script)
			}
			program := installed(t, checks[shell][0])
			file := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(program, append(checks[shell][1:], file)...).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// installed returns the path of a program, and skips the test without it. In
// CI, which installs all but PowerShell, it fails it.
func installed(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("TRACEFLOW_LAB") == "require" && name != "pwsh":
		t.Fatalf("TRACEFLOW_LAB=require: needs %s", name)
	default:
		t.Skipf("needs %s", name)
	}
	return path
}
