// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"traceflow/internal/enrich"
	"traceflow/render"
)

// dataStatusOptions are the flags of data status.
type dataStatusOptions struct {
	folder dataFolder
	json   bool
}

func (o *dataStatusOptions) addFlags(c *cobra.Command) {
	c.Flags().BoolVarP(&o.json, "json", "j", false, "as JSON (schema traceflow.data/1)")
	o.folder.addFlag(c)
}

func newDataStatus(env Env) *cobra.Command {
	o := &dataStatusOptions{}
	c := &cobra.Command{
		Use:                   "status",
		DisableFlagsInUseLine: true,
		Short:                 "Show data sets, their age and licence",
		Long: `traceflow data status shows the data sets, those that are believed most first,
and warns of those whose data are more than 14 days old.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("data status takes no %q: it shows all", args[0])
			}
			return runDataStatus(env, o)
		},
	}
	setUsage(c, usageWith(""))
	o.addFlags(c)
	return c
}

func runDataStatus(env Env, o *dataStatusOptions) error {
	folder := o.folder.toRead()
	sets, err := folder.Sets()
	if err != nil {
		return err
	}
	if o.json {
		return writeSetsJSON(env.Out, sets)
	}
	if len(sets) == 0 {
		return noSets(env, folder)
	}
	return writeSets(env, sets)
}

// writeSetsJSON writes the document of docs/data.md.
func writeSetsJSON(w io.Writer, sets []enrich.Set) error {
	type status struct {
		enrich.Set
		Stale bool `json:"stale"`
	}
	all := make([]status, 0, len(sets))
	now := time.Now()
	for i := range sets {
		all = append(all, status{sets[i], sets[i].Stale(now)})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		Schema string   `json:"schema"`
		Sets   []status `json:"sets"`
	}{"traceflow.data/1", all})
	if err != nil {
		return writeError(err)
	}
	return nil
}

// nameWidth is the width of the column of names.
func nameWidth(sets []enrich.Set) int {
	width := len("NAME")
	for i := range sets {
		width = max(width, len(sets[i].Name))
	}
	return width
}

// writeSets writes the table, and warnings below it.
func writeSets(env Env, sets []enrich.Set) error {
	var b strings.Builder
	now := time.Now()
	width := nameWidth(sets)
	fmt.Fprintf(&b, "%-*s  %-9s  %-10s  %6s  %9s  %s\n", width, "NAME", "KIND", "DATE", "AGE", "ROWS", "LICENCE")
	var stale []string
	for i := range sets {
		s := &sets[i]
		fmt.Fprintf(&b, "%-*s  %-9s  %-10s  %6s  %9d  %s\n",
			width, s.Name, s.Kind, s.Date.UTC().Format(time.DateOnly), age(now.Sub(s.Date)), s.Rows, printable(s.Licence))
		if s.Stale(now) {
			stale = append(stale, s.Name)
		}
	}
	if _, err := io.WriteString(env.Out, b.String()); err != nil {
		return writeError(err)
	}
	if len(stale) > 0 {
		for _, line := range render.Wrap("more than 14 days old, and better added anew: "+strings.Join(stale, ", "), tableWidth) {
			fmt.Fprintln(env.Err, line)
		}
	}
	return nil
}

// age is how old data are, in the largest unit that tells.
func age(d time.Duration) string {
	days := int(d / (24 * time.Hour))
	switch {
	case d < 0:
		return "future"
	case days == 0:
		return "today"
	case days < 1000:
		return strconv.Itoa(days) + " d"
	}
	return strconv.Itoa(days/365) + " y"
}
