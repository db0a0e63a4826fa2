// SPDX-License-Identifier: BSD-3-Clause

package snapshot

import (
	"slices"

	"traceflow"
)

// Joined returns the passes of a target as one trace of some of its flows, which get
// the IDs that flows has for theirs: with the answers of all passes, so that what did
// not answer once is known from another time. It is nil if no pass has any of the
// flows.
//
// Where passes do not agree, a flow goes the way of the last one that reached the
// destination.
func (t *Target) Joined(flows map[int]int) *traceflow.Trace {
	var out *traceflow.Trace
	walks := make(map[int]traceflow.Walk)
	named := make(map[int]traceflow.Flow)
	for _, pass := range t.Passes {
		if out == nil || len(pass.Flows) >= len(out.Flows) {
			circumstances := *pass
			circumstances.Stats, circumstances.Exchanges = traceflow.Stats{}, nil
			if out != nil {
				circumstances.Stats, circumstances.Exchanges = out.Stats, out.Exchanges
			}
			out = &circumstances
		}
		out.Stats.Probes += pass.Stats.Probes
		out.Stats.Replies += pass.Stats.Replies
		for _, e := range pass.Exchanges {
			if id, ok := flows[e.Flow]; ok {
				e.Flow = id
				out.Exchanges = append(out.Exchanges, e)
			}
		}
		for _, w := range pass.Graph.Walks {
			id, ok := flows[w.Flow.ID]
			if !ok {
				continue
			}
			w.Flow.ID, w.Path, w.Hops = id, 0, slices.Clone(w.Hops)
			named[id] = w.Flow
			if then, ok := walks[id]; ok {
				w = join(then, w)
			}
			walks[id] = w
		}
	}
	if len(walks) == 0 {
		return nil
	}
	out.Flows = nil
	var all []traceflow.Walk
	for id := range walks {
		out.Flows, all = append(out.Flows, named[id]), append(all, walks[id])
	}
	slices.SortFunc(out.Flows, func(a, b traceflow.Flow) int { return a.ID - b.ID })
	slices.SortFunc(all, func(a, b traceflow.Walk) int { return a.Flow.ID - b.Flow.ID })
	out.Graph = traceflow.NewGraph(all, out.Exchanges)
	return out
}

// join fills the silence of one walk with what the same flow met at another time: the
// one that reached the destination, or else the later one, says which way it is.
func join(then, now traceflow.Walk) traceflow.Walk {
	if then.Reached() && !now.Reached() {
		then, now = now, then
	}
	for i := range now.Hops {
		at := int(now.First) + i - int(then.First)
		if !now.Hops[i].Kind.Answered() && at >= 0 && at < len(then.Hops) && then.Hops[at].Kind.Answered() {
			now.Hops[i] = then.Hops[at]
		}
	}
	return now
}
