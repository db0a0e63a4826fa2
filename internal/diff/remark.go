// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"

	"traceflow"
)

// marks are the TOS bytes that quotes show. Congestion that a router has marked
// (ECN 3) is the network's own.
var marks = sign[uint8]{
	kind: Remarked,
	read: func(w *traceflow.Walk, r *traceflow.Reply) (uint8, bool) {
		tos := r.QuotedTOS
		if sent := w.Flow.TOS & 3; tos&3 == 3 && (sent == 1 || sent == 2) {
			tos = tos&^3 | sent
		}
		return tos, r.HeaderQuoted && r.Kind.Quotes()
	},
	say: func(tos uint8) string { return fmt.Sprintf("DSCP %d, ECN %d", tos>>2, tos&3) },
}

func (p *pair) findRemarks() { marks.find(p) }
