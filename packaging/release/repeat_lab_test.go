// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab

package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReleaseRepeats makes the release once more in another folder, from a copy
// of the source without its history, with nothing compiled before and in other
// circumstances, and wants the same bytes.
func TestReleaseRepeats(t *testing.T) {
	source, out := t.TempDir(), t.TempDir()
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != "." && strings.HasPrefix(entry.Name(), "."), path == "dist":
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(source, path), 0o700)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(source, path), data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	modules := strings.TrimSpace(command(t, "go", "env", "GOMODCACHE"))
	cmd := exec.Command("/proc/self/exe", arguments(out)...)
	cmd.Dir = source
	cmd.Env = append(cmd.Environ(), asCommand+"=1", "GOMODCACHE="+modules, "GOCACHE="+t.TempDir(), "HOME="+t.TempDir(),
		"TZ=Pacific/Auckland", "LC_ALL=C", "USER=somebody", "GOFLAGS=-buildvcs=auto", "GOAMD64=v2")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	sums := func(folder string) string {
		data, err := os.ReadFile(filepath.Join(folder, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if diff := cmp.Diff(sums(dist), sums(out)); diff != "" {
		t.Errorf("(-first +second)\n%s", diff)
	}
}
