// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"traceflow"
	"traceflow/render"
)

// outputOptions are the flags that say how a result is shown.
type outputOptions struct {
	vizOptions
	format, color string
	json, dedup   bool
	mask          int // hops to hide
	written       int // results so far
}

// colors are the values of --color.
var colors = []string{"auto", "always", "never"}

func (o *outputOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.format, "format", "text", "`form`: "+strings.Join(formatNames(), ", "))
	f.BoolVarP(&o.json, "json", "j", false, "the same as --format json")
	f.BoolVar(&o.dedup, "dedup", false, "in tables, show each distinct path once")
	f.IntVar(&o.mask, "mask", 0, "hide the first `number` of hops and this host")
	o.vizOptions.addFlags(f)
	f.StringVar(&o.color, "color", "auto", "`when` to use colours: "+strings.Join(colors, ", "))
}

// validate refuses what contradicts itself. given reports whether a flag was.
func (o *outputOptions) validate(given func(flag string) bool) error {
	if o.json {
		if given("format") && o.format != "json" {
			return fmt.Errorf("--json and --format %s contradict each other", o.format)
		}
		o.format = "json"
	}
	if !slices.Contains(formatNames(), o.format) {
		return fmt.Errorf("--format %q is none of %s", o.format, strings.Join(formatNames(), ", "))
	}
	if err := o.vizOptions.validate(o.format, given); err != nil {
		return err
	}
	if o.mask < 0 || o.mask > 254 {
		return fmt.Errorf("--mask %d is not between 0 and 254", o.mask)
	}
	if !slices.Contains(colors, o.color) {
		return fmt.Errorf("--color %q is none of %s", o.color, strings.Join(colors, ", "))
	}
	return nil
}

// isTable reports whether the format is a table alone, without a heading.
func (o *outputOptions) isTable() bool { return o.format == "vert" || o.format == "horiz" }

// holdsSummary reports whether the summary is part of the format.
func (o *outputOptions) holdsSummary() bool { return o.format == "text" || o.format == "markdown" }

// wantsSummary reports whether the format is for people and the summary stands
// below it.
func (o *outputOptions) wantsSummary() bool { return o.isTable() || o.format == "report" }

// render is what the format is asked for.
func (o *outputOptions) render(env Env) render.Options {
	return render.Options{
		Dedup: o.dedup, Width: env.Width,
		Color:     o.color == "always" || o.color == "auto" && env.Color,
		ASCII:     env.ASCII,
		Continued: o.written > 0,
	}
}

// show writes one result; several is whether there are more of them, and stats
// what a live screen has measured since, nil without one. Above a table stands
// whose it is then; the summary stands below, where the format wants one and the
// trace chose its flows by itself.
func (o *outputOptions) show(env Env, t *traceflow.Trace, stats []traceflow.PathStats, several bool) error {
	if o.written > 0 && (o.isTable() || o.holdsSummary()) {
		fmt.Fprintln(env.Out)
	}
	if several && o.isTable() {
		fmt.Fprintf(env.Out, "%s (%s)\n", printable(t.Destination.Name), t.Destination.Address)
	}
	if err := o.write(env, t, stats, several); err != nil {
		return err
	}
	if !o.wantsSummary() || t.Config.Paths > 0 {
		return nil
	}
	fmt.Fprintln(env.Out)
	if err := summarise(env.Out, t, env.Width); err != nil {
		return writeError(err)
	}
	return nil
}

// write writes what show does, without what stands around a table.
func (o *outputOptions) write(env Env, t *traceflow.Trace, stats []traceflow.PathStats, several bool) error {
	write := formats[o.format]
	if o.format == "report" && stats != nil {
		write = func(w io.Writer, t *traceflow.Trace, o render.Options) error {
			return render.PathReport(w, t, stats, o)
		}
	}
	if o.format == "json" && several {
		write = render.NDJSON
	}
	if err := write(env.Out, t, o.render(env)); err != nil {
		return writeError(err)
	}
	o.written++
	return nil
}
