// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"fmt"

	"traceflow"
)

// findReturn looks for replies of the same node to the same flow that come
// another way back: their own TTL tells how many hops that has. A start at 255 in
// place of 64 is another system, and no other way.
func (p *pair) findReturn() {
	p.findStates(ReturnPath, func(_ *traceflow.Walk, r *traceflow.Reply) (string, bool) {
		return fmt.Sprintf("%d hops back", traceflow.ReturnDistance(r.TTL)), r.TTL > 0
	})
}
