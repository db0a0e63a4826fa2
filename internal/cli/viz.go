// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"traceflow"
	"traceflow/internal/web"
	"traceflow/render"
)

// viz is the format that is no file: the page, served to a browser.
const viz = "viz"

// The ports of the page where none is given: the first that is free.
const firstPagePort, lastPagePort = 8081, 8180

// vizOptions are the flags of the page that is served.
type vizOptions struct {
	bind      bindAddress
	noBrowser bool
}

func (o *vizOptions) addFlags(f *pflag.FlagSet) {
	o.bind.address = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	f.Var(&o.bind, "bind", "serve viz at `address`: ADDR[:PORT]")
	f.BoolVar(&o.noBrowser, "no-browser", false, "with --format viz, open no browser")
}

// validate refuses what only the page can use.
func (o *vizOptions) validate(format string, given func(flag string) bool) error {
	for _, flag := range []string{"bind", "no-browser"} {
		if format != viz && given(flag) {
			return fmt.Errorf("--%s is for --format viz, and --format is %s", flag, format)
		}
	}
	return nil
}

// bindAddress is the value of --bind. Port 0 is none given.
type bindAddress struct {
	address netip.Addr
	port    uint16
}

// String implements pflag.Value.
func (b *bindAddress) String() string {
	switch {
	case !b.address.IsValid():
		return ""
	case b.port == 0:
		return b.address.String()
	}
	return netip.AddrPortFrom(b.address, b.port).String()
}

// on is the same address with a port.
func (b *bindAddress) on(port uint16) *bindAddress { return &bindAddress{b.address, port} }

// Type implements pflag.Value.
func (b *bindAddress) Type() string { return "address" }

// Set implements pflag.Value.
func (b *bindAddress) Set(text string) error {
	host, port := text, ""
	if i := strings.LastIndexByte(text, ':'); i >= 0 && (strings.Count(text, ":") == 1 || strings.HasSuffix(text[:i], "]")) {
		host, port = text[:i], text[i+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("%q is no port from 1 to 65535", port)
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		if host, ok = strings.CutSuffix(inner, "]"); !ok || !strings.Contains(host, ":") {
			host = ""
		}
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	a, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no IP address: write 127.0.0.1, 0.0.0.0:8081 or [::1]:8081", text)
	case a.Zone() != "" || a.IsMulticast():
		return fmt.Errorf("%s is no address that a browser can open", a)
	}
	n, _ := strconv.ParseUint(port, 10, 16) // as above; none is 0
	b.address, b.port = a.Unmap(), uint16(n)
	return nil
}

// listen listens where the page is to be, and says so if that is not on its
// usual port.
func (b *bindAddress) listen(ctx context.Context, env Env, quiet bool) (net.Listener, error) {
	first, last := b.port, b.port
	if b.port == 0 {
		first, last = firstPagePort, lastPagePort
	}
	l, err := web.Listen(ctx, b.address, first, last)
	if err != nil {
		return nil, &listenError{b, err}
	}
	if at, ok := l.Addr().(*net.TCPAddr); ok && at.Port != int(first) && !quiet {
		fmt.Fprintf(env.Err, "Port %d is in use: the page is on %d\n", first, at.Port)
	}
	return l, nil
}

// vizPage is the page of one result, while it is served.
type vizPage struct {
	env     Env
	options *outputOptions
	quiet   bool
	pages   render.Pages
	server  *web.Server
	failed  chan error // why the server has ended, if it has by itself
	browser chan error // how the command that opens a browser has ended
}

// newVizPage is a page that nothing is shown on yet. Without quiet, it says on
// standard error what is going on.
func newVizPage(env Env, o *outputOptions, quiet bool) *vizPage {
	return &vizPage{env: env, options: o, quiet: quiet, failed: make(chan error, 1), browser: make(chan error, 1)}
}

// serve begins to serve the page of a trace, prints its addresses and opens a
// browser. It takes over the listener, and calls ended when it has stopped
// working.
func (p *vizPage) serve(l net.Listener, t *traceflow.Trace, measuring bool, ended func()) error {
	title, data, err := p.pages.Next(t, measuring)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	p.server = web.New(l, title, data)
	go func() { // close ends it
		p.failed <- p.server.Serve()
		ended()
	}()
	addresses := p.server.Addresses()
	for _, a := range addresses {
		if _, err := fmt.Fprintln(p.env.Out, a); err != nil {
			p.close("")
			return writeError(err)
		}
	}
	p.open(addresses[0])
	return nil
}

// say tells people on standard error what is going on.
func (p *vizPage) say(format string, args ...any) {
	if !p.quiet {
		fmt.Fprintln(p.env.Err, printable(fmt.Sprintf(format, args...)))
	}
}

// show has the page show a trace.
func (p *vizPage) show(t *traceflow.Trace, measuring bool) error {
	title, data, err := p.pages.Next(t, measuring)
	if err != nil {
		return err
	}
	p.server.Show(title, data)
	return nil
}

// wait returns when serving ends: because nobody wants it any longer, which is no
// error, or because it does not work.
func (p *vizPage) wait(serving context.Context) error {
	for {
		select {
		case <-serving.Done():
			return nil
		case err := <-p.failed:
			return fmt.Errorf("serve the page: %w", err)
		case err := <-p.browser:
			p.unopened(err)
		}
	}
}

// close says goodbye to the browsers that show the page.
func (p *vizPage) close(bye string) { p.server.Close(bye) }

// goodbye is what pages that are still open are told.
const goodbye = "traceflow has ended. This page stays as it is, until it is loaded again."
