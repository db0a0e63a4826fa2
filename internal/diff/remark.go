// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"

	"traceflow"
)

// findRemarks compares the marks that quotes show. Congestion that a router has
// marked (ECN 3) is the network's own.
func (p *pair) findRemarks() {
	p.findStates(Remarked, func(w *traceflow.Walk, r *traceflow.Reply) (string, bool) {
		tos := r.QuotedTOS
		if sent := w.Flow.TOS & 3; tos&3 == 3 && (sent == 1 || sent == 2) {
			tos = tos&^3 | sent
		}
		return fmt.Sprintf("DSCP %d, ECN %d", tos>>2, tos&3), r.HeaderQuoted && r.Kind.Quotes()
	})
}
