// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"net/netip"
	"slices"
)

// Fewer flows prove nothing: so many altogether, and by each way that counts.
// Six flows over two equal ways show both with 97 %.
const (
	fewestExitFlows   = 6
	fewestBranchFlows = 2
)

// fewestExitRepeats is how often flows have to be answered again for a balancer
// that spreads packets over two ways to show with 97 %.
const fewestExitRepeats = 5

// exitJudge is what is known of a candidate.
type exitJudge struct {
	*exitFinder
	*exitCandidate
	exit     Exit
	branches [][]leaving // as exit.Branches
	owners   []nextOwner
	tails    []asTail // as leavings
	lengths  []ExitEvidence
	// flows are those of each branch, by their ID.
	flows [][]*Walk
}

// judge says what a candidate is consistent with.
func (f *exitFinder) judge(c exitCandidate) Exit {
	j := &exitJudge{exitFinder: f, exitCandidate: &c}
	j.describe()
	j.exit.Reason = j.doubt()
	if j.exit.Reason == "" {
		j.exit.Class, j.exit.Reason = j.class()
	}
	if j.exit.Reason != "" {
		j.exit.Class = ExitUndetermined
	} else {
		j.exit.Confidence = j.confidence()
	}
	return j.exit
}

// describe fills in what is there.
func (j *exitJudge) describe() {
	x := &j.exit
	x.Vary = j.vary
	first := &j.leavings[0]
	near := first.border.Near.ASN
	x.Near = BorderSide{ASN: near, Name: j.names[near], TTL: first.way.hops[j.start[0]].ttl, Address: first.way.hops[j.start[0]].address}
	for i := range j.leavings {
		l := &j.leavings[i]
		j.tails = append(j.tails, l.tail())
		if s := (BorderSide{ASN: near, Name: x.Near.Name, TTL: l.way.hops[j.start[i]].ttl, Address: l.way.hops[j.start[i]].address}); s.compare(x.Near) < 0 {
			x.Near = s
		}
	}
	type key struct {
		router, entry place
	}
	j.branches = grouped(j.leavings, func(l *leaving) key {
		return key{place{int(l.nearHop().ttl), Responder{Address: l.router()}}, place{int(l.farHop().ttl), l.farWho()}}
	})
	slices.SortFunc(j.branches, func(a, b []leaving) int {
		return a[0].branch().compare(b[0].branch())
	})
	seen := make(map[*Walk]bool)
	for _, group := range j.branches {
		j.addBranch(group, seen)
	}
	x.Flows = len(seen)
	for i := range x.Branches {
		if x.Flows > 0 {
			x.Branches[i].Share = float64(x.Branches[i].Flows) / float64(x.Flows)
		}
	}
	j.lengths = j.exitCandidate.lengths(j.tails)
	x.Evidence = j.evidence()
}

// branch returns what a leaving alone says of its branch.
func (l *leaving) branch() *ExitBranch {
	near, far := l.nearHop(), l.farHop()
	return &ExitBranch{
		Exit:  BorderSide{ASN: l.border.Near.ASN, TTL: near.ttl, Address: near.address},
		Entry: BorderSide{TTL: far.ttl, Address: far.address}, IXP: l.border.IXP, LAN: l.border.LAN,
	}
}

func (j *exitJudge) addBranch(group []leaving, seen map[*Walk]bool) {
	b := *group[0].branch()
	b.Exit.Name = j.exit.Near.Name
	o := j.ownerOf(group)
	if len(o.asns) > 0 {
		b.Entry.ASN, b.Entry.Name, b.Evidence = o.asns[0], j.names[o.asns[0]], o.evidence
	}
	j.owners = append(j.owners, o)
	var flows []*Walk
	most := -1
	b.Complete = true
	for i := range group {
		l := &group[i]
		n := 0
		for _, w := range l.way.walks {
			at := int(b.Entry.TTL) - int(w.First)
			if at >= 0 && at < len(w.Hops) && w.Hops[at].Kind.Answered() && w.at(at) == b.Entry.Address {
				flows = append(flows, w)
				seen[w] = true
				n++
			}
		}
		tail := l.tail()
		b.Complete = b.Complete && tail.whole(l) && (i == 0 || len(tail.asns) == len(b.ASPath))
		if n > most || n == most && slices.Compare(tail.asns, b.ASPath) < 0 {
			most, b.ASPath = n, tail.asns
		}
	}
	b.Flows, b.Destinations = len(flows), destinations(flows)
	j.flows = append(j.flows, flows)
	j.exit.Branches = append(j.exit.Branches, b)
}

func destinations(flows []*Walk) int {
	seen := make(map[netip.Addr]bool)
	for _, w := range flows {
		seen[w.Flow.Destination] = true
	}
	return len(seen)
}

// evidence lists what the class rests on.
func (j *exitJudge) evidence() []ExitEvidence {
	var out []ExitEvidence
	switch routers := j.exit.Routers(); {
	case j.several:
		out = append(out, EvidenceSeveralRouters)
	case len(routers) > 1:
		out = append(out, EvidenceAliases)
	default:
		out = append(out, EvidenceOneRouter)
	}
	out = append(out, j.lengths...)
	if slices.ContainsFunc(j.owners, func(o nextOwner) bool { return o.linked }) {
		out = append(out, EvidenceLinkAddress)
	}
	if j.repeated() >= fewestExitRepeats {
		out = append(out, EvidenceRepeated)
	}
	if j.vary == VaryDestinations {
		if j.oneDestination() {
			out = append(out, EvidenceOneDestination)
		} else {
			out = append(out, EvidencePerDestination)
		}
	}
	return out
}

// repeated counts the answers to flows that had been answered by the same first
// hops before.
func (j *exitJudge) repeated() int {
	n := 0
	counted := make(map[place]bool)
	for i := range j.leavings {
		l := &j.leavings[i]
		if p := (place{int(l.farHop().ttl), l.farWho()}); !counted[p] {
			counted[p] = true
			n += j.repeats[p]
		}
	}
	return n
}

// oneDestination reports whether flows to one address part.
func (j *exitJudge) oneDestination() bool {
	at := make(map[netip.Addr]int)
	for i, flows := range j.flows {
		for _, w := range flows {
			if before, ok := at[w.Flow.Destination]; ok && before != i {
				return true
			}
			at[w.Flow.Destination] = i
		}
	}
	return false
}

// class says which it is, of one that there is no doubt about.
func (j *exitJudge) class() (ExitClass, ExitReason) {
	if j.several {
		if !j.apart() {
			return "", ReasonLinkAddress
		}
		return ExitMulti, ""
	}
	lan, ports := j.lans()
	if len(j.exit.Next()) == 1 {
		switch {
		case ports:
			return ExitIXPPorts, ""
		case lan:
			return "", ReasonUnknownMember
		case !j.sure():
			return "", ReasonLinkAddress
		}
		return ExitSameAS, ""
	}
	switch j.lengths[0] {
	case EvidenceUnknownLengths:
		return "", ReasonUnknownLength
	case EvidenceUnequalLengths:
		return "", ReasonUnequalLengths
	default:
		return ExitRelax, ""
	}
}

// lans reports whether any branch crosses a peering LAN whose member is not
// known, and whether all of them do so to ports of known members.
func (j *exitJudge) lans() (unknown, ports bool) {
	ports = true
	for i := range j.owners {
		unknown = unknown || j.owners[i].evidence == OwnerLAN
		ports = ports && j.owners[i].evidence == OwnerPort
	}
	return unknown, ports
}

// sure reports whether the last hop of any leaving is surely of the nearer AS.
func (j *exitJudge) sure() bool {
	return slices.ContainsFunc(j.leavings, func(l leaving) bool {
		return j.surelyOf(l.border.Near.ASN, l.nearHop(), l.way.ids[l.near])
	})
}

// apart reports whether two leavings are by different routers of the AS even if
// each last hop that may be of the next AS is.
func (j *exitJudge) apart() bool {
	readings := func(l *leaving) []netip.Addr {
		out := []netip.Addr{j.routers[l.router()]}
		if !j.surelyOf(l.border.Near.ASN, l.nearHop(), l.way.ids[l.near]) {
			before := l.way.hops[l.near-1].address
			if is, ok := j.routers[before]; ok {
				before = is
			}
			out = append(out, before)
		}
		return out
	}
	for i := range j.leavings {
		a := readings(&j.leavings[i])
		for k := range j.leavings[:i] {
			if !slices.ContainsFunc(readings(&j.leavings[k]), func(x netip.Addr) bool { return slices.Contains(a, x) }) {
				return true
			}
		}
	}
	return false
}

// confidence starts from how the owners are known and takes off the doubts.
func (j *exitJudge) confidence() Confidence {
	least := ConfidenceHigh
	for i := range j.owners {
		least = lowest(least, j.owners[i].confidence)
	}
	_, ports := j.lans()
	if !ports && !j.leavings[0].nearHop().own {
		least = lowest(least, ConfidenceMedium)
	}
	doubts := 0
	doubt := func(is bool) {
		if is {
			doubts++
		}
	}
	has := func(e ExitEvidence) bool { return slices.Contains(j.exit.Evidence, e) }
	doubt(!has(EvidenceRepeated) && least == ConfidenceHigh)
	doubt(has(EvidencePerDestination))
	doubt(has(EvidenceAliases) && ports)
	doubt(ports && j.nearAddresses() < 2)
	doubt(has(EvidenceLinkAddress))
	if len(j.exit.Next()) > 1 {
		doubt(has(EvidenceLoneAddress))
		doubt(!has(EvidenceEqualLengths))
	}
	return least.lower(doubts)
}
