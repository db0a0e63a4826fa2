// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"traceflow/internal/picture/picturetest"
	"traceflow/internal/rendertest"
	"traceflow/render"
)

// TestPagePaintsSoon logs when the first picture of a page is on the screen, and
// beside it an empty page in the same browser. How soon that is depends on what
// else the machine does, for both alike: the bound is a multiple, and far away. The
// figure that has to be reached is in package e2e.
func TestPagePaintsSoon(t *testing.T) {
	b := chromium(t)
	pages := map[string]string{
		"an empty page":            emptyPage,
		"21 stations":              pageOf(t, networkNamed(t, "owners")),
		"255 paths of 30 hops":     pageOf(t, networkNamed(t, "long-255")),
		"500 stations, 1500 links": pageOf(t, picturetest.Random(500, 1500)),
	}
	paints := make(map[string][]rendertest.Paint)
	folder := t.TempDir()
	for range 3 {
		for name, text := range pages {
			shown, whole := rendertest.FirstPicture, ".node .hit"
			if text == emptyPage {
				shown, whole = "p", "p"
			}
			p := b.Paint(t, "file://"+inFile(t, folder, name, text), shown, whole)
			if p.First < p.Began {
				t.Errorf("%s: something is on the screen after %v, and the picture's frame begins at %v", name, p.First, p.Began)
			}
			paints[name] = append(paints[name], p)
		}
	}
	nothing := rendertest.Median(paints["an empty page"]).First
	for name, all := range paints {
		t.Logf("%s: best: %v", name, rendertest.Best(all))
		t.Logf("%s: median: %v", name, rendertest.Median(all))
		if got := rendertest.Median(all).First; got > 40*nothing {
			t.Errorf("%s: first paint after %v, of an empty page after %v", name, got, nothing)
		}
	}
}

const emptyPage = "<!doctype html><html lang=en><meta charset=utf-8><title>Nothing</title><body><p>Nothing"

// inFile writes a file and returns its path.
func inFile(t *testing.T, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, strings.ReplaceAll(name, " ", "-")+".html")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// holdSketch keeps a page from noticing that it was painted, and what its canvas
// held before its first frame was.
const holdSketch = `
const look = () => {
	const canvas = document.querySelector('canvas.sketch:not([hidden])')
	canvas ? window.firstFrame = canvas.toDataURL() : requestAnimationFrame(look)
}
requestAnimationFrame(look)
PerformanceObserver.prototype.observe = () => {}
const later = setTimeout
window.setTimeout = (f, after) => after === 500 ? 0 : later(f, after)`

// sketched selects the first picture of a large drawing.
const sketched = `document.querySelectorAll('canvas.sketch:not([hidden])').length`

// TestSketch looks at the first picture of a large drawing and at the one that
// takes its place: users must not see the change, nor click on nothing.
func TestSketch(t *testing.T) {
	b := chromium(t)
	nothing := func(p pageTab) { p.keys("q") }
	trace := picturetest.Random(500, 1500)
	file := inFile(t, t.TempDir(), "page", pageOf(t, trace))
	x, y := openPage(t, b, trace, "", 1440, 900).place(`at('.node.router .s')`)
	tests := []struct {
		name, hash    string
		width, height int64
		hand          func(p pageTab)
		picks         bool
	}{
		{"all of it", "", 1440, 900, nothing, false},
		{"dark", "theme=dark&colour=rtt", 1440, 900, nothing, false},
		{"names in the window", "view=0.9,300,200&colour=as", 1440, 900, nothing, false},
		{"telephone", "", 390, 844, nothing, false},
		{"click", "", 1440, 900, func(p pageTab) { p.Do(chromedp.MouseClickXY(x, y)) }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := pageTab{b.Open(t, "about:blank", tt.width, tt.height), t}
			address := url.URL{Scheme: "file", Path: file, Fragment: tt.hash}
			p.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
				_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: holdSketch})
				return err
			}), chromedp.Navigate(address.String()))
			rendertest.Eval[int](p.Tab, pageScript)
			p.want(sketched, 1)
			stage := rendertest.Eval[struct{ X, Y, Width, Height float64 }](p.Tab, `document.querySelector('.stage').getBoundingClientRect()`)
			frame := image.Rect(int(stage.X), int(stage.Y), int(stage.X+stage.Width), int(stage.Y+stage.Height))
			p.want(`firstFrame === document.querySelector('canvas.sketch').toDataURL()`, true)
			sketch := p.Screenshot()
			tt.hand(p)
			p.want(sketched, 0)
			p.want(`all('[data-n]').length + all('[data-l]').length`, 2000)
			if tt.picks {
				p.want(`/^ae\d+\.r\d+\.site0\.example\.net$/.test(`+heading+`)`, true)
				return
			}
			if differ := differing(t, sketch, p.Screenshot(), frame); differ > int(tt.width*tt.height)/500 {
				t.Errorf("%d pixels of the sketch are not as in the drawing", differ)
			}
		})
	}
}

// differing counts the pixels in a frame that anybody sees to be different.
func differing(t *testing.T, a, b []byte, frame image.Rectangle) int {
	t.Helper()
	images := make([]image.Image, 2)
	for i, data := range [][]byte{a, b} {
		var err error
		if images[i], err = png.Decode(bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
	}
	if images[0].Bounds() != images[1].Bounds() {
		t.Fatalf("%v became %v", images[0].Bounds(), images[1].Bounds())
	}
	const visible = 64
	count, r := 0, images[0].Bounds().Intersect(frame)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p := color.NRGBAModel.Convert(images[0].At(x, y)).(color.NRGBA)
			q := color.NRGBAModel.Convert(images[1].At(x, y)).(color.NRGBA)
			if max(apart(p.R, q.R), apart(p.G, q.G), apart(p.B, q.B)) > visible {
				count++
			}
		}
	}
	return count
}

func apart(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }

// BenchmarkHTML is what writing the page takes.
func BenchmarkHTML(b *testing.B) {
	trace := picturetest.Random(500, 1500)
	for b.Loop() {
		if err := render.HTML(io.Discard, trace, render.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
