// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"traceflow/internal/cli"
)

// TestNetworksShow tests, without a browser, that the networks in memory show
// what the captions say. Those of kernels are tested when the gallery is made.
func TestNetworksShow(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector; make test runs it without, too")
	}
	for _, n := range networks {
		if n.kernel {
			continue
		}
		t.Run(n.name, func(t *testing.T) {
			topology, err := n.file(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if err := n.check(simulate(t, n.simulated(topology))); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDifferences tests that what became of networks is what the captions say.
func TestDifferences(t *testing.T) {
	const regression = 2 // exit code
	for _, n := range networks {
		if n.after == "" {
			continue
		}
		t.Run(n.name, func(t *testing.T) {
			commands, files, err := n.snapshots(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			for _, args := range commands {
				simulate(t, args)
			}
			page := simulate(t, []string{"diff", "--format", "html", files[0], files[1]}, regression)
			for _, want := range []string{n.verdict, `"label":"relax","certain":true,"status":"gone"`} {
				if !bytes.Contains(page, []byte(want)) {
					t.Errorf("the page lacks %s", want)
				}
			}
		})
	}
}

// simulate runs the command where waiting takes no time. Exit codes are those of a
// trace, or others that are good.
func simulate(t *testing.T, args []string, good ...int) []byte {
	t.Helper()
	var out, trouble bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		env := cli.Env{Out: &out, Err: &trouble, DropPrivileges: func() error { return nil }}
		if code := cli.Run(t.Context(), env, args); !slices.Contains(append(good, 0, notReached), code) {
			t.Fatalf("exit code %d: %s", code, &trouble)
		}
	})
	return out.Bytes()
}

// TestCheck tests that a network that shows something else is found out.
func TestCheck(t *testing.T) {
	n := &network{name: "silent", topology: "silent"}
	result := simulate(t, n.simulated("silent"))
	tests := []struct {
		name  string
		shows shows
		good  bool
	}{
		{"as it is", shows{paths: 3, forks: []string{"r1 into 3"}, silent: []string{"TTL 2", "TTL 4", "TTL 5", "TTL 7"}}, true},
		{"another path", shows{paths: 4, forks: []string{"r1 into 3"}, silent: []string{"TTL 2", "TTL 4", "TTL 5", "TTL 7"}}, false},
		{"another fork", shows{paths: 3, forks: []string{"r1 into 4"}, silent: []string{"TTL 2", "TTL 4", "TTL 5", "TTL 7"}}, false},
		{"no silence", shows{paths: 3, forks: []string{"r1 into 3"}}, false},
		{"a slow link", shows{paths: 3, forks: []string{"r1 into 3"}, slow: []string{"r1 → a1"}, silent: []string{"TTL 2", "TTL 4", "TTL 5", "TTL 7"}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n.shows = tt.shows
			if err := n.check(result); (err == nil) != tt.good {
				t.Errorf("check says %v", err)
			}
		})
	}
}

// TestDocuments tests that the pictures in docs/images are those that make
// gallery writes there, that documents show them and no others, and that they
// are small.
func TestDocuments(t *testing.T) {
	const largest = 150_000 // bytes
	const images = "../../docs/images/"
	written := make(map[string]bool)
	for _, n := range networks {
		for _, p := range n.photos {
			if p.document {
				written[p.file()] = true
			}
		}
	}
	files, err := filepath.Glob(images + "*.png")
	if err != nil {
		t.Fatal(err)
	}
	there := make(map[string]bool)
	for _, file := range files {
		there[filepath.Base(file)] = true
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > largest {
			t.Errorf("%s has %d bytes, more than %d", file, info.Size(), largest)
		}
	}
	if diff := cmp.Diff(written, there); diff != "" {
		t.Errorf("pictures (-make gallery +docs/images)\n%s", diff)
	}
	documents, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := make(map[string]bool)
	for _, file := range append(documents, "../../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range regexp.MustCompile(`\((?:docs/)?images/([^)]*\.png)\)`).FindAllSubmatch(text, -1) {
			shown[string(link[1])] = true
		}
	}
	if diff := cmp.Diff(written, shown); diff != "" {
		t.Errorf("pictures (-make gallery +in documents)\n%s", diff)
	}
}

// TestReduce tests that a picture keeps its size and most of its pixels, and has
// few colours.
func TestReduce(t *testing.T) {
	full := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		full.Set(i%64, i/64, color.RGBA{20, 40, 60, 255})
		if i < 1000 { // more colours than there may be
			full.Set(i%64, i/64, color.RGBA{uint8(i), uint8(i / 4), 200, 255})
		}
	}
	var data bytes.Buffer
	if err := png.Encode(&data, full); err != nil {
		t.Fatal(err)
	}
	small, err := reduce(data.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds() != full.Bounds() {
		t.Fatalf("bounds are %v", got.Bounds())
	}
	if p, ok := got.(*image.Paletted); !ok || len(p.Palette) != 256 {
		t.Errorf("it has no 256 colours: %T", got)
	}
	if r, g, b, _ := got.At(63, 63).RGBA(); r>>8 != 20 || g>>8 != 40 || b>>8 != 60 {
		t.Errorf("the colour of most pixels became %d %d %d", r>>8, g>>8, b>>8)
	}
	if _, err := reduce([]byte("no picture")); err == nil {
		t.Error("reduce takes anything")
	}
}
