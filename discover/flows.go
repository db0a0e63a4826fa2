// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"math/rand/v2"

	"traceflow"
)

// FlowMapper returns the flow of an index, from 0, and whether there is one:
// the order in which a discovery uses flows. The flow's ID is the index + 1.
type FlowMapper func(index int) (traceflow.Flow, bool)

// RandomPorts maps indices to a permutation of the source ports from base + 1
// to 65535 that follows from the seed, as far as it is needed. Consecutive
// ports would break the bounds: many routers hash with CRCs and XORs, under
// which the ports base + i are anything but independent draws.
func RandomPorts(flow traceflow.Flow, base uint16, seed uint64) FlowMapper {
	size := 65535 - int(base)
	// A sparse Fisher-Yates shuffle: only the places that were touched.
	moved := make(map[int]int)
	at := func(i int) int {
		if v, ok := moved[i]; ok {
			return v
		}
		return i
	}
	random := rand.New(rand.NewPCG(seed, 0x7472616365666c6f)) // "traceflo"
	var drawn []int
	return func(index int) (traceflow.Flow, bool) {
		if index >= size {
			return traceflow.Flow{}, false
		}
		for len(drawn) <= index {
			i := len(drawn)
			j := i + random.IntN(size-i)
			v := at(j)
			moved[j] = at(i)
			drawn = append(drawn, v)
		}
		f := flow
		f.ID = index + 1
		f.SourcePort = base + 1 + uint16(drawn[index])
		return f, true
	}
}
