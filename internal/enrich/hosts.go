// SPDX-License-Identifier: BSD-3-Clause

package enrich

import (
	"net/netip"

	"traceflow"
)

// Hosts are names that somebody has written down, such as those of the nodes of
// a network in memory.
type Hosts struct {
	set   traceflow.DataSet
	names map[netip.Addr]string
	used  bool
}

// NewHosts makes a data set of names, which must not change from then on.
func NewHosts(set traceflow.DataSet, names map[netip.Addr]string) *Hosts {
	return &Hosts{set: set, names: names}
}

// Annotate implements Lookup.
func (h *Hosts) Annotate(a netip.Addr, out *traceflow.Annotation) {
	if name := h.names[a]; name != "" && out.Hostname.Name == "" {
		out.Hostname, h.used = traceflow.Hostname{Name: name, Source: h.set.Name}, true
	}
}

// DataSets implements Lookup.
func (h *Hosts) DataSets() []traceflow.DataSet {
	if !h.used {
		return nil
	}
	return []traceflow.DataSet{h.set}
}
