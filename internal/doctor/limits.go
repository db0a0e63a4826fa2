// SPDX-License-Identifier: BSD-3-Clause

package doctor

import (
	"fmt"

	"traceflow/probe"
)

// limitFacts are how many files this process may have open.
type limitFacts struct {
	known bool
	files uint64 // RLIMIT_NOFILE, to which the Go runtime raised itself
}

// moreFiles lets a shell, and what it starts, open more files.
const moreFiles = "sudo prlimit --pid $$ --nofile=65536"

// Files that traceflow opens beside the sockets of flows, roughly, and the flows
// that a search for every path seldom exceeds.
const (
	otherFiles = 16
	manyFlows  = 1000
)

func (f limitFacts) checks(wires *wireFacts) []Check {
	if !f.known {
		return []Check{onlyOn("Linux", "open files")}
	}
	c := Check{Subject: "open files", Verdict: OK}
	flows := uint64(0)
	if f.files > otherFiles {
		flows = f.files - otherFiles
	}
	switch {
	case wires.best(false) == probe.KindRaw || wires.best(true) == probe.KindRaw:
		c.Finding = fmt.Sprintf("%d may be open; raw sockets serve all flows", f.files)
	case flows >= manyFlows:
		c.Finding = fmt.Sprintf("%d may be open, a socket for each of so many flows", f.files)
	default:
		c.Verdict = Limited
		c.Finding = fmt.Sprintf("%d may be open: without raw sockets, which take one for all, no more than about %d flows", f.files, flows)
		c.Mend = moreFiles
	}
	return []Check{c}
}
