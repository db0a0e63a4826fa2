// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import (
	"cmp"
	"net/netip"
	"slices"
)

// Exit is where the paths of one trace leave an AS by several ways: what BGP
// multipath looks like from outside. No packet tells what a router is configured
// for, so the class says what the paths are consistent with, Evidence and
// Confidence what that rests on, and Reason why nothing can be said.
//
// What it means and what it cannot know: docs/exits.md.
type Exit struct {
	Class ExitClass
	// Confidence is "" and Reason is set where the class is undetermined.
	Confidence Confidence
	Reason     ExitReason
	// Near is the node where the paths part, as far as they show: the one router
	// that they leave by, or one farther inside the AS. TTL 0 is the vantage point.
	Near BorderSide
	// Branches are the ways out, in the order of their last and first hops.
	Branches []ExitBranch
	// Vary is what the flows differ in: whose choice the split is.
	Vary ExitVary
	// Evidence is what the class rests on, beside that of each branch.
	Evidence []ExitEvidence
	// Flows is how many flows were answered on the far side of any branch, and
	// Unanswered how many passed Near and were not answered where paths part.
	Flows, Unanswered int
}

// ExitBranch is one way out of an AS: a link from one of its routers to the
// next AS.
type ExitBranch struct {
	// Exit is the last hop in the AS, Entry the first in the next one; its ASN is
	// 0 where the next AS is not known.
	Exit, Entry BorderSide
	// IXP and LAN are set where the branch crosses the peering LAN of an exchange.
	IXP string
	LAN netip.Prefix
	// Evidence says how the next AS is known; "" where it is not.
	Evidence OwnerEvidence
	// ASPath are the ASes behind, from the next one to the last that is known,
	// each once. Complete is true if it is known to be whole: to the destination,
	// without a hop of nobody known where ASes meet, and of the same length on all
	// paths of the branch.
	ASPath   []uint32
	Complete bool
	// Flows were answered at Entry, and Share is their part of all that were
	// answered at any branch. Destinations is to how many addresses these flows
	// went: 1 unless the destination was varied.
	Flows        int
	Share        float64
	Destinations int
}

// ExitClass is what several ways out of an AS are consistent with.
type ExitClass string

// The classes.
const (
	// ExitRelax is one router that sends to different ASes over AS paths of one
	// length: as-path multipath-relax.
	ExitRelax ExitClass = "relax-border"
	// ExitMulti is that the paths part inside the AS and leave it by several
	// routers: iBGP multipath, or exits at equal distance.
	ExitMulti ExitClass = "multi-exit"
	// ExitSameAS is one router with several links to one AS: ordinary eBGP
	// multipath.
	ExitSameAS ExitClass = "same-as-multipath"
	// ExitIXPPorts is one router that sends to several ports of one member on the
	// peering LAN of an exchange.
	ExitIXPPorts ExitClass = "ixp-parallel"
	// ExitUndetermined is none of them for sure.
	ExitUndetermined ExitClass = "undetermined"
)

// ExitReason says why the class of an exit cannot be told.
type ExitReason string

// The reasons, in the order in which they are looked for: the first that
// applies is given.
const (
	// ReasonPerPacket is that a router spreads packets one by one: no flow has a
	// path of its own there.
	ReasonPerPacket ExitReason = "per-packet"
	// ReasonRouteChanged is that flows moved while they were measured.
	ReasonRouteChanged ExitReason = "route-changed"
	// ReasonSilentHop is that a hop does not answer, to some flows at least, from
	// where the paths part to where they enter the next AS.
	ReasonSilentHop ExitReason = "silent-hop"
	// ReasonHiddenMPLS is that routers may be hidden there.
	ReasonHiddenMPLS ExitReason = "hidden-mpls"
	// ReasonUnknownOwner is that nobody knows whose a hop is.
	ReasonUnknownOwner ExitReason = "unknown-owner"
	// ReasonSeveralOrigins is that a prefix has several origins (MOAS), and the hops
	// behind leave more than one.
	ReasonSeveralOrigins ExitReason = "several-origins"
	// ReasonFewFlows is that too few flows were answered.
	ReasonFewFlows ExitReason = "few-flows"
	// ReasonLoneAddress is that one AS is known by a single address, which may be
	// one of a third party.
	ReasonLoneAddress ExitReason = "lone-address"
	// ReasonLinkAddress is that the last address of the nearer AS may be that of the
	// next one's router: links are numbered by one of the two.
	ReasonLinkAddress ExitReason = "link-address"
	// ReasonUnknownMember is that addresses on a peering LAN are of members that
	// nobody knows.
	ReasonUnknownMember ExitReason = "unknown-member"
	// ReasonUnknownLength is that the AS paths are not known whole as far as the
	// place where the paths meet again.
	ReasonUnknownLength ExitReason = "unknown-length"
	// ReasonUnequalLengths is that the AS paths are of different lengths, which
	// as-path multipath-relax does not allow: lengths are ignored there, or an owner
	// is wrong.
	ReasonUnequalLengths ExitReason = "unequal-lengths"
)

// OwnerEvidence is how the owner of the first hop of a branch is known, the
// strongest first.
type OwnerEvidence string

// The kinds of evidence.
const (
	OwnerPort     OwnerEvidence = "ixp-port"   // a member's port on a peering LAN
	OwnerOwnTable OwnerEvidence = "own-table"  // the user's own table
	OwnerRun      OwnerEvidence = "origin-run" // the origin of it and of the next hop, or the next two
	OwnerLAN      OwnerEvidence = "ixp-lan"    // on a peering LAN, before hops of that AS
	OwnerMate     OwnerEvidence = "mate"       // its origin, and the other end of its /30 or /31 (/126, /127) answered one hop before
	OwnerOrigin   OwnerEvidence = "origin"     // its origin alone
)

// ExitEvidence is what speaks for a class, or was looked at.
type ExitEvidence string

// The kinds of evidence.
const (
	EvidenceOneRouter      ExitEvidence = "one-router"      // all leave by one address
	EvidenceAliases        ExitEvidence = "aliases"         // or by addresses that lead to the same links: one router's
	EvidenceSeveralRouters ExitEvidence = "several-routers" // by routers that cannot be one
	EvidenceEqualLengths   ExitEvidence = "equal-lengths"   // of the AS paths
	EvidenceUnequalLengths ExitEvidence = "unequal-lengths"
	EvidenceUnknownLengths ExitEvidence = "unknown-lengths"
	EvidenceLoneAddress    ExitEvidence = "lone-address" // an AS of one address counts in a length
	// EvidenceLinkAddress is that all that is known of a next AS are the two ends of
	// one link: its first hop may be the nearer AS's router.
	EvidenceLinkAddress ExitEvidence = "link-address"
	EvidenceRepeated    ExitEvidence = "repeated" // flows that were sent again kept to their way
	// EvidenceOneDestination is that flows to one and the same address part.
	EvidenceOneDestination ExitEvidence = "one-destination"
	// EvidencePerDestination is that only flows to different addresses part: parts of
	// the prefix may have routes of their own.
	EvidencePerDestination ExitEvidence = "per-destination"
)

// ExitVary is what the flows of a trace differ in.
type ExitVary string

// The kinds. What was not varied is not known: routers may choose by it.
const (
	VaryPorts        ExitVary = "ports"       // or the flow label; the destination is one
	VaryDestinations ExitVary = "destination" // the address, inside the destination's prefix
)

// Vary returns what the flows differ in.
func (t *Trace) Vary() ExitVary {
	for i := range t.Flows {
		if t.Flows[i].Destination != t.Flows[0].Destination {
			return VaryDestinations
		}
	}
	return VaryPorts
}

// Exits returns where paths leave an AS by several ways, in the order of TTLs.
// It follows from Graph, Exchanges and Annotations. There is at most one exit
// for each router that has several links out of the AS, and one for each node
// by which paths enter the AS and behind which they go to several such routers.
//
// Where flows go to several addresses, those outside the destination's own
// announced prefix are left out: they may have routes of their own.
func (t *Trace) Exits() []Exit {
	if len(t.Annotations) == 0 {
		return nil
	}
	f := newExitFinder(t)
	var out []Exit
	for _, c := range f.candidates() {
		out = append(out, f.judge(c))
	}
	slices.SortStableFunc(out, func(a, b Exit) int {
		return cmp.Or(a.Near.compare(b.Near), cmp.Compare(len(a.Routers()), len(b.Routers())), a.Branches[0].compare(&b.Branches[0]))
	})
	return out
}

// Routers returns the last hops in the AS, each once.
func (x *Exit) Routers() []netip.Addr {
	var out []netip.Addr
	for i := range x.Branches {
		if a := x.Branches[i].Exit.Address; !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// Telling reports whether there is anything to say: of what is undetermined, only
// where several flows go to each of several ASes. Behind one AS alone, the paths
// may as well part inside it.
func (x *Exit) Telling() bool {
	if x.Class != ExitUndetermined {
		return true
	}
	flows := make(map[uint32]int)
	for i := range x.Branches {
		flows[x.Branches[i].Entry.ASN] += x.Branches[i].Flows
	}
	delete(flows, 0)
	several := 0
	for _, n := range flows {
		if n > 1 {
			several++
		}
	}
	return several > 1
}

// Next returns the ASes that the branches lead to, in the order of their
// numbers; not those that are not known.
func (x *Exit) Next() []BorderSide {
	var out []BorderSide
	for i := range x.Branches {
		e := x.Branches[i].Entry
		if e.ASN != 0 && !slices.ContainsFunc(out, func(o BorderSide) bool { return o.ASN == e.ASN }) {
			out = append(out, BorderSide{ASN: e.ASN, Name: e.Name})
		}
	}
	slices.SortFunc(out, BorderSide.compare)
	return out
}

func (b *ExitBranch) compare(o *ExitBranch) int {
	return cmp.Or(b.Exit.compare(o.Exit), b.Entry.compare(o.Entry), cmp.Compare(b.IXP, o.IXP))
}
