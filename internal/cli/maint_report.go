// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"traceflow/internal/diff"
	"traceflow/internal/snapshot"
	"traceflow/render"
)

// The exit codes of a comparison, as those of a plug-in for monitoring.
const (
	exitChange       = 1
	exitRegression   = 2
	exitInconclusive = 3
)

// comparisonCode is the exit code of a verdict.
func comparisonCode(s diff.Severity) int {
	switch s {
	case diff.Regression:
		return exitRegression
	case diff.Inconclusive:
		return exitInconclusive
	case diff.Review:
		return exitChange
	default:
		return exitOK
	}
}

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
	path := c.CommandPath() + " "
	return strings.HasPrefix(path, "traceflow maint ") || strings.HasPrefix(path, "traceflow diff ")
}

// reportFiles are what maint end --report writes, by the name of its form.
var reportFiles = []struct{ name, file, format string }{
	{"md", "report.md", "markdown"},
	{"json", "report.json", "json"},
	{"junit", "report.xml", "junit"},
	{"html", "report.html", "html"},
	{"svg", "report.svg", "svg"},
}

func reportNames() []string {
	var names []string
	for _, r := range reportFiles {
		names = append(names, r.name)
	}
	return names
}

// checkReports refuses reports that there are not.
func checkReports(names []string) error {
	for _, name := range names {
		if !slices.Contains(reportNames(), name) {
			return usagef("--report %q is none of %s", name, strings.Join(reportNames(), ", "))
		}
	}
	return nil
}

// compare writes what has changed.
func (s *settling) compare(m *maintenance, before, after *snapshot.Snapshot) (*render.Difference, error) {
	c := comparisonOf(planIn(&before.Manifest), before, after.Manifest.Maintenance)
	r, err := c.Snapshots(before, after)
	if err != nil {
		return nil, err
	}
	env := s.env
	d := &render.Difference{
		// Whose they are is enough: the folder is long, and said where they are written.
		Before: render.Compared{File: m.Name + "/" + beforeFile, Snapshot: before},
		After:  render.Compared{File: m.Name + "/" + fileOf(after.Manifest.Maintenance), Snapshot: after},
		Report: r, Settled: &s.settled,
	}
	if err := render.DifferenceText(env.Out, d, render.Options{Width: env.Width, Color: env.Color, ASCII: env.ASCII}); err != nil {
		return nil, writeError(err)
	}
	return d, s.tell(env)
}

// writeReports writes those that were asked for beside what was measured.
func writeReports(env Env, m *maintenance, d *render.Difference, names []string) error {
	for _, report := range reportFiles {
		if !slices.Contains(names, report.name) {
			continue
		}
		path := m.path(report.file)
		write := func(w io.Writer) error { return differenceFormats[report.format](w, d, render.Options{}) }
		if err := snapshot.WriteFile(path, write); err != nil {
			return plain(err)
		}
		if _, err := fmt.Fprintf(env.Out, "written: %s%s\n", printable(path), sizeOf(path)); err != nil {
			return writeError(err)
		}
	}
	return nil
}
