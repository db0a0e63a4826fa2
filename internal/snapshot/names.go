// SPDX-License-Identifier: BSD-3-Clause

package snapshot

import (
	"net/netip"
	"slices"

	"traceflow"
)

// namesSource is the data set that names of addresses are from: reverse DNS, asked
// when all measuring was over.
const namesSource = "dns"

// Name says what addresses are called: in the manifest, and in the annotations of
// every pass that has no name of its own for them.
func (s *Snapshot) Name(names map[netip.Addr]string) {
	s.Manifest.Names = names
	if len(names) == 0 {
		return
	}
	for i := range s.Targets {
		for _, t := range s.Targets[i].Passes {
			name(t, names)
		}
	}
}

func name(t *traceflow.Trace, names map[netip.Addr]string) {
	known := t.Annotations
	for i := range known {
		if called := names[known[i].Address]; called != "" && known[i].Hostname.Name == "" {
			known[i].Hostname = traceflow.Hostname{Name: called, Source: namesSource}
		}
	}
	for i := range t.Graph.Nodes {
		address := t.Graph.Nodes[i].Address
		called := names[address]
		at, ok := slices.BinarySearchFunc(t.Annotations, address, func(a traceflow.Annotation, b netip.Addr) int { return a.Address.Compare(b) })
		if called != "" && !ok {
			t.Annotations = slices.Insert(t.Annotations, at, traceflow.Annotation{
				Address: address, Hostname: traceflow.Hostname{Name: called, Source: namesSource},
			})
		}
	}
}
