// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"traceflow/packaging/sbom"
)

// release is what is being made.
type release struct {
	out     string
	commit  string    // and -modified, if the source is not the commit's
	time    time.Time // the commit's: of every file that is packed
	written []string  // files in out
}

// newRelease asks git for what it was not told.
func newRelease(out, commit string, epoch int64) (*release, error) {
	if epoch == 0 {
		epoch, _ = strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64) // not a number: not set
	}
	if commit == "" {
		head, err := git("rev-parse", "HEAD")
		if err != nil {
			return nil, fmt.Errorf("%w: run it in a clone of the repository, or give -commit and -time", err)
		}
		changes, err := git("status", "--porcelain")
		if err != nil {
			return nil, err
		}
		commit = head
		if changes != "" {
			commit += "-modified"
		}
	}
	if epoch == 0 {
		at, err := git("log", "-1", "--format=%ct", strings.TrimSuffix(commit, "-modified"))
		if err != nil {
			return nil, fmt.Errorf("%w: give -time", err)
		}
		if epoch, err = strconv.ParseInt(at, 10, 64); err != nil {
			return nil, err
		}
	}
	return &release{out: out, commit: commit, time: time.Unix(epoch, 0).UTC()}, os.MkdirAll(out, 0o755)
}

func git(args ...string) (string, error) {
	out, err := exec.Command("git", args...).Output()
	if err != nil {
		err = fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), err
}

// binary is the command, built for a platform.
type binary struct {
	os, arch string
	data     []byte
	modules  []sbom.Module
}

// build builds the command so that nothing of this machine, its user or its
// settings is in it, and needs nothing of the machine that it will run on.
func (r *release) build(goos, goarch string) (*binary, error) {
	folder, err := os.MkdirTemp("", "traceflow-release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "traceflow")
	stamp := "-X traceflow/internal/cli.stampedCommit=" + r.commit +
		" -X traceflow/internal/cli.stampedDate=" + r.time.Format(time.RFC3339)
	// The page's server speaks plain HTTP to one browser: HTTP/2 would be 370 kB.
	cmd := exec.Command("go", "build", "-tags=nethttpomithttp2", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid= "+stamp, "-o", file, "./cmd/traceflow")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch, "GOFLAGS=", "GOEXPERIMENT=",
		"GOAMD64=v1", "GOARM64=v8.0", "GO386=sse2", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w: %s", err, out)
	}
	b := &binary{os: goos, arch: goarch}
	if b.data, err = os.ReadFile(file); err != nil {
		return nil, err
	}
	b.modules, err = sbom.Modules(b.data)
	return b, err
}

// write makes a file of the release.
func (r *release) write(name string, content func(io.Writer) error) error {
	path := filepath.Join(r.out, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(content(f), f.Close()); err != nil {
		return err
	}
	r.written = append(r.written, name)
	return nil
}

// checksums writes SHA256SUMS, for sha256sum --check.
func (r *release) checksums() error {
	names := slices.SortedFunc(slices.Values(r.written), cmp.Compare)
	return r.write("SHA256SUMS", func(w io.Writer) error {
		for _, name := range names {
			data, err := os.ReadFile(filepath.Join(r.out, filepath.FromSlash(name)))
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%x  %s\n", sha256.Sum256(data), name)
			fmt.Printf("%9d  %s\n", len(data), filepath.Join(r.out, filepath.FromSlash(name)))
		}
		return nil
	})
}
