// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"traceflow/internal/snapshot"
)

const maintExamples = `  traceflow maint begin CHG-4711 --plan core.yaml    before the work
  traceflow maint check CHG-4711 --watch             what has moved, is it over
  traceflow maint end CHG-4711 --report md,junit     the verdict, for the ticket`

const maintExits = `  0 no change or what was expected, 1 change, 2 regression, 3 inconclusive,
  64 usage, 68 name not resolved, 70 trouble on this host, 77 not permitted,
  130 interrupted`

func newMaint(env Env) *cobra.Command {
	c := &cobra.Command{
		Use:                   "maint COMMAND",
		DisableFlagsInUseLine: true,
		Short:                 "Say what a maintenance has changed",
		Long: `traceflow maint measures before, during and after a maintenance, and says what
has changed: flow by flow, with what changes of itself left out. The plan says
which changes are meant to happen; one that was and does not come is told, too.

It is kept in ~/.local/state/traceflow/maint/NAME; root's in
/var/lib/traceflow/maint.`,
		Example:           maintExamples,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	commands := []*cobra.Command{newMaintBegin(env), newMaintCheck(env), newMaintEnd(env)}
	c.RunE = func(_ *cobra.Command, args []string) error {
		var names []string
		for _, sub := range commands {
			names = append(names, sub.Name())
		}
		if len(args) > 0 {
			return usagef("%q is none of %s", args[0], strings.Join(names, ", "))
		}
		return usagef("maint takes a command: %s", strings.Join(names, ", "))
	}
	c.SetUsageTemplate(usageWith(maintExits))
	c.AddCommand(commands...)
	return c
}

// maintBeginOptions are the flags of maint begin.
type maintBeginOptions struct {
	surveyOptions
	dir   string
	force bool
}

func newMaintBegin(env Env) *cobra.Command {
	o := &maintBeginOptions{}
	c := &cobra.Command{
		Use:                   "begin NAME DEST...",
		DisableFlagsInUseLine: true,
		Short:                 "Measure what is to be compared with",
		Long: `traceflow maint begin measures the destinations before the work begins. NAME is
that of the maintenance, such as the ticket's.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("maint begin takes the name of the maintenance")
			}
			o.name, o.stage = args[0], snapshot.StageBegin
			if err := o.validate(c.Flags().Changed, args[1:]); err != nil {
				return usage(err)
			}
			ctx, stop := env.interruptible(c.Context())
			defer stop()
			return runMaintBegin(ctx, env, o, args[1:])
		},
	}
	c.SetUsageTemplate(usageWith(`  0 begun, 3 not begun: too little could be measured, 64 usage, 68 name not
  resolved, 70 trouble on this host, 77 not permitted, 130 interrupted`))
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.dir, "dir", "", "`folder` where maintenances are kept")
	f.BoolVar(&o.force, "force", false, "begin again, and forget what was measured before")
	o.addFlags(c)
	return c
}

func runMaintBegin(ctx context.Context, env Env, o *maintBeginOptions, args []string) error {
	m, err := findMaintenance(o.dir, o.name)
	if err != nil {
		return err
	}
	switch err := m.load(); {
	case err == nil && !o.force:
		return usagef("maintenance %s has begun at %s: --force begins it again", m.Name, m.Begun.Local().Format(time.DateTime))
	case err != nil && !errors.Is(err, fs.ErrNotExist) && !o.force:
		return plain(err)
	}
	p, err := o.readPlan(args)
	if err != nil {
		return err
	}
	if err := checkable(p); err != nil {
		return usage(err)
	}
	subjects, err := o.subjects(ctx, p)
	if err != nil {
		return err
	}
	x, err := o.open(env, p, subjects)
	if err != nil {
		return err
	}
	defer x.close()
	if err := os.MkdirAll(m.folder, 0o755); err != nil {
		return plain(err)
	}
	path := m.path(beforeFile)
	if o.force {
		_ = os.Remove(m.path(stateFile)) // until it has begun again, it has not
	}
	got, err := x.record(ctx, path, p.Passes)
	if got == nil || got.passes == 0 {
		return err
	}
	if werr := summariseSnapshot(env.Out, got, path); werr != nil {
		return werr
	}
	if err != nil && ctx.Err() == nil {
		return err
	}
	if err != nil || !got.result.Complete || got.thin() > 0 || got.result.Stats.Replies == 0 {
		fmt.Fprintf(env.Err, "traceflow: maintenance %s has not begun: too little was measured to compare with\n", m.Name)
		if ctx.Err() != nil {
			return codeError(exitInterrupted)
		}
		return codeError(exitInconclusive)
	}
	m.maintState = maintState{
		Schema: maintSchema, Name: m.Name, Begun: time.Now().UTC(), Wire: o.wire, Source: o.source, Device: o.iface,
		Retries: o.retries, Timeout: time.Duration(o.timeout).Microseconds(), Ports: o.sourcePort,
	}
	if o.sim != "" {
		m.Wire = "auto"
	}
	if err := m.save(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(env.Out, "begun: %s\n", m.Name); err != nil {
		return writeError(err)
	}
	return nil
}

// maintAgainOptions are the flags of what measures again.
type maintAgainOptions struct {
	surveyOptions
	dir     string
	watch   bool
	settle  seconds
	reports []string
}

func (o *maintAgainOptions) addFlags(c *cobra.Command) {
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.dir, "dir", "", "`folder` where maintenances are kept")
	f.Var(&o.settle, "settle-timeout", "longest `time` to wait for two passes that agree, seconds")
	f.Float64Var(&o.rate, "rate", 0, "highest `pace`, packets/s (default: as at the beginning)")
	f.StringVar(&o.sim, "sim", "", "measure a network in memory: a `file`, or one built in")
	f.StringVar((*string)(&o.data), "data", "", "`folder` of the data sets; also TRACEFLOW_DATA")
	f.BoolVar(&o.quiet, "quiet", false, "only errors on standard error")
}

func newMaintCheck(env Env) *cobra.Command {
	o := &maintAgainOptions{settle: seconds(10 * time.Minute)}
	c := &cobra.Command{
		Use:                   "check NAME",
		DisableFlagsInUseLine: true,
		Short:                 "Measure now, and say what has changed",
		Long: `traceflow maint check measures the same flows as at the beginning, and says what
has changed since. While routes still move, nothing can be said for sure: two
passes have to agree. With --watch it waits until they do.`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeMaintenances(&o.dir),
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c, env, args, checkFile) },
	}
	c.SetUsageTemplate(usageWith(maintExits))
	c.Flags().SortFlags = false
	c.Flags().BoolVar(&o.watch, "watch", false, "measure until two passes agree, and say how long it took")
	o.addFlags(c)
	return c
}

func newMaintEnd(env Env) *cobra.Command {
	o := &maintAgainOptions{settle: seconds(2 * time.Minute), watch: true}
	c := &cobra.Command{
		Use:                   "end NAME",
		DisableFlagsInUseLine: true,
		Short:                 "Measure once more, and give the verdict",
		Long: `traceflow maint end measures the same flows as at the beginning once two passes
agree, and says what the maintenance has changed. What was measured is kept, and
so are the reports of --report.`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeMaintenances(&o.dir),
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c, env, args, afterFile) },
	}
	c.SetUsageTemplate(usageWith(maintExits))
	c.Flags().SortFlags = false
	c.Flags().StringSliceVar(&o.reports, "report", nil, "`forms` of a report to write beside what was measured: "+strings.Join(reportNames(), ", "))
	o.addFlags(c)
	return c
}

func (o *maintAgainOptions) run(c *cobra.Command, env Env, args []string, file string) error {
	switch {
	case len(args) != 1:
		return usagef("maint %s takes the name of one maintenance", c.Name())
	case o.settle <= 0:
		return usagef("--settle-timeout must be more than 0")
	case c.Flags().Changed("settle-timeout") && !o.watch:
		return usagef("--settle-timeout is how long --watch waits at most")
	case c.Flags().Changed("rate") && !(o.rate >= 1 && o.rate <= 10_000_000):
		return usagef("--rate %v is not between 1 and 10000000", o.rate)
	case o.sim != "" && c.Flags().Changed("data"):
		return usagef("--data is of this host, which --sim does not use")
	}
	if err := checkReports(o.reports); err != nil {
		return err
	}
	o.given, o.wire, o.stage = c.Flags().Changed, "auto", snapshot.StageCheck
	if file == afterFile {
		o.stage = snapshot.StageEnd
	}
	ctx, stop := env.interruptible(c.Context())
	defer stop()
	return o.again(ctx, env, args[0], file)
}

// completeMaintenances offers those that there are.
func completeMaintenances(dir *string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		folder := *dir
		if folder == "" {
			folder, _ = maintFolder()
		}
		entries, _ := os.ReadDir(folder)
		var names []string
		for _, e := range entries {
			if e.IsDir() && strings.HasPrefix(e.Name(), begun) {
				names = append(names, e.Name())
			}
		}
		slices.Sort(names)
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// again measures what was measured at the beginning and compares.
func (o *maintAgainOptions) again(ctx context.Context, env Env, name, file string) error {
	m, err := findMaintenance(o.dir, name)
	if err != nil {
		return err
	}
	if err := m.under(); err != nil {
		return err
	}
	before, err := snapshot.Open(m.path(beforeFile))
	if err != nil {
		return plain(err)
	}
	m.options(&o.surveyOptions)
	p := o.planOf(&before.Manifest)
	p.Budget = 0 // what was not too much then has to be measured whole
	subjects, err := o.repeated(ctx, &before.Manifest)
	if err != nil {
		return err
	}
	x, err := o.open(env, p, subjects)
	if err != nil {
		return err
	}
	defer x.close()
	s := settling{expedition: x, watch: o.watch, timeout: time.Duration(o.settle), noise: before.Manifest.Noise}
	after, err := s.run(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return codeError(exitInterrupted)
		}
		return err
	}
	if err := snapshot.WriteFile(m.path(file), after.Encode); err != nil {
		return plain(err)
	}
	code, err := s.compare(m, file, before, after, o.reports)
	if err != nil {
		return err
	}
	if file == afterFile {
		now := time.Now().UTC()
		m.Ended = &now
		if err := m.save(); err != nil {
			return err
		}
	}
	if code != exitOK {
		return codeError(code)
	}
	return nil
}
