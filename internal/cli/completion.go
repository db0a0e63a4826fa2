// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"io"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"traceflow/discover"
	"traceflow/internal/topology"
)

// shells are those that completions can be printed for.
var shells = map[string]func(root *cobra.Command, w io.Writer) error{
	"bash":       func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
	"zsh":        (*cobra.Command).GenZshCompletion,
	"fish":       func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
	"powershell": (*cobra.Command).GenPowerShellCompletionWithDesc,
}

// shellNames is in the order of the help.
var shellNames = []string{"bash", "zsh", "fish", "powershell"}

func newCompletion(env Env) *cobra.Command {
	c := &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print completions: bash, zsh, fish, powershell",
		Long: `traceflow completion prints a script that makes a shell complete traceflow's
flags and their values.`,
		Example: `  source <(traceflow completion bash)     in this bash, with bash-completion
  traceflow completion bash > /etc/bash_completion.d/traceflow
  traceflow completion zsh > /usr/local/share/zsh/site-functions/_traceflow
  traceflow completion fish > ~/.config/fish/completions/traceflow.fish
  traceflow completion powershell >> $PROFILE`,
		DisableFlagsInUseLine: true,
		ValidArgs:             shellNames,
		Args:                  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("completion takes one shell: %s", strings.Join(shellNames, ", "))
			}
			generate, ok := shells[args[0]]
			if !ok {
				return usagef("%q is none of %s", args[0], strings.Join(shellNames, ", "))
			}
			return generate(c.Root(), env.Out)
		},
	}
	setUsage(c, usageWith(""))
	return c
}

// flagValues are what flags that take one of a few words can be given.
func flagValues(flag string) []string {
	switch flag {
	case "format":
		return formatNames()
	case "color":
		return slices.Clone(colors)
	case "guarantee":
		return []string{"pair", "node"}
	case "paths":
		return []string{"auto"}
	case "vary":
		return []string{
			string(discover.VarySourcePort), string(discover.VaryDestinationPort), string(discover.VaryBothPorts),
			string(discover.VaryLabel), string(discover.VaryDestination),
		}
	case "wire":
		return here().wires
	case "ecn":
		return slices.Sorted(maps.Keys(ecnNames))
	case "tos":
		return slices.Sorted(maps.Keys(dscpNames))
	case "sim":
		return topology.BuiltinNames()
	case "interface":
		return interfaceNames()
	case "fail-on":
		return severityNames()
	case "report":
		return reportNames()
	case "kind":
		return kindNames()
	}
	return nil
}

// interfaceNames are those of this host, as far as known.
func interfaceNames() []string {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var names []string
	for _, i := range interfaces {
		names = append(names, i.Name)
	}
	return names
}

// completeFlags has the values of every flag of a command completed. Only
// --sim takes files, and --data folders; destinations are left to the user.
func completeFlags(c *cobra.Command) {
	if c.ValidArgs == nil && c.ValidArgsFunction == nil {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.NoOptDefVal != "" { // takes no value
			return
		}
		directive := cobra.ShellCompDirectiveNoFileComp
		switch f.Name {
		case "sim", "plan", "policy", "like", "output":
			directive = cobra.ShellCompDirectiveDefault
		case "data", "dir":
			directive = cobra.ShellCompDirectiveFilterDirs
		}
		// Fails only for a flag that there is not, or twice.
		_ = c.RegisterFlagCompletionFunc(f.Name, func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			values := flagValues(f.Name)
			if f.Name == "format" && c.Name() == "diff" {
				values = differenceFormatNames()
			}
			return slices.DeleteFunc(values, func(v string) bool { return !strings.HasPrefix(v, begun) }), directive
		})
	})
}
