// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"

	"traceflow"
)

// loss is how much of what was sent to a node was not answered, and what that
// means.
type loss struct {
	sent, lost int
	traceflow.HopLoss
	limited bool // a rate limit was seen
	// begins is set on a node whose loss persists to the destination, below is on
	// those that lie behind one.
	begins, below bool
}

// String says how much was lost of how many; nothing where nothing was.
func (l loss) String() string {
	if l.lost == 0 {
		return ""
	}
	share := float64(l.lost) / float64(l.sent)
	text := percentage(share)
	switch {
	case share < 0.0005: // it is not 0 %
		text = "<0.1 %"
	case share > 0.995 && l.lost < l.sent: // nor is it 100 %
		text = ">99 %"
	}
	return fmt.Sprintf("%s of %d", text, l.sent)
}

func (l loss) persists() bool { return l.HopLoss == traceflow.LossPersists }

// meaning is the note on a loss; "" where there is nothing to say. final is
// whether it is the destination's.
func (l loss) meaning(final bool) string {
	switch {
	case l.HopLoss == traceflow.LossLocal && l.limited:
		return "rate-limited"
	case l.HopLoss == traceflow.LossLocal:
		return "loses answers only"
	case l.begins && final:
		return "loss on the way here"
	case l.begins:
		return "loss from here on"
	}
	return ""
}

// measureLoss sets the loss of each vertex that answers. It is judged by
// [traceflow.PathStats.Losses] as in all other formats, here of all paths through
// the vertex taken together.
func (r *routes) measureLoss() {
	stats := r.trace.PathStats()
	through := make(map[string][]traceflow.PathStats, len(r.vertices)) // from the node on
	for i := range stats {
		for j := range stats[i].Hops {
			rest := stats[i]
			rest.Hops = rest.Hops[j:]
			through[rest.Hops[0].Node] = append(through[rest.Hops[0].Node], rest)
		}
	}
	for _, v := range r.vertices {
		for _, s := range v.prev {
			v.loss.below = v.loss.below || s.loss.below || s.loss.persists()
		}
		together := mergeWays(through[v.ID])
		if v.silent || len(together.Hops) == 0 || together.Hops[0].Replies == 0 {
			continue
		}
		own := &together.Hops[0]
		v.loss.sent, v.loss.lost, v.loss.limited = own.Sent, own.Sent-own.Replies, own.Limited
		v.loss.HopLoss = together.Losses()[0]
		v.loss.begins = v.loss.persists() && !v.loss.below
	}
}

// mergeWays adds up ways that begin with the same node, TTL by TTL, and their
// ends apart from that. Hops that are no witnesses of what gets through are left
// out behind the first.
func mergeWays(ways []traceflow.PathStats) traceflow.PathStats {
	var first, end traceflow.HopStats
	var between [256]traceflow.HopStats
	var out traceflow.PathStats
	for i := range ways {
		for j := range ways[i].Hops {
			h, to := &ways[i].Hops[j], &first
			switch {
			case j == 0:
				first.Limited = h.Limited
				out.Reached = out.Reached || ways[i].Reached && len(ways[i].Hops) == 1
			case h.Replies == 0 || h.Limited:
				continue
			case ways[i].Reached && j == len(ways[i].Hops)-1:
				to, out.Reached = &end, true
			default:
				to = &between[h.TTL]
			}
			to.Sent += h.Sent
			to.Replies += h.Replies
		}
	}
	if len(ways) > 0 {
		out.Hops = append(out.Hops, first)
	}
	for i := range between {
		if between[i].Sent > 0 {
			out.Hops = append(out.Hops, between[i])
		}
	}
	if end.Sent > 0 {
		out.Hops = append(out.Hops, end)
	}
	return out
}
