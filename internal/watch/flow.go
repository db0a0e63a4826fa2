// SPDX-License-Identifier: BSD-3-Clause

package watch

import (
	"net/netip"
	"slices"

	"traceflow"
)

// flow is one that takes turns on a path.
type flow struct {
	traceflow.Flow
	walk *traceflow.Walk
	path *path
	// strange are the TTLs where another than the path's node answered last.
	strange map[uint8]*stranger
}

// stranger is another address than the path's at a TTL of a flow.
type stranger struct {
	address netip.Addr
	times   int // in a row
}

// confirmations is how often in a row a flow has to meet another address
// before its route is said to have changed: one may be a packet that took
// another way for once.
const confirmations = 2

func (f *flow) varied(ttl uint8) bool { return slices.Contains(f.walk.Varied, ttl) }

// was reports whether the flow itself has met its path's node at a TTL, and not
// only by inference. Who was not there cannot leave.
func (f *flow) was(ttl uint8) bool {
	i := int(ttl) - int(f.walk.First)
	return i >= 0 && i < len(f.walk.Hops) && f.walk.Hops[i].Kind.Answered()
}

// meets reports who answered in place of the path's node, if somebody did.
func (f *flow) meets(s *spot, r *traceflow.Reply) (other netip.Addr, strange bool) {
	if r.Kind == traceflow.NoReply || s.anyone || !s.who.IsValid() {
		return netip.Addr{}, false
	}
	if got := f.shown(r.Address); got != s.who.Address && !f.refused(r) {
		return got, true
	}
	return netip.Addr{}, false
}

// shown is an address as the graph shows it.
func (f *flow) shown(a netip.Addr) netip.Addr {
	return f.walk.Responder(&traceflow.Reply{Address: a}).Address
}

// refused reports whether a reply says that a packet was not let through to a
// destination that was reached before: it is lost.
func (f *flow) refused(r *traceflow.Reply) bool {
	return r.Kind.Ends() && f.path.stats.Reached && f.shown(r.Address) != f.shown(f.Destination)
}

// doubts reports whether the flow has met a stranger at a TTL, but not often
// enough.
func (f *flow) doubts(ttl uint8) bool {
	s := f.strange[ttl]
	return s != nil && s.times < confirmations
}

func (f *flow) doubtful() bool {
	for ttl := range f.strange {
		if f.doubts(ttl) {
			return true
		}
	}
	return false
}

// strays notes that another than the path's node answered, and reports whether
// that makes a change of the route.
func (f *flow) strays(s *spot, other netip.Addr) (changed bool) {
	known := f.strange[s.ttl]
	if known == nil || known.address != other {
		known = &stranger{address: other}
		f.strange[s.ttl] = known
	}
	known.times++
	return known.times == confirmations
}

// returns notes that the path's own node answered, and reports whether the flow
// had left it.
func (f *flow) returns(s *spot) bool {
	known := f.strange[s.ttl]
	delete(f.strange, s.ttl)
	return known != nil && known.times >= confirmations
}
