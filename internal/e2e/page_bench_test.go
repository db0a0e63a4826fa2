// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && lab && bench

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"traceflow/internal/picture"
	"traceflow/internal/picture/picturetest"
	"traceflow/internal/rendertest"
	"traceflow/render"
)

// TestBenchPage measures when the page of a large network is on the screen, and
// beside it an empty page in the same browser; and what its layout takes, ours
// and the browser's.
func TestBenchPage(t *testing.T) {
	const (
		stations, links, times = 500, 1500, 25
		paint, layout          = 300 * time.Millisecond, 200 * time.Millisecond
	)
	trace := picturetest.Random(stations, links)
	drawing := picture.Of(trace)
	drawing.Fold(picture.Dense)
	if len(drawing.Nodes) != stations || len(drawing.Links) != links {
		t.Fatalf("%d stations, %d links", len(drawing.Nodes), len(drawing.Links))
	}
	placed := time.Hour
	for range times {
		start := time.Now()
		drawing.Place(nil)
		placed = min(placed, time.Since(start))
	}

	folder := t.TempDir()
	file := func(name string, data []byte) (url string) {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return "file://" + path
	}
	var text bytes.Buffer
	if err := render.HTML(&text, trace, render.Options{}); err != nil {
		t.Fatal(err)
	}
	empty := file("empty.html", []byte("<!doctype html><html lang=en><meta charset=utf-8><title>Nothing</title><body><p>Nothing"))
	page := file("page.html", text.Bytes())
	b := rendertest.Chromium(t)
	var nothing, paints []rendertest.Paint
	for range times {
		nothing = append(nothing, b.Paint(t, empty, "p", "p"))
		paints = append(paints, b.Paint(t, page, rendertest.FirstPicture, ".node .hit"))
	}
	fmt.Printf("page of %d stations and %d links, %d kB, in headless Chromium, best of %d:\n", stations, links, text.Len()/1000, times)
	fmt.Printf("  an empty page: %v; median: %v\n", rendertest.Best(nothing), rendertest.Median(nothing))
	fmt.Printf("  the page:      %v; median: %v\n", rendertest.Best(paints), rendertest.Median(paints))
	best := rendertest.Best(paints)
	reached(t, fmt.Sprintf("first paint (an empty page: %v)", rendertest.Best(nothing).First), best.First, paint, best.First <= paint)
	reached(t, "layout, package picture", placed.Round(time.Millisecond), layout, placed <= layout)
	reached(t, "layout, the browser", best.Layout, layout, best.Layout <= layout)
}
