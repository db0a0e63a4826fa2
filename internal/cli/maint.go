// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"strings"

	"github.com/spf13/cobra"
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
	setUsage(c, usageWith(maintExits))
	c.AddCommand(commands...)
	return c
}

// completeMaintenances offers those that there are.
func completeMaintenances(dir *string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		folder := *dir
		if folder == "" {
			folder, _ = maintFolder()
		}
		return maintenances(folder, begun), cobra.ShellCompDirectiveNoFileComp
	}
}
