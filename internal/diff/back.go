// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"

	"traceflow"
)

// returns are how many hops replies have come back: their own TTL tells. A start at
// 255 in place of 64 is another system, and no other way.
var returns = sign[int]{
	kind: ReturnPath,
	read: func(_ *traceflow.Walk, r *traceflow.Reply) (int, bool) {
		return traceflow.ReturnDistance(r.TTL), r.TTL > 0
	},
	say: func(hops int) string { return fmt.Sprintf("%d hops back", hops) },
}

func (p *pair) findReturn() { returns.find(p) }
