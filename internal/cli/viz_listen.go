// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// listenError is that the page cannot be where it was to be.
type listenError struct {
	at  *bindAddress
	err error
}

func (e *listenError) Unwrap() error { return e.err }

// What Windows says instead of EADDRINUSE and EADDRNOTAVAIL (winerror.h). Elsewhere
// there are no errors of these numbers.
const (
	wsaAddressInUse        = syscall.Errno(10048)
	wsaAddressNotAvailable = syscall.Errno(10049)
)

func (e *listenError) inUse() bool {
	return errors.Is(e.err, syscall.EADDRINUSE) || errors.Is(e.err, wsaAddressInUse)
}

func (e *listenError) notHere() bool {
	return errors.Is(e.err, syscall.EADDRNOTAVAIL) || errors.Is(e.err, wsaAddressNotAvailable)
}

// Error says what is wrong and what to do.
func (e *listenError) Error() string {
	switch {
	case e.inUse() && e.at.port == 0:
		return fmt.Sprintf("--bind %s: all ports from %d to %d are in use; give another, as in --bind %s", e.at, firstPagePort, lastPagePort, e.at.on(lastPagePort+1))
	case e.inUse():
		return fmt.Sprintf("--bind %s: the port is in use; give another, or none for the first that is free from %d on", e.at, firstPagePort)
	case e.notHere():
		return fmt.Sprintf("--bind %s: no interface of this host has that address (see %s)", e.at, here().addresses)
	case errors.Is(e.err, os.ErrPermission):
		return fmt.Sprintf("--bind %s: %v; give a port from 1024 up", e.at, errors.Unwrap(e.err))
	}
	return fmt.Sprintf("--bind %s: %v", e.at, e.err)
}

// code is the exit code.
func (e *listenError) code() int {
	switch {
	case e.notHere():
		return exitUsage
	case errors.Is(e.err, os.ErrPermission):
		return exitPermission
	}
	return exitInternal
}
