// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"cmp"
	"slices"

	"traceflow"
)

// number orders one flow's exchanges by TTL and time, and numbers the attempts
// at each TTL through: a probe that was asked for again is one more attempt.
func number(exchanges []traceflow.Exchange) []traceflow.Exchange {
	slices.SortStableFunc(exchanges, func(a, b traceflow.Exchange) int {
		return cmp.Or(cmp.Compare(a.TTL, b.TTL), a.Sent.Compare(b.Sent))
	})
	for i := range exchanges {
		exchanges[i].Attempt = 1
		if i > 0 && exchanges[i].TTL == exchanges[i-1].TTL {
			exchanges[i].Attempt = exchanges[i-1].Attempt + 1
		}
	}
	return exchanges
}

// numberFlows does so for several flows, whose exchanges it puts one after the
// other.
func numberFlows(exchanges []traceflow.Exchange) []traceflow.Exchange {
	slices.SortStableFunc(exchanges, func(a, b traceflow.Exchange) int { return cmp.Compare(a.Flow, b.Flow) })
	for from := 0; from < len(exchanges); {
		to := from + 1
		for to < len(exchanges) && exchanges[to].Flow == exchanges[from].Flow {
			to++
		}
		number(exchanges[from:to])
		from = to
	}
	return exchanges
}
