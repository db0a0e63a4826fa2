// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"traceflow/internal/snapshot"
)

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
	o.names.addNameFlags(c)
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
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c, env, args, snapshot.StageCheck) },
	}
	setUsage(c, usageWith(maintExits))
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
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c, env, args, snapshot.StageEnd) },
	}
	setUsage(c, usageWith(maintExits))
	c.Flags().SortFlags = false
	c.Flags().StringSliceVar(&o.reports, "report", nil, "`forms` of a report to write beside what was measured: "+strings.Join(reportNames(), ", "))
	o.addFlags(c)
	return c
}

func (o *maintAgainOptions) run(c *cobra.Command, env Env, args []string, stage snapshot.Stage) error {
	switch {
	case len(args) != 1:
		return usagef("maint %s takes the name of one maintenance", c.Name())
	case o.settle <= 0:
		return usagef("--settle-timeout must be more than 0")
	case c.Flags().Changed("settle-timeout") && !o.watch:
		return usagef("--settle-timeout is how long --watch waits at most")
	}
	if c.Flags().Changed("rate") {
		if err := checkRate(o.rate); err != nil {
			return usage(err)
		}
	}
	if err := o.names.validate(c.Flags().Changed, o.sim != ""); err != nil {
		return usage(err)
	}
	if err := checkReports(o.reports); err != nil {
		return err
	}
	o.given, o.wire, o.stage = c.Flags().Changed, "auto", stage
	ctx, stop := env.interruptible(c.Context())
	defer stop()
	return o.again(ctx, env, args[0])
}

// again measures what was measured at the beginning and compares.
func (o *maintAgainOptions) again(ctx context.Context, env Env, name string) error {
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
	if errors.Is(err, os.ErrPermission) {
		// Another wire would not see the same.
		advice, _, _ := strings.Cut(here().permit, ", or use --wire")
		fmt.Fprintf(env.Err, "traceflow: maintenance %s began with the right to open raw sockets, and takes it again: %s\n", m.Name, advice)
		return codeError(ofComparison(exitPermission))
	}
	if err != nil {
		return err
	}
	defer x.close()
	s := settling{expedition: x, watch: o.watch, timeout: time.Duration(o.settle), noise: before.Manifest.Noise, nodes: make(map[netip.Addr]bool)}
	after, err := s.run(ctx)
	if err != nil {
		if ctx.Err() != nil {
			fmt.Fprintf(env.Err, "traceflow: interrupted: nothing was compared; maint %s %s measures again\n", o.stage, m.Name)
			return codeError(exitInterrupted)
		}
		return err
	}
	after.Name(x.called(ctx, s.nodes))
	d, err := s.compare(m, before, after)
	if err != nil {
		return err
	}
	// The verdict is out: a full disk takes nothing from it.
	code := comparisonCode(d.Severity())
	err = o.keep(env, m, after)
	if err == nil {
		err = writeReports(env, m, d, o.reports)
	}
	switch {
	case code == exitOK:
		return err
	case err != nil:
		fmt.Fprintf(env.Err, "traceflow: %v\n", err)
	}
	return codeError(code)
}

// keep writes what was measured, and that it is the end.
func (o *maintAgainOptions) keep(env Env, m *maintenance, after *snapshot.Snapshot) error {
	path := m.path(fileOf(o.stage))
	if err := snapshot.WriteFile(path, after.Encode); err != nil {
		return plain(err)
	}
	if o.stage != snapshot.StageEnd {
		return nil
	}
	now := time.Now().UTC()
	m.Ended = &now
	if err := m.save(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(env.Out, "written: %s%s\n", printable(path), sizeOf(path)); err != nil {
		return writeError(err)
	}
	return nil
}
