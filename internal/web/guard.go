// SPDX-License-Identifier: BSD-3-Clause

package web

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// tokenKey is what the token is called in addresses.
const tokenKey = "token"

const notAdmitted = "Open the address that traceflow printed: it has a token in it, which lets this browser in."

// guard decides who may ask.
//
// Other pages that the same browser has open are the danger. They may point a
// name of their own at this machine (DNS rebinding), which the Host header tells;
// what they ask of us directly, Origin and Sec-Fetch-Site tell (the Fetch standard,
// section 3.2, and W3C Fetch Metadata). Who is on another machine needs the token.
type guard struct {
	local bool   // the listener is on the loopback
	port  string // of the listener
	host  string // this machine's own name
	token string // none on the loopback
}

func newGuard(listens net.Addr) *guard {
	at := addressOf(listens)
	g := &guard{local: at.Addr().IsLoopback(), port: strconv.Itoa(int(at.Port()))}
	if g.local {
		return g
	}
	if name, err := os.Hostname(); err == nil {
		g.host = name
	}
	var random [16]byte
	rand.Read(random[:])
	g.token = hex.EncodeToString(random[:])
	return g
}

// addressOf is that of a TCP listener.
func addressOf(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		at := tcp.AddrPort()
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	}
	return netip.AddrPort{}
}

// refuses says why a request is not answered, whoever sent it; "" if it may be.
func (g *guard) refuses(r *http.Request) string {
	if !g.knows(r.Host) {
		return "This page is not served under that name: open the address that traceflow printed."
	}
	origins := r.Header.Values("Origin")
	if len(origins) > 1 || len(origins) == 1 && !strings.EqualFold(origins[0], "http://"+r.Host) {
		return "Another page may not read this one."
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return ""
	}
	// Somebody may follow a link to the page, and nothing else.
	if r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document" && r.URL.Path == "/" {
		return ""
	}
	return "Another page may not use this one."
}

// knows reports whether a Host header means this machine, and no name that
// somebody else can point at it.
func (g *guard) knows(header string) bool {
	host, port := splitHost(header)
	if g.local && port != g.port {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Zone() == "" && (!g.local || a.IsLoopback())
	}
	return !g.local && g.host != "" && strings.EqualFold(host, g.host)
}

// splitHost takes a Host header apart (RFC 9110, section 7.2). The host is empty
// if it is none.
func splitHost(header string) (host, port string) {
	host, port, found := strings.Cut(header, ":")
	if strings.HasPrefix(header, "[") {
		host, port, found = strings.Cut(header[1:], "]")
		if a, err := netip.ParseAddr(host); !found || err != nil || !a.Is6() {
			return "", ""
		}
		port, found = strings.CutPrefix(port, ":")
		if !found && port != "" {
			return "", ""
		}
	}
	if !found {
		return host, "80"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", ""
	}
	return host, strconv.FormatUint(n, 10)
}

// admits answers a request that brings the token in its address: the browser
// keeps it as a cookie from then on, and the address in its bar, which people
// copy, is the one without it.
func (g *guard) admits(w http.ResponseWriter, r *http.Request) bool {
	if g.token == "" || r.URL.Path != "/" || r.Method != http.MethodGet || !g.right(r.URL.Query().Get(tokenKey)) {
		return false
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName(r), Value: g.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		// Who followed a link in another page, a chat for example, would be
		// redirected without the cookie: it is a strict one, and that page has sent
		// them. From this answer on they come from here.
		w.Header().Set("Refresh", "0; url=/")
		fixed("text/plain; charset=utf-8", []byte("Opening the page…\n"))(w, r)
		return true
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return true
}

// admitted reports whether a request comes from a browser that has been let in.
func (g *guard) admitted(r *http.Request) bool {
	if g.token == "" {
		return true
	}
	for _, c := range r.CookiesNamed(cookieName(r)) {
		if g.right(c.Value) {
			return true
		}
	}
	return false
}

func (g *guard) right(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(g.token)) == 1
}

// cookieName has the port that the browser sees in it. Cookies know no ports, and
// there may be several of us on one machine.
func cookieName(r *http.Request) string {
	_, port := splitHost(r.Host)
	return "traceflow-" + port
}

// query is what an address needs behind it.
func (g *guard) query() string {
	if g.token == "" {
		return ""
	}
	return "?" + tokenKey + "=" + g.token
}
