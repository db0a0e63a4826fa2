// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"net/netip"

	"traceflow"
)

// flowsOf counts the flows of a trace, and the addresses that they went to if it is
// not one alone.
func flowsOf(t *traceflow.Trace) string {
	text := Count(len(t.Flows), "flow")
	to := make(map[netip.Addr]bool)
	for i := range t.Flows {
		to[t.Flows[i].Destination] = true
	}
	if len(to) < 2 {
		return text
	}
	text += fmt.Sprintf(" to %s", Count(len(to), "address"))
	if p := block(t.Destination.Address); p.IsValid() {
		for a := range to {
			if !p.Contains(a) {
				return text
			}
		}
		text += " of " + p.String()
	}
	return text
}

// block is what flows to other addresses than the destination's stay in.
func block(a netip.Addr) netip.Prefix {
	if !a.IsValid() {
		return netip.Prefix{}
	}
	p, _ := a.WithZone("").Prefix(a.BitLen() - 8) // of an address that is valid
	return p
}

// toOther is where a flow goes, if that is not the trace's destination.
func toOther(t *traceflow.Trace, f *traceflow.Flow) string {
	if !f.Destination.IsValid() || f.Destination == t.Destination.Address {
		return ""
	}
	return f.Destination.String()
}
