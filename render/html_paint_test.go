// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"traceflow/internal/picture/picturetest"
	"traceflow/internal/rendertest"
)

// holdSketch keeps a page from noticing that it was painted.
const holdSketch = `
PerformanceObserver.prototype.observe = () => {}
const later = setTimeout
window.setTimeout = (f, after) => after === 500 ? 0 : later(f, after)`

// firstCircle is the middle of a station of a sketch.
const firstCircle = `(() => {
	const circles = document.querySelector('g.sketch .router .s')
	const at = circles.getPointAtLength(0)
	const { x, y } = new DOMPoint(at.x - 5.5, at.y).matrixTransform(circles.getScreenCTM())
	return { x, y }
})()`

// TestSketch looks at the first picture of a large drawing and at the one that
// takes its place: users must not see the change, nor click on nothing.
func TestSketch(t *testing.T) {
	b := rendertest.Chromium(t)
	nothing := func(p pageTab) { p.keys("q") }
	folder := t.TempDir()
	empty, file := filepath.Join(folder, "empty.html"), filepath.Join(folder, "page.html")
	for name, text := range map[string]string{empty: "<!doctype html><title>Nothing</title>", file: pageOf(t, picturetest.Random(500, 1500))} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
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
		{"click", "", 1440, 900, func(p pageTab) { p.click(firstCircle) }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := pageTab{b.Open(t, "file://"+empty, tt.width, tt.height), t}
			address := url.URL{Scheme: "file", Path: file, Fragment: tt.hash}
			p.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
				_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: holdSketch})
				return err
			}), chromedp.Navigate(address.String()))
			rendertest.Eval[int](p.Tab, pageScript)
			p.want(`document.querySelectorAll('g.sketch').length`, 2)
			sketch := p.Screenshot()
			tt.hand(p)
			p.want(`document.querySelectorAll('g.sketch').length`, 0)
			p.want(`all('[data-n]').length + all('[data-l]').length`, 2000)
			if tt.picks {
				p.want(`/^ae\d+\.r\d+\.site0\.example\.net$/.test(`+heading+`)`, true)
				return
			}
			if differ := differing(t, sketch, p.Screenshot()); differ > int(tt.width*tt.height)/2000 {
				t.Errorf("%d pixels of the sketch are not as in the drawing", differ)
			}
		})
	}
}

// differing counts the pixels that anybody sees to be different.
func differing(t *testing.T, a, b []byte) int {
	t.Helper()
	images := make([]image.Image, 2)
	for i, data := range [][]byte{a, b} {
		var err error
		if images[i], err = png.Decode(bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		if out := os.Getenv("ZZSHOT"); out != "" {
			os.WriteFile(filepath.Join(out, filepath.Base(t.Name())+string(rune('a'+i))+".png"), data, 0o644)
		}
	}
	if images[0].Bounds() != images[1].Bounds() {
		t.Fatalf("%v became %v", images[0].Bounds(), images[1].Bounds())
	}
	const visible = 64
	count, r := 0, images[0].Bounds()
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
