// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// holder is who, or where, a station is taken to be of. The zero value is nobody
// known.
type holder struct {
	id   string // the same in every drawing; safe in an address
	name string
}

// holderOf says of which AS or in which city a node is, as the node itself says
// it: on a peering LAN that is the member whose port it is, or the exchange point
// where nobody knows the member. Silent hops are of nobody here, even those that
// stand on somebody's ground: holders knows what is on both sides.
func holderOf(n *Node, by Grouping) holder {
	place := strings.TrimSpace(n.City + " " + n.Country)
	switch {
	case n.Kind == Silent:
	case by == ByCity && n.City != "":
		return holder{"city-" + digest(place), place}
	case by == ByCity:
	case n.ASN != 0:
		return holder{fmt.Sprintf("as%d", n.ASN), owner(n)}
	case n.IXP != "":
		return holder{"ix-" + digest(n.IXP), n.IXP}
	}
	return holder{}
}

// digest makes an ID of a name, which may hold anything.
func digest(name string) string {
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%x", sum[:6])
}

// holders says whose the nodes of a path are, by the rules of
// traceflow.Trace.Borders: packets are with one owner until they meet another, so
// that what answers nothing, or is in no table, belongs to an owner who is on both
// sides of it, and to nobody otherwise; and a single address of another AS between
// two of one AS is that of a third party, and no border. Cities have no third
// parties: packets do come back to where they were.
func holders(nodes []*Node, by Grouping) []holder {
	out := make([]holder, len(nodes))
	var known []int
	for i, n := range nodes {
		if out[i] = holderOf(n, by); out[i] != (holder{}) {
			known = append(known, i)
		}
	}
	if by == ByAS {
		known = withoutThirdParties(out, known)
	}
	for k := 1; k < len(known); k++ {
		a, b := known[k-1], known[k]
		if out[a] != out[b] {
			continue
		}
		for i := a + 1; i < b; i++ {
			out[i] = out[a]
		}
	}
	return out
}

// withoutThirdParties makes third parties nobody's, and returns whom is still
// known. Source and destination, the first and the last that are known, are none.
func withoutThirdParties(of []holder, known []int) []int {
	var out []int
	for k, i := range known {
		if k > 0 && k+1 < len(known) {
			before, after := of[known[k-1]], of[known[k+1]]
			if before == after && before != of[i] {
				of[i] = holder{}
				continue
			}
		}
		out = append(out, i)
	}
	return out
}
