// SPDX-License-Identifier: BSD-3-Clause

package page_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	stdhtml "html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"traceflow/internal/page"
	"traceflow/internal/rendertest"
)

func write(t *testing.T, title, data string) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Write(&b, title, []byte(data)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPolicyNamesWhatIsThere computes the hashes as a browser does.
func TestPolicyNamesWhatIsThere(t *testing.T) {
	html := write(t, "t", "{}")
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(html)[1]
	for _, element := range []string{"script", "style"} {
		texts := regexp.MustCompile(`(?s)<`+element+`>(.*?)</`+element+`>`).FindAllStringSubmatch(html, -1)
		if len(texts) != 1 {
			t.Fatalf("%d of %s", len(texts), element)
		}
		sum := sha256.Sum256([]byte(texts[0][1]))
		if want := element + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
			t.Errorf("policy %q lacks %s", policy, want)
		}
	}
	if !strings.HasPrefix(policy, "default-src 'none';") {
		t.Errorf("policy %q", policy)
	}
	for _, bad := range []string{"unsafe", "*", "http", "data:", "'self'"} {
		if strings.Contains(policy, bad) {
			t.Errorf("policy %q has %s", policy, bad)
		}
	}
}

func TestDataStayData(t *testing.T) {
	const evil = "</script><script>alert(1)</script><!--\u2028"
	plain, got := write(t, "title", `{"a":"b"}`), write(t, evil, `{"a":"`+evil+`"}`)
	for _, tag := range []string{"<script", "</script", "<!--", "\u2028"} {
		if tag == "\u2028" { // no harm in a title, but in a script
			got = got[strings.Index(got, "</title>"):]
		}
		if strings.Count(got, tag) != strings.Count(plain, tag) {
			t.Errorf("%d of %q, want %d", strings.Count(got, tag), tag, strings.Count(plain, tag))
		}
	}
}

// TestASCII wants a file without any other character, that says the same.
func TestASCII(t *testing.T) {
	const text = "src → dst · 東京 😀 é"
	html := write(t, text, `{"a":"`+text+`"}`)
	if i := strings.IndexFunc(html, func(r rune) bool { return r >= utf8.RuneSelf }); i >= 0 {
		t.Errorf("it has %.20q", html[i:])
	}
	var data struct{ A string }
	found := regexp.MustCompile(`<title>(.*)</title>[^$]*id="data">(.*)</script>`).FindStringSubmatch(html)
	if err := json.Unmarshal([]byte(found[2]), &data); err != nil || data.A != text {
		t.Errorf("data are %q, %v", data.A, err)
	}
	if got := stdhtml.UnescapeString(found[1]); got != text {
		t.Errorf("title is %q", got)
	}
}

// TestServed wants nothing inline in the frame that a server gives out, and all
// addresses in it relative: it works behind whatever path a proxy gives it.
func TestServed(t *testing.T) {
	const evil = `</title><script>alert(1)</script>`
	got := string(page.Served(evil))
	if !strings.Contains(got, "<title>&lt;/title&gt;&lt;script&gt;") {
		t.Errorf("the title is no text: %s", got)
	}
	if n := strings.Count(got, "<script"); n != 1 || !strings.Contains(got, `<script src="main.js" defer></script>`) {
		t.Errorf("%d scripts in %s", n, got)
	}
	for _, bad := range []string{"<style", "style=", "onload", "=\"/", "http"} {
		if strings.Contains(got, bad) {
			t.Errorf("the frame has %q", bad)
		}
	}
	policy := page.ServedPolicy()
	for _, bad := range []string{"unsafe", "*", "http", "data:", "sha256"} {
		if strings.Contains(policy, bad) {
			t.Errorf("policy %q has %s", policy, bad)
		}
	}
	for name, text := range map[string][]byte{"script": page.ServedScript(), "style": page.ServedStyle()} {
		if whole := write(t, "t", "{}"); len(text) == 0 || !strings.Contains(whole, string(text)) {
			t.Errorf("another %s than in a file", name)
		}
	}
}

// TestBundle checks what is committed: that it fetches nothing, makes no markup of
// text, is no larger than a page may be, and can stand in an element of HTML.
func TestBundle(t *testing.T) {
	size := 0
	for _, file := range []string{"main.js", "page.css"} {
		text, err := os.ReadFile(filepath.Join("bundle", file))
		if err != nil {
			t.Fatal(err)
		}
		size += len(text)
		for _, bad := range []string{
			"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "XMLHttpRequest", "import(",
			"</script", "</style", "<!--", "@import", "url(", "https:", "sourceMappingURL",
		} {
			if bytes.Contains(text, []byte(bad)) {
				t.Errorf("%s has %q", file, bad)
			}
		}
	}
	script, err := os.ReadFile(filepath.Join("bundle", "main.js"))
	if err != nil {
		t.Fatal(err)
	}
	// It asks its own server, where it has one, and that by two relative names.
	for call, name := range map[string]string{"fetch(": `"data"`, "EventSource(": `"events"`} {
		if got := strings.Count(string(script), call+name); got != 1 || got != strings.Count(string(script), call) {
			t.Errorf("%d of %s%s, %d of %[2]s", got, call, name, strings.Count(string(script), call))
		}
	}
	t.Logf("%d bytes", size)
	if size > 200_000 {
		t.Errorf("%d bytes", size)
	}
}

// TestBundleIsOfSources bundles the sources, checks their types, and compares.
func TestBundleIsOfSources(t *testing.T) {
	for _, tool := range []string{"esbuild", "tsc"} {
		_, err := os.Stat(filepath.Join("node_modules", ".bin", tool))
		rendertest.Require(t, err == nil, tool+": make page")
	}
	if out, err := run("check"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	folder := t.TempDir()
	if out, err := run("bundle", "--", "--outdir="+folder); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, file := range []string{"main.js", "page.css"} {
		want, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("bundle", file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			t.Errorf("bundle/%s is not what src makes: make page (-src +bundle)\n%.2000s", file, cmp.Diff(string(want), string(got)))
		}
	}
}

// run runs a script of package.json.
func run(script string, args ...string) ([]byte, error) {
	return exec.Command("npm", append([]string{"run", "--silent", script}, args...)...).CombinedOutput()
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("closed") }

func TestWriteErrors(t *testing.T) {
	if err := page.Write(brokenWriter{}, "t", []byte("{}")); err == nil {
		t.Error("no error from a writer that is closed")
	}
}
