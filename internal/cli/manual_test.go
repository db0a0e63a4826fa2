// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

func manual(t *testing.T) string {
	t.Helper()
	var page bytes.Buffer
	if err := Manual(&page, time.Unix(1_767_323_045, 0)); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

// TestManualIsWhole wants every flag of every command, every command, every
// exit code and every section.
func TestManualIsWhole(t *testing.T) {
	page := manual(t)
	root := newRoot(Env{Out: io.Discard, Err: io.Discard})
	root.InitDefaultVersionFlag()
	for _, c := range everyCommand(root) {
		if c.Hidden {
			continue
		}
		if c != root && !strings.Contains(page, ".SS "+quote(c.CommandPath())) {
			t.Errorf("nothing of %s", c.CommandPath())
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if tag := `\fB` + roff("--"+f.Name) + `\fR`; !strings.Contains(page, tag) {
				t.Errorf("nothing of --%s", f.Name)
			}
			if tag := `\fB` + roff("-"+f.Shorthand) + `\fR, `; f.Shorthand != "" && !strings.Contains(page, tag) {
				t.Errorf("nothing of -%s", f.Shorthand)
			}
		})
	}
	for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "PRIVILEGES", "EXIT STATUS", "EXAMPLES", "SEE ALSO"} {
		if !strings.Contains(page, "\n.SH "+quote(section)+"\n") {
			t.Errorf("no section %s", section)
		}
	}
	if !strings.HasPrefix(page, `.TH TRACEFLOW 1 2026-01-02 "traceflow `) {
		t.Errorf("begins with %.60s", page)
	}
	if page != manual(t) {
		t.Error("the same source makes two pages")
	}
}

// TestManualHasTheExitCodes compares the manual's table with what --help says.
func TestManualHasTheExitCodes(t *testing.T) {
	_, short, _ := strings.Cut(traceSim(t, "--help").out, "Exit codes:")
	var want, got []string
	for _, code := range regexp.MustCompile(`(?m)(?:^ +|, )([0-9]+) `).FindAllStringSubmatch(short, -1) {
		want = append(want, code[1])
	}
	for _, e := range exitMeanings {
		got = append(got, strconv.Itoa(e.code))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-help +manual)\n%s", diff)
	}
}

func TestRoff(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "plain", "plain"},
		{"hyphens are for shells", "--a-b", `\-\-a\-b`},
		{"a request", ".so /etc/passwd", `\&.so /etc/passwd`},
		{"another", "'br", `\&\(aqbr`},
		{"quotes", `!= "ok"`, `!= \(dqok\(dq`},
		{"escapes", `a\fB`, `a\efB`},
		{"beyond ASCII", "95 …", `95 \[u2026]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := roff(tt.text); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestManualFormats has the formatters that are installed read the page: not a
// warning.
func TestManualFormats(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the formatters of other systems take other flags")
	}
	page := manual(t)
	for _, checker := range [][]string{
		{"groff", "-man", "-ww", "-Tutf8", "-z"},
		{"mandoc", "-man", "-Tlint", "-Wwarning"},
		{"man", "--warnings", "-l", "-"},
	} {
		t.Run(checker[0], func(t *testing.T) {
			cmd := exec.Command(installed(t, checker[0]), checker[1:]...)
			cmd.Env = append(cmd.Environ(), "MAN_KEEP_FORMATTING=", "MANWIDTH=80", "LC_ALL=C.UTF-8")
			cmd.Stdin = strings.NewReader(page)
			var out, warnings bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &warnings
			err := cmd.Run()
			if checker[0] == "mandoc" { // its findings are its output
				fmt.Fprint(&warnings, out.String())
			}
			if err != nil || warnings.Len() > 0 {
				t.Errorf("%v: %s", err, warnings.String())
			}
		})
	}
}
