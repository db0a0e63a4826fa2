// SPDX-License-Identifier: BSD-3-Clause

package traceflow

// rebuild makes the graph anew from flows and exchanges, so that it cannot
// contradict them. An inferred end is inferred again, from all flows.
func (t *Trace) rebuild(ends map[int]End) {
	walks := t.NewWalks(ends)
	if t.Config.Paths == 0 {
		InferHops(walks, t.Exchanges, &t.Guarantee)
	}
	t.Finish.End(walks)
	t.Graph = NewGraph(walks, t.Exchanges)
}

// NewWalks lines up the exchanges of every flow. They say whether there was an
// answer at the end of a flow; why nothing more was asked of the others they do
// not: ends has that, by Flow.ID, as far as it is known.
func (t *Trace) NewWalks(ends map[int]End) []Walk {
	many := make(map[int]int)
	for i := range t.Exchanges {
		many[t.Exchanges[i].Flow]++
	}
	byFlow := make(map[int][]Exchange, len(many))
	for _, e := range t.Exchanges {
		if byFlow[e.Flow] == nil {
			byFlow[e.Flow] = make([]Exchange, 0, many[e.Flow])
		}
		byFlow[e.Flow] = append(byFlow[e.Flow], e)
	}
	var walks []Walk
	for _, flow := range t.Flows {
		w := NewWalk(flow, max(1, t.Config.FirstTTL), byFlow[flow.ID])
		if flow.Destination != t.Destination.Address {
			w.Alias = t.Destination.Address
		}
		if end := ends[flow.ID]; w.End == EndUnknown && end != EndReached && end != EndUnreachable && end != EndInferred {
			w.End = end
		}
		walks = append(walks, w)
	}
	return walks
}
