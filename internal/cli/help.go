// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// setUsage has the help of a command, below its description, made by a function.
// It is never made from a template: text/template finds methods by their names, so
// that a program with it keeps every exported method of everything, 2.7 MB here.
func setUsage(c *cobra.Command, text func(*cobra.Command) string) {
	c.SetUsageFunc(func(c *cobra.Command) error {
		_, err := io.WriteString(c.OutOrStdout(), text(c))
		return err
	})
}

// usageWith is one screen of 80 columns for a command, with its exit codes if it
// has some of its own.
func usageWith(exits string) func(*cobra.Command) string {
	return func(c *cobra.Command) string {
		var b strings.Builder
		writeUseLines(&b, c)
		if c.HasExample() {
			fmt.Fprintf(&b, "\nExamples:\n%s\n", c.Example)
		}
		if c.HasAvailableLocalFlags() {
			fmt.Fprintf(&b, "\nFlags:\n%s", c.LocalFlags().FlagUsagesWrapped(80))
		}
		if exits != "" {
			fmt.Fprintf(&b, "\nExit codes:\n%s\n", exits)
		}
		return b.String()
	}
}

// writeUseLines writes how a command is called, and below it the commands that it
// has; trace is the root itself.
func writeUseLines(b *strings.Builder, c *cobra.Command) {
	fmt.Fprintf(b, "Usage:\n  %s\n", c.UseLine())
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "trace" {
			fmt.Fprintf(b, "  %-29s  %s\n", sub.UseLine(), sub.Short)
		}
	}
}

const traceExits = `  0 reached, 1 trouble on this host, 2 usage, 3 not reached,
  4 not permitted, 5 name not resolved, 6 no reply at all,
  130 interrupted (the partial result is written)`

// flagGroup is a heading in the help of a trace, and the flags below it: those
// that --help shows, and the rarer ones that --help-all adds.
type flagGroup struct {
	title       string
	flags, rare []string
}

var traceGroups = []flagGroup{
	{"What to look for", []string{"paths", "confidence", "first-ttl", "ttl", "mtu"}, []string{"guarantee", "vary", "queries", "max-probes", "time-limit"}},
	{
		"What to send",
		[]string{"udp", "tcp", "icmp", "quic", "srcport", "dstport", "tos", "ipv4", "ipv6", "source", "interface"},
		[]string{"ecn", "size", "dont-fragment", "wire", "sim", "seed"},
	},
	{"How fast", []string{"rate", "timeout"}, []string{"wait", "retries"}},
	{"What to show", []string{"format", "json", "tui", "mask", "quiet"}, []string{"dedup", "color", "interval", "bind", "no-browser", "debug"}},
	{"Names and owners", []string{"numeric", "cymru"}, []string{"data", "resolver", "dns-timeout"}},
	{"Else", []string{"help", "help-all", "version"}, nil},
}

// traceUsage is the help of a trace below its description. It is one screen
// unless all flags are asked for.
func traceUsage(c *cobra.Command, all bool) string {
	var b strings.Builder
	writeUseLines(&b, c)
	fmt.Fprintf(&b, "\nExamples:\n%s\n", c.Example)
	shown := pflag.NewFlagSet("", pflag.ContinueOnError)
	shown.SortFlags = false
	counts := make([]int, len(traceGroups))
	for i, g := range traceGroups {
		names := g.flags
		if all {
			names = append(slices.Clip(names), g.rare...)
		}
		for _, name := range names {
			if f := c.Flags().Lookup(name); f != nil { // --version is the root's alone
				shown.AddFlag(f)
				counts[i]++
			}
		}
	}
	// All in one table first, so that the groups line up.
	entries := flagEntries(shown.FlagUsagesWrapped(80))
	for i, g := range traceGroups {
		fmt.Fprintf(&b, "\n%s:\n%s", g.title, strings.Join(entries[:counts[i]], ""))
		entries = entries[counts[i]:]
	}
	fmt.Fprintf(&b, "\nExit codes:\n%s\n", traceExits)
	return b.String()
}

// flagEntries takes a table of flags apart: an entry is the lines of one flag.
func flagEntries(table string) []string {
	var entries []string
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "  -") || strings.HasPrefix(line, "      --") {
			entries = append(entries, line)
		} else {
			entries[len(entries)-1] += line
		}
	}
	return entries
}
