// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// The names of package syscall that os/exec needs.
type (
	sysProcAttr  = syscall.SysProcAttr
	sysProcIDMap = syscall.SysProcIDMap
	waitStatus   = syscall.WaitStatus
)

// Command prepares a program for the vantage point: the addresses of the
// network are $DST, $DST6, $SRC and $SRC6 in its environment, and {dst},
// {dst6}, {src} and {src6} are replaced in its arguments. Start it with Start,
// Run or RunUnprivileged; by its own methods it would run outside.
func (l *Lab) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	var env, replace []string
	for _, v := range []struct {
		variable, place string
		address         netip.Addr
	}{
		{"DST", "{dst}", l.Destination4()},
		{"DST6", "{dst6}", l.Destination6()},
		{"SRC", "{src}", l.Source4()},
		{"SRC6", "{src6}", l.Source6()},
	} {
		if v.address.IsValid() {
			env = append(env, v.variable+"="+v.address.String())
			replace = append(replace, v.place, v.address.String())
		}
	}
	places := strings.NewReplacer(replace...)
	args = slices.Clone(args)
	for i := range args {
		args[i] = places.Replace(args[i])
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, marker+"=") })
	cmd.Env = append(append(cmd.Env, env...), nodesVariable+"="+l.nodes())
	return cmd
}

// Start starts the command in the vantage point's namespace; its Wait may be
// called anywhere.
func (l *Lab) Start(cmd *exec.Cmd) error { return l.Do(cmd.Start) }

// Run runs the command in the vantage point's namespace to its end. Signals
// that ask this process to end are left to the command.
func (l *Lab) Run(cmd *exec.Cmd) error {
	return l.Do(func() error {
		dieWithParent(cmd)
		return runForwarding(cmd)
	})
}

// RunUnprivileged is Run without any capability, and with no way to get one
// (no_new_privs). The real root becomes nobody, who must be able to read the
// program; in a user namespace the user stays.
func (l *Lab) RunUnprivileged(cmd *exec.Cmd) error {
	return thread(func(*bool) error {
		if err := setNamespace(l.namespaces[l.t.Source]); err != nil {
			return err
		}
		if err := dropRights(); err != nil {
			return err
		}
		dieWithParent(cmd)
		return runForwarding(cmd)
	})
}

// dieWithParent has the kernel end the command with the thread that starts it.
func dieWithParent(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &sysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = unix.SIGKILL
}

// runForwarding runs the command and passes on the signals that ask to end. An
// interrupt from the keyboard has reached the command already.
func runForwarding(cmd *exec.Cmd) error {
	signals := make(chan os.Signal, 4) // a few may come before the command runs
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	forwarded := make(chan struct{})
	go func() {
		defer close(forwarded)
		for {
			select {
			case s := <-signals:
				if s != unix.SIGINT || !foreground() {
					_ = cmd.Process.Signal(s)
				}
			case <-ended:
				return
			}
		}
	}()
	err := cmd.Wait()
	close(ended)
	<-forwarded
	return err
}

// foreground reports whether the keyboard's signals come to this process's
// group.
func foreground() bool {
	terminal, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(terminal)
	group, err := unix.IoctlGetInt(terminal, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
