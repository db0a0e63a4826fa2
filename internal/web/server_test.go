// SPDX-License-Identifier: BSD-3-Clause

package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"traceflow/internal/web"
)

// serve serves a page until the test ends. It returns the address of the listener
// as well, with a port.
func serve(t *testing.T, bind string) (*web.Server, string) {
	t.Helper()
	l, err := net.Listen("tcp4", bind+":0")
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(l, "a <title>", []byte(`{"n":1}`))
	ended := make(chan error, 1)
	go func() { ended <- s.Serve() }()
	t.Cleanup(func() {
		s.Close("gone")
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return s, "127.0.0.1:" + port
}

// ask sends a request as it is and returns the answer with its body read.
func ask(t *testing.T, address, request string) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	lines := strings.ReplaceAll(request+"\nConnection: close\n\n", "\n", "\r\n")
	if _, err := io.WriteString(c, lines); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	r, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(body)
}

func TestWhoMayAskHere(t *testing.T) {
	_, at := serve(t, "127.0.0.1")
	_, port, _ := net.SplitHostPort(at)
	tests := []struct {
		name, request string // HOST is the address, PORT its port
		want          int
		body          string
	}{
		{"page", "GET / HTTP/1.1\nHost: HOST", 200, "<title>a &lt;title&gt;</title>"},
		{"with a query", "GET /?a=b HTTP/1.1\nHost: HOST", 200, "<!doctype html>"},
		{"script", "GET /main.js HTTP/1.1\nHost: HOST", 200, ""},
		{"style", "GET /page.css HTTP/1.1\nHost: HOST", 200, ""},
		{"data", "GET /data HTTP/1.1\nHost: HOST", 200, `{"n":1}`},
		{"localhost", "GET / HTTP/1.1\nHost: LOCALhost:PORT", 200, ""},
		{"IPv6", "GET / HTTP/1.1\nHost: [::1]:PORT", 200, ""},
		{"all of the loopback", "GET / HTTP/1.1\nHost: 127.9.9.9:PORT", 200, ""},
		{"head", "HEAD /data HTTP/1.1\nHost: HOST", 200, ""},
		{"head of events", "HEAD /events HTTP/1.1\nHost: HOST", 200, ""},
		{"same origin", "GET /data HTTP/1.1\nHost: HOST\nOrigin: http://HOST\nSec-Fetch-Site: same-origin", 200, ""},
		{"typed in", "GET / HTTP/1.1\nHost: HOST\nSec-Fetch-Site: none", 200, ""},
		{"a link", "GET / HTTP/1.1\nHost: HOST\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document", 200, ""},

		{"a name of somebody's", "GET / HTTP/1.1\nHost: evil.example:PORT", 403, "not served under that name"},
		{"that begins like ours", "GET / HTTP/1.1\nHost: 127.0.0.1.evil.example:PORT", 403, ""},
		{"that ends like ours", "GET / HTTP/1.1\nHost: evil.localhost:PORT", 403, ""},
		{"another address", "GET / HTTP/1.1\nHost: 192.0.2.1:PORT", 403, ""},
		{"the unspecified one", "GET / HTTP/1.1\nHost: 0.0.0.0:PORT", 403, ""},
		{"another port", "GET / HTTP/1.1\nHost: 127.0.0.1:1", 403, ""},
		{"no port", "GET / HTTP/1.1\nHost: 127.0.0.1", 403, ""},
		{"a port twice", "GET / HTTP/1.1\nHost: 127.0.0.1:PORT:PORT", 403, ""},
		{"no host", "GET / HTTP/1.1\nHost:", 403, ""},
		{"old HTTP", "GET / HTTP/1.0", 403, ""},
		{"a host in the target", "GET http://evil.example/ HTTP/1.1\nHost: HOST", 403, ""},
		{"another origin", "GET /data HTTP/1.1\nHost: HOST\nOrigin: http://evil.example", 403, "Another page"},
		{"another port of this host", "GET /data HTTP/1.1\nHost: HOST\nOrigin: http://127.0.0.1:1", 403, ""},
		{"a file", "GET /data HTTP/1.1\nHost: HOST\nOrigin: null", 403, ""},
		{"an empty origin", "GET /data HTTP/1.1\nHost: HOST\nOrigin: ", 403, ""},
		{"two origins", "GET /data HTTP/1.1\nHost: HOST\nOrigin: http://HOST\nOrigin: http://evil.example", 403, ""},
		{"TLS", "GET /data HTTP/1.1\nHost: HOST\nOrigin: https://HOST", 403, ""},
		{"a script of another page", "GET /main.js HTTP/1.1\nHost: HOST\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors\nSec-Fetch-Dest: script", 403, "Another page"},
		{"of another port", "GET /data HTTP/1.1\nHost: HOST\nSec-Fetch-Site: same-site\nSec-Fetch-Mode: no-cors\nSec-Fetch-Dest: image", 403, ""},
		{"a frame", "GET / HTTP/1.1\nHost: HOST\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: iframe", 403, ""},
		{"a link to the data", "GET /data HTTP/1.1\nHost: HOST\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document", 403, ""},

		{"nothing there", "GET /index.html HTTP/1.1\nHost: HOST", 404, "There is nothing here."},
		{"above", "GET /../etc/passwd HTTP/1.1\nHost: HOST", 404, ""},
		{"encoded", "GET /%2e%2e/main.js HTTP/1.1\nHost: HOST", 404, ""},
		{"twice a slash", "GET //evil.example HTTP/1.1\nHost: HOST", 404, ""},
		{"post", "POST /data HTTP/1.1\nHost: HOST\nContent-Length: 0", 405, "takes nothing"},
		{"post much", "POST /data HTTP/1.1\nHost: HOST\nContent-Length: 1000000", 405, ""},
		{"get with a body", "GET /data HTTP/1.1\nHost: HOST\nContent-Length: 1000000", 413, ""},
		{"options", "OPTIONS /data HTTP/1.1\nHost: HOST\nOrigin: http://HOST", 405, ""},
		{"a long header", "GET / HTTP/1.1\nHost: HOST\nX: " + strings.Repeat("x", 64<<10), 431, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request := strings.NewReplacer("HOST", at, "PORT", port).Replace(tt.request)
			r, body := ask(t, at, request)
			if r.StatusCode != tt.want || !strings.Contains(body, tt.body) {
				t.Errorf("%d %q, want %d with %q", r.StatusCode, body, tt.want, tt.body)
			}
			if r.StatusCode >= 400 && strings.Count(body, "\n") > 1 {
				t.Errorf("more than a line: %q", body)
			}
			if r.Header.Get("Set-Cookie") != "" || r.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("headers %v", r.Header)
			}
		})
	}
}

// TestHeaders wants the same of every answer, refusals included.
func TestHeaders(t *testing.T) {
	_, at := serve(t, "127.0.0.1")
	for _, request := range []string{
		"GET / HTTP/1.1\nHost: " + at, "GET /data HTTP/1.1\nHost: " + at, "GET /nothing HTTP/1.1\nHost: " + at,
		"POST / HTTP/1.1\nHost: " + at, "GET / HTTP/1.1\nHost: evil.example", "HEAD /events HTTP/1.1\nHost: " + at,
	} {
		r, _ := ask(t, at, request)
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Server": "",
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%.20s: %s: %q, want %q", request, name, got, want)
			}
		}
		if r.Header.Get("Content-Type") == "" {
			t.Errorf("%.20s: no type", request)
		}
	}
}

func TestWhoMayAskFromElsewhere(t *testing.T) {
	s, at := serve(t, "0.0.0.0")
	_, port, _ := net.SplitHostPort(at)
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	addresses := s.Addresses()
	_, token, _ := strings.Cut(addresses[0], "token=")
	if len(token) != 32 || !strings.HasPrefix(addresses[0], "http://localhost:"+port+"/?token=") {
		t.Fatalf("addresses %q", addresses)
	}
	for _, a := range addresses {
		if !strings.HasSuffix(a, "/?token="+token) {
			t.Errorf("address %q", a)
		}
	}
	cookie := "\nCookie: other=1; traceflow-" + port + "=" + token
	tests := []struct {
		name, request string
		want          int
	}{
		{"no token", "GET / HTTP/1.1\nHost: HOST", 403},
		{"no token, nothing there", "GET /nothing HTTP/1.1\nHost: HOST", 403},
		{"no token for data", "GET /data HTTP/1.1\nHost: HOST", 403},
		{"an empty one", "GET /?token= HTTP/1.1\nHost: HOST", 403},
		{"a wrong one", "GET /?token=" + strings.Repeat("0", 32) + " HTTP/1.1\nHost: HOST", 403},
		{"a part of it", "GET /?token=" + token[:31] + " HTTP/1.1\nHost: HOST", 403},
		{"the token", "GET /?token=TOKEN HTTP/1.1\nHost: HOST", 303},
		{"by another address", "GET /?token=TOKEN HTTP/1.1\nHost: 192.0.2.1:9000", 303},
		{"by name", "GET /?token=TOKEN HTTP/1.1\nHost: " + own + ":9000", 303},
		{"by somebody's name", "GET /?token=TOKEN HTTP/1.1\nHost: evil.example:PORT", 403},
		{"the token elsewhere", "GET /data?token=TOKEN HTTP/1.1\nHost: HOST", 403},
		{"the token, posted", "POST /?token=TOKEN HTTP/1.1\nHost: HOST", 403},
		{"a link in a chat", "GET /?token=TOKEN HTTP/1.1\nHost: HOST\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document", 200},
		{"the cookie", "GET /data HTTP/1.1\nHost: HOSTCOOKIE", 200},
		{"the cookie for another port", "GET /data HTTP/1.1\nHost: 127.0.0.1:1COOKIE", 403},
		{"the cookie from another page", "GET /data HTTP/1.1\nHost: HOST\nOrigin: http://evil.exampleCOOKIE", 403},
		{"a wrong cookie", "GET /data HTTP/1.1\nHost: HOST\nCookie: traceflow-PORT=" + strings.Repeat("0", 32), 403},
		{"the cookie, nothing there", "GET /nothing HTTP/1.1\nHost: HOSTCOOKIE", 404},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request := strings.NewReplacer("HOST", at, "PORT", port, "TOKEN", token, "COOKIE", cookie).Replace(tt.request)
			r, body := ask(t, at, request)
			if r.StatusCode != tt.want {
				t.Errorf("%d, want %d: %s", r.StatusCode, tt.want, body)
			}
			cookies := r.Cookies()
			if welcome := tt.want == 303 || tt.name == "a link in a chat"; welcome != (len(cookies) == 1) {
				t.Fatalf("cookies %v", cookies)
			}
			if len(cookies) == 1 {
				_, seen, _ := strings.Cut(r.Header.Get("Set-Cookie"), ";")
				if c := cookies[0]; c.Value != token || seen != " Path=/; HttpOnly; SameSite=Strict" {
					t.Errorf("cookie %q", r.Header.Get("Set-Cookie"))
				}
			} else if strings.Contains(body, token) {
				t.Errorf("the token is given away: %s", body)
			}
			if to := r.Header.Get("Location"); to != map[bool]string{true: "/"}[tt.want == 303] {
				t.Errorf("goes on to %q", to)
			}
		})
	}
}

func TestTokensDiffer(t *testing.T) {
	a, _ := serve(t, "0.0.0.0")
	b, _ := serve(t, "0.0.0.0")
	_, one, _ := strings.Cut(a.Addresses()[0], "?")
	_, other, _ := strings.Cut(b.Addresses()[0], "?")
	if one == other {
		t.Errorf("twice %s", one)
	}
	local, at := serve(t, "127.0.0.1")
	if got := local.Addresses(); len(got) != 1 || got[0] != "http://"+at+"/" {
		t.Errorf("addresses %q", got)
	}
}

// events are the lines of a stream.
func events(t *testing.T, at string) (*bufio.Reader, io.Closer) {
	t.Helper()
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET /events HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", at)
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s, %v", r.Status, r.Header)
	}
	return bufio.NewReader(r.Body), c
}

// await reads a stream until some lines have come.
func await(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	var got strings.Builder
	for !strings.HasSuffix(got.String(), want) {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("%v after %q, want %q", err, got.String(), want)
		}
		got.WriteString(line)
	}
}

func TestStream(t *testing.T) {
	s, at := serve(t, "127.0.0.1")
	first, _ := events(t, at)
	await(t, first, "retry: 1000\n\nevent: changed\nid: 1\ndata: 1\n\n")
	s.Show("b", []byte(`{"n":2}`))
	await(t, first, "event: changed\nid: 2\ndata: 2\n\n")
	late, _ := events(t, at)
	await(t, late, "retry: 1000\n\nevent: changed\nid: 2\ndata: 2\n\n")
	r, body := ask(t, at, "GET /data HTTP/1.1\nHost: "+at)
	if body != `{"n":2}` || r.Header.Get("ETag") != `"2"` || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("data %q, %v", body, r.Header)
	}
	if _, frame := ask(t, at, "GET / HTTP/1.1\nHost: "+at); !strings.Contains(frame, "<title>b</title>") {
		t.Errorf("frame %s", frame)
	}
	go s.Close("It is\nover.")
	await(t, first, "event: bye\ndata: It is over.\n\n")
	await(t, late, "event: bye\ndata: It is over.\n\n")
	if rest, err := io.ReadAll(first); err != nil || len(rest) > 0 {
		t.Errorf("%q after goodbye, %v", rest, err)
	}
}

// TestSlowReader has a browser that takes nothing: it holds nobody up, and gets
// the newest state in the end, not all of them.
func TestSlowReader(t *testing.T) {
	s, at := serve(t, "127.0.0.1")
	slow, _ := events(t, at)
	const states = 20_000
	for n := 2; n <= states; n++ {
		s.Show("t", []byte("{}"))
	}
	await(t, slow, fmt.Sprintf("event: changed\nid: %d\ndata: %[1]d\n\n", states))
}

// TestManyStreams wants more of them refused than there may be, and their places
// taken again.
func TestManyStreams(t *testing.T) {
	_, at := serve(t, "127.0.0.1")
	var open []io.Closer
	for range 64 {
		r, c := events(t, at)
		await(t, r, "data: 1\n\n")
		open = append(open, c)
	}
	if r, body := ask(t, at, "GET /events HTTP/1.1\nHost: "+at); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", r.StatusCode, body)
	}
	if r, _ := ask(t, at, "GET /data HTTP/1.1\nHost: "+at); r.StatusCode != 200 {
		t.Errorf("data: %d", r.StatusCode)
	}
	if err := open[0].Close(); err != nil {
		t.Fatal(err)
	}
	for {
		if r, _ := ask(t, at, "HEAD /events HTTP/1.1\nHost: "+at); r.StatusCode == 200 {
			break
		}
		if t.Context().Err() != nil {
			t.Fatal("no place becomes free")
		}
	}
}

// TestManyConnections opens more than there may be: those beyond are closed, and
// when others go away, the page answers.
func TestManyConnections(t *testing.T) {
	_, at := serve(t, "127.0.0.1")
	var all []net.Conn
	for range 256 {
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		all = append(all, c)
	}
	beyond, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer beyond.Close()
	if err := beyond.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := beyond.Read(make([]byte, 1)); n > 0 || os.IsTimeout(err) {
		t.Errorf("one more is kept: %d bytes, %v", n, err)
	}
	for _, c := range all[:8] {
		c.Close()
	}
	for tries := 0; ; tries++ {
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "GET /data HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", at)
		got, _ := io.ReadAll(c) // none, if it is closed again
		c.Close()
		if strings.HasPrefix(string(got), "HTTP/1.1 200 OK") {
			return
		}
		if tries > 1000 {
			t.Fatalf("got %q", got)
		}
		time.Sleep(time.Millisecond)
	}
}

// TestCloseLeavesNothing counts goroutines before and after.
func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 5 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := web.New(l, "t", []byte("{}"))
		ended := make(chan error)
		go func() { ended <- s.Serve() }()
		for range 10 {
			r, _ := events(t, l.Addr().String())
			await(t, r, "data: 1\n\n")
		}
		go s.Close("once")
		s.Close("twice")
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	for begin := time.Now(); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			buffer := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, buffer[:runtime.Stack(buffer, true)])
		}
	}
}

// TestServeFails has the listener break.
func TestServeFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(l, "t", []byte("{}"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(); err == nil {
		t.Error("no error")
	}
	s.Close("too late") // does not hang
}

// TestCloseBeforeServe is what happens if the program fails in between.
func TestCloseBeforeServe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(l, "t", []byte("{}"))
	s.Close("")
	if err := s.Serve(); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}

func TestListen(t *testing.T) {
	here := netip.MustParseAddr("127.0.0.1")
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := netip.MustParseAddrPort(taken.Addr().String()).Port()
	if l, err := web.Listen(t.Context(), here, port, port); err == nil {
		t.Errorf("listens at %s", l.Addr())
	}
	l, err := web.Listen(t.Context(), here, port, 65535)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := netip.MustParseAddrPort(l.Addr().String()); got.Addr() != here || got.Port() <= port {
		t.Errorf("listens at %s, and %d is taken", got, port)
	}
}
