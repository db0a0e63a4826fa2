// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"traceflow"
	"traceflow/render"
)

// fewFlows is how many flows are announced one by one, as the seed does.
const fewFlows = 16

// announce says on standard error what is about to be measured.
func announce(env Env, t *traceflow.Trace) {
	fmt.Fprintf(env.Err, "Resolved %s to %s\n", printable(t.Destination.Name), t.Destination.Address)
	n := len(t.Flows)
	if n == 0 {
		fmt.Fprintln(env.Err, "Looking for every path")
		return
	}
	if n > fewFlows {
		first, last := &t.Flows[0], &t.Flows[n-1]
		fmt.Fprintf(env.Err, "Looking at Path IDs %d to %d (src ports:%d to %d , dst port:%d)\n",
			first.ID, last.ID, first.SourcePort, last.SourcePort, first.DestinationPort)
		return
	}
	for _, f := range t.Flows {
		fmt.Fprintf(env.Err, "Looking at Path ID %d (src port:%d , dst port:%d)\n", f.ID, f.SourcePort, f.DestinationPort)
	}
}

// remark says on standard error what a table cannot: what it does not show,
// and how much was measured.
func remark(env Env, t *traceflow.Trace) {
	say := func(format string, args ...any) { fmt.Fprintf(env.Err, format+"\n", args...) }
	s := &t.Stats
	if s.SendErrors > 0 {
		i := slices.IndexFunc(t.Exchanges, func(e traceflow.Exchange) bool { return e.Err != nil })
		say("%s could not be sent, the first because: %s", render.Count(s.SendErrors, "packet"), printable(t.Exchanges[i].Err.Error()))
	}
	// As many damaged quotes as good ones are not somebody else's traffic.
	if damaged := s.Unmatched - s.Foreign + s.Malformed; damaged > 0 && damaged >= s.Replies {
		say("%s quoted our flows but none of our packets: forged, or damaged on the way", render.Count(damaged, "reply"))
	}
	if s.Probes == 0 {
		return
	}
	name := printable(t.Destination.Name)
	switch ends := endSummary(t); {
	case !t.Complete:
		say("%s: cut short; this is what was known", name)
	case s.Replies == 0:
		say("%s: no reply at all; a firewall here or there may drop UDP, try another --dstport", name)
	case !t.Reached():
		say("%s: not reached, by %s (%s)", name, render.Count(len(t.Flows), "flow"), ends)
	case ends != "":
		say("%s: reached, but not by all of %s (%s)", name, render.Count(len(t.Flows), "flow"), ends)
	}
	if s.Replies > 0 && t.Config.Paths > 0 {
		_ = render.Summary(env.Err, t) // standard error has nobody to tell
	}
}

// endSummary says how many flows ended elsewhere than at the destination.
func endSummary(t *traceflow.Trace) string {
	ends := make(map[traceflow.End]int)
	var refused []netip.Addr
	for i := range t.Graph.Walks {
		w := &t.Graph.Walks[i]
		ends[w.End]++
		if w.End == traceflow.EndUnreachable {
			if by := w.Hops[len(w.Hops)-1].Address; !slices.Contains(refused, by) {
				refused = append(refused, by)
			}
		}
	}
	by := "several routers"
	if len(refused) == 1 {
		by = refused[0].String()
	}
	var parts []string
	for _, e := range []struct {
		end  traceflow.End
		text string
	}{
		{traceflow.EndUnreachable, "refused by " + by},
		{traceflow.EndSilent, "silent after the last hop that answered"},
		{traceflow.EndMaxTTL, "still going at the highest TTL"},
		{traceflow.EndNotSent, "not sent"},
	} {
		if n := ends[e.end]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, e.text))
		}
	}
	return strings.Join(parts, ", ")
}
