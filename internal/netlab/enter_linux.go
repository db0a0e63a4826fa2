// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// marker is set in the environment of a process started by Enter.
const marker = "TRACEFLOW_NETLAB_INSIDE"

// Enter makes sure that the process may build networks and cannot touch the
// host's. The first time it runs the whole program again, with the same
// arguments, in a network namespace of its own (and, without CAP_SYS_ADMIN,
// CAP_NET_ADMIN and CAP_NET_RAW, in a user namespace in which it has all
// three), waits for its end, and returns false and its exit status: the caller
// should exit with it. In that second process it returns true, and the caller
// goes on.
//
// The error wraps os.ErrPermission, and says which right is missing, where
// namespaces are not permitted.
func Enter() (inside bool, status int, err error) {
	if os.Getenv(marker) != "" {
		return true, 0, tryNamespace()
	}
	rights, err := hasRights()
	if err != nil {
		return false, 0, err
	}
	program, err := os.Executable()
	if err != nil {
		return false, 0, err
	}
	cmd := exec.Command(program, os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), marker+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = namespaceAttributes(rights)
	// The parent's death signal is bound to the thread that forked.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = runForwarding(cmd)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return false, ExitStatus(exit), nil
	}
	if err != nil {
		return false, 0, missingRight(err)
	}
	return false, 0, nil
}

// namespaceAttributes asks for a network namespace, and without rights for a
// user namespace in which the user is root.
func namespaceAttributes(rights bool) *sysProcAttr {
	attr := &sysProcAttr{Pdeathsig: unix.SIGKILL, Cloneflags: unix.CLONE_NEWNET}
	if !rights {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []sysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []sysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

// tryNamespace makes and forgets a network namespace: some systems let a
// process into a user namespace and give it no rights there.
func tryNamespace() error {
	err := onThread(func() error {
		ns, err := newNamespace()
		if err != nil {
			return err
		}
		return ns.Close()
	})
	if err != nil {
		return missingRight(err)
	}
	return nil
}

// missingRight explains an error of making namespaces.
func missingRight(err error) error {
	const needs = "kernel lab: needs CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW, or user namespaces"
	reason := ""
	switch {
	case errors.Is(err, unix.ENOSPC):
		reason = "more are forbidden by the sysctls user.max_user_namespaces and user.max_net_namespaces"
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		reason = "they may be forbidden by the sysctls kernel.unprivileged_userns_clone and " +
			"kernel.apparmor_restrict_unprivileged_userns, or by a container"
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		reason = "this kernel has none"
	default:
		return err
	}
	return &rightsError{fmt.Sprintf("%s; %s", needs, reason), err}
}

// rightsError says which right is missing.
type rightsError struct {
	text string
	err  error
}

func (e *rightsError) Error() string { return fmt.Sprintf("%s: %v", e.text, e.err) }

func (e *rightsError) Unwrap() []error { return []error{os.ErrPermission, e.err} }

// ExitStatus is the status of an ended command as a shell reports it: 128 and
// more for a signal.
func ExitStatus(e *exec.ExitError) int {
	if wait, ok := e.Sys().(waitStatus); ok && wait.Signaled() {
		return 128 + int(wait.Signal())
	}
	return e.ExitCode()
}
