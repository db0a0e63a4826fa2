// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"traceflow/internal/snapshot"
	"traceflow/probe"
)

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
	setUsage(c, usageWith(`  0 begun, 3 not begun: too little could be measured, 64 usage, 68 name not
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
		return usagef("maintenance %s has begun at %s, and maint check %[1]s compares with that: --force forgets it and begins again", m.Name, m.Begun.Local().Format(time.DateTime))
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
		return fmt.Errorf("%w: --dir keeps it elsewhere", plain(err))
	}
	return m.begin(ctx, x)
}

// begin measures what is to be compared with. Until that is whole, what was measured
// before stays.
func (m *maintenance) begin(ctx context.Context, x *expedition) error {
	began := m.path(beginFile)
	defer m.tidy()
	got, err := x.record(ctx, began, x.plan.Passes)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintf(x.env.Err, "traceflow: interrupted: maintenance %s has not begun%s\n", m.Name, m.still())
		return codeError(exitInterrupted)
	case err != nil:
		return err
	}
	thin := !got.result.Complete || got.thin() > 0 || got.result.Stats.Replies == 0 || got.reached == 0 && got.manifest.Noise.Compared == 0
	path := m.path(beforeFile)
	if thin {
		path = ""
	} else if err := os.Rename(began, path); err != nil {
		return plain(err)
	}
	if err := summariseSnapshot(x.env.Out, got, path); err != nil {
		return err
	}
	if thin {
		fmt.Fprintf(x.env.Err, "traceflow: maintenance %s has not begun: too little was measured to compare with%s\n", m.Name, m.still())
		return codeError(exitInconclusive)
	}
	m.maintState = x.options.state(m.Name, &got.manifest)
	if err := m.save(); err != nil {
		return err
	}
	got.warn(x.env.Err)
	if _, err := fmt.Fprintf(x.env.Out, "begun: %s\n", m.Name); err != nil {
		return writeError(err)
	}
	return nil
}

// tidy removes what a beginning that came to nothing leaves.
func (m *maintenance) tidy() {
	_ = os.Remove(m.path(beginFile))
	_ = os.Remove(m.folder) // if there is nothing in it
}

// still says what is compared with after a second beginning that came to nothing.
func (m *maintenance) still() string {
	if m.Begun.IsZero() {
		return ""
	}
	return "; what was measured at " + m.Begun.Local().Format(time.DateTime) + " still counts"
}

// state is how to measure again: over the same wire, from the same address.
func (o *surveyOptions) state(name string, begun *snapshot.Manifest) maintState {
	s := maintState{
		Schema: maintSchema, Name: name, Begun: time.Now().UTC(), Wire: begun.Wire, Source: o.source, Device: o.iface,
		Retries: o.retries, Timeout: time.Duration(o.timeout).Microseconds(), Ports: o.sourcePort,
		Numeric: o.names.numeric,
	}
	if o.sim != "" {
		s.Wire = string(probe.KindAuto)
	}
	return s
}

// mostWarned is how many targets are named in a warning.
const mostWarned = 4

// warn says what would spoil a comparison, while it can still be mended.
func (m *measured) warn(out io.Writer) {
	var silent []string
	for i, t := range m.last {
		if t == nil || !t.Reached() {
			silent = append(silent, m.manifest.Targets[i].Name)
		}
	}
	if n := len(silent); n > 0 {
		names := printable(strings.Join(silent[:min(n, mostWarned)], ", "))
		if n > mostWarned {
			names += fmt.Sprintf(" and %d more", n-mostWarned)
		}
		fmt.Fprintf(out, "warning: %s did not answer: only the way there will be compared; see traceflow doctor, or try --icmp or --tcp\n", names)
	}
	if f := m.manifest.Noise; f.Compared > 0 && 2*f.Differing > f.Compared {
		fmt.Fprintln(out, "warning: more than half of the hops change of themselves: hardly anything can be told of changes")
	}
}
