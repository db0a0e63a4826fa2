// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"traceflow/internal/enrich/dnstest"
)

// inMemory is a resolver that asks a server in memory.
func inMemory(s *dnstest.Server) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := s.Dial(ctx, network, address)
		return endWith(ctx, c), err
	}}
}

// virtual runs a test in virtual time. Go's resolver makes channels on first
// use, and those of one test's time would not do in another's.
func virtual(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	namesOf(inMemory(&dnstest.Server{})).all(t.Context(), manyAddresses(1))
	synctest.Test(t, func(t *testing.T) {
		f(t)
		time.Sleep(time.Minute) // the server may still be at it
	})
}

// manyAddresses are n addresses for documentation.
func manyAddresses(n int) []netip.Addr {
	out := make([]netip.Addr, n)
	for i := range out {
		out[i] = netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})
	}
	return out
}

// everyName answers any PTR question.
func everyName(name string, kind dnsmessage.Type) []string {
	if kind != dnsmessage.TypePTR {
		return nil
	}
	return []string{"r" + strings.ReplaceAll(name, ".", "-") + "x.example.net."}
}

// found returns the names alone.
func found[K comparable](answers map[K]answer[string]) map[K]string {
	out := make(map[K]string)
	for key, x := range answers {
		out[key] = x.value
	}
	return out
}

// TestNamesTime asks resolvers of all kinds for 200 names, in virtual time.
func TestNamesTime(t *testing.T) {
	const timeout = DefaultTimeout
	tests := []struct {
		name  string
		delay time.Duration
		want  int           // names
		took  time.Duration // at most
	}{
		{"fast", 0, 200, 0},
		{"slow", 300 * time.Millisecond, 200, 1200 * time.Millisecond},
		{"so slow that only the first are there in time", 1500 * time.Millisecond, mostQuestions, timeout},
		{"slower than the timeout", 2500 * time.Millisecond, 0, timeout},
		{"dead", -1, 0, timeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := &dnstest.Server{Answer: everyName, Delay: tt.delay}
				names := namesOf(inMemory(s))
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				defer cancel()
				start := time.Now()
				got := names.all(ctx, manyAddresses(200))
				if took := time.Since(start); len(got) != tt.want || took > tt.took {
					t.Errorf("%d names in %v, want %d in %v", len(got), took, tt.want, tt.took)
				}
				if most := s.MostAtOnce(); most > mostQuestions {
					t.Errorf("%d questions at once", most)
				}
			})
		})
	}
}

// TestNamesCancelled ends a look-up in the middle: it must not go on until the
// deadline.
func TestNamesCancelled(t *testing.T) {
	virtual(t, func(t *testing.T) {
		names := namesOf(inMemory(&dnstest.Server{Delay: -1}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		names.all(ctx, manyAddresses(200))
		if took := time.Since(start); took != time.Second {
			t.Errorf("ends after %v, though it was cancelled after 1s", took)
		}
	})
}

// TestNamesRemembered asks again and again, as a screen does for hours.
func TestNamesRemembered(t *testing.T) {
	virtual(t, func(t *testing.T) {
		here, gone, broken := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
		answers := map[string][]string{dnstest.Reverse(here) + " PTR": {"here.example.net."}}
		s := &dnstest.Server{Answer: dnstest.Records(answers), Mangle: func(b []byte) []byte {
			if strings.Contains(string(b), "\x013\x012\x010\x03192") { // broken's
				return b[:12]
			}
			return b
		}}
		names := namesOf(inMemory(s))
		times := func(a netip.Addr) (n int) {
			for _, name := range s.Asked() {
				if name == dnstest.Reverse(a) {
					n++
				}
			}
			return n
		}
		start := time.Now()
		retries := 0 // how often the resolver itself asks after a broken answer
		for _, tt := range []struct {
			at                          time.Duration
			wantHere, wantGone, wantBad int
		}{
			{0, 1, 1, 1},
			{10 * time.Second, 1, 1, 1},
			{20 * time.Second, 1, 1, 2},
			{11 * time.Minute, 1, 2, 3},
			{59 * time.Minute, 1, 3, 4},
			{61 * time.Minute, 2, 3, 5},
		} {
			time.Sleep(time.Until(start.Add(tt.at)))
			got := found(names.all(t.Context(), []netip.Addr{here, gone, broken}))
			if diff := cmp.Diff(map[netip.Addr]string{here: "here.example.net"}, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("%v: (-want +got)\n%s", tt.at, diff)
			}
			if retries == 0 {
				retries = times(broken)
			}
			if h, g, b := times(here), times(gone), times(broken)/retries; h != tt.wantHere || g != tt.wantGone || b != tt.wantBad {
				t.Errorf("%v: asked %d, %d and %d times, want %d, %d and %d", tt.at, h, g, b, tt.wantHere, tt.wantGone, tt.wantBad)
			}
		}
	})
}

// TestCacheIsBounded fills a cache with what somebody makes up.
func TestCacheIsBounded(t *testing.T) {
	virtual(t, func(t *testing.T) {
		a := asker[int, int]{ask: func(_ context.Context, key int) (int, bool, error) { return key, true, nil }}
		for i := range 5 * maxCached {
			a.one(t.Context(), i)
			if len(a.known) > maxCached {
				t.Fatalf("%d are kept", len(a.known))
			}
		}
		time.Sleep(keepFound + time.Second)
		for i := range maxCached {
			a.one(t.Context(), -i)
		}
		if n := len(a.known); n > maxCached {
			t.Errorf("%d are kept", n)
		}
	})
}

// TestNamesOverLoopback asks over real sockets: what is odd in answers, and what
// is hostile.
func TestNamesOverLoopback(t *testing.T) {
	var many []string
	for i := range 200 {
		many = append(many, fmt.Sprintf("%s%03d.example.net.", strings.Repeat("x", 40), 199-i))
	}
	label := strings.Repeat("l", 62)
	long := label + "." + label + "." + label + "." + strings.Repeat("z", 61) + "."
	const mapped = "2001:db8::5"
	tests := []struct {
		name    string
		address string
		records []string
		want    string
	}{
		{"one name", "192.0.2.1", []string{"r1.example.net."}, "r1.example.net"},
		{"the first in the alphabet", "192.0.2.2", []string{"b.example.net.", "c.example.net.", "a.example.net."}, "a.example.net"},
		{"more than a packet holds", "192.0.2.3", many, strings.Repeat("x", 40) + "000.example.net"},
		{"the longest that there is", "192.0.2.4", []string{long}, strings.TrimSuffix(long, ".")},
		{"IPv6", mapped, []string{"six.example.net."}, "six.example.net"},
		{"none", "192.0.2.6", nil, ""},
		{"the root", "192.0.2.7", []string{"."}, ""},
		{"terminal escapes", "192.0.2.8", []string{"\x1b[31mred\x07.example.net."}, ""},
		{"marks of direction", "192.0.2.9", []string{"a\u202etxt.example.net."}, ""},
		{"markup", "192.0.2.10", []string{"<script>alert(1)</script>."}, ""},
		{"a formula", "192.0.2.11", []string{"=cmd|calc."}, ""},
		{"no UTF-8, and a good one", "192.0.2.12", []string{"\xff\xfe.example.net.", "good.example.net."}, "good.example.net"},
		{"nothing of a bad one's order", "192.0.2.13", []string{"\"a\".example.net.", "z.example.net."}, "z.example.net"},
	}
	table := make(map[string][]string)
	for _, tt := range tests {
		name := "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
		if tt.address != mapped {
			name = dnstest.Reverse(netip.MustParseAddr(tt.address))
		}
		table[name+" PTR"] = tt.records
	}
	s := &dnstest.Server{Answer: dnstest.Records(table)}
	names := NewNames(s.Listen(t))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := netip.MustParseAddr(tt.address)
			if got := names.all(t.Context(), []netip.Addr{a})[a].value; got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestNamesForged has answers lie about lengths, counts and pointers.
func TestNamesForged(t *testing.T) {
	anything := randomBytes(rand.New(rand.NewPCG(1, 2)), 65000)
	tests := map[string]func([]byte) []byte{
		"cut in the header": func(b []byte) []byte { return b[:5] },
		"cut in the answer": func(b []byte) []byte { return b[:len(b)-3] },
		"more answers than there are": func(b []byte) []byte {
			binary.BigEndian.PutUint16(b[6:], 0xffff)
			return b
		},
		"a longer record than there is": func(b []byte) []byte {
			name := len("\x01r\x07example\x03net\x00")
			binary.BigEndian.PutUint16(b[len(b)-name-2:], 0xffff)
			return b
		},
		"a name that points to itself": func(b []byte) []byte {
			at := len(b) - len("\x01r\x07example\x03net\x00")
			binary.BigEndian.PutUint16(b[at:], 0xc000|uint16(at))
			return b
		},
		"another's answer":     func(b []byte) []byte { b[0]++; return b },
		"nothing":              func([]byte) []byte { return []byte{} },
		"64 KiB of anything":   func([]byte) []byte { return anything },
		"an answer of zeroes":  func(b []byte) []byte { clear(b[12:]); return b },
		"an error that is new": func(b []byte) []byte { b[3] |= 0xf; return b },
	}
	for what, mangle := range tests {
		t.Run(what, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := &dnstest.Server{Answer: func(string, dnsmessage.Type) []string { return []string{"r.example.net."} }, Mangle: mangle}
				names := namesOf(inMemory(s))
				ctx, cancel := context.WithTimeout(t.Context(), DefaultTimeout)
				defer cancel()
				for a, name := range found(names.all(ctx, manyAddresses(2))) {
					// The resolver may read a name that is there whole.
					if name != "r.example.net" || !strings.HasPrefix(what, "a longer") {
						t.Errorf("%s: believes %q", a, name)
					}
				}
			})
		})
	}
}

func randomBytes(r *rand.Rand, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}

// TestNoResolver asks where nobody listens: it is known at once.
func TestNoResolver(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := netip.MustParseAddrPort(c.LocalAddr().String())
	c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if got := NewNames(nobody).all(ctx, manyAddresses(200)); len(got) > 0 || ctx.Err() != nil {
		t.Errorf("%v, %v", got, ctx.Err())
	}
}
