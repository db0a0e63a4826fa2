// SPDX-License-Identifier: BSD-3-Clause

package cli

// usageWith is one screen of 80 columns for a command: cobra's own template, with
// the exit codes and without the sections that traceflow has nothing for. The
// other commands are a line of the root's usage; trace is the root itself.
func usageWith(exits string) string {
	if exits != "" {
		exits = "\nExit codes:\n" + exits + "\n"
	}
	return `Usage:
  {{.UseLine}}{{range .Commands}}{{if and .IsAvailableCommand (ne .Name "trace")}}
  {{rpad .UseLine 29}}  {{.Short}}{{end}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}{{end}}
` + exits
}

const traceExits = `  0 reached, 1 trouble on this host, 2 usage, 3 not reached,
  4 not permitted, 5 name not resolved, 6 no reply at all,
  130 interrupted (the partial result is written)`
