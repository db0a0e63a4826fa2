// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"traceflow/internal/diff"
	"traceflow/internal/plan"
	"traceflow/internal/snapshot"
	"traceflow/render"
)

const diffExamples = `  traceflow diff before.tfs after.tfs                 what changed, worst first
  traceflow diff before.tfs after.tfs --format html > diff.html
  traceflow diff a.tfs b.tfs --policy core.yaml --format junit > diff.xml
  traceflow diff a.tfs b.tfs -j | jq -r .verdict`

const diffExits = `  0 no change or what was expected, 1 change, 2 regression, 3 inconclusive,
  64 usage, or the snapshots cannot be compared, 70 a file cannot be read`

// differenceFormats are the outputs of a comparison by their --format name.
var differenceFormats = map[string]func(io.Writer, *render.Difference, render.Options) error{
	"html":     render.DifferenceHTML,
	"json":     render.DifferenceJSON,
	"junit":    render.DifferenceJUnit,
	"markdown": render.DifferenceMarkdown,
	"svg":      render.DifferenceSVG,
	"text":     render.DifferenceText,
}

func differenceFormatNames() []string { return slices.Sorted(maps.Keys(differenceFormats)) }

// differencePictures are those that draw one target.
var differencePictures = []string{"html", "svg"}

// diffOptions are the flags of diff.
type diffOptions struct {
	format, color, policy, target string
	json, shared                  bool
	failOn                        []string
}

func newDiff(env Env) *cobra.Command {
	o := &diffOptions{}
	c := &cobra.Command{
		Use:                   "diff BEFORE AFTER",
		DisableFlagsInUseLine: true,
		Short:                 "Say what changed between two snapshots",
		Long: `traceflow diff compares two snapshots flow by flow, with what changes of itself
left out, and says what changed, how sure that is, and whether it matters. It
sends nothing, and the same files give the same answer every time. What was
expected and what matters is in the plan that BEFORE was measured by.`,
		Example: diffExamples,
		Args:    cobra.ArbitraryArgs,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) >= 2 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.validate(c.Flags().Changed, args); err != nil {
				return usage(err)
			}
			return o.run(env, args[0], args[1])
		},
	}
	setUsage(c, usageWith(diffExits))
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.format, "format", "text", "`form`: "+strings.Join(differenceFormatNames(), ", "))
	f.BoolVarP(&o.json, "json", "j", false, "the same as --format json")
	f.StringVar(&o.target, "target", "", "`name` or address of the target that svg and html draw (default: the one that is worst)")
	f.StringVar(&o.policy, "policy", "", "`file` of a plan whose expect and policy count instead")
	f.BoolVar(&o.shared, "shared", false, "compare what both files have, and say what was left out")
	f.StringSliceVar(&o.failOn, "fail-on", severityNames(), "`verdicts` that have an exit code other than 0")
	f.StringVar(&o.color, "color", "auto", "`when` to use colours: "+strings.Join(colors, ", "))
	return c
}

// failing are the verdicts that --fail-on knows, the worst first.
var failing = []diff.Severity{diff.Regression, diff.Inconclusive, diff.Review}

func severityNames() []string {
	var names []string
	for _, s := range failing {
		names = append(names, s.String())
	}
	return names
}

// validate refuses what contradicts itself.
func (o *diffOptions) validate(given func(flag string) bool, args []string) error {
	if len(args) != 2 {
		return errors.New("diff takes two snapshots: the one from before, and the one from after")
	}
	if o.json {
		if given("format") && o.format != "json" {
			return fmt.Errorf("--json and --format %s contradict each other", o.format)
		}
		o.format = "json"
	}
	switch {
	case differenceFormats[o.format] == nil:
		return fmt.Errorf("--format %q is none of %s", o.format, strings.Join(differenceFormatNames(), ", "))
	case given("target") && !slices.Contains(differencePictures, o.format):
		return fmt.Errorf("--target says what %s draw; --format %s has all targets", strings.Join(differencePictures, " and "), o.format)
	case !slices.Contains(colors, o.color):
		return fmt.Errorf("--color %q is none of %s", o.color, strings.Join(colors, ", "))
	}
	if len(o.failOn) == 0 {
		return fmt.Errorf("--fail-on names nothing: at least one of %s", strings.Join(severityNames(), ", "))
	}
	for _, name := range o.failOn {
		if !slices.Contains(severityNames(), name) {
			return fmt.Errorf("--fail-on %q is none of %s", name, strings.Join(severityNames(), ", "))
		}
	}
	return nil
}

func (o *diffOptions) run(env Env, before, after string) error {
	d := &render.Difference{Target: o.target}
	var err error
	if d.Before, err = openCompared(before); err != nil {
		return err
	}
	if d.After, err = openCompared(after); err != nil {
		return err
	}
	c, err := o.comparison(d)
	if err != nil {
		return err
	}
	if d.Report, err = c.Snapshots(d.Before.Snapshot, d.After.Snapshot); err != nil {
		return incomparable(env, err, o.shared)
	}
	options := render.Options{Width: env.Width, Color: o.color == "always" || o.color == "auto" && env.Color, ASCII: env.ASCII}
	if err := differenceFormats[o.format](env.Out, d, options); err != nil {
		if noTarget := (*render.NoTargetError)(nil); errors.As(err, &noTarget) {
			return usage(err)
		}
		return writeError(err)
	}
	return o.exit(d.Report)
}

// openCompared reads one side.
func openCompared(file string) (render.Compared, error) {
	s, err := snapshot.Open(file)
	if err != nil {
		return render.Compared{}, plain(err)
	}
	return render.Compared{File: file, Snapshot: s}, nil
}

// comparison is what counts: that of --policy, or of the plan that the first
// snapshot was measured by. Where that declares nothing, it may be the second's.
func (o *diffOptions) comparison(d *render.Difference) (diff.Comparison, error) {
	if o.policy != "" {
		data, err := readBounded(o.policy, plan.LargestFile)
		if err != nil {
			return diff.Comparison{}, err
		}
		p, err := plan.ReadPolicy(o.policy, data)
		if err != nil {
			return diff.Comparison{}, &planError{err}
		}
		if err := checkable(p); err != nil {
			return diff.Comparison{}, usagef("%s: %w", o.policy, err)
		}
		c := comparisonByName(p, d.After.Snapshot.Manifest.Maintenance)
		c.Shared = o.shared
		return c, nil
	}
	from := d.Before.Snapshot
	if !declares(planIn(&from.Manifest)) {
		from = d.After.Snapshot
	}
	c := comparisonOf(planIn(&from.Manifest), from, d.After.Snapshot.Manifest.Maintenance)
	c.Shared = o.shared
	return c, nil
}

// declares reports whether a plan says what to expect, or what matters.
func declares(p *plan.Plan) bool {
	of := func(t plan.Target) bool { return len(t.Expect) > 0 }
	q := p.Policy
	return len(p.Expect)+len(p.ExpectEnd) > 0 || slices.ContainsFunc(p.Targets, of) || len(q.Severity) > 0 || q.Latency != 0 || q.LatencyPart != 0 || q.Loss != 0 || q.Alpha != 0
}

// exit returns the exit code of the worst event that --fail-on names.
func (o *diffOptions) exit(r *diff.Report) error {
	for _, severity := range failing {
		found := func(e diff.Event) bool { return e.Severity == severity }
		if slices.Contains(o.failOn, severity.String()) && slices.ContainsFunc(r.Events, found) {
			return codeError(comparisonCode(severity))
		}
	}
	return nil
}

// mostReasons are told of why snapshots cannot be compared: the rest is alike.
const mostReasons = 20

// incomparable says why snapshots cannot be compared, one reason a line. There is
// no verdict then, not even that nothing can be told.
func incomparable(env Env, err error, shared bool) error {
	var why *diff.IncomparableError
	if !errors.As(err, &why) {
		return usage(err) // of the expectations or the policy
	}
	fmt.Fprintln(env.Err, "traceflow: the snapshots cannot be compared:")
	for i, r := range why.Reasons {
		if i == mostReasons {
			fmt.Fprintf(env.Err, "  and %d more\n", len(why.Reasons)-i)
			break
		}
		fmt.Fprintf(env.Err, "  %s\n", printable(r.String()))
	}
	if !shared {
		fmt.Fprintln(env.Err, "--shared compares what both have, as far as it goes.")
	}
	return codeError(ofComparison(exitUsage))
}
