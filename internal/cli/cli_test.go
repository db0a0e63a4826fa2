// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"traceflow"
	"traceflow/probe"
)

func TestHelp(t *testing.T) {
	for _, args := range [][]string{
		{"--help"},
		{"--help-all"},
		{"trace", "--help"},
		{"show", "--help"},
		{"doctor", "--help"},
		{"completion", "--help"},
		{"version", "--help"},
		{"data", "--help"},
		{"data", "add", "--help"},
		{"data", "remove", "--help"},
		{"data", "status", "--help"},
		{"data", "verify", "--help"},
		{"snapshot", "--help"},
		{"diff", "--help"},
		{"maint", "--help"},
		{"maint", "begin", "--help"},
		{"maint", "check", "--help"},
		{"maint", "end", "--help"},
	} {
		name := strings.Trim(strings.Join(args, ""), "-")
		t.Run(name, func(t *testing.T) {
			var out, stderr bytes.Buffer
			if code := Run(t.Context(), Env{Out: &out, Err: &stderr}, args); code != exitOK || stderr.Len() > 0 {
				t.Errorf("exit code %d, %s", code, stderr.String())
			}
			file := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			lines := strings.Split(out.String(), "\n")
			if len(lines) > 75 && name != "help-all" {
				t.Errorf("%d lines are more than a tall screen", len(lines))
			}
			for _, line := range lines {
				if len(line) > 80 {
					t.Errorf("wider than 80 columns: %s", line)
				}
			}
		})
	}
}

// TestHelpGroups wants each flag of a trace in one group of the help.
func TestHelpGroups(t *testing.T) {
	root := newRoot(Env{Out: io.Discard, Err: io.Discard})
	root.InitDefaultHelpFlag()
	root.InitDefaultVersionFlag()
	in := make(map[string]int)
	for _, g := range traceGroups {
		for _, name := range slices.Concat(g.flags, g.rare) {
			in[name]++
		}
	}
	root.Flags().VisitAll(func(f *pflag.Flag) {
		if in[f.Name] != 1 {
			t.Errorf("--%s is in %d groups, want 1", f.Name, in[f.Name])
		}
		delete(in, f.Name)
	})
	for name := range in {
		t.Errorf("--%s is in a group, and there is no such flag", name)
	}
}

// TestFormatsHaveGoldenFiles fails for a new format until render tests it.
func TestFormatsHaveGoldenFiles(t *testing.T) {
	for format := range formats {
		files, err := filepath.Glob("../../render/testdata/*." + format)
		if format == "html" { // its frame; the rest is data, that a browser shows
			files, err = filepath.Glob("../../render/testdata/html/*.html")
		}
		if err != nil || len(files) == 0 {
			t.Errorf("--format %s has no golden file in render/testdata (%v)", format, err)
		}
	}
}

// TestExplain has a row for each family of errors in the table.
func TestExplain(t *testing.T) {
	tests := []struct {
		name string
		err  error
		code int
		want string // part of the message
	}{
		{"only a code", codeError(exitNoReply), exitNoReply, ""},
		{"usage", usagef("this and that contradict each other"), exitUsage, "contradict each other (see traceflow --help)"},
		{"no such name", &net.DNSError{Name: "a.invalid", IsNotFound: true}, exitResolve, `cannot resolve "a.invalid": no such host; check the spelling`},
		{"no such name of a family", ofFamily(&net.DNSError{Name: "a.invalid", IsNotFound: true}, "a.invalid", "ip6"), exitResolve, `"a.invalid": it has no IPv6 address; check the spelling, or try -4`},
		{"a name of the other family", ofFamily(&net.AddrError{Err: "no suitable address found", Addr: "localhost"}, "localhost", "ip4"), exitResolve, `"localhost": it has no IPv4 address; check the spelling, or try -6`},
		{"no resolver for a family", ofFamily(&net.DNSError{Name: "a.invalid", IsTimeout: true}, "a.invalid", "ip6"), exitResolve, here().resolver},
		{"no resolver", &net.DNSError{Name: "a.invalid", IsTimeout: true}, exitResolve, here().resolver},
		{"permission", &probe.OpError{Op: "open raw socket", Err: os.NewSyscallError("socket", syscall.EPERM)}, exitPermission, here().permit},
		{"a file's permission", &fs.PathError{Op: "mkdir", Path: "/var/lib/traceflow", Err: syscall.EACCES}, exitPermission, "mkdir /var/lib/traceflow: permission denied"},
		{"interrupted", fmt.Errorf("wait: %w", context.Canceled), exitInterrupted, "interrupted"},
		{"no route", &probe.OpError{Op: "find route", Err: syscall.ENETUNREACH}, exitInternal, "look at " + here().routes},
		{"too many files", &probe.OpError{Op: "open socket", Err: syscall.EMFILE}, exitInternal, "ulimit -n"},
		{"ports in use", &probe.OpError{Op: "use source port", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}, exitInternal, "choose another --srcport"},
		{"interface", &probe.OpError{Op: "use interface", Err: errors.New("there is none")}, exitUsage, "(see " + here().addresses + ")"},
		{"anything else", errors.New("the disk is full"), exitInternal, "the disk is full"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, got := explain(tt.err, "traceflow")
			if code != tt.code || !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("got %d, %q; want %d, %q", code, got, tt.code, tt.want)
			}
		})
	}
}

func TestSetcap(t *testing.T) {
	t.Setenv("GOCACHE", "/var/cache/go")
	const build = "sudo setcap cap_net_raw+p ./traceflow (build it first: make build)"
	for executable, want := range map[string]string{
		"":                                    build,
		filepath.Join(os.TempDir(), "a", "b"): build,
		"/var/cache/go/8e/8eb3-d/traceflow":   build,
		"/home/me/.cache/go-build/8e/8-d/x":   build,
		"/usr/local/bin/traceflow":            "sudo setcap cap_net_raw+p /usr/local/bin/traceflow",
		"/home/me/it's here/traceflow":        `sudo setcap cap_net_raw+p '/home/me/it'\''s here/traceflow'`,
	} {
		if got := setcap(executable); got != want {
			t.Errorf("%s: got %s, want %s", executable, got, want)
		}
	}
}

func TestIsBroadcast(t *testing.T) {
	var local []netip.Prefix
	for _, p := range []string{"192.0.2.2/24", "10.1.2.3/22", "198.51.100.4/31", "198.51.100.9/32", "2001:db8::1/64"} {
		local = append(local, netip.MustParsePrefix(p))
	}
	for address, want := range map[string]bool{
		"255.255.255.255": true, "127.255.255.255": true, "192.0.2.255": true, "10.1.3.255": true,
		"10.1.2.255": false, "198.51.100.5": false, "198.51.100.9": false, "203.0.113.255": false, "127.0.0.1": false,
		"2001:db8::ffff:ffff:ffff:ffff": false,
	} {
		if got := isBroadcast(netip.MustParseAddr(address), local); got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
	}
}

// TestComplain wants send failures told, with advice, even with --quiet.
func TestComplain(t *testing.T) {
	for err, want := range map[error]string{
		os.NewSyscallError("socket", syscall.EMFILE):   "too many open files: raise ulimit -n, or follow fewer --paths",
		os.NewSyscallError("bind", syscall.EADDRINUSE): "address already in use: choose another --srcport",
		errors.New("a\x1bb"):                           "a\uFFFDb",
	} {
		var stderr bytes.Buffer
		complain(Env{Err: &stderr}, 2, firstUnsent(&traceflow.Trace{Exchanges: []traceflow.Exchange{{}, {Err: err}}}))
		if got := stderr.String(); !strings.HasPrefix(got, "2 packets could not be sent, the first because: ") || !strings.HasSuffix(got, want+"\n") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestRemarkUnverified(t *testing.T) {
	var stderr bytes.Buffer
	remark(Env{Err: &stderr}, &traceflow.Trace{Exchanges: []traceflow.Exchange{{}, {Reply: traceflow.Reply{Unverified: true}}}}, false)
	if want := "1 reply quoted too little to be verified; whoever knows the ports could have made that up\n"; stderr.String() != want {
		t.Errorf("got %q, want %q", stderr.String(), want)
	}
}

func TestEndSummary(t *testing.T) {
	end := func(kind traceflow.ReplyKind, from string) traceflow.Walk {
		return traceflow.Walk{End: traceflow.EndUnreachable, First: 1, Hops: []traceflow.Reply{{}, {Kind: kind, Address: netip.MustParseAddr(from)}}}
	}
	const port, no = traceflow.PortUnreachable, traceflow.Unreachable
	tests := []struct {
		walks []traceflow.Walk
		want  string
	}{
		{nil, ""},
		{[]traceflow.Walk{end(port, "192.0.2.1"), end(port, "192.0.2.1")}, "2 answered by 192.0.2.1, which is not its address"},
		{[]traceflow.Walk{end(port, "192.0.2.1"), end(port, "192.0.2.2")}, "2 answered by several addresses, none of them its own"},
		{[]traceflow.Walk{end(no, "192.0.2.1"), end(port, "192.0.2.2")}, "1 answered by 192.0.2.2, which is not its address, 1 refused by 192.0.2.1"},
		{[]traceflow.Walk{end(no, "192.0.2.1"), end(no, "192.0.2.2")}, "2 refused by several routers"},
		{[]traceflow.Walk{{End: traceflow.EndUnreachable, First: 9}, {End: traceflow.EndNotSent}}, "1 refused below the lowest TTL, 1 not sent"},
	}
	for _, tt := range tests {
		if got := endSummary(&traceflow.Trace{Graph: traceflow.Graph{Walks: tt.walks}}); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestDropPrivilegesFails(t *testing.T) {
	var out, stderr bytes.Buffer
	env := Env{Out: &out, Err: &stderr, DropPrivileges: func() error { return errors.New("drop privileges: no") }}
	code := Run(t.Context(), env, []string{"--sim", "b"})
	if code != exitInternal || out.Len() > 0 || stderr.String() != "traceflow: drop privileges: no\n" {
		t.Errorf("got exit code %d, %q, %q", code, out.String(), stderr.String())
	}
}

// TestInterruptedWhileResolving must not blame the name.
func TestInterruptedWhileResolving(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, stderr bytes.Buffer
	code := Run(ctx, Env{Out: &out, Err: &stderr}, []string{"name.invalid"})
	if code != exitInterrupted || out.Len() > 0 || stderr.String() != "traceflow: interrupted\n" {
		t.Errorf("got exit code %d, %q, %q", code, out.String(), stderr.String())
	}
}

// TestInterrupted cuts a trace short at many moments: whenever it happens, a
// whole document comes out.
func TestInterrupted(t *testing.T) {
	loose, strict := schemas(t)
	for after := time.Duration(0); after < 200*time.Millisecond; after += 7 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), after, context.Canceled)
			defer cancel()
			var out, stderr bytes.Buffer
			env := Env{Out: &out, Err: &stderr, DropPrivileges: func() error { return nil }}
			code := Run(ctx, env, []string{"--sim", "far", "--rate", "100", "--quiet", "--json"})
			if code != exitInterrupted || stderr.Len() > 0 {
				t.Errorf("after %v: exit code %d, %s", after, code, stderr.String())
			}
			if n, err := validate(loose, strict, out.Bytes()); n != 1 || err != nil {
				t.Errorf("after %v: %d documents: %v", after, n, err)
			}
			for _, want := range []string{`"complete": false`, `"stop_reason": "cancelled"`} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("after %v: no %s", after, want)
				}
			}
		})
	}
}

func TestSeedRepeats(t *testing.T) {
	run := func(seed string) string {
		return traceSim(t, "--sim", "loss30", "--seed", seed, "--paths", "8", "--format", "ndjson", "--quiet").out
	}
	exchanges := func(s string) string { return s[strings.Index(s, `"exchanges"`):] }
	if diff := cmp.Diff(exchanges(run("7")), exchanges(run("7"))); diff != "" {
		t.Errorf("one seed, two traces (-first +second)\n%s", diff)
	}
	if exchanges(run("7")) == exchanges(run("8")) {
		t.Error("two seeds, one trace")
	}
}

func TestPrintable(t *testing.T) {
	tests := map[string]string{
		"plain":               "plain",
		"www.bücher.example":  "www.bücher.example",
		"a\x1b[31mb":          "a\uFFFD[31mb",
		"a\nb\rc\td":          "a\uFFFDb\uFFFDc\uFFFDd",
		"a\u009bb\x7f":        "a\uFFFDb\uFFFD",
		"\u202egnp.exe\u2066": "\uFFFDgnp.exe\uFFFD",
		"a\u2028b\u200bc":     "a\uFFFDb\uFFFDc",
		"a\xffb":              "a\uFFFDb",
		"":                    "",
	}
	for text, want := range tests {
		if got := printable(text); got != want {
			t.Errorf("printable(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestSeconds(t *testing.T) {
	tests := []struct {
		text          string
		seconds, wait time.Duration
	}{
		{"1", time.Second, time.Second},
		{"0.25", 250 * time.Millisecond, 250 * time.Millisecond},
		{"250ms", 250 * time.Millisecond, 250 * time.Millisecond},
		{"10", 10 * time.Second, 10 * time.Second},
		{"20", 20 * time.Second, 20 * time.Millisecond},
		{"20s", 20 * time.Second, 20 * time.Second},
		{"1e2", 100 * time.Second, 100 * time.Millisecond},
		{"0", 0, 0},
	}
	for _, tt := range tests {
		var s seconds
		var g gap
		if err := errors.Join(s.Set(tt.text), g.Set(tt.text)); err != nil {
			t.Error(err)
		}
		if time.Duration(s) != tt.seconds || time.Duration(g) != tt.wait {
			t.Errorf("%s: got %v and %v, want %v and %v", tt.text, time.Duration(s), time.Duration(g), tt.seconds, tt.wait)
		}
	}
	for _, text := range []string{"", "x", "-1", "-1s", "nan", "inf", "1e300", "1 s"} {
		var s seconds
		var g gap
		if s.Set(text) == nil || g.Set(text) == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestReadsUTF8(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such variables")
	}
	tests := []struct {
		name string
		env  map[string]string
		want bool
	}{
		{"nothing set", nil, false},
		{"POSIX", map[string]string{"LANG": "C"}, false},
		{"Latin-1", map[string]string{"LANG": "de_DE.ISO-8859-1"}, false},
		{"UTF-8", map[string]string{"LANG": "C.UTF-8"}, true},
		{"other spelling", map[string]string{"LANG": "en_US.utf8"}, true},
		{"LC_CTYPE before LANG", map[string]string{"LC_CTYPE": "UTF-8", "LANG": "C"}, true},
		{"LC_ALL before all", map[string]string{"LC_ALL": "C", "LC_CTYPE": "C.UTF-8", "LANG": "C.UTF-8"}, false},
		{"empty is unset", map[string]string{"LC_ALL": "", "LANG": "C.UTF-8"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := readsUTF8(func(name string) string { return tt.env[name] }); got != tt.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
