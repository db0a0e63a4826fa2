// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import "net/netip"

// PathMTU is the largest packet that gets through on one path.
type PathMTU struct {
	// Flow is the ID of the flow that it was measured with.
	Flow int
	// TTL is how far the packets went: to the destination, or to the last router
	// that answers.
	TTL uint8
	// Bytes is the largest packet that was answered, IP header included.
	Bytes int
	// Whole is true when nothing was found to be too big: Bytes is then what the
	// interface of this host can send, and the path may carry more.
	Whole bool
	// BlackHole is true when packets above Bytes vanish: nothing says that they
	// are too big.
	BlackHole bool
	// Limit is who limits it: the router that said so, and for a black hole the
	// last one that larger packets reach. Its LimitTTL is 0 where it is not known
	// how far it is.
	Limit    netip.Addr
	LimitTTL uint8
	// Sure is false when too little was answered to say whether larger packets
	// get through.
	Sure bool
}

// MTU returns what was measured on a path, and whether anything was.
func (t *Trace) MTU(path int) (PathMTU, bool) {
	for _, m := range t.MTUs {
		for i := range t.Graph.Walks {
			if w := &t.Graph.Walks[i]; w.Flow.ID == m.Flow && w.Path == path {
				return m, true
			}
		}
	}
	return PathMTU{}, false
}
