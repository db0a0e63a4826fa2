// SPDX-License-Identifier: BSD-3-Clause

package picture

// addAgain joins nodes of one address at neighbouring TTLs of a path where the
// graph does not: a router answers at its own TTL, and refuses to forward at the
// next. That is no link, so the stroke, which says where the path goes on, is
// inferred.
func (d *describer) addAgain() {
	known := make(map[ends]bool)
	for i := range d.Links {
		known[ends{d.Links[i].From, d.Links[i].To}] = true
	}
	at := make(map[ends]int)
	for i := range d.Paths {
		p := &d.Paths[i]
		for j := 1; j < len(p.Nodes); j++ {
			link := ends{p.Nodes[j-1], p.Nodes[j]}
			a, b := d.node(link.from), d.node(link.to)
			if known[link] || a.Address == "" || a.Address != b.Address || a.TTL+1 != b.TTL {
				continue
			}
			k, ok := at[link]
			if !ok {
				k = len(d.Links)
				at[link] = k
				d.Links = append(d.Links, Link{From: link.from, To: link.to, Bundle: 1, Inferred: true})
			}
			d.Links[k].Flows += len(p.Flows)
			d.Links[k].Share += float64(len(p.Flows)) / float64(len(d.trace.Flows))
		}
	}
}
