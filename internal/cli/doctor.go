// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"

	"github.com/spf13/cobra"

	"traceflow/internal/doctor"
)

// doctorOptions are the flags of the doctor.
type doctorOptions struct{ json, quiet bool }

const doctorExamples = `  traceflow doctor                           this machine
  traceflow doctor example.com               and the way to a destination
  sudo traceflow doctor                      and the firewall's rules
  traceflow doctor -j | jq '.checks[] | select(.verdict != "ok")'`

const doctorExits = `  0 a trace can be made, 1 none can, 2 usage,
  4 none can for want of rights, 130 interrupted`

func newDoctor(env Env) *cobra.Command {
	o := &doctorOptions{}
	c := &cobra.Command{
		Use:                   "doctor [DEST]",
		DisableFlagsInUseLine: true,
		Short:                 "Say what this machine lets traceflow do",
		Long: `traceflow doctor looks at what this machine lets traceflow do: rights, sockets,
firewall, routes, sysctls, resolver, clock. What is not as it should be comes
first, each with the line to type. It changes nothing, needs no rights, and
sends nothing off this host but the question for the address of DEST.`,
		Example:           doctorExamples,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("doctor looks at one destination at a time, not at %d", len(args))
			}
			config := doctor.Config{Grant: here().grant}
			if len(args) == 1 {
				if config.Destination = args[0]; args[0] == "" {
					return usagef("the destination is empty")
				}
				if literal, err := netip.ParseAddr(args[0]); err == nil && traceable(literal.Unmap()) != nil {
					return traceable(literal.Unmap())
				}
			}
			ctx, stop := env.interruptible(c.Context())
			defer stop()
			return runDoctor(ctx, env, o, config)
		},
	}
	setUsage(c, usageWith(doctorExits))
	c.Flags().SortFlags = false
	c.Flags().BoolVarP(&o.json, "json", "j", false, "the checks as JSON (schema traceflow.doctor/1)")
	c.Flags().BoolVar(&o.quiet, "quiet", false, "only what is not ok")
	return c
}

func runDoctor(ctx context.Context, env Env, o *doctorOptions, config doctor.Config) error {
	config.Executable, _ = os.Executable() // without it, lines to type say traceflow
	report, err := doctor.Run(ctx, config)
	if err != nil {
		return err
	}
	checks := shown(report.Worst(), o.quiet)
	if o.json {
		err = writeChecks(env, checks)
	} else {
		err = writeCheckTable(env.Out, checks, report.Summary)
	}
	switch {
	case err != nil:
		return writeError(err)
	case errors.Is(report.Err, os.ErrPermission):
		return codeError(exitPermission)
	case report.Err != nil:
		return codeError(exitInternal)
	}
	return nil
}

// shown returns checks that are safe to print, and with quiet only those that
// found something. Names of interfaces, files and chains are the system's.
func shown(checks []doctor.Check, quiet bool) []doctor.Check {
	kept := make([]doctor.Check, 0, len(checks))
	for _, c := range checks {
		if quiet && c.Verdict == doctor.OK {
			continue
		}
		c.Finding, c.Mend = printable(c.Finding), printable(c.Mend)
		kept = append(kept, c)
	}
	return kept
}

// writeChecks writes the document of docs/doctor.md.
func writeChecks(env Env, checks []doctor.Check) error {
	e := json.NewEncoder(env.Out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Schema string         `json:"schema"`
		Checks []doctor.Check `json:"checks"`
	}{"traceflow.doctor/1", checks})
}
