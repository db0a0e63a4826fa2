// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package netlab

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// unprivilegedID is "nobody": the user and group of unprivileged commands
// started by the real root.
const unprivilegedID = 65534

// noPrivilegedRoot are the secure bits (linux/securebits.h) by which user 0
// gains nothing from running a program: NOROOT, NO_CAP_AMBIENT_RAISE, and the
// lock of each.
const noPrivilegedRoot = 1<<0 | 1<<1 | 1<<6 | 1<<7

// hasRights reports whether the process can make network namespaces and
// configure them.
func hasRights() (bool, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false, os.NewSyscallError("capget", err)
	}
	const need = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW
	return data[0].Effective&need == need, nil
}

// dropRights leaves the calling thread, which must be locked and must end with
// its goroutine, without any capability or way to get one: not even root's
// programs have privileges then. User and group become nobody where that user
// exists; in a user namespace with one user they stay.
func dropRights() error {
	for c := 0; ; c++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0)
		if err == unix.EINVAL { // past the kernel's last capability
			break
		}
		if err != nil {
			return fmt.Errorf("drop capability %d: %w", c, os.NewSyscallError("prctl", err))
		}
	}
	if err := unix.Prctl(unix.PR_SET_SECUREBITS, noPrivilegedRoot, 0, 0, 0); err != nil {
		return fmt.Errorf("set secure bits: %w", os.NewSyscallError("prctl", err))
	}
	if mapped(unprivilegedID) {
		if err := changeUser(unprivilegedID); err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("clear ambient capabilities: %w", os.NewSyscallError("prctl", err))
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return os.NewSyscallError("capset", err)
	}
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
}

// changeUser changes the calling thread only, which unix.Setresuid would not.
func changeUser(id uintptr) error {
	if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); errno != 0 {
		return os.NewSyscallError("setgroups", errno)
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, id, id, id); errno != 0 {
		return os.NewSyscallError("setresgid", errno)
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, id, id, id); errno != 0 {
		return os.NewSyscallError("setresuid", errno)
	}
	return nil
}

// mapped reports whether the user and group exist in the user namespace.
func mapped(id uint32) bool {
	return !slices.ContainsFunc([]string{"/proc/self/uid_map", "/proc/self/gid_map"}, func(file string) bool {
		text, err := os.ReadFile(file)
		if err != nil {
			return true
		}
		for line := range strings.Lines(string(text)) {
			var first, outside, count uint32
			if _, err := fmt.Sscan(line, &first, &outside, &count); err == nil && id >= first && id-first < count {
				return false
			}
		}
		return true
	})
}
