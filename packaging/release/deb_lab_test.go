// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDebInstalls installs the package below a folder, looks at what it put
// where, and removes it.
func TestDebInstalls(t *testing.T) {
	need(t, true, "dpkg", "setcap", "getcap", "md5sum")
	root := t.TempDir()
	for _, folder := range []string{"info", "updates", "triggers"} {
		if err := os.MkdirAll(filepath.Join(root, "var/lib/dpkg", folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"status", "available"} {
		if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg", file), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	dpkg := func(args ...string) {
		t.Helper()
		command(t, "dpkg", append([]string{"--root=" + root, "--log=/dev/null", "--force-script-chrootless"}, args...)...)
	}
	dpkg("--install", made(t, "*.deb"))

	want := map[string]os.FileMode{
		"usr/bin/traceflow":                                  0o755,
		"usr/lib/systemd/system/traceflow@.service":          0o644,
		"usr/lib/systemd/system/traceflow@.timer":            0o644,
		"usr/share/bash-completion/completions/traceflow":    0o644,
		"usr/share/doc/traceflow/THIRD-PARTY.txt.gz":         0o644,
		"usr/share/doc/traceflow/changelog.Debian.gz":        0o644,
		"usr/share/doc/traceflow/changelog.gz":               0o644,
		"usr/share/doc/traceflow/copyright":                  0o644,
		"usr/share/fish/vendor_completions.d/traceflow.fish": 0o644,
		"usr/share/lintian/overrides/traceflow":              0o644,
		"usr/share/man/man1/traceflow.1.gz":                  0o644,
		"usr/share/zsh/vendor-completions/_traceflow":        0o644,
	}
	for name, mode := range want {
		if info, err := os.Stat(filepath.Join(root, name)); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, want mode %v", name, err, mode)
		}
	}
	sums := exec.Command("md5sum", "--check", "--strict", "--quiet", "var/lib/dpkg/info/traceflow.md5sums")
	sums.Dir = root
	if out, err := sums.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	binary := filepath.Join(root, "usr/bin/traceflow")
	if got := command(t, "getcap", binary); got != binary+" cap_net_raw=p\n" {
		t.Errorf("getcap says %q", got)
	}
	if got := command(t, binary, "version"); !strings.Contains(got, testCommit) {
		t.Errorf("the binary says %q", got)
	}

	dpkg("--purge", "traceflow")
	for name := range want {
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			t.Errorf("%s stays behind", name)
		}
	}
}

// TestPostinst has no setcap, or one that fails: the package is installed all
// the same.
func TestPostinst(t *testing.T) {
	need(t, false, "sh")
	for name, setcap := range map[string]string{"absent": "", "fails": "#!/bin/sh\nexit 1\n"} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			if setcap != "" {
				if err := os.WriteFile(filepath.Join(path, "setcap"), []byte(setcap), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command("/bin/sh", "packaging/debian/postinst", "configure")
			cmd.Env = []string{"PATH=" + path}
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.HasSuffix(string(out), ": ordinary users trace without raw sockets\n") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// TestLintian has Debian's own checker look for errors.
func TestLintian(t *testing.T) {
	need(t, false, "lintian")
	out, err := exec.Command("lintian", "--no-cfg", "--allow-root", "--fail-on", "error,warning", made(t, "*.deb")).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
