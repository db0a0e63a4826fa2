// SPDX-License-Identifier: BSD-3-Clause

package picture

// Past is what a node, a link or a path was in the first of two results, in a
// drawing of both that shows what it is in the second.
type Past struct {
	Flows   int     `json:"flows"`
	Share   float64 `json:"share"`
	Sent    int     `json:"sent,omitempty"`
	Replies int     `json:"replies,omitempty"`
	RTT     RTT     `json:"rtt_us,omitzero"`    // of a path, Median only
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
