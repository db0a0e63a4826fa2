// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"
)

const showExamples = `  traceflow show result.json                 the paths that were measured
  traceflow show --format horiz result.json
  traceflow show --mask 3 -j result.json     the same, without the first hops
  traceflow -j example.com | traceflow show -`

const showExits = `  0 shown, 1 a file cannot be read or is no result, 2 usage`

func newShow(env Env) *cobra.Command {
	o := &outputOptions{}
	c := &cobra.Command{
		Use:                   "show FILE...",
		DisableFlagsInUseLine: true,
		Short:                 "Show stored results in any format",
		Long: `traceflow show reads what traceflow has written as JSON or NDJSON and shows it
again, in any format. A file may hold several results; - is standard input.
It sends nothing. Keys that this version does not know are left out.`,
		Example: showExamples,
		Args:    cobra.ArbitraryArgs,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("no file given; - is standard input")
			}
			if err := o.validate(c.Flags().Changed); err != nil {
				return usage(err)
			}
			if o.format == viz {
				return showViz(c.Context(), env, o, args)
			}
			return runShow(env, o, args)
		},
	}
	setUsage(c, usageWith(showExits))
	c.Flags().SortFlags = false
	o.addFlags(c.Flags())
	return c
}

// runShow shows one result after the other as they are read, and ends at the
// first that cannot be.
func runShow(env Env, o *outputOptions, files []string) error {
	for _, file := range files {
		if err := showFile(env, o, file, len(files) > 1); err != nil {
			return err
		}
	}
	return nil
}

func showFile(env Env, o *outputOptions, file string, several bool) error {
	all, err := openResults(env, file)
	if err != nil {
		return err
	}
	defer all.close()
	for first := true; ; first = false {
		t, err := all.next()
		if errors.Is(err, io.EOF) && !first {
			return nil
		}
		if err != nil {
			return err
		}
		several = several || !first || all.more()
		if err := o.show(env, t.Mask(o.mask), nil, several); err != nil {
			return err
		}
	}
}

// openResults opens a file of results; - is standard input.
func openResults(env Env, file string) (*results, error) {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, errors.New(err.Error()) // a right to read files is none to send packets
		}
		return newResults(file, f), nil
	}
	in := env.In
	if in == nil {
		in = eof{}
	}
	return newResults("standard input", io.NopCloser(in)), nil
}

// eof is an empty input.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
