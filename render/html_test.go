// SPDX-License-Identifier: BSD-3-Clause

package render_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"traceflow"
	"traceflow/render"
)

// network is a trace for tests of the page.
type network struct {
	name  string
	trace func(t *testing.T) *traceflow.Trace
}

// networks are what the page is tested with and looked at: the drawings of the
// SVG's tests, and large ones.
func networks() []network {
	var out []network
	for _, d := range drawings {
		out = append(out, network{d.name, func(t *testing.T) *traceflow.Trace {
			trace := d.trace(t)
			trace.Annotations = d.annotations
			if d.after != nil {
				d.after(trace)
			}
			return trace
		}})
	}
	for _, n := range []int{4, 16, 64, 255} {
		name := fmt.Sprintf("long-%d", n)
		out = append(out, network{name, func(t *testing.T) *traceflow.Trace {
			g := golden{name: name, ends: ipv4, flows: long(n), edit: far}
			trace := g.trace(t)
			trace.Annotations = regions()
			return trace
		}})
	}
	return out
}

// far makes round trips of long grow by what distances add: an ocean lies before
// TTL 15, and one router behind it is slow.
func far(e *traceflow.Exchange) {
	e.Reply.MPLS = nil
	rtt := time.Duration(e.TTL) * 400 * time.Microsecond
	if e.TTL >= 15 {
		rtt += 71 * time.Millisecond
	}
	if e.TTL == 23 && e.Reply.Address.As4()[3] > 20 {
		rtt += 9 * time.Millisecond
	}
	e.Reply.RTT = rtt + time.Duration(e.Flow%7)*37*time.Microsecond
}

// regions are owners of the layers of long.
func regions() traceflow.Annotations {
	var out traceflow.Annotations
	for ttl := 2; ttl < 30; ttl++ {
		for last := 1; last <= 200; last++ {
			asn, name := uint32(64500+ttl/8), []string{"EXAMPLE-HOME", "EXAMPLE-TRANSIT", "EXAMPLE-OCEAN", "EXAMPLE-FAR"}[ttl/8]
			out = append(out, traceflow.Annotation{
				Address: netip.AddrFrom4([4]byte{198, 51, byte(ttl), byte(last)}),
				Origin:  traceflow.Origin{ASNs: []uint32{asn}, Name: name},
			})
		}
	}
	return out
}

func networkNamed(t *testing.T, name string) *traceflow.Trace {
	t.Helper()
	for _, n := range networks() {
		if n.name == name {
			return n.trace(t)
		}
	}
	t.Fatalf("no network %s", name)
	return nil
}

func pageOf(t *testing.T, trace *traceflow.Trace) string {
	t.Helper()
	var b bytes.Buffer
	if err := render.HTML(&b, trace, render.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var dataOfPage = regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`)

// pageNode is a station of the drawing.
type pageNode struct {
	ID, Kind, Hostname string
	Lines              []string
}

// pageData is what a page has in it, as far as tests look at it.
type pageData struct {
	Title   string
	Heading struct {
		Source, Target, Probes string
		Reached                int
		Statement              []string
	}
	Drawing struct {
		Nodes []pageNode
		Links []struct{ From, To string }
		Paths []struct{ Nodes []string }
	}
	Details map[string]struct {
		Prefix  string
		Answers []struct{ Count int }
	}
	Flows []struct {
		ID         int
		SourcePort int `json:"src_port"`
	}
	Paths []struct {
		ID      int
		Flows   []int
		Nodes   []string
		Sent    []int
		Replies []int
		Verdict []string
	}
}

func readPage(t *testing.T, html string) *pageData {
	t.Helper()
	found := dataOfPage.FindStringSubmatch(html)
	if found == nil {
		t.Fatal("no data")
	}
	p := &pageData{}
	if err := json.Unmarshal([]byte(found[1]), p); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestHTMLData wants every figure that the page needs, and paths that fit the
// drawing. With TRACEFLOW_HTML=folder in the environment it leaves the pages
// there to look at.
func TestHTMLData(t *testing.T) {
	for _, n := range networks() {
		t.Run(n.name, func(t *testing.T) {
			trace := n.trace(t)
			html := pageOf(t, trace)
			if dir := os.Getenv("TRACEFLOW_HTML"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, n.name+".html"), []byte(html), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			p := readPage(t, html)
			if len(p.Paths) != len(trace.Graph.Paths) || len(p.Flows) != len(trace.Flows) || len(p.Heading.Statement) == 0 {
				t.Errorf("%d paths, %d flows, statement %q", len(p.Paths), len(p.Flows), p.Heading.Statement)
			}
			for _, path := range p.Paths {
				hops := len(path.Nodes) - 1
				if len(path.Sent) != hops || len(path.Replies) != hops || len(path.Verdict) != hops {
					t.Errorf("path %d: %d hops, figures of %d, %d, %d", path.ID, hops, len(path.Sent), len(path.Replies), len(path.Verdict))
				}
			}
			answers := 0
			for _, d := range p.Details {
				for _, a := range d.Answers {
					answers += a.Count
				}
			}
			replies := 0
			for i := range trace.Exchanges {
				if trace.Exchanges[i].Reply.Kind.Answered() {
					replies++
				}
			}
			if answers == 0 || answers > replies {
				t.Errorf("%d answers in details, %d replies", answers, replies)
			}
		})
	}
}

// TestHTMLFrame compares the page without bundle and data.
func TestHTMLFrame(t *testing.T) {
	html := pageOf(t, networkNamed(t, "owners"))
	html = regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(html, "<style>…</style>")
	html = dataOfPage.ReplaceAllString(html, `<script type="application/json" id="data">…</script>`)
	html = regexp.MustCompile(`(?s)<script>.*?</script>`).ReplaceAllString(html, "<script>…</script>")
	html = regexp.MustCompile(`sha256-[A-Za-z0-9+/]{43}=`).ReplaceAllString(html, "sha256-…")
	checkGolden(t, filepath.Join("testdata", "html", "frame.html"), html)
}

// TestHTMLHostile writes names that are markup, and wants them as data only.
func TestHTMLHostile(t *testing.T) {
	plain, got := pageOf(t, networkNamed(t, "owners")), pageOf(t, networkNamed(t, "hostile"))
	for _, tag := range []string{"<script", "</script", "<style", "</style", "<!--", "<meta", "<title", "</title"} {
		if strings.Count(plain, tag) != strings.Count(got, tag) {
			t.Errorf("%d of %s, with harmless names %d", strings.Count(got, tag), tag, strings.Count(plain, tag))
		}
	}
	data := dataOfPage.FindStringSubmatch(got)[1]
	if i := strings.IndexAny(data, "<>&\u2028\u2029\u202e"); i >= 0 {
		t.Errorf("data have %q", data[i:i+8])
	}
	p := readPage(t, got)
	found := false
	for _, n := range p.Drawing.Nodes {
		if n.Hostname != render.Printable(n.Hostname) {
			t.Errorf("%q", n.Hostname)
		}
		found = found || strings.Contains(n.Hostname, "<script>alert(1)</script>")
	}
	if !found {
		t.Error("no node has its hostile name")
	}
}

// TestHTMLLongNames wants a page that a name of a megabyte does not make large.
func TestHTMLLongNames(t *testing.T) {
	trace := networkNamed(t, "long-4")
	plain := len(pageOf(t, trace))
	long := strings.Repeat("x", 1<<20)
	trace.Annotations = slices.Clone(trace.Annotations)
	for i := range trace.Annotations {
		a := &trace.Annotations[i]
		a.Hostname.Name, a.Hostname.Source, a.Origin.Name, a.Place.City, a.Port.IXP = long, long, long, long, long
	}
	trace.Destination.Name, trace.VantagePoint.Hostname, trace.Version, trace.Config.Wire = long, long, long, long
	if got := len(pageOf(t, trace)); got > plain+500_000 {
		t.Errorf("%d bytes, with short names %d", got, plain)
	}
}

func TestHTMLMasked(t *testing.T) {
	trace := networkNamed(t, "long-16")
	trace.VantagePoint.Hostname = "secret.example.net"
	html := pageOf(t, trace.Mask(3))
	for _, secret := range []string{"192.0.2.1\"", "192.0.2.10", "secret.example.net", "198.51.2."} {
		if strings.Contains(html, secret) {
			t.Errorf("shows %s", secret)
		}
	}
}

func TestHTMLOneResult(t *testing.T) {
	if err := render.HTML(&bytes.Buffer{}, traces[0].trace(t), render.Options{Continued: true}); err == nil {
		t.Error("a second result was written behind the first")
	}
	if err := render.HTML(brokenWriter{}, traces[0].trace(t), render.Options{}); err == nil {
		t.Error("no error from a writer that is closed")
	}
}

// TestPageGroups wants drawings of owners and of cities where anything is known of
// them, and none otherwise; what a refresh shows stays where it was in each.
func TestPageGroups(t *testing.T) {
	g := golden{name: "long-255", ends: ipv4, flows: long(255)}
	trace := g.trace(t)
	var pages render.Pages
	_, plain, err := pages.Next(trace, true)
	if err != nil {
		t.Fatal(err)
	}
	for ttl := range 30 {
		for host := range 60 {
			trace.Annotations = append(trace.Annotations, traceflow.Annotation{
				Address: netip.AddrFrom4([4]byte{198, 51, byte(ttl), byte(host)}),
				Origin:  traceflow.Origin{ASNs: []uint32{uint32(64500 + ttl/6)}, Name: fmt.Sprintf("OWNER-%d", ttl/6)},
				Place:   traceflow.Place{City: fmt.Sprintf("City %d", ttl/4), Country: "DE"},
			})
		}
	}
	_, data, err := pages.Next(trace, true)
	if err != nil {
		t.Fatal(err)
	}
	_, again, err := pages.Next(trace, true)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, again) {
		t.Error("a refresh shows something else")
	}
	var shown, without map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(data, &shown), json.Unmarshal(plain, &without)); err != nil {
		t.Fatal(err)
	}
	if without["groups"] != nil {
		t.Errorf("groups of nothing known: %s", without["groups"])
	}
	var groups map[string]struct {
		Drawing struct {
			By    string
			Nodes []struct {
				ID       string
				Stations []string
			}
			Paths []struct {
				ID    int
				Nodes []string
			}
		}
	}
	if err := json.Unmarshal(shown["groups"], &groups); err != nil {
		t.Fatal(err)
	}
	if len(groups) != 2 || groups["as"].Drawing.By != "as" || groups["city"].Drawing.By != "city" || len(groups["as"].Drawing.Paths) == 0 {
		t.Errorf("%.300s", shown["groups"])
	}
	if whole, part := len(data), len(shown["groups"]); part > whole/4 {
		t.Errorf("groups are %d of %d bytes", part, whole)
	} else {
		t.Logf("groups are %d of %d bytes", part, whole)
	}
}
