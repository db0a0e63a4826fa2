// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"traceflow"
	"traceflow/render"
)

func TestBindAddress(t *testing.T) {
	tests := []struct {
		text, want string
		port       uint16
	}{
		{"127.0.0.1", "127.0.0.1", 0},
		{"localhost", "127.0.0.1", 0},
		{"localhost:90", "127.0.0.1", 90},
		{"0.0.0.0:8081", "0.0.0.0", 8081},
		{"::1", "::1", 0},
		{"[::1]", "::1", 0},
		{"[::1]:65535", "::1", 65535},
		{"::", "::", 0},
		{"::ffff:192.0.2.1", "192.0.2.1", 0},
	}
	for _, tt := range tests {
		var got bindAddress
		if err := got.Set(tt.text); err != nil || got.address.String() != tt.want || got.port != tt.port {
			t.Errorf("%s: %s and %d, %v", tt.text, got.address, got.port, err)
		}
		var again bindAddress
		if err := again.Set(got.String()); err != nil || again != got {
			t.Errorf("%s: %s is read as %s, %v", tt.text, &got, &again, err)
		}
	}
	for _, text := range []string{
		"", ":", ":8081", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:1:2", "example.com", "[127.0.0.1]", "[::1",
		"::1]", "[]", "[::1]8081", "[::1]:x", "fe80::1%lo", "224.0.0.1", "ff02::1", "1.2.3",
	} {
		var b bindAddress
		if err := b.Set(text); err == nil {
			t.Errorf("%q is %s", text, &b)
		}
	}
}

// TestNextPort has the page of a second program on a later port than the first.
func TestNextPort(t *testing.T) {
	var last uint16
	for range 2 {
		var stderr bytes.Buffer
		b := bindAddress{address: netip.MustParseAddr("127.0.0.1")}
		l, err := b.listen(t.Context(), Env{Err: &stderr}, false)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		port := netip.MustParseAddrPort(l.Addr().String()).Port()
		if port <= last || port < firstPagePort || port > lastPagePort {
			t.Errorf("port %d after %d", port, last)
		}
		want := ""
		if port != firstPagePort {
			want = fmt.Sprintf("Port 8081 is in use: the page is on %d\n", port)
		}
		if stderr.String() != want {
			t.Errorf("said %q, want %q", stderr.String(), want)
		}
		last = port
	}
}

func TestBrowserOf(t *testing.T) {
	tests := []struct {
		name, system string
		env          map[string]string
		root         bool
		want, why    string
	}{
		{"X", "linux", map[string]string{"DISPLAY": ":0"}, false, "xdg-open", ""},
		{"Wayland", "freebsd", map[string]string{"WAYLAND_DISPLAY": "w"}, false, "xdg-open", ""},
		{"X over ssh", "linux", map[string]string{"DISPLAY": "localhost:10", "SSH_CONNECTION": "x"}, false, "xdg-open", ""},
		{"no display", "linux", nil, false, "", "this machine has no display"},
		{"chosen", "linux", map[string]string{"BROWSER": "firefox --new-tab %s:lynx"}, false, "firefox --new-tab %s", ""},
		{"sudo", "linux", map[string]string{"DISPLAY": ":0", "BROWSER": "firefox", "SUDO_USER": "me"}, true, "", "this is root, whose browser is not yours"},
		{"sudo to a user", "linux", map[string]string{"DISPLAY": ":0", "SUDO_USER": "me"}, false, "xdg-open", ""},
		{"macOS", "darwin", nil, false, "open", ""},
		{"macOS over ssh", "darwin", map[string]string{"SSH_CONNECTION": "x"}, false, "", "the display of this machine is not where you are"},
		{"Windows", "windows", nil, false, "rundll32 url.dll,FileProtocolHandler", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := browserOf(tt.system, func(name string) string { return tt.env[name] }, tt.root)
			why := ""
			if err != nil {
				why = err.Error()
			}
			if strings.Join(got, " ") != tt.want || why != tt.why {
				t.Errorf("got %q, %q", got, why)
			}
		})
	}
	for want, arguments := range map[string][]string{"--new a": {"--new", "%s"}, "--new a b": {"--new", "%s", "b"}, "x a": {"x"}, "a": nil, "u=a": {"u=%s"}} {
		if got := strings.Join(withAddress(arguments, "a"), " "); got != want {
			t.Errorf("%q: got %q, want %q", arguments, got, want)
		}
	}
}

// lookOn traces a network in memory, and returns what an onlooker has seen at many
// moments, and the whole.
func lookOn(t *testing.T, mask int, args ...string) (states []*traceflow.Trace, whole *traceflow.Trace) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := parsed(t, args...)
		o.mask = mask
		look := newOnlooker(mask)
		env := Env{Out: io.Discard, Err: io.Discard, DropPrivileges: func() error { return nil }}
		s, err := prepare(t.Context(), env, o, nil, look.observe)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		target, e := &s.targets[0], s.engines.of(&s.targets[0])
		look.at(e, o.newTrace(target, e))
		states = append(states, look.trace())
		stop := every(100*time.Millisecond, func() { states = append(states, look.trace()) })
		if whole, err = measure(t.Context(), env, o, target, e); err != nil {
			t.Fatal(err)
		}
		stop()
		states = append(states, look.trace())
		whole = whole.Mask(mask)
	})
	return states, whole
}

// parsed are the options of a command line.
func parsed(t *testing.T, args ...string) *traceOptions {
	t.Helper()
	o := &traceOptions{}
	c := newTraceWith(o, Env{Out: io.Discard, Err: io.Discard})
	if err := c.ParseFlags(append(args, "--quiet")); err != nil {
		t.Fatal(err)
	}
	o.given = c.Flags().Changed
	if err := o.validate(nil); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestOnlooker wants every state of a trace that goes on to make a page, each to
// show no less than the one before, and the last all that was asked.
func TestOnlooker(t *testing.T) {
	for _, args := range [][]string{
		{"--sim", "b", "--rate", "20"},
		{"--sim", "wide16", "--rate", "200"},
		{"--sim", "silent", "--rate", "20", "-P", "3", "-w", "1"},
		{"--sim", "drop-all", "--rate", "20"},
		{"--sim", "prohibited", "--rate", "20"},
		{"--sim", "b", "--rate", "50", "--vary", "dst", "--mtu"},
		{"--sim", "loss30", "--rate", "100", "-P", "4", "-6"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			states, whole := lookOn(t, 0, args...)
			var pages render.Pages
			packets := 0
			for i, s := range states {
				if _, data, err := pages.Next(s, true); err != nil || !bytes.Contains(data, []byte(`"measuring":true`)) {
					t.Fatalf("state %d: %v, %.300s", i, err, data)
				}
				if s.Complete || len(s.Exchanges) < packets {
					t.Errorf("state %d: complete %t, %d exchanges after %d", i, s.Complete, len(s.Exchanges), packets)
				}
				packets = len(s.Exchanges)
			}
			if len(states) < 5 || packets != len(whole.Exchanges) {
				t.Errorf("%d states, the last with %d exchanges of %d", len(states), packets, len(whole.Exchanges))
			}
			if first := states[0]; len(first.Flows) > 0 || len(first.Exchanges) > 0 {
				t.Errorf("%d flows before the first packet", len(first.Flows))
			}
			var got, want []string
			for i := range states[len(states)-1].Graph.Nodes {
				got = append(got, states[len(states)-1].Graph.Nodes[i].ID)
			}
			for i := range whole.Graph.Nodes {
				want = append(want, whole.Graph.Nodes[i].ID)
			}
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" && args[1] != "silent" && args[1] != "loss30" {
				t.Errorf("nodes of the last state (-whole +got)\n%s", diff)
			}
		})
	}
}

// TestOnlookerMasks wants no state to tell of hidden hops what the whole trace
// hides, not even before it is known to.
func TestOnlookerMasks(t *testing.T) {
	for _, tt := range []struct {
		sim  string
		mask int
	}{{"b", 1}, {"b", 3}, {"b", 9}, {"prohibited", 2}, {"interfaces", 2}, {"wide16", 2}} {
		t.Run(fmt.Sprint(tt.sim, tt.mask), func(t *testing.T) {
			args := []string{"--sim", tt.sim, "--rate", "100", "--seed", "1"}
			_, open := lookOn(t, 0, args...)
			states, whole := lookOn(t, tt.mask, args...)
			page := func(trace *traceflow.Trace) string {
				_, data, err := new(render.Pages).Next(trace, true)
				if err != nil {
					t.Fatal(err)
				}
				return string(data)
			}
			secret := map[string]bool{open.VantagePoint.Address.String(): true}
			for i := range open.Exchanges {
				if a := open.Exchanges[i].Reply.Address; a.IsValid() {
					secret[a.String()] = true
				}
			}
			last := page(whole)
			hidden := 0
			for a := range secret {
				if strings.Contains(last, `"`+a+`"`) {
					continue
				}
				hidden++
				for i, s := range states {
					if strings.Contains(page(s), a+`"`) {
						t.Errorf("state %d of %d tells of %s", i, len(states), a)
					}
				}
			}
			if hidden < 2 {
				t.Errorf("%d addresses are hidden", hidden)
			}
		})
	}
}

// TestOnlookerWaits has a hidden router refuse a flow before it is known to be one:
// who refuses, and what routers say of their neighbours, has to wait for the whole.
func TestOnlookerWaits(t *testing.T) {
	flow := traceflow.Flow{ID: 1, Destination: netip.MustParseAddr("203.0.113.9"), Source: netip.MustParseAddr("192.0.2.10")}
	answer := func(ttl uint8, kind traceflow.ReplyKind, from string) traceflow.Exchange {
		return traceflow.Exchange{Flow: 1, TTL: ttl, Attempt: 1, Reply: traceflow.Reply{Kind: kind, Address: netip.MustParseAddr(from)}}
	}
	neighbour := answer(4, traceflow.TimeExceeded, "198.51.100.4")
	neighbour.Reply.Interfaces = []traceflow.Interface{{Address: netip.MustParseAddr("198.51.100.2")}}
	look := newOnlooker(2)
	look.before = traceflow.Trace{Destination: traceflow.Destination{Address: flow.Destination}, Config: traceflow.Config{FirstTTL: 1, MaxTTL: 30}}
	look.counts = func() traceflow.Stats { return traceflow.Stats{} }
	look.asking, look.flows[1] = 1, flow
	look.observe(answer(9, traceflow.Unreachable, "198.51.100.1"))
	look.observe(answer(2, traceflow.TimeExceeded, "198.51.100.2"))
	look.observe(neighbour)
	got := look.trace()
	if len(got.Exchanges) != 1 || got.Exchanges[0].Reply.Address != neighbour.Reply.Address || len(got.Exchanges[0].Reply.Interfaces) > 0 {
		t.Errorf("it tells %+v", got.Exchanges)
	}
	look.asking = 0
	look.observe(answer(5, traceflow.TimeExceeded, "198.51.100.5"))
	if now := look.trace(); len(now.Exchanges) != 1 {
		t.Errorf("it tells of what the algorithm has not asked: %+v", now.Exchanges)
	}
}

func TestListenErrors(t *testing.T) {
	b := &bindAddress{address: netip.MustParseAddr("127.0.0.1")}
	if err := (&listenError{b, &net.OpError{Err: wsaAddressInUse}}); !strings.Contains(err.Error(), "all ports from 8081 to 8180 are in use; give another, as in --bind 127.0.0.1:8181") || err.code() != exitInternal {
		t.Errorf("%d %v", err.code(), err)
	}
	if err := (&listenError{b.on(80), &net.OpError{Err: wsaAddressNotAvailable}}); err.code() != exitUsage {
		t.Errorf("%d %v", err.code(), err)
	}
}
