// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"strings"
	"testing"
)

// verdictTest is a row of the tests of every subject: facts made up, and the
// check that they have to give.
type verdictTest struct {
	name    string
	checks  []Check
	subject string
	verdict Verdict
	finding string // part of it
	mend    string
}

func testVerdicts(t *testing.T, tests []verdictTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := find(t, tt.checks, tt.subject)
			if got.Verdict != tt.verdict || !strings.Contains(got.Finding, tt.finding) || got.Mend != tt.mend {
				t.Errorf("got %+v\nwant %s, ...%s..., %s", got, tt.verdict, tt.finding, tt.mend)
			}
			for _, c := range tt.checks {
				testSound(t, c)
			}
		})
	}
}

// testSound wants of any check that it says something, and what to type exactly
// when something is wrong.
func testSound(t *testing.T, c Check) {
	t.Helper()
	if c.Subject == "" || c.Finding == "" || strings.HasSuffix(c.Finding, ".") {
		t.Errorf("%+v says too little, or is no phrase", c)
	}
	if absent := strings.HasPrefix(c.Finding, "not looked at"); (c.Mend == "") != (c.Verdict == OK || absent) {
		t.Errorf("%+v: a line to type belongs to what is not ok", c)
	}
}

func find(t *testing.T, checks []Check, subject string) Check {
	t.Helper()
	for _, c := range checks {
		if c.Subject == subject {
			return c
		}
	}
	t.Fatalf("no check of %s in %+v", subject, checks)
	return Check{}
}
