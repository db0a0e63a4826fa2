// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"context"
	"errors"
	"os"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRun looks at the machine that the test runs on, whatever it is.
func TestRun(t *testing.T) {
	for _, destination := range []string{"", "127.0.0.1", "::1"} {
		executable, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		report, err := Run(t.Context(), Config{Destination: destination, Executable: executable, Grant: "grant"})
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]bool)
		for _, c := range report.Checks {
			testSound(t, c)
			if seen[c.Subject] {
				t.Errorf("%q: two checks of %s", destination, c.Subject)
			}
			seen[c.Subject] = true
		}
		want := []string{"rights", "raw IPv4", "sockets IPv6", "resolver", "clock", "timers", "open files"}
		if runtime.GOOS == "linux" {
			want = append(want, "ping IPv4", "reverse path", "receive buffer", "source ports")
		}
		for _, subject := range want {
			if !seen[subject] {
				t.Errorf("%q: no check of %s", destination, subject)
			}
		}
	}
}

func TestRunCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Config{Destination: "name.invalid"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

func TestWorst(t *testing.T) {
	r := Report{Checks: []Check{
		{Subject: "a", Verdict: OK},
		{Subject: "b", Verdict: Unknown},
		{Subject: "c", Verdict: Limited},
		{Subject: "d", Verdict: OK},
		{Subject: "e", Verdict: Broken},
		{Subject: "f", Verdict: Limited},
	}}
	var got string
	for _, c := range r.Worst() {
		got += c.Subject
	}
	if diff := cmp.Diff("ecfbad", got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWord(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "''",
		"eth0.7":             "eth0.7",
		"/opt/a b/traceflow": "'/opt/a b/traceflow'",
		"$(reboot)":          "'$(reboot)'",
		"it's":               `'it'\''s'`,
		"bücher.example":     "bücher.example",
	} {
		if got := Word(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}
