// SPDX-License-Identifier: BSD-3-Clause

// Package page is the page that shows a trace: its frame, and the script and
// style that do the work in a browser. It knows nothing of traces: what the page
// shows is JSON, which package render makes.
//
// The script and the style are written in src and bundled by `make page` into
// the folder bundle, which is committed, so that a build needs no npm. A test
// checks that the bundle is what src makes.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the bundle
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// What the page asks of a server, beside the address of the page itself.
const (
	Script = "main.js"  // JavaScript
	Style  = "page.css" // CSS
	Data   = "data"     // the newest state, JSON
	Events = "events"   // Server-Sent Events: that there is a newer one
)

//go:embed bundle/main.js
var script string

//go:embed bundle/page.css
var style string

// frame is the page without script, style and data. The script makes the rest.
const frame = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="%s">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>%s</title>
<style>%s</style>
</head>
<body>
<noscript><p>This page draws the paths with a script that is in the file itself. Let it run, or have the drawing without it: traceflow --format svg.</p></noscript>
<script type="application/json" id="data">%s</script>
<script>%s</script>
</body>
</html>
`

// Write writes a page that is one file: it fetches nothing, and its
// Content-Security-Policy (CSP Level 3) lets no script run and no style apply
// but its own, which it names by their hashes. data is JSON. All of it is ASCII:
// a browser takes in such a file in two thirds of the time.
func Write(w io.Writer, title string, data []byte) error {
	var shown bytes.Buffer
	json.HTMLEscape(&shown, data)
	_, err := fmt.Fprintf(w, frame, policy(), asciiHTML(html.EscapeString(title)), style, asciiJSON(shown.Bytes()), script)
	return err
}

// asciiHTML writes characters that are not ASCII as references.
func asciiHTML(text string) string {
	var out strings.Builder
	for _, r := range text {
		if r < utf8.RuneSelf {
			out.WriteRune(r)
		} else {
			fmt.Fprintf(&out, "&#%d;", r)
		}
	}
	return out.String()
}

// asciiJSON writes characters that are not ASCII, which JSON has in texts only, as
// escapes of their UTF-16.
func asciiJSON(data []byte) []byte {
	out := make([]byte, 0, len(data)+len(data)/64)
	for len(data) > 0 {
		r, size := rune(data[0]), 1
		if r < utf8.RuneSelf {
			out = append(out, data[0])
		} else {
			r, size = utf8.DecodeRune(data)
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, "\\u%04x", unit)
			}
		}
		data = data[size:]
	}
	return out
}

// servedFrame is the page of a server. Its script finds no data in it, so it
// fetches them.
const servedFrame = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>%s</title>
<link rel="stylesheet" href="` + Style + `">
<script src="` + Script + `" defer></script>
</head>
<body>
<noscript><p>This page draws the paths with a script that the same program serves. Let it run, or have the drawing without it: traceflow --format svg.</p></noscript>
</body>
</html>
`

// Served is the frame of the page as a server gives it out.
func Served(title string) []byte {
	return fmt.Appendf(nil, servedFrame, html.EscapeString(title))
}

// ServedScript is what a server has at Script.
func ServedScript() []byte { return []byte(script) }

// ServedStyle is what a server has at Style.
func ServedStyle() []byte { return []byte(style) }

// ServedPolicy is the Content-Security-Policy that a server sends with the page:
// nothing inline, nothing from elsewhere, and in no other page's frame.
func ServedPolicy() string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src blob:",
		"connect-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types 'none'",
	}, "; ")
}

// policy allows the images that the page makes of its own drawing, for export,
// and nothing else that is not in the file. No text ever becomes markup: the
// browser refuses to make it so.
func policy() string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src '" + hash(script) + "'",
		"style-src '" + hash(style) + "'",
		"img-src blob:",
		"base-uri 'none'",
		"form-action 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types 'none'",
	}, "; ")
}

// hash is what a policy calls an element's text.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
