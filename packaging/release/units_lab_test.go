// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestUnitsVerify has systemd check the units, and how much they leave open.
func TestUnitsVerify(t *testing.T) {
	need(t, false, "systemd-analyze")
	const service = "packaging/systemd/traceflow@.service"
	if out := command(t, "systemd-analyze", "verify", "--man=no", service, "packaging/systemd/traceflow@.timer"); out != "" {
		t.Errorf("verify says %s", out)
	}
	// 2.0 of 10; what is left is the network, which it is about.
	command(t, "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", service)
}

// TestUnitRuns runs the service's command as systemd would: with its
// arguments, as an ordinary user, with one ambient capability and no way to
// more.
func TestUnitRuns(t *testing.T) {
	need(t, true, "setpriv", "tar", "setcap")
	unit, err := os.ReadFile("packaging/systemd/traceflow@.service")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^ExecStart=/bin/sh -c '(.*)' sh %i$`).FindSubmatch(unit)
	if line == nil {
		t.Fatal("the service's command is not of the form that this test knows")
	}
	folder, err := os.MkdirTemp("", "traceflow-unit-") //nolint:usetesting // the parents of t.TempDir are closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	command(t, "tar", "-xzf", made(t, "*_"+runtime.GOARCH+".tar.gz"), "-C", folder, "--strip-components=1")
	binary := filepath.Join(folder, "traceflow")
	script := strings.ReplaceAll(strings.ReplaceAll(string(line[1]), "$$", "$"), "/usr/bin/traceflow", binary)

	for i, file := range []string{"no capability", "the Debian package's"} {
		if i == 1 { // which clears ambient ones: capabilities(7)
			command(t, "setcap", "cap_net_raw+p", binary)
		}
		for range 2 {
			cmd := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs",
				"--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw", "--bounding-set=-all,+net_raw",
				"/bin/sh", "-c", script, "sh", "127.0.0.1")
			cmd.Env = []string{"PATH=/usr/bin:/bin", "STATE_DIRECTORY=" + folder}
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Fatalf("file with %s: %v: %s", file, err, out)
			}
		}
	}
	results, err := os.Open(filepath.Join(folder, "127.0.0.1.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer results.Close()
	d := json.NewDecoder(results)
	for i := range 4 {
		var result struct {
			Reached bool
			Config  struct{ Wire string }
		}
		if err := d.Decode(&result); err != nil || !result.Reached || result.Config.Wire != "raw" {
			t.Errorf("result %d of 4: %v, %+v", i+1, err, result)
		}
	}
	if d.More() {
		t.Error("more than 4 results")
	}
}
