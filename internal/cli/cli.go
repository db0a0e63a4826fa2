// SPDX-License-Identifier: BSD-3-Clause

// Package cli is the command line: one file for each command, the flags, the
// exit codes, and the one place where networks, algorithms and outputs meet.
//
// Commands write results to Env.Out and everything else to Env.Err, and touch
// the process in no other way. To add a command: a file with its options, its
// constructor and its run function, its line in newRoot, a script in
// testdata/script.
package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"traceflow/render"
)

// Env is what a command may touch.
type Env struct {
	In       io.Reader // nil is an empty one
	Out, Err io.Writer
	// Terminal says that Err is one: only then is progress shown. ErrWidth is how
	// many columns it has then.
	Terminal bool
	ErrWidth int
	// Width is how many columns Out has, 0 if it is no terminal; Color is whether
	// it should be coloured: it is a terminal, and nothing says otherwise.
	Width int
	Color bool
	// ASCII is whether Out is for somebody who reads no UTF-8.
	ASCII bool
	// Console is where a live screen can be shown; nil if input or output is no
	// terminal.
	Console *Console
	// Interrupt are the signals that end a measurement, of which what is known is
	// shown then. Commands that measure nothing leave them alone: they end the
	// process.
	Interrupt []os.Signal
	// OpenBrowser opens an address in the user's browser. wait returns how the
	// command that does has ended. Nil opens none.
	OpenBrowser func(address string) (wait func() error, err error)
	// DropPrivileges gives up what the process may do beyond an ordinary
	// user, once the sockets are open.
	DropPrivileges func() error
}

// System is the environment of the process.
func System() Env {
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		width = 0 // no terminal
	}
	errWidth, _, err := term.GetSize(int(os.Stderr.Fd()))
	if err != nil {
		errWidth = 0
	}
	return Env{
		ErrWidth: errWidth,
		Console:  consoleOf(os.Stdin, os.Stdout, width, height),
		In:       os.Stdin, Out: os.Stdout, Err: os.Stderr, Width: width, ASCII: !readsUTF8(os.Getenv),
		// https://no-color.org; a dumb terminal has no colours.
		Color:          width > 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		Interrupt:      signals(),
		Terminal:       term.IsTerminal(int(os.Stderr.Fd())),
		OpenBrowser:    openBrowser,
		DropPrivileges: dropPrivileges,
	}
}

// readsUTF8 reports whether the locale says that text is UTF-8 (POSIX.1-2017,
// Base Definitions, section 8.2: the first of these that is set counts). Windows
// has no such variables and reads it.
func readsUTF8(getenv func(string) string) bool {
	if runtime.GOOS == "windows" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToUpper(getenv(name)); locale != "" {
			return strings.Contains(locale, "UTF-8") || strings.Contains(locale, "UTF8")
		}
	}
	return false
}

// signals are those that end the measurement. A process that was started with
// SIGHUP ignored (nohup) goes on ignoring it.
func signals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// interruptible returns a context that the first signal ends; the second ends the
// process.
func (e *Env) interruptible(ctx context.Context) (_ context.Context, stop func()) {
	if len(e.Interrupt) == 0 { // which would be all that there are
		return ctx, func() {}
	}
	ctx, stop = signal.NotifyContext(ctx, e.Interrupt...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// output remembers that writing failed: cobra does not.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.Writer.Write(b)
	o.err = err
	return n, err
}

// Run runs the command line and returns the exit code.
func Run(ctx context.Context, env Env, args []string) int {
	out := &output{Writer: env.Out}
	env.Out = out
	root := newRoot(env)
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	if out.err != nil {
		err = writeError(out.err)
	}
	if err == nil {
		return exitOK
	}
	code, message := explain(err, command.CommandPath())
	if message != "" && compares(command) {
		code = ofComparison(code)
	}
	if message != "" {
		fmt.Fprintf(env.Err, "traceflow: %s\n", printable(message))
	}
	return code
}

func newRoot(env Env) *cobra.Command {
	root := newTrace(env)
	root.Use = "traceflow [flags] DEST..."
	version := root.Flags().BoolP("version", "V", false, "print the version")
	run := root.RunE
	root.RunE = func(c *cobra.Command, args []string) error {
		if *version {
			_, err := io.WriteString(env.Out, thisBuild().String())
			return err
		}
		return run(c, args)
	}
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		fmt.Fprintf(env.Out, "%s\n\n%s", c.Long, c.UsageString())
	})
	root.SetHelpCommand(&cobra.Command{
		Use: "help [COMMAND]", Hidden: true, Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if c, _, err := root.Find(args); err == nil {
				return c.Help()
			}
			return root.Help()
		},
	})
	trace := newTrace(env)
	root.AddCommand(trace, newShow(env), newSnapshot(env), newDiff(env), newMaint(env), newData(env), newDoctor(env), newCompletion(env), newVersion(env))
	for _, c := range everyCommand(root) {
		c.SilenceErrors, c.SilenceUsage = true, true
		c.SetOut(env.Out)
		c.SetErr(env.Err)
		c.Flags().BoolP("help", "h", false, "print this help")
		c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(flagError(err)) })
		completeFlags(c)
	}
	for _, c := range []*cobra.Command{root, trace} {
		setUsage(c, func(c *cobra.Command) string { return traceUsage(c, false) })
	}
	return root
}

// everyCommand returns a command and all below it.
func everyCommand(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		all = append(all, everyCommand(sub)...)
	}
	return all
}

// printable makes text safe to write to a terminal.
func printable(s string) string { return render.Printable(s) }
