// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"fmt"

	"traceflow"
)

// addFindings adds translators and tunnels.
func (d *describer) addFindings() {
	f := d.trace.Findings()
	for i := range f.NATs {
		d.addNAT(&f.NATs[i])
	}
	atTTL := make(map[int][]*Node)
	for i := range d.Nodes {
		if n := &d.Nodes[i]; n.Address != "" {
			atTTL[n.TTL] = append(atTTL[n.TTL], n)
		}
	}
	for i := range f.Tunnels {
		d.addTunnel(&f.Tunnels[i], atTTL)
	}
}

func (d *describer) addNAT(x *traceflow.Translation) {
	m := Mark{Kind: "nat", Certain: x.Evidence.Certain(), TTL: int(x.TTL)}
	m.Detail = "Address translation"
	if !m.Certain {
		m.Detail = "Perhaps address translation"
	}
	m.Detail += fmt.Sprintf(" before TTL %d, by %s", x.TTL, x.Evidence)
	if x.Source.IsValid() {
		m.Detail += fmt.Sprintf("; packets leave as %s", x.Source.Addr())
	}
	if x.After+1 == x.TTL && x.Before.IsValid() {
		m.After = fmt.Sprintf("%d/%s", x.After, x.Before)
	}
	d.Marks = append(d.Marks, m)
}

func (d *describer) addTunnel(x *traceflow.Tunnel, atTTL map[int][]*Node) {
	p := Pipe{Kind: string(x.Kind), Hidden: x.Hidden, Label: "MPLS", from: int(x.From), to: int(x.To)}
	switch {
	case x.Hidden > 0:
		p.Label = fmt.Sprintf("MPLS, about %d hidden", x.Hidden)
	case x.Kind != traceflow.ExplicitTunnel:
		p.Label = "MPLS, " + string(x.Kind)
	}
	p.Detail = fmt.Sprintf("%s MPLS tunnel, TTL %d", x.Kind, x.From)
	if x.To > x.From {
		p.Detail += fmt.Sprintf(" to %d", x.To)
	}
	p.Detail += fmt.Sprintf(", told by %s, %d flow", x.Evidence, x.Flows)
	if x.Flows != 1 {
		p.Detail += "s"
	}
	inside := make(map[string]bool, len(x.Addresses))
	for _, a := range x.Addresses {
		inside[a.String()] = true
	}
	for ttl := p.from; ttl <= p.to; ttl++ {
		for _, n := range atTTL[ttl] {
			if inside[n.Address] {
				p.Nodes = append(p.Nodes, n.ID)
			}
		}
	}
	if len(p.Nodes) > 0 {
		d.Pipes = append(d.Pipes, p)
	}
}
