// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"net/netip"
	"slices"

	"traceflow"
)

// maxAddresses bounds what is looked up for one trace: routers may name any
// number of interfaces.
const maxAddresses = 1 << 14

// Addresses returns every address that a trace tells of, each once and in order:
// both ends, who answered, who answered probes of other kinds, what NATs
// translate to, what limits the MTU, where routes changed, and interfaces that
// routers name.
func Addresses(t *traceflow.Trace) []netip.Addr {
	var all []netip.Addr
	add := func(addresses ...netip.Addr) {
		for _, a := range addresses {
			if a.IsValid() && len(all) < maxAddresses {
				all = append(all, a)
			}
		}
	}
	add(t.VantagePoint.Address, t.Destination.Address)
	for i := range t.Graph.Nodes {
		add(t.Graph.Nodes[i].Address)
	}
	if t.Finish != nil {
		for i := range t.Finish.Exchanges {
			add(t.Finish.Exchanges[i].Reply.Address)
		}
	}
	for _, m := range t.MTUs {
		add(m.Limit)
	}
	for _, c := range t.Changes {
		add(c.Before, c.After)
	}
	found := t.Findings()
	for _, x := range found.NATs {
		add(x.Source.Addr())
	}
	for _, x := range found.Interfaces {
		add(x.Interface.Address)
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}
