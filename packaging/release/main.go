// SPDX-License-Identifier: BSD-3-Clause

// Command release makes what users install, from the source in the current
// folder: the same files from the same commit and the same version of Go,
// whoever runs it, where and when.
//
//	go run ./packaging/release [-out dist] [-platforms linux/amd64,...] [KIND...]
//
// A KIND is archive, deb, image, rootfs, man or completions; all of them if none is
// given. To add a way of packaging: its format in a package beside this one, a
// file here that says what goes in, a line in kinds.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// title says what the program does.
const title = "finds every path that packets take to a destination"

// platforms are those of a whole release.
var platforms = []string{
	"linux/amd64", "linux/arm64", "linux/386", "darwin/amd64", "darwin/arm64", "freebsd/amd64", "windows/amd64", "windows/arm64",
}

// kinds are what can be made: of a binary, and without one.
var (
	kinds = map[string]func(*release, *binary) error{
		"archive": (*release).archive, "deb": (*release).deb, "image": (*release).image, "rootfs": (*release).rootfs,
	}
	pages = map[string]func(*release) error{"completions": (*release).completions, "man": (*release).man}
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	f := flag.NewFlagSet("release", flag.ContinueOnError)
	out := f.String("out", "dist", "folder to write to")
	chosen := f.String("platforms", strings.Join(platforms, ","), "what to build for, `GOOS/GOARCH,...`")
	commit := f.String("commit", "", "the source's commit (default: git says)")
	epoch := f.Int64("time", 0, "the source's time in `seconds` since 1970 (default: SOURCE_DATE_EPOCH, or the commit's)")
	if err := f.Parse(args); err != nil {
		return err
	}
	r, err := newRelease(*out, *commit, *epoch)
	if err != nil {
		return err
	}
	wanted := f.Args()
	if len(wanted) == 0 {
		wanted = slices.Concat(slices.Sorted(maps.Keys(kinds)), slices.Sorted(maps.Keys(pages)))
	}
	var ofBinary []string
	for _, kind := range wanted {
		if _, ok := kinds[kind]; ok {
			ofBinary = append(ofBinary, kind)
		} else if page, ok := pages[kind]; !ok {
			return fmt.Errorf("%q is none of archive, deb, image, rootfs, completions, man", kind)
		} else if err := page(r); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	if len(ofBinary) > 0 {
		for p := range strings.SplitSeq(*chosen, ",") {
			if err := r.platform(p, ofBinary); err != nil {
				return fmt.Errorf("%s: %w", p, err)
			}
		}
	}
	return r.checksums()
}

// platform builds for one platform and packs the binary in these ways.
func (r *release) platform(name string, wanted []string) error {
	goos, goarch, ok := strings.Cut(name, "/")
	if !ok {
		return fmt.Errorf("%q is not GOOS/GOARCH", name)
	}
	// Debian and containers: on the two architectures that servers have.
	if goos != "linux" || !slices.Contains([]string{"amd64", "arm64"}, goarch) {
		wanted = slices.DeleteFunc(slices.Clone(wanted), func(kind string) bool { return kind != "archive" })
	}
	if len(wanted) == 0 {
		return nil
	}
	b, err := r.build(goos, goarch)
	if err != nil {
		return err
	}
	for _, kind := range wanted {
		if err := kinds[kind](r, b); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}
