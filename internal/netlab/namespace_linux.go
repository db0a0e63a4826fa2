// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// threadNamespace is the network namespace of the calling thread;
// /proc/self/ns/net would be the main thread's.
const threadNamespace = "/proc/thread-self/ns/net"

// errEnded is what a caller of inNamespace gets when fn ended its goroutine,
// as t.FailNow does.
var errEnded = errors.New("function ended its goroutine")

// openNamespace returns a file that keeps the thread's network namespace.
func openNamespace() (*os.File, error) {
	return os.OpenFile(threadNamespace, os.O_RDONLY, 0)
}

// setNamespace moves the calling thread, which must be locked.
func setNamespace(ns *os.File) error {
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return os.NewSyscallError("setns", err)
	}
	return nil
}

// thread runs fn on a locked thread, which ends afterwards unless fn says that
// it is as it was before. It is never the main thread: that one cannot end, and
// would keep what fn left it with.
func thread(fn func(restored *bool) error) error {
	done := make(chan error, 1) // one value, sent even if nobody waits
	go func() {
		err, restored := errEnded, false
		defer func() {
			if restored {
				runtime.UnlockOSThread()
			}
			done <- err
		}()
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// While this one is locked, the next goroutine gets another.
			restored = true
			err = thread(fn)
			return
		}
		err = fn(&restored)
	}()
	return <-done
}

// onThread runs fn on a locked thread that fn may move between network
// namespaces, and moves it back.
func onThread(fn func() error) error {
	return thread(func(restored *bool) error {
		home, err := openNamespace()
		if err != nil {
			*restored = true
			return err
		}
		defer home.Close()
		defer func() { *restored = setNamespace(home) == nil }()
		return fn()
	})
}

// inNamespace runs fn on a locked thread inside ns.
func inNamespace(ns *os.File, fn func() error) error {
	return onThread(func() error {
		if err := setNamespace(ns); err != nil {
			return err
		}
		return fn()
	})
}

// newNamespace moves the calling thread, which must be locked, into a new
// network namespace and returns the file that keeps it.
func newNamespace() (*os.File, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", os.NewSyscallError("unshare", err))
	}
	return openNamespace()
}
