// SPDX-License-Identifier: BSD-3-Clause

package discover

import (
	"context"

	"traceflow"
)

// Finish looks for a destination that answered no flow, by other kinds of
// probes. One probe of each goes all the way; the first kind that is answered
// is then followed TTL by TTL, as a flow of its own.
type Finish struct {
	// Flows has one flow of each kind to try, in the order of preference.
	Flows            []traceflow.Flow
	FirstTTL, MaxTTL uint8
}

// finishTries is how often each kind is tried.
const finishTries = 2

// NeedsFinish reports whether a finished search ended in silence where the
// destination should be: then something else may find it.
func NeedsFinish(r *Result) bool {
	ends := make(map[traceflow.End]bool)
	for i := range r.Walks {
		ends[r.Walks[i].End] = true
	}
	silent := ends[traceflow.EndSilent] || ends[traceflow.EndMaxTTL] || ends[traceflow.EndUnknown] && !ends[traceflow.EndUnreachable]
	cut := r.StopReason == traceflow.StopProbeBudget || r.StopReason == traceflow.StopTimeLimit
	return r.Complete && !cut && silent && !ends[traceflow.EndReached]
}

// Discover probes. What was found is valid with an error, which is that of the
// Prober.
func (f Finish) Discover(ctx context.Context, prober Prober) (*traceflow.Finish, error) {
	found := &traceflow.Finish{}
	defer func() { found.Exchanges = numberFlows(found.Exchanges) }()
	for i, flow := range f.Flows {
		flow.ID = i + 1
		found.Flows = append(found.Flows, flow)
	}
	answered := make(map[int]bool)
	for range finishTries {
		var scouts []traceflow.Probe
		for _, flow := range found.Flows {
			if !answered[flow.ID] {
				scouts = append(scouts, traceflow.Probe{Flow: flow, TTL: f.MaxTTL})
			}
		}
		exchanges, err := prober.Probe(ctx, scouts)
		found.Exchanges = append(found.Exchanges, exchanges...)
		for i := range exchanges {
			e := &exchanges[i]
			if e.Reply.Kind.Answered() && e.Reply.Address == found.Flows[e.Flow-1].Destination {
				answered[e.Flow] = true
			}
		}
		if err != nil {
			return found, err
		}
		if len(answered) > 0 {
			break
		}
	}
	for _, flow := range found.Flows {
		if !answered[flow.ID] {
			continue
		}
		// Twice each, because what is silent is not asked again.
		path := Fixed{Flows: []traceflow.Flow{flow}, FirstTTL: f.FirstTTL, MaxTTL: f.MaxTTL, Repeats: 2}
		r, err := path.Discover(ctx, prober)
		found.Exchanges = append(found.Exchanges, r.Exchanges...)
		return found, err
	}
	return found, nil
}
