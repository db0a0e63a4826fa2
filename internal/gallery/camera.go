// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"net/url"
	"os"
	"slices"

	"github.com/chromedp/chromedp"

	"traceflow/internal/rendertest"
)

// camera is a browser.
type camera struct {
	ctx     context.Context //nolint:containedctx // chromedp keeps its browser there
	closers []func()
}

func openCamera() (*camera, error) {
	folder, err := os.MkdirTemp("", "gallery-")
	if err != nil {
		return nil, err
	}
	c := &camera{closers: []func(){func() { os.RemoveAll(folder) }}}
	options, err := rendertest.ChromiumOptions(folder)
	if err != nil {
		c.close()
		return nil, err
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	c.closers = append(c.closers, cancel)
	c.ctx, cancel = chromedp.NewContext(ctx)
	c.closers = append(c.closers, cancel)
	if err := chromedp.Do(c.ctx); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *camera) close() {
	for _, f := range slices.Backward(c.closers) {
		f()
	}
}

// drawn is true once all of the page is painted: what is drawn after the first
// paint of a large drawing follows it by two frames.
const drawn = `document.querySelector(".scene") !== null && new Promise(done => requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(() => setTimeout(() => done(true), 50)))))`

// shoot returns a page in a window as PNG.
func (c *camera) shoot(file string, p *photo) ([]byte, error) {
	ctx, cancel := chromedp.NewContext(c.ctx)
	defer cancel()
	address := url.URL{Scheme: "file", Path: file, Fragment: p.view}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(p.width, p.height), chromedp.Navigate(address.String())); err != nil {
		return nil, err
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](drawn, chromedp.EvalAwaitPromise)); err != nil {
		return nil, err
	}
	return chromedp.Run(ctx, chromedp.CaptureScreenshot())
}
