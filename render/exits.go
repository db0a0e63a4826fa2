// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"slices"
	"strings"

	"traceflow"
)

// mostExits is how many are told about.
const mostExits = 4

// exits says in a sentence for each place where paths leave an AS by several
// ways what that is consistent with. told has the borders that need no other
// sentence.
func exits(t *traceflow.Trace) (lines []string, told func(b *traceflow.Border) bool) {
	all := t.Exits()
	all = slices.DeleteFunc(all, func(x traceflow.Exit) bool { return !x.Telling() })
	hidden := max(0, len(all)-mostExits)
	all = all[:len(all)-hidden]
	for i := range all {
		lines = append(lines, Printable(exit(&all[i])))
	}
	if len(all) == 0 {
		lines = append(lines, blind(t)...)
	}
	if hidden > 0 {
		lines = append(lines, fmt.Sprintf("And %s.", Count(hidden, "more exit")))
	}
	return lines, func(b *traceflow.Border) bool {
		return slices.ContainsFunc(all, func(x traceflow.Exit) bool {
			return x.Class != traceflow.ExitUndetermined && slices.ContainsFunc(x.Branches, func(e traceflow.ExitBranch) bool {
				return e.Exit == b.Near && e.Entry == b.Far
			})
		})
	}
}

// blind says, to those whose own AS is left by one way, of what that is no proof:
// routers may choose by the destination's address alone.
func blind(t *traceflow.Trace) []string {
	if t.Vary() != traceflow.VaryPorts {
		return nil
	}
	for _, b := range t.Borders() {
		source := t.Annotations.Of(b.Near.Address).Origin.Source
		if slices.ContainsFunc(t.DataSets, func(d traceflow.DataSet) bool { return d.Name == source && d.Kind == traceflow.KindPrefixes }) {
			return []string{fmt.Sprintf("Flows to one address leave AS%d by one way; whether others of its prefix do was not asked: --vary dst.", b.Near.ASN)}
		}
	}
	return nil
}

// exit says what one is consistent with.
func exit(x *traceflow.Exit) string { return "Exits: " + exitText(x) }

func exitText(x *traceflow.Exit) string {
	// The names of ASes about which nothing is said are told with the borders.
	name := func(s traceflow.BorderSide) string { return fmt.Sprintf("AS%d", s.ASN) }
	if x.Class != traceflow.ExitUndetermined {
		name = asName
	}
	var names []string
	for _, s := range x.Next() {
		names = append(names, name(s)+exchanges(x, s.ASN))
	}
	text := fmt.Sprintf("%s leaves %s to %s%s: ", name(x.Near), exitPlace(x), listed(names, " and "), pathLengths(x))
	switch x.Class {
	case traceflow.ExitRelax:
		text += "consistent with as-path multipath-relax"
	case traceflow.ExitMulti:
		text += "several exits, as by iBGP multipath or borders at equal distance"
	case traceflow.ExitSameAS:
		text += "parallel links to one AS, ordinary eBGP multipath"
	case traceflow.ExitIXPPorts:
		text += fmt.Sprintf("%s of one member", Count(len(portsOf(x)), "parallel port"))
	case traceflow.ExitUndetermined:
		text += "why cannot be told, " + exitReasons[x.Reason]
	}
	return text + fmt.Sprintf(" (%s).", exitSupport(x))
}

// exitPlace says by which routers.
func exitPlace(x *traceflow.Exit) string {
	routers := x.Routers()
	single := x.Branches[0].Exit
	switch {
	case slices.Contains(x.Evidence, traceflow.EvidenceSeveralRouters):
		var names []string
		for _, a := range routers[:min(len(routers), mostPlaces)] {
			names = append(names, a.String())
		}
		if n := len(routers) - mostPlaces; n > 0 {
			names = append(names, fmt.Sprintf("%d more", n))
		}
		return fmt.Sprintf("by %s (%s)", Count(len(routers), "router"), strings.Join(names, ", "))
	case single.TTL == 0:
		return "from this host"
	case len(routers) > 1:
		return fmt.Sprintf("by one router of %s, %s", Count(len(routers), "address"), hop(single.TTL, single.Address))
	}
	return "at " + hop(single.TTL, single.Address)
}

// exchanges names the exchange points that are crossed to an AS.
func exchanges(x *traceflow.Exit, asn uint32) string {
	var out []string
	for i := range x.Branches {
		if b := &x.Branches[i]; b.Entry.ASN == asn && b.IXP != "" && !slices.Contains(out, short(b.IXP)) {
			out = append(out, short(b.IXP))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return " at " + listed(out, " and ")
}

// portsOf are the first hops of the next ASes, each once.
func portsOf(x *traceflow.Exit) []traceflow.BorderSide {
	var out []traceflow.BorderSide
	for i := range x.Branches {
		if e := x.Branches[i].Entry; !slices.ContainsFunc(out, func(o traceflow.BorderSide) bool { return o.Address == e.Address }) {
			out = append(out, e)
		}
	}
	return out
}

// pathLengths says how long the AS paths are, where there is more than one.
func pathLengths(x *traceflow.Exit) string {
	if len(x.Next()) < 2 {
		return ""
	}
	var lengths []int
	for i := range x.Branches {
		if b := &x.Branches[i]; b.Complete && !slices.Contains(lengths, len(b.ASPath)) {
			lengths = append(lengths, len(b.ASPath))
		}
	}
	slices.Sort(lengths)
	switch has := func(e traceflow.ExitEvidence) bool { return slices.Contains(x.Evidence, e) }; {
	case has(traceflow.EvidenceEqualLengths) && len(lengths) == 1:
		return fmt.Sprintf(", equal AS-path length %d", lengths[0])
	case has(traceflow.EvidenceEqualLengths):
		return ", equal AS-path lengths"
	case has(traceflow.EvidenceUnequalLengths) && len(lengths) > 1:
		return ", AS-path lengths " + list(lengths, " and ")
	case has(traceflow.EvidenceUnequalLengths):
		return ", unequal AS-path lengths"
	}
	return ", AS-path lengths not known"
}

// exitSupport says how sure that is, and what by: flows for each next AS, and for
// one alone for each way.
func exitSupport(x *traceflow.Exit) string {
	var keys []string
	flows := make(map[string]int)
	unit := "flow"
	for i := range x.Branches {
		b := &x.Branches[i]
		key := fmt.Sprint(b.Entry.ASN)
		switch {
		case slices.Contains(x.Evidence, traceflow.EvidenceSeveralRouters):
			key = b.Exit.Address.String()
		case len(x.Next()) < 2:
			key = fmt.Sprint(i)
		}
		if _, ok := flows[key]; !ok {
			keys = append(keys, key)
		}
		if flows[key] += b.Flows; x.Vary == traceflow.VaryDestinations {
			flows[key] += b.Destinations - b.Flows
			unit = "destination"
		}
	}
	var parts []string
	for _, key := range keys[:min(len(keys), 2*mostPlaces)] {
		parts = append(parts, fmt.Sprint(flows[key]))
	}
	if len(keys) > len(parts) {
		parts = append(parts, "…")
	}
	text := strings.Join(parts, " + ") + " " + unit + "s"
	if x.Confidence != "" {
		text = string(x.Confidence) + "; " + text
	}
	switch {
	case slices.Contains(x.Evidence, traceflow.EvidencePerDestination):
		text += ", each address by one way: parts of the prefix may have routes of their own"
	case x.Vary == traceflow.VaryPorts && x.Class == traceflow.ExitMulti && len(x.Next()) > 1 && !slices.Contains(x.Evidence, traceflow.EvidenceEqualLengths):
		text += "; an owner may be wrong"
	}
	return text
}

var exitReasons = map[traceflow.ExitReason]string{
	traceflow.ReasonPerPacket:      "packets are spread one by one there",
	traceflow.ReasonRouteChanged:   "the route changed meanwhile",
	traceflow.ReasonSilentHop:      "not every flow was answered where they part",
	traceflow.ReasonHiddenMPLS:     "MPLS may hide routers there",
	traceflow.ReasonUnknownOwner:   "nobody knows whose a hop there is",
	traceflow.ReasonSeveralOrigins: "a prefix there has several origins",
	traceflow.ReasonFewFlows:       "too few flows were answered",
	traceflow.ReasonLoneAddress:    "an AS is known by one address alone, which may be a third party's",
	traceflow.ReasonLinkAddress:    "the last addresses may be those of the next AS's routers",
	traceflow.ReasonUnknownMember:  "nobody knows which members' ports these are",
	traceflow.ReasonUnknownLength:  "the AS paths are not known whole",
	traceflow.ReasonUnequalLengths: "multipath-relax wants equal lengths: they are ignored, or an owner is wrong",
}
