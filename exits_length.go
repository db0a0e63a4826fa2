// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"net/netip"
	"slices"
)

// asTail are the ASes behind a way out, from its first hop to the end of the
// path.
type asTail struct {
	asns []uint32
	// at has for each hop the index of its AS, or -1 where nobody knows it.
	at []int
	// lone is true for an AS of which one address is all there is, but for the
	// one of the destination, and where a port or the user's own table says it.
	lone []bool
}

// tail reads the ASes behind a leaving. Hops of nobody between two of one AS are
// of that AS.
func (l *leaving) tail() asTail {
	r := l.way.hops
	var t asTail
	var in []uint32 // what the hops of the last AS have in common
	addresses := make(map[netip.Addr]bool)
	sure, silent := false, 0
	end := func() {
		if n := len(t.lone); n > 0 {
			t.lone[n-1] = len(addresses) < 2 && !sure
		}
	}
	for i := l.far; i < len(r); i++ {
		h := &r[i]
		asns := h.asns
		if h.onLAN() && len(asns) == 0 {
			asns = r.member(i)
		}
		if len(asns) == 0 {
			t.at = append(t.at, -1)
			silent++
			continue
		}
		if common := shared(in, asns); len(common) > 0 {
			in = common
			t.asns[len(t.asns)-1] = in[0]
			for back := 1; back <= silent; back++ {
				t.at[len(t.at)-back] = len(t.asns) - 1
			}
		} else {
			end()
			in = asns
			t.asns, t.lone = append(t.asns, in[0]), append(t.lone, false)
			sure = false
			clear(addresses)
		}
		addresses[h.address] = true
		sure = sure || h.own || h.port.Member != 0
		t.at, silent = append(t.at, len(t.asns)-1), 0
	}
	sure = sure || l.way.path.Reached
	end()
	return t
}

// upTo returns how many ASes there are up to a hop, counted from the first, and
// 0 where that is not known.
func (t *asTail) upTo(hop int) int {
	if slices.Contains(t.at[:hop+1], -1) {
		return 0
	}
	return t.at[hop] + 1
}

// whole reports whether all ASes to the destination are known.
func (t *asTail) whole(l *leaving) bool {
	return l.way.path.Reached && !slices.Contains(t.at, -1)
}

// lengths compares the AS paths of all leavings up to where they meet again, or
// to the destination: behind it they are one. Evidence is whether they are equal,
// and whether an AS that counts may be none.
func (c *exitCandidate) lengths(tails []asTail) []ExitEvidence {
	meet := c.meet()
	if meet == nil {
		return []ExitEvidence{EvidenceUnknownLengths}
	}
	length, lone, equal := 0, false, true
	for i := range tails {
		n := tails[i].upTo(meet[i])
		if n == 0 {
			return []ExitEvidence{EvidenceUnknownLengths}
		}
		equal = equal && (i == 0 || n == length)
		length = n
		lone = lone || slices.Contains(tails[i].lone[:n], true)
	}
	out := []ExitEvidence{EvidenceEqualLengths}
	if !equal {
		out[0] = EvidenceUnequalLengths
	}
	if lone {
		out = append(out, EvidenceLoneAddress)
	}
	return out
}

// meet returns where all leavings meet again, by how many hops that is behind
// the first one of each; nil if they were not seen to.
func (c *exitCandidate) meet() []int {
	first := &c.leavings[0]
	for _, h := range first.way.hops[first.far:] {
		out := make([]int, len(c.leavings))
		for i := range c.leavings {
			l := &c.leavings[i]
			out[i] = slices.IndexFunc(l.way.hops[l.far:], func(o owned) bool { return h.address.IsValid() && o.address == h.address })
		}
		if slices.Min(out) >= 0 {
			return out
		}
	}
	return nil
}
