// SPDX-License-Identifier: BSD-3-Clause

package traceflow

// Span is the range of what several replies say.
type Span struct{ Min, Max int }

// add takes in one more; the first of n is n == 1.
func (s *Span) add(v, n int) {
	if n == 1 {
		*s = Span{v, v}
		return
	}
	s.Min, s.Max = min(s.Min, v), max(s.Max, v)
}

// Fingerprint is what the TTLs of a node's replies tell about it and about the
// way back.
type Fingerprint struct {
	Node string // Node.ID
	// InitialTTL is a guess at the TTL that the replies began with: 32, 64, 128
	// or 255. Systems differ in it.
	InitialTTL uint8
	// ReturnLength is the number of hops from the node back to the vantage
	// point, and Asymmetry that number less the node's TTL: 0 when both ways are
	// of one length. They vary where the way back is balanced.
	ReturnLength, Asymmetry Span
	// Replies with that initial TTL have been counted.
	Replies int
}

// Fingerprints returns one for each node whose replies' TTL was seen, in the
// order of Graph.Nodes.
func (t *Trace) Fingerprints() []Fingerprint {
	seen := fingerprints(t.tracks())
	var out []Fingerprint
	for i := range t.Graph.Nodes {
		n := &t.Graph.Nodes[i]
		if f := seen[place{int(n.TTL), n.Responder}]; f != nil {
			f.Node = n.ID
			out = append(out, *f)
		}
	}
	return out
}

// fingerprints reads the TTLs of all replies. Where a node's differ in what
// they began with, those that most began with count.
func fingerprints(tracks []track) map[place]*Fingerprint {
	byInitial := make(map[place]map[uint8]*Fingerprint)
	for i := range tracks {
		for _, s := range tracks[i].sights {
			if s.reply.TTL == 0 {
				continue
			}
			p := place{s.ttl, s.who}
			initial := InitialTTL(s.reply.TTL, s.ttl)
			if byInitial[p] == nil {
				byInitial[p] = make(map[uint8]*Fingerprint)
			}
			f := byInitial[p][initial]
			if f == nil {
				f = &Fingerprint{InitialTTL: initial}
				byInitial[p][initial] = f
			}
			f.Replies++
			length := int(initial) - int(s.reply.TTL) + 1
			f.ReturnLength.add(length, f.Replies)
			f.Asymmetry.add(length-s.ttl, f.Replies)
		}
	}
	out := make(map[place]*Fingerprint, len(byInitial))
	for p, all := range byInitial {
		for _, initial := range []uint8{255, 128, 64, 32} {
			if f := all[initial]; f != nil && (out[p] == nil || f.Replies > out[p].Replies) {
				out[p] = f
			}
		}
	}
	return out
}

// InitialTTL guesses what the TTL of a reply began with, from its TTL on
// arrival and how many hops away its sender is. That it is the next of 64, 128
// and 255 is wrong only for the few systems that begin with 32, which are known
// by a way back that would be much too long.
func InitialTTL(reply uint8, distance int) uint8 {
	switch {
	case reply > 128:
		return 255
	case reply > 64:
		return 128
	case reply <= 32 && abs(32-int(reply)+1-distance) < abs(64-int(reply)+1-distance):
		return 32
	}
	return 64
}
