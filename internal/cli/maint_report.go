// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"traceflow/internal/diff"
)

// mostEvents is how many events one screen has room for.
const mostEvents = 20

// writeDifference writes what changed, worst first, on one screen.
func writeDifference(out io.Writer, r *diff.Report) error {
	var b strings.Builder
	for i := range r.Events {
		e := &r.Events[i]
		if i == mostEvents {
			fmt.Fprintf(&b, "and %s\n", count(len(r.Events)-i, "more event"))
			break
		}
		fmt.Fprintf(&b, "%-12s  %s\n", e.Severity, printable(e.Title))
	}
	if len(r.Events) == 0 {
		fmt.Fprintf(&b, "no change in %s\n", count(len(r.Targets), "target"))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// verdictOf is the last line, and the exit code that it stands for.
func verdictOf(r *diff.Report, settled bool) (string, int) {
	switch {
	case r.Severity == diff.Regression:
		return "REGRESSION", exitRegression
	case !settled:
		return "INCONCLUSIVE: the network has not settled", exitInconclusive
	case r.Severity == diff.Inconclusive:
		return "INCONCLUSIVE: too little was answered, or too much changes of itself", exitInconclusive
	case r.Severity == diff.Review:
		return "CHANGE: to be looked at, no breach of the policy", exitChange
	}
	return "OK: no change, or what was expected", exitOK
}

// The exit codes of a comparison, as those of a plug-in for monitoring.
const (
	exitChange       = 1
	exitRegression   = 2
	exitInconclusive = 3
)

// ofComparison are the codes that such commands have for what the others call 1, 2
// and so on, after sysexits.h.
func ofComparison(code int) int {
	switch code {
	case exitUsage:
		return 64
	case exitResolve:
		return 68
	case exitInternal:
		return 70
	case exitPermission:
		return 77
	}
	return code
}

// compares reports whether a command is one of those.
func compares(c *cobra.Command) bool {
	return strings.HasPrefix(c.CommandPath()+" ", "traceflow maint ")
}
