// SPDX-License-Identifier: BSD-3-Clause

package picture

// Past is what a node, a link or a path was in the first of two results, in a
// drawing of both that shows what it is in the second. What nobody measured is 0.
type Past struct {
	Flows   int     `json:"flows"`
	Share   float64 `json:"share"`
	Sent    int     `json:"sent,omitempty"`
	Replies int     `json:"replies,omitempty"`
	RTT     RTT     `json:"rtt_us,omitzero"`    // of a path only its median
	Delta   *int64  `json:"delta_us,omitempty"` // of a link
	Samples int     `json:"samples,omitempty"`
	Lost    float64 `json:"lost,omitempty"`
}

// flowsOf returns how many flows take a path, and how many took it in the first
// of two results.
func (p *Path) flowsOf() (now, before int) {
	switch {
	case p.Status == Gone:
		return 0, len(p.Flows)
	case p.Before != nil:
		return len(p.Flows), p.Before.Flows
	}
	return len(p.Flows), 0
}

// Merge makes one drawing of two results of one measurement: same source, same
// destination, same first TTL. Both are neither folded nor grouped, and stay as
// they are; Group comes after it. What is in both has no Status, and what it was in
// Before; what is in one only is Gone, with the figures it had, or New.
//
// Silence is no change. Where one and the same flow was answered by the same nodes
// on both sides of a stretch of its path, and within it, wherever it was answered in
// one result, it was not in the other, nothing there is gone or new: the flow stays
// on the path that it was on when it was answered, and the path is drawn through who
// answered. The same holds behind the last answer of a path that did not reach the
// destination in either result. A path is unchanged if one of the other result
// agrees with it so from end to end, whichever flows take it. An inferred link is
// neither gone nor new between nodes that are not.
//
// That is what may be seen, and no verdict: chance and noise look the same. Who has
// one sets Status of nodes, links and paths after Merge, and before Fold and Place,
// which read it and set that of tracks.
func Merge(before, after *Drawing) *Drawing {
	m := &merger{before: newSide(before), after: newSide(after)}
	m.lend()
	m.pair()
	m.stay()
	m.before.follow(m.after)
	m.after.follow(m.before)
	m.cover()
	d := &Drawing{Merged: true, Marks: after.Marks, Pipes: after.Pipes}
	m.addFlows(d)
	m.addNodes(d)
	m.addLinks(d)
	m.addPaths(d)
	m.mergeExits(d)
	return d
}
