// SPDX-License-Identifier: BSD-3-Clause

package deb

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"traceflow/packaging/archive"
)

func example() *Package {
	return &Package{
		Control: []Field{
			{"Package", "example"},
			{"Version", "1.0-1"},
			{"Architecture", "all"},
			{"Maintainer", "A Person <person@example.org>"},
			{"Description", "one line\nmore\n\nlast"},
		},
		Files: []archive.File{
			{Name: "usr/bin/example", Mode: 0o755, Data: []byte("#!/bin/sh\n")},
			{Name: "usr/share/doc/example/copyright", Mode: 0o644, Data: bytes.Repeat([]byte("x"), 1025)},
		},
		Scripts: map[string][]byte{"postinst": []byte("#!/bin/sh\n")},
		Time:    time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

func TestControl(t *testing.T) {
	want := `Package: example
Version: 1.0-1
Architecture: all
Maintainer: A Person <person@example.org>
Description: one line
 more
 .
 last
Installed-Size: 3
`
	if diff := cmp.Diff(want, string(example().control())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSums(t *testing.T) {
	p := example()
	p.Files = append(p.Files, archive.File{Name: "empty", Mode: fs.ModeDir | 0o755})
	// printf '#!/bin/sh\n' | md5sum, and of 1025 times x
	want := "3e2b31c72181b87149ff995e7202c0e3  usr/bin/example\n"
	got := string(p.sums())
	if !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 2 {
		t.Errorf("got %q, want %q first of two", got, want)
	}
}

func TestWriteRepeats(t *testing.T) {
	var first, second bytes.Buffer
	if err := example().Write(&first); err != nil {
		t.Fatal(err)
	}
	if err := example().Write(&second); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same files make two packages")
	}
}

// TestDpkgReads has Debian's own program read a package, where there is one.
func TestDpkgReads(t *testing.T) {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		if os.Getenv("TRACEFLOW_LAB") == "require" {
			t.Fatal("TRACEFLOW_LAB=require: needs dpkg-deb")
		}
		t.Skip("needs dpkg-deb")
	}
	file := filepath.Join(t.TempDir(), "example.deb")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := example().Write(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	fields, err := exec.Command("dpkg-deb", "--field", file).Output()
	if err != nil || string(fields) != string(example().control()) {
		t.Errorf("dpkg-deb --field: %v, %s", err, fields)
	}
	list, err := exec.Command("dpkg-deb", "--contents", file).Output()
	if err != nil || !strings.Contains(string(list), "-rwxr-xr-x root/root        10 2026-01-02 03:04 ./usr/bin/example\n") {
		t.Errorf("dpkg-deb --contents: %v, %s", err, list)
	}
}
