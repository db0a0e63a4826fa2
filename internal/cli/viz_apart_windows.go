// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"os/exec"
	"syscall"
)

// apart has a command run in a group of its own: Ctrl-C is for us, not for the
// browser.
func apart(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
