// SPDX-License-Identifier: BSD-3-Clause

package snapshot

import "traceflow"

// Noise is what differs between the passes of one snapshot, in which nothing was
// changed: flow by flow and TTL by TTL, silence left out.
type Noise struct {
	// Compared are the hops that answered in two passes one after the other, and
	// Differing those of them where somebody else did.
	Compared  int `json:"compared"`
	Differing int `json:"differing"`
	// Silent are the hops that answered in one of two passes only.
	Silent int `json:"silent"`
	// Flows are those that were compared, and Ends those of them that reached the
	// destination in one of two passes only.
	Flows int `json:"flows"`
	Ends  int `json:"ends"`
}

// Share is the part of the hops that differ, 0 to 1.
func (n Noise) Share() float64 {
	if n.Compared == 0 {
		return 0
	}
	return float64(n.Differing) / float64(n.Compared)
}

// Add sums up two.
func (n Noise) Add(other Noise) Noise {
	return Noise{
		Compared: n.Compared + other.Compared, Differing: n.Differing + other.Differing, Silent: n.Silent + other.Silent,
		Flows: n.Flows + other.Flows, Ends: n.Ends + other.Ends,
	}
}

// NoiseOf compares each pass with the one before it.
func NoiseOf(passes []*traceflow.Trace) Noise {
	var sum Noise
	for i := 1; i < len(passes); i++ {
		sum = sum.Add(Between(passes[i-1], passes[i]))
	}
	return sum
}

// Between compares two passes.
func Between(a, b *traceflow.Trace) Noise {
	before := make(map[traceflow.Flow]*traceflow.Walk, len(a.Graph.Walks))
	for i := range a.Graph.Walks {
		before[key(a.Graph.Walks[i].Flow)] = &a.Graph.Walks[i]
	}
	var n Noise
	for i := range b.Graph.Walks {
		after := &b.Graph.Walks[i]
		if was := before[key(after.Flow)]; was != nil {
			n.add(was, after)
		}
	}
	return n
}

// key is a flow without the number that it has in a trace.
func key(f traceflow.Flow) traceflow.Flow {
	f.ID = 0
	return f
}

// add compares a flow with itself.
func (n *Noise) add(was, is *traceflow.Walk) {
	n.Flows++
	if was.Reached() != is.Reached() {
		n.Ends++
	}
	for i := range min(len(was.Hops), len(is.Hops)) {
		x, y := &was.Hops[i], &is.Hops[i]
		switch {
		case x.Kind.Answered() && y.Kind.Answered():
			n.Compared++
			if x.Address != y.Address {
				n.Differing++
			}
		case x.Kind.Answered() || y.Kind.Answered():
			n.Silent++
		}
	}
}
