// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

func readRights(executable string) *rightsFacts {
	f := &rightsFacts{known: true, uid: os.Geteuid()}
	has := func(set *cap.Set, flag cap.Flag) bool {
		on, err := set.GetFlag(flag, cap.NET_RAW)
		return err == nil && on
	}
	process := cap.GetProc()
	f.effective, f.permitted = has(process, cap.Effective), has(process, cap.Permitted)
	bounding, err := cap.GetBound(cap.NET_RAW)
	f.bounding = err == nil && bounding
	on, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	f.noNewPrivs = err == nil && on == 1
	if set, err := cap.GetFile(executable); err == nil {
		f.file = has(set, cap.Permitted)
	}
	var mount unix.Statfs_t
	if unix.Statfs(executable, &mount) == nil {
		f.noSuid = mount.Flags&unix.MS_NOSUID != 0 // ST_NOSUID has the same value
	}
	if unix.Statfs("/proc/sys", &mount) == nil {
		f.fixed = mount.Flags&unix.MS_RDONLY != 0
	}
	root := os.DirFS("/")
	f.seccomp = strings.Contains(readLine(root, "proc/self/status"), "Seccomp: 2")
	f.namespace = readLine(root, "proc/self/uid_map") != "0 0 4294967295"
	// Of version 2, "0::/system.slice/traceflow.service".
	if unit := path.Base(readLine(root, "proc/self/cgroup")); strings.HasSuffix(unit, ".service") && !strings.HasPrefix(unit, "user@") {
		f.service = unit
	}
	f.runtime = findRuntime(root, os.Getenv)
	return f
}
