// SPDX-License-Identifier: BSD-3-Clause

package doctor

import "golang.org/x/sys/unix"

func readLimits() limitFacts {
	var l unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l)
	return limitFacts{known: err == nil, files: l.Cur}
}
