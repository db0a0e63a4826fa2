// SPDX-License-Identifier: BSD-3-Clause

package cli

// usageWith is one screen of 80 columns for a command: cobra's own template, with
// the exit codes and without the sections that traceflow has nothing for.
func usageWith(exits string) string {
	return `Usage:
  {{.UseLine}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}{{end}}

Exit codes:
` + exits + "\n"
}

const traceExits = `  0 reached, 1 trouble on this host, 2 usage, 3 not reached,
  4 not permitted, 5 name not resolved, 6 no reply at all,
  130 interrupted (the partial result is written)`
