// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// exitMeanings is the table of the manual, and of nothing else: a command
// prints the short form, traceExits.
var exitMeanings = []struct {
	code    int
	meaning string
}{
	{exitOK, "Every destination was reached."},
	{exitInternal, "Something on this host failed."},
	{exitUsage, "The command line makes no sense; nothing was sent."},
	{exitNotReached, "Replies came, but none from a destination."},
	{exitPermission, "Not permitted."},
	{exitResolve, "A name did not resolve."},
	{exitNoReply, "No reply came at all."},
	{exitInterrupted, "Interrupted by SIGINT, SIGTERM or SIGHUP; what was known is written."},
}

// Manual writes the manual page traceflow(1) in the language of man(7), from
// the flags and texts that --help prints. The date is that of the source, so
// that the same source makes the same page. Only the packaging calls it; the
// linker leaves it out of the command.
func Manual(w io.Writer, date time.Time) error {
	root := newRoot(Env{Out: io.Discard, Err: io.Discard})
	root.InitDefaultVersionFlag()
	var p page
	p.line(".TH TRACEFLOW 1 %s %s %s", date.UTC().Format(time.DateOnly), quote("traceflow "+Version), `"User Commands"`)
	p.line(".nh\n.ad l") // words to be typed are not taken apart
	p.section("NAME")
	p.line(`traceflow \- %s`, roff(lowerFirst(root.Short)))
	p.section("SYNOPSIS")
	commands := everyCommand(root)[1:]
	commands = slices.DeleteFunc(commands, func(c *cobra.Command) bool { return !c.IsAvailableCommand() })
	for i, c := range append([]*cobra.Command{root}, commands...) {
		if i > 0 {
			p.line(".br")
		}
		p.synopsis(c)
	}
	p.section("DESCRIPTION")
	p.text(root.Long)
	p.section("OPTIONS")
	for _, g := range traceGroups { // as --help-all has them
		p.line(".SS %s", quote(g.title))
		for _, name := range slices.Concat(g.flags, g.rare) {
			p.flag(root.Flags().Lookup(name))
		}
	}
	p.section("COMMANDS")
	for _, c := range commands {
		p.line(".SS %s", quote(c.CommandPath()))
		if c.Name() == "trace" { // the root by another name
			p.text("The same as traceflow without a command: for destinations that have the name of one.")
			continue
		}
		p.text(c.Long)
		c.LocalFlags().VisitAll(p.flag)
		if c.HasExample() {
			p.line(".PP\nExamples:")
			p.examples(c.Example)
		}
	}
	p.section("PRIVILEGES")
	p.text("On Linux none are needed. With CAP_NET_RAW traceflow sees more of what routers quote. " +
		"It raises that capability only while it opens its sockets, and then gives up every one, root's too. " +
		"It can be given to the file: setcap cap_net_raw+p FILE.")
	p.section("EXIT STATUS")
	for _, e := range exitMeanings {
		p.line(".TP\n.B %d", e.code)
		p.line("%s", roff(e.meaning))
	}
	p.section("EXAMPLES")
	p.examples(root.Example)
	p.section("SEE ALSO")
	p.line(".BR ping (8),\n.BR setcap (8),\n.BR traceroute (1),\n.BR capabilities (7)")
	_, err := io.WriteString(w, p.String())
	return err
}

// page is a page of man(7) being written.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *page) section(name string) { p.line(".SH %s", quote(name)) }

// synopsis has the words that are typed as they stand in bold.
func (p *page) synopsis(c *cobra.Command) {
	var typed, rest []string
	for word := range strings.FieldsSeq(c.UseLine()) {
		if word == strings.ToLower(word) && !strings.HasPrefix(word, "[") && len(rest) == 0 {
			typed = append(typed, word)
		} else {
			rest = append(rest, strings.ReplaceAll(strings.ReplaceAll(word, "[flags]", "[OPTIONS]"), "...", " ..."))
		}
	}
	p.line(".B %s", roff(strings.Join(typed, " ")))
	if len(rest) > 0 {
		p.line("%s", roff(strings.Join(rest, " ")))
	}
}

// text writes the paragraphs below a heading, which blank lines part.
func (p *page) text(text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			p.line(".PP")
		}
		p.line("%s", roff(strings.Join(strings.Fields(paragraph), " ")))
	}
}

// flag describes one.
func (p *page) flag(f *pflag.Flag) {
	if f.Hidden {
		return
	}
	name, usage := pflag.UnquoteUsage(f)
	tag := `\fB` + roff("--"+f.Name) + `\fR`
	if f.Shorthand != "" {
		tag = `\fB` + roff("-"+f.Shorthand) + `\fR, ` + tag
	}
	if name != "" {
		tag += ` \fI` + roff(name) + `\fR`
	}
	if f.NoOptDefVal == "" && f.DefValue != "" && f.DefValue != "0" {
		usage += " (default " + f.DefValue + ")"
	}
	p.line(".TP\n%s\n%s", tag, roff(strings.Join(strings.Fields(usage), " ")))
}

// examples writes lines of a command and, two blanks or more after it, what
// it does.
func (p *page) examples(text string) {
	for line := range strings.Lines(text) {
		command, meaning, _ := strings.Cut(strings.TrimSpace(line), "  ")
		p.line(".TP\n.B %s", roff(command))
		p.line("%s", roff(strings.TrimSpace(meaning)))
	}
}

// roff makes text safe to stand in a page: nothing in it is a request, and
// every hyphen can be copied into a shell.
func roff(text string) string {
	var out strings.Builder
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		out.WriteString(`\&`)
	}
	for _, r := range text {
		switch {
		case r == '\\':
			out.WriteString(`\e`)
		case r == '-':
			out.WriteString(`\-`)
		case r == '"': // parts the arguments of a request
			out.WriteString(`\(dq`)
		case r == '\'':
			out.WriteString(`\(aq`)
		case r == '`':
			out.WriteString(`\(ga`)
		case r == '^':
			out.WriteString(`\(ha`)
		case r == '~':
			out.WriteString(`\(ti`)
		case r > '~':
			fmt.Fprintf(&out, `\[u%04X]`, r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// quote makes one argument of a request.
func quote(text string) string {
	return `"` + roff(text) + `"`
}

func lowerFirst(text string) string { return strings.ToLower(text[:1]) + text[1:] }
