// SPDX-License-Identifier: BSD-3-Clause

package cli

import (
	"fmt"
	"io"
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
	if t.Config.Protocol == traceflow.ProtocolICMP {
		fmt.Fprintf(env.Err, "Looking at Path IDs 1 to %d (ICMP checksums:%d to %d)\n", n, t.Flows[0].SourcePort, t.Flows[n-1].SourcePort)
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

// complain says on standard error what could not be sent. It is an error of
// this host's, so it is said even where nothing else is.
func complain(env Env, unsent int, first error) {
	if unsent == 0 {
		return
	}
	why := ""
	if first != nil {
		why = ", the first because: " + advised(first)
	}
	fmt.Fprintln(env.Err, printable(render.Count(unsent, "packet")+" could not be sent"+why))
}

// firstUnsent is why the first packet that was not sent was not; nil if all were.
func firstUnsent(t *traceflow.Trace) error {
	if i := slices.IndexFunc(t.Exchanges, func(e traceflow.Exchange) bool { return e.Err != nil }); i >= 0 {
		return t.Exchanges[i].Err
	}
	return nil
}

// remark says on standard error what a table cannot: what it does not show,
// and how much was measured, unless the result says so itself.
func remark(env Env, t *traceflow.Trace, summarised bool) {
	say := func(format string, args ...any) {
		for _, line := range render.Wrap(fmt.Sprintf(format, args...), env.ErrWidth) {
			fmt.Fprintln(env.Err, line)
		}
	}
	// Who has the result on the same screen has just read how it ended.
	oneScreen := env.Terminal && env.Width > 0
	s := &t.Stats
	// As many damaged quotes as good ones are not somebody else's traffic.
	if damaged := s.Unmatched - s.Foreign + s.Malformed; damaged > 0 && damaged >= s.Replies {
		say("%s quoted our flows but none of our packets: forged, damaged on the way, or another traceflow's with the same ports", render.Count(damaged, "reply"))
	}
	unverified := 0
	for i := range t.Exchanges {
		if t.Exchanges[i].Reply.Unverified {
			unverified++
		}
	}
	if unverified > 0 {
		say("%s quoted too little to be verified; whoever knows the ports could have made that up", render.Count(unverified, "reply"))
	}
	if s.Probes == 0 {
		return
	}
	name := printable(t.Destination.Name)
	switch ends := endSummary(t); {
	case summarised && oneScreen && s.Replies > 0 && (!t.Complete || !t.Reached()):
	case !t.Complete:
		say("%s: cut short; this is what was known", name)
	case s.Replies == 0:
		say("%s: no reply at all; a firewall here or there may drop %s, try %s", name, strings.ToUpper(t.Config.Protocol.String()), otherProbes(t.Config.Protocol))
	case !t.Reached() && ends == "":
		say("%s: not reached, by %s", name, render.Count(len(t.Flows), "flow"))
	case !t.Reached():
		say("%s: not reached, by %s (%s)", name, render.Count(len(t.Flows), "flow"), ends)
	case ends != "":
		say("%s: reached, but not by all of %s (%s)", name, render.Count(len(t.Flows), "flow"), ends)
	}
	if s.Replies > 0 && t.Config.Paths > 0 && !summarised {
		if oneScreen {
			fmt.Fprintln(env.Err) // the result ends above
		}
		_ = summarise(env.Err, t, env.ErrWidth) // standard error has nobody to tell
	}
}

// summarise writes the summary in lines of a width, 0 for any.
func summarise(w io.Writer, t *traceflow.Trace, width int) error {
	var b strings.Builder
	if err := render.Summary(&b, t); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		for _, part := range render.Wrap(strings.TrimSuffix(line, "\n"), width) {
			if _, err := fmt.Fprintln(w, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// otherProbes are the flags of what a firewall may let through instead.
func otherProbes(p traceflow.Protocol) string {
	switch p {
	case traceflow.ProtocolTCP:
		return "--udp, --icmp or another --dstport"
	case traceflow.ProtocolICMP:
		return "--udp or --tcp"
	default:
		return "--tcp, --icmp or another --dstport"
	}
}

// endSummary says how many flows ended elsewhere than at the destination.
func endSummary(t *traceflow.Trace) string {
	ends := make(map[traceflow.End]int)
	var refused, strangers []netip.Addr // by whom, flow by flow
	below := 0
	for i := range t.Graph.Walks {
		w := &t.Graph.Walks[i]
		switch end := w.End; {
		case end != traceflow.EndUnreachable && (end != traceflow.EndInferred || w.Reached()):
			ends[end]++
		case len(w.Hops) == 0:
			below++
		case w.Hops[len(w.Hops)-1].Kind == traceflow.PortUnreachable:
			// Only where the packet has arrived is there a port.
			strangers = append(strangers, w.Hops[len(w.Hops)-1].Address)
		default:
			refused = append(refused, w.Hops[len(w.Hops)-1].Address)
		}
	}
	var parts []string
	add := func(n int, text string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, text))
		}
	}
	if by, ok := only(strangers); ok {
		add(len(strangers), fmt.Sprintf("answered by %s, which is not its address", by))
	} else {
		add(len(strangers), "answered by several addresses, none of them its own")
	}
	if by, ok := only(refused); ok {
		add(len(refused), "refused by "+by.String())
	} else {
		add(len(refused), "refused by several routers")
	}
	add(below, "refused below the lowest TTL")
	add(ends[traceflow.EndSilent], "silent after the last hop that answered")
	add(ends[traceflow.EndMaxTTL], "still going at the highest TTL")
	add(ends[traceflow.EndNotSent], "not sent")
	return strings.Join(parts, ", ")
}

// only returns the one address that all of them are.
func only(all []netip.Addr) (netip.Addr, bool) {
	all = slices.Compact(slices.SortedFunc(slices.Values(all), netip.Addr.Compare))
	if len(all) != 1 {
		return netip.Addr{}, false
	}
	return all[0], true
}
