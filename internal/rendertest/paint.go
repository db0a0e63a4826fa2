// SPDX-License-Identifier: BSD-3-Clause

package rendertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// Paint says when a page was on the screen, from the start of its navigation, and
// what that took.
type Paint struct {
	// First is when the first frame with anything in it was on the screen (First
	// Contentful Paint).
	First time.Duration
	// Began is when the browser began the first frame that has what was waited for:
	// if First is later, it shows that.
	Began time.Duration
	// Style and Layout are what the browser needed to find styles and places, until
	// what was waited for at last was there.
	Style, Layout time.Duration
}

// FirstPicture selects what a page's first picture is made of: strokes, or the
// canvas that a large drawing is sketched on.
const FirstPicture = ".scene .links path, canvas.sketch:not([hidden])"

// watchFrames notes the first frame that has an element.
const watchFrames = `(() => {
	const look = () => document.querySelector(%q) ? window.frameBegan = performance.now() : requestAnimationFrame(look)
	requestAnimationFrame(look)
})()`

// Paint opens a page in a new tab and closes it. shown selects what the first
// picture has to have, and whole what the page has in the end.
func (b *Browser) Paint(t testing.TB, url, shown, whole string) Paint {
	t.Helper()
	tab := b.Open(t, "about:blank", 1440, 900)
	defer tab.Close()
	tab.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		// A browser that tells somebody of every request, element and style is on the
		// screen later.
		for _, reports := range []cdp.Command[cdp.Empty, cdp.Empty]{network.Disable, css.Disable, dom.Disable} {
			if _, err := chromedp.Call(ctx, reports, cdp.Empty{}); err != nil {
				return err
			}
		}
		if _, err := chromedp.Call(ctx, performance.Enable, performance.EnableParams{}); err != nil {
			return err
		}
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: fmt.Sprintf(watchFrames, shown)})
		return err
	}), chromedp.Navigate(url))
	tab.Wait(`window.frameBegan && performance.getEntriesByName('first-contentful-paint').length`)
	tab.Wait(fmt.Sprintf(`document.querySelector(%q)`, whole))
	out := Paint{
		First: milliseconds(Eval[float64](tab, `performance.getEntriesByName('first-contentful-paint')[0].startTime`)),
		Began: milliseconds(Eval[float64](tab, `window.frameBegan`)),
	}
	// Reading a size makes the browser finish style and layout.
	Eval[float64](tab, `document.body.getBoundingClientRect().width`)
	tab.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		result, err := chromedp.Call(ctx, performance.GetMetrics, cdp.Empty{})
		if err != nil {
			return err
		}
		for _, m := range result.Metrics {
			switch m.Name {
			case "LayoutDuration":
				out.Layout = milliseconds(1000 * m.Value)
			case "RecalcStyleDuration":
				out.Style = milliseconds(1000 * m.Value)
			}
		}
		return nil
	}))
	return out
}

func milliseconds(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }

// Best returns the shortest of each time of several paints of a page, and Median
// the middle ones.
func Best(paints []Paint) Paint { return pick(paints, 0) }

// Median is described at Best.
func Median(paints []Paint) Paint { return pick(paints, len(paints)/2) }

func pick(paints []Paint, at int) Paint {
	nth := func(of func(p *Paint) time.Duration) time.Duration {
		all := make([]time.Duration, len(paints))
		for i := range paints {
			all[i] = of(&paints[i])
		}
		slices.Sort(all)
		return all[at].Round(time.Millisecond)
	}
	return Paint{
		First: nth(func(p *Paint) time.Duration { return p.First }), Began: nth(func(p *Paint) time.Duration { return p.Began }),
		Style: nth(func(p *Paint) time.Duration { return p.Style }), Layout: nth(func(p *Paint) time.Duration { return p.Layout }),
	}
}

// String says it in one line.
func (p Paint) String() string {
	return strings.Join([]string{
		"first paint after " + p.First.String(), "its frame began at " + p.Began.String(), "style " + p.Style.String(), "layout " + p.Layout.String(),
	}, ", ")
}
