// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"cmp"
	"net/netip"
	"slices"
)

// ToldInterface is an interface that a node has told about (RFC 5837).
type ToldInterface struct {
	// TTL and Address are the node's.
	TTL     uint8
	Address netip.Addr
	Interface
	Flows int // whose replies told
}

// findInterfaces lists every interface once for each node.
func findInterfaces(tracks []track) []ToldInterface {
	flows := make(map[ToldInterface]int)
	for i := range tracks {
		counted := make(map[ToldInterface]bool)
		for _, s := range tracks[i].sights {
			for _, x := range s.reply.Interfaces {
				told := ToldInterface{TTL: uint8(s.ttl), Address: s.who.Address, Interface: x}
				if x != (Interface{Role: x.Role}) && !counted[told] {
					counted[told] = true
					flows[told]++
				}
			}
		}
	}
	out := make([]ToldInterface, 0, len(flows))
	for told, n := range flows {
		told.Flows = n
		out = append(out, told)
	}
	slices.SortFunc(out, func(a, b ToldInterface) int {
		return cmp.Or(cmp.Compare(a.TTL, b.TTL), a.Address.Compare(b.Address), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Index, b.Index),
			cmp.Compare(a.Name, b.Name), a.Interface.Address.Compare(b.Interface.Address), cmp.Compare(a.MTU, b.MTU))
	})
	return out
}
