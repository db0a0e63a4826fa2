// SPDX-License-Identifier: BSD-3-Clause

//go:build !linux && !darwin && !freebsd && !openbsd && !windows

package probe

import "runtime"

// Open reports that there is no wire for this system yet.
func Open(kind Kind, _ Options) (Wire, Capabilities, error) {
	return nil, Capabilities{}, &UnsupportedError{Feature: "wire " + string(kind) + " on " + runtime.GOOS, Need: "Linux, macOS, FreeBSD, OpenBSD or Windows"}
}

// DropPrivileges does nothing: there are no capabilities to give up.
func DropPrivileges() error { return nil }

func bindToInterface(_ uintptr, name string) error {
	return &UnsupportedError{Feature: "interface " + name + " on " + runtime.GOOS, Need: "Linux, macOS, FreeBSD, OpenBSD or Windows"}
}
