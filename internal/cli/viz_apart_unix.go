// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package cli

import (
	"os/exec"
	"syscall"
)

// apart has a command run in a session of its own: Ctrl-C is for us, not for the
// browser, and so is the terminal.
func apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
