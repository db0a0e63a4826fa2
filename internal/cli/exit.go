// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"syscall"

	"github.com/spf13/pflag"

	"traceflow/probe"
)

// The exit codes of a trace.
const (
	exitOK          = 0   // every destination was reached
	exitInternal    = 1   // something on this host failed
	exitUsage       = 2   // the command line makes no sense
	exitNotReached  = 3   // replies came, but none from the destination
	exitPermission  = 4   // not permitted
	exitResolve     = 5   // the name did not resolve
	exitNoReply     = 6   // no reply at all
	exitInterrupted = 130 // interrupted; what was known is written
)

// codeError is an exit code with nothing more to say: the result says it.
type codeError int

func (c codeError) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// usageError is a command line that makes no sense.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return &usageError{err}
}

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

func writeError(err error) error { return fmt.Errorf("write the result: %w", err) }

// flagError says what is wrong with a flag's value without the words of the
// package that could not parse it.
func flagError(err error) error {
	var value *pflag.InvalidValueError
	if !errors.As(err, &value) {
		return err
	}
	reason := errors.Unwrap(value)
	if number, ok := errors.AsType[*strconv.NumError](err); ok {
		kind := "a whole number"
		switch number.Func {
		case "ParseUint":
			kind = "a whole number from 0 up"
		case "ParseFloat":
			kind = "a number"
		}
		reason = fmt.Errorf("%q is not %s", value.GetValue(), kind)
		if errors.Is(err, strconv.ErrRange) {
			reason = fmt.Errorf("%s is beyond every limit", value.GetValue())
		}
	}
	return fmt.Errorf("--%s: %w", value.GetFlag().Name, reason)
}

// explain turns an error of a command, such as "traceflow data", into an exit code
// and one line that says what is wrong and what to do.
func explain(err error, command string) (int, string) {
	var code codeError
	var bad *usageError
	var wrongPlan *planError
	var dns *net.DNSError
	var family *familyError
	var op *probe.OpError
	var listen *listenError
	var file *fs.PathError
	switch {
	case errors.As(err, &code):
		return int(code), ""
	case errors.As(err, &wrongPlan):
		return exitUsage, err.Error()
	case errors.As(err, &bad):
		return exitUsage, err.Error() + " (see " + command + " --help)"
	case errors.As(err, &listen):
		return listen.code(), err.Error()
	case errors.Is(err, context.Canceled): // before the resolver's, which may wrap it
		return exitInterrupted, "interrupted"
	case errors.As(err, &family):
		return exitResolve, err.Error()
	case errors.As(err, &dns):
		reason := "check the spelling, or the resolver (see " + here().resolver + ")"
		if dns.IsNotFound {
			reason = "no such host; check the spelling"
		}
		return exitResolve, fmt.Sprintf("cannot resolve %q: %s", dns.Name, reason)
	case errors.Is(err, os.ErrPermission) && errors.As(err, &file):
		return exitPermission, err.Error() // whatever that takes, it is no raw socket
	case errors.Is(err, os.ErrPermission):
		return exitPermission, err.Error() + ": " + here().permit
	case errors.Is(err, errors.ErrUnsupported):
		return exitPermission, err.Error()
	case errors.As(err, &op) && (op.Op == "use interface" || op.Op == "use source address"):
		return exitUsage, err.Error() + " (see " + here().addresses + ")"
	}
	return exitInternal, advised(err)
}

// advised is what an error of this host's says, and what to do about it.
func advised(err error) string {
	switch {
	case errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH):
		return err.Error() + ": this host has no way there; look at " + here().routes + ", or choose another --interface, -4 or -6"
	case errors.Is(err, syscall.EMFILE):
		return err.Error() + ": raise ulimit -n, or follow fewer --paths"
	case errors.Is(err, syscall.EADDRINUSE):
		return err.Error() + ": choose another --srcport"
	}
	return err.Error()
}
