// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"traceflow/internal/plan"
	"traceflow/internal/snapshot"
	"traceflow/render"
)

const snapshotExamples = `  traceflow snapshot -o before.tfs example.com
  traceflow snapshot --plan core.yaml -o before.tfs --budget 120
  traceflow snapshot --like before.tfs -o after.tfs      the same flows again
  traceflow snapshot --sim d -o try.tfs                  no network, no rights
  zcat before.tfs | jq -c .trace.destination             what it holds`

const snapshotExits = `  0 every destination was reached, 1 trouble on this host, 2 usage, 3 some were
  not reached or not measured twice, 4 not permitted, 5 name not resolved,
  6 no reply at all, 130 interrupted (what was measured is written)`

// snapshotOptions are the flags of a snapshot.
type snapshotOptions struct {
	surveyOptions
	output, like string
}

func newSnapshot(env Env) *cobra.Command {
	o := &snapshotOptions{}
	c := &cobra.Command{
		Use:   "snapshot [flags] DEST...",
		Short: "Measure destinations, to be compared later",
		Long: `traceflow snapshot measures destinations in passes, at least two, and writes a
file that another can be compared with: the same flows every time, so that what
differs has changed; twice, so that what differs of itself is known.`,
		Example:               snapshotExamples,
		DisableFlagsInUseLine: true,
		Args:                  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.validate(c.Flags().Changed, args); err != nil {
				return usage(err)
			}
			ctx, stop := env.interruptible(c.Context())
			defer stop()
			return runSnapshot(ctx, env, o, args)
		},
	}
	setUsage(c, usageWith(snapshotExits))
	f := c.Flags()
	f.SortFlags = false
	f.StringVarP(&o.output, "output", "o", "", "`file` to write (default: after the name and the time)")
	f.StringVar(&o.like, "like", "", "measure what this `file` has: its addresses and flows")
	f.StringVar(&o.name, "name", "", "`name` of the snapshot (default: the plan's)")
	o.addFlags(c)
	return c
}

func (o *snapshotOptions) validate(given func(string) bool, args []string) error {
	if o.output == "-" {
		return errors.New("--output takes the name of a file: it appears when it is whole")
	}
	if o.like == "" {
		return o.surveyOptions.validate(given, args)
	}
	if len(args) > 0 {
		return errors.New("--like has the destinations: give it, or others")
	}
	for _, flag := range []string{"plan", "paths", "udp", "tcp", "icmp", "srcport", "dstport", "tos", "vary", "mtu", "ends", "ipv4", "ipv6", "seed"} {
		if given(flag) {
			return fmt.Errorf("--like measures what that file has, and --%s is something else", flag)
		}
	}
	return o.surveyOptions.validate(given, []string{o.like}) // which stands for its destinations
}

func runSnapshot(ctx context.Context, env Env, o *snapshotOptions, args []string) error {
	p, subjects, err := o.prepare(ctx, args)
	if err != nil {
		return err
	}
	x, err := o.open(env, p, subjects)
	if err != nil {
		return err
	}
	defer x.close()
	path := cmp.Or(o.output, defaultFile(p, subjects, time.Now()))
	m, err := x.record(ctx, path, p.Passes)
	if m == nil || m.passes == 0 {
		return err
	}
	if werr := summariseSnapshot(env.Out, m, path); werr != nil {
		return werr
	}
	switch {
	case ctx.Err() != nil:
		return codeError(exitInterrupted)
	case err != nil:
		return err
	}
	return m.verdict()
}

// prepare reads what is to be measured, and resolves it.
func (o *snapshotOptions) prepare(ctx context.Context, args []string) (*plan.Plan, []subject, error) {
	if o.like == "" {
		p, err := o.readPlan(args)
		if err != nil {
			return nil, nil, err
		}
		subjects, err := o.subjects(ctx, p)
		return p, subjects, err
	}
	before, err := readManifest(o.like)
	if err != nil {
		return nil, nil, err
	}
	p := o.planOf(before)
	subjects, err := o.repeated(ctx, before)
	return p, subjects, err
}

// planOf is how a snapshot is measured again.
func (o *surveyOptions) planOf(m *snapshot.Manifest) *plan.Plan {
	p := planIn(m)
	p.Name, p.Rate, p.Passes = m.Name, m.Rate, m.Passes
	p.Budget = time.Duration(m.Budget * float64(time.Second))
	if o.given("rate") {
		p.Rate = o.rate
	}
	if o.given("passes") {
		p.Passes = o.passes
	}
	if o.given("budget") {
		p.Budget = time.Duration(o.budget)
	}
	if o.name != "" {
		p.Name = o.name
	}
	if p.Rate < plan.MinRate {
		p.Rate = plan.DefaultRate
	}
	p.Passes = max(p.Passes, plan.MinPasses)
	o.seed = m.Seed
	return p
}

// readManifest reads the whole file, so that nothing is measured in vain because of
// one that is damaged.
func readManifest(path string) (*snapshot.Manifest, error) {
	s, err := snapshot.Open(path)
	if err != nil {
		return nil, plain(err)
	}
	return &s.Manifest, nil
}

// defaultFile is a name after what is measured, and when.
func defaultFile(p *plan.Plan, subjects []subject, now time.Time) string {
	name := p.Name
	if name == "" && len(subjects) == 1 {
		name = subjects[0].name
	}
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, name)
	name = strings.Trim(name, ".-")
	return cmp.Or(name, "snapshot") + now.UTC().Format("-20060102-150405") + ".tfs"
}

// verdict is the exit code of a snapshot.
func (m *measured) verdict() error {
	code := exitOK
	switch s := m.result.Stats; {
	case s.Probes == 0 && s.SendErrors > 0:
		code = exitInternal
	case s.Replies == 0:
		code = exitNoReply
	case m.reached < len(m.last) || m.thin() > 0:
		code = exitNotReached
	}
	if code == exitOK {
		return nil
	}
	return codeError(code)
}

// summariseSnapshot writes the few lines that somebody in a hurry reads; of a file,
// if there is one.
func summariseSnapshot(out io.Writer, m *measured, path string) error {
	f := &m.manifest
	flows, widest := 0, 0
	for i := range f.Targets {
		flows += f.Targets[i].Flows
		widest = max(widest, f.Targets[i].Width)
	}
	var b strings.Builder
	if f.Name != "" {
		fmt.Fprintf(&b, "%s: ", printable(f.Name))
	}
	fmt.Fprintf(&b, "%s, %d reached; %s, %s, %s in %.1f s\n", render.Count(len(f.Targets), "target"), m.reached,
		render.Count(flows, "flow"), render.Count(f.Passes, "pass"), render.Count(m.result.Stats.Probes, "packet"), m.took.Seconds())
	if widest > 0 {
		fmt.Fprintf(&b, "widest: %s\n", render.Count(widest, "next hop"))
	}
	fmt.Fprintln(&b, noiseLine(f.Noise))
	for _, note := range f.Notes {
		fmt.Fprintf(&b, "%s\n", printable(note))
	}
	switch n := m.thin(); {
	case n > 0:
		fmt.Fprintf(&b, "INCONCLUSIVE: %s of %d measured fewer than two times: nothing tells what changes of itself\n", render.Count(n, "target"), len(f.Targets))
	case !f.Complete:
		fmt.Fprintln(&b, "it was cut short")
	}
	if path != "" {
		fmt.Fprintf(&b, "written: %s%s\n", printable(path), sizeOf(path))
	}
	if _, err := io.WriteString(out, b.String()); err != nil {
		return writeError(err)
	}
	return nil
}

// noiseLine says what differs between passes in which nothing was changed.
func noiseLine(n snapshot.Noise) string {
	if n.Compared == 0 {
		return "noise of its own: unknown, no hop answered in two passes"
	}
	return "noise of its own: " + noiseWords(n)
}

// noiseWords says what differs between passes.
func noiseWords(n snapshot.Noise) string {
	if n.Compared == 0 {
		return "nothing can be compared: no hop answered in both"
	}
	line := fmt.Sprintf("%d of %s differ", n.Differing, render.Count(n.Compared, "hop"))
	if n.Silent > 0 {
		line += fmt.Sprintf(", %d answered in one pass of two", n.Silent)
	}
	if n.Ends > 0 {
		line += fmt.Sprintf(", %s of %d reached the destination in one of two", render.Count(n.Ends, "flow"), n.Flows)
	}
	return line
}

func sizeOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return ", " + bytesOf(info)
}

func bytesOf(info fs.FileInfo) string {
	const kib = 1024
	switch n := info.Size(); {
	case n < 10*kib:
		return render.Count(int(n), "byte")
	case n < 10*kib*kib:
		return fmt.Sprintf("%d KiB", n/kib)
	default:
		return fmt.Sprintf("%d MiB", n/kib/kib)
	}
}
