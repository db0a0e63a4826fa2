// SPDX-License-Identifier: BSD-3-Clause

//go:build freebsd || openbsd

package probe

import "runtime"

const kernelOrder = networkOrder

// openUnprivileged reports that there is no way: ICMP takes a raw socket here,
// and a raw socket takes root.
func openUnprivileged(Options) (Wire, Capabilities, error) {
	return nil, Capabilities{}, &UnsupportedError{Feature: "wire sockets on " + runtime.GOOS, Need: "Linux or macOS; here run as root"}
}

// bindToInterface reports that these systems have no such option (ip(4)): what
// chooses the interface is the route.
func bindToInterface(_ uintptr, name string) error {
	return &UnsupportedError{Feature: "choosing interface " + name + " on " + runtime.GOOS, Need: "Linux, macOS or Windows"}
}
