// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"traceflow"
)

// heading says in one line who to whom, and by what.
func heading(t *traceflow.Trace, o Options) string {
	return fmt.Sprintf("Paths from %s to %s, %s", host(t.VantagePoint.Hostname, t.VantagePoint.Address, o),
		host(t.Destination.Name, t.Destination.Address, o), probesOf(t))
}

// hiddenHost is the vantage point of a trace without its first hops: see
// [traceflow.Trace.Mask].
const hiddenHost = "a hidden host"

// host writes a name and an address; the address alone where that is all.
func host(name string, address netip.Addr, o Options) string {
	switch {
	case address.IsUnspecified():
		return hiddenHost
	case !address.IsValid():
		return o.clean(name)
	}
	if name == "" || name == address.String() {
		return address.String()
	}
	return fmt.Sprintf("%s (%s)", o.clean(name), address)
}

// probesOf names the protocol and the port or ports of the flows.
func probesOf(t *traceflow.Trace) string {
	c := &t.Config
	name := strings.ToUpper(c.Protocol.String())
	switch {
	case c.Protocol == traceflow.ProtocolICMP:
		return "ICMP echo"
	case c.QUIC:
		name = "QUIC"
	}
	low, high := c.DestinationPort, c.DestinationPort
	if len(t.Flows) > 0 {
		byPort := func(a, b traceflow.Flow) int { return int(a.DestinationPort) - int(b.DestinationPort) }
		low = slices.MinFunc(t.Flows, byPort).DestinationPort
		high = slices.MaxFunc(t.Flows, byPort).DestinationPort
	}
	if low != high {
		return fmt.Sprintf("%s ports %d to %d", name, low, high)
	}
	return fmt.Sprintf("%s port %d", name, low)
}

// mostOrigins of a prefix are written out; more than two are rare.
const mostOrigins = 3

// owner says which AS announces an address, and on which exchange point's LAN it
// is: its number for lines that are short, and the whole.
func owner(a *traceflow.Annotation, o Options) (short, long string) {
	var numbers []string
	for _, n := range a.Origin.ASNs[:min(len(a.Origin.ASNs), mostOrigins)] {
		numbers = append(numbers, fmt.Sprint(n))
	}
	if len(numbers) > 0 {
		short = "AS" + strings.Join(numbers, "/")
		if more := len(a.Origin.ASNs) - mostOrigins; more > 0 {
			short += fmt.Sprintf(" +%d", more)
		}
		long = strings.TrimSpace(short + " " + o.clean(a.Origin.Name))
	}
	p := &a.Port
	if *p == (traceflow.Port{}) {
		return short, long
	}
	// The LAN of an exchange is announced by nobody, or by the exchange: whose
	// router stands there is its member's.
	short = "IXP"
	long = strings.TrimSpace("IXP " + o.clean(p.IXP))
	if p.Member != 0 {
		short = fmt.Sprintf("IXP AS%d", p.Member)
		long += fmt.Sprintf(", AS%d %s", p.Member, o.clean(p.MemberName))
	}
	return short, strings.TrimSpace(long)
}

// sources says what is known of the addresses beside the measurement, and where
// from; nothing where nothing is.
func sources(t *traceflow.Trace, o Options) (what, from string) {
	names, owners := false, false
	for i := range t.Annotations {
		a := &t.Annotations[i]
		names = names || a.Hostname.Name != ""
		owners = owners || len(a.Origin.ASNs) > 0 || a.Port != (traceflow.Port{})
	}
	var sets []string
	for i := range t.DataSets {
		d := &t.DataSets[i]
		sets = append(sets, dataSet(d, o))
	}
	switch {
	case names && owners:
		what = "Names and owners"
	case names:
		what = "Names"
	case owners:
		what = "Owners"
	default:
		return "", ""
	}
	return what, strings.Join(sets, ", ")
}

// dataSet names a data set and its date; what is asked while measuring is of the
// day of the trace, and known by other names.
func dataSet(d *traceflow.DataSet, o Options) string {
	switch d.Kind {
	case "sim":
		return "the simulated network"
	case "dns":
		return "reverse DNS"
	case "cymru":
		return "Team Cymru"
	}
	if d.Date.IsZero() {
		return o.clean(d.Name)
	}
	return o.clean(d.Name) + " of " + d.Date.UTC().Format(time.DateOnly)
}

// labels returns the MPLS label stack that a node's replies quoted, by TTL and
// address: the labels from the top, with "/" in between. Of several stacks it
// is the lowest, and how many others there were.
func labels(t *traceflow.Trace) map[spot]string {
	stacks := make(map[spot]map[string]bool)
	for i := range t.Exchanges {
		e := &t.Exchanges[i]
		if len(e.Reply.MPLS) == 0 {
			continue
		}
		var stack []string
		for _, l := range e.Reply.MPLS {
			stack = append(stack, fmt.Sprint(l.Label))
		}
		at := spot{e.TTL, e.Reply.Address}
		if stacks[at] == nil {
			stacks[at] = make(map[string]bool)
		}
		stacks[at][strings.Join(stack, "/")] = true
	}
	out := make(map[spot]string, len(stacks))
	for at, all := range stacks {
		out[at] = slices.Min(slices.Collect(maps.Keys(all)))
		if n := len(all) - 1; n > 0 {
			out[at] += fmt.Sprintf(" +%d", n)
		}
	}
	return out
}
