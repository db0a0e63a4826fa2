// SPDX-License-Identifier: BSD-3-Clause

package rendertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a browser may take for a test. It ends those that hang, so
// it is far more than a busy machine needs.
const patience = 8 * time.Minute

// Browser is Chromium of Debian, without a window and without a network.
type Browser struct{ ctx context.Context } //nolint:containedctx // chromedp keeps its browser there

// ChromiumOptions say how the browser starts: with a folder of its own, without a
// window, and asking nothing of the network by itself.
func ChromiumOptions(folder string) ([]chromedp.ExecAllocatorOption, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, err
	}
	return append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(folder),
		chromedp.Flag("enable-unsafe-swiftshader", false), chromedp.Flag("disable-dev-shm-usage", false), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true),
	), nil
}

// Chromium starts a browser that ends with the test. It may take two seconds.
func Chromium(t testing.TB) *Browser {
	t.Helper()
	options, err := ChromiumOptions(t.TempDir())
	Require(t, err == nil, "chromium")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return &Browser{ctx}
}

// Tab is a page in a browser. What it complains of, and what it asks the network
// for, makes the test fail when it ends.
type Tab struct {
	t         testing.TB
	ctx       context.Context //nolint:containedctx // chromedp keeps its tab there
	downloads string
	allowed   string // how the addresses begin that it may ask
	// Close closes the tab before its test ends.
	Close func()

	mu         sync.Mutex
	complaints []string
}

// Open opens a page from disk in a window of that size.
func (b *Browser) Open(t testing.TB, url string, width, height int64) *Tab {
	t.Helper()
	return b.open(t, "file:", url, width, height)
}

// OpenServed opens a page of a server at an origin, as "http://127.0.0.1:8081".
// That the server does not answer is no complaint.
func (b *Browser) OpenServed(t testing.TB, origin, path string, width, height int64) *Tab {
	t.Helper()
	return b.open(t, origin+"/", origin+path, width, height)
}

func (b *Browser) open(t testing.TB, allowed, url string, width, height int64) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	tab := &Tab{t: t, ctx: ctx, downloads: t.TempDir(), allowed: allowed}
	tab.Close = sync.OnceFunc(func() {
		cancel()
		tab.mu.Lock()
		defer tab.mu.Unlock()
		for _, c := range tab.complaints {
			t.Error(c)
		}
	})
	t.Cleanup(tab.Close)
	if err := chromedp.Listen(ctx, tab.hear); err != nil {
		t.Fatal(err)
	}
	tab.Do(chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
			Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: tab.downloads,
		})
		return err
	}), chromedp.Navigate(url))
	return tab
}

// hear notes what a good page does not say or do.
func (b *Tab) hear(event any) {
	complaint := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		complaint = "exception: " + e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			complaint += " " + x.Description
		}
	case *runtime.EventConsoleAPICalled:
		complaint = "console: " + string(e.Type)
		for _, a := range e.Args {
			complaint += " " + string(a.Value) + a.Description
		}
	case *log.EventEntryAdded:
		if e.Entry.Source == log.EntrySourceNetwork && strings.HasPrefix(e.Entry.URL, b.allowed) {
			return
		}
		complaint = "log: " + e.Entry.Text
	case *network.EventRequestWillBeSent:
		if url := e.Request.URL; !strings.HasPrefix(url, b.allowed) && !strings.HasPrefix(url, "blob:") {
			complaint = "request to " + url
		}
	}
	if complaint != "" {
		b.mu.Lock()
		b.complaints = append(b.complaints, complaint)
		b.mu.Unlock()
	}
}

// Do does what a user does.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// Eval returns what an expression of JavaScript is, once it is that.
func Eval[T any](b *Tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// Wait waits for an expression of JavaScript to be true.
func (b *Tab) Wait(expression string) {
	b.t.Helper()
	for range 100 {
		if Eval[bool](b, "Boolean("+expression+")") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("never: %s", expression)
}

// Download returns a file that the page hands to the browser.
func (b *Tab) Download(suffix string) []byte {
	b.t.Helper()
	for range 200 {
		files, _ := filepath.Glob(filepath.Join(b.downloads, "*"+suffix))
		if len(files) == 1 {
			data, err := os.ReadFile(files[0])
			if err != nil {
				b.t.Fatal(err)
			}
			if len(data) > 0 {
				return data
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("no file *%s was saved", suffix)
	return nil
}

// Screenshot returns the window as PNG.
func (b *Tab) Screenshot() []byte {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	return png
}
