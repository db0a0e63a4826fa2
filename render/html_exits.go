// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"slices"
	"strings"

	"traceflow"
	"traceflow/internal/picture"
)

// pageExit is where paths leave an AS by several ways: traceflow.Exit in words.
type pageExit struct {
	Status   string           `json:"status,omitempty"` // picture.Status
	Class    string           `json:"class"`            // traceflow.ExitClass
	Word     string           `json:"word"`             // what that is called in the page
	Sure     string           `json:"sure"`             // how sure it is, or why it cannot be told
	From     string           `json:"from"`             // the AS
	Near     string           `json:"near,omitempty"`   // picture.Node.ID
	Evidence []string         `json:"evidence"`
	Branches []pageExitBranch `json:"branches"`
	// Vary is set where the flows went to several addresses.
	Vary bool `json:"destinations,omitempty"`
}

// pageExitBranch is one way out.
type pageExitBranch struct {
	Leave []string `json:"leave"` // picture.Node.IDs of the last hop in the AS
	Enter []string `json:"enter"` // and of the first behind
	AS    string   `json:"as,omitempty"`
	IXP   string   `json:"ixp,omitempty"`
	// Known says how the next AS is known, ASPath which ASes follow.
	Known        string  `json:"known"`
	ASPath       string  `json:"as_path"`
	Flows        int     `json:"flows"`
	Share        float64 `json:"share"`
	Destinations int     `json:"destinations"`
}

// addExits says what the drawing's exits are. It comes before anything in the
// drawing is folded.
func (p *pageData) addExits() {
	p.Exits, p.MoreExits = []pageExit{}, p.Drawing.More
	for i := range p.Drawing.Exits {
		p.Exits = append(p.Exits, newPageExit(&p.Drawing.Exits[i]))
	}
}

func newPageExit(drawn *picture.Exit) pageExit {
	x := &drawn.Found
	out := pageExit{
		Status: string(drawn.Status), Class: string(x.Class), Word: exitWords[x.Class], From: fullName(asName(x.Near)),
		Near: drawn.Near, Evidence: exitGrounds(x), Branches: []pageExitBranch{}, Vary: x.Vary == traceflow.VaryDestinations,
	}
	out.Sure = fmt.Sprintf("%s confidence", x.Confidence)
	if x.Class == traceflow.ExitUndetermined {
		out.Sure = exitReasons[x.Reason]
	}
	for k := range x.Branches {
		b := &x.Branches[k]
		branch := pageExitBranch{
			Leave: notNil(drawn.Leave[k]), Enter: notNil(drawn.Enter[k]), IXP: fullName(b.IXP), Known: ownerWords[b.Evidence],
			ASPath: exitASPath(b), Flows: b.Flows, Share: b.Share, Destinations: b.Destinations,
		}
		if b.Entry.ASN != 0 {
			branch.AS = fullName(asName(b.Entry))
		}
		out.Branches = append(out.Branches, branch)
	}
	return out
}

// exitASPath lists the ASes behind a branch.
func exitASPath(b *traceflow.ExitBranch) string {
	var out []string
	for _, asn := range b.ASPath {
		out = append(out, fmt.Sprintf("AS%d", asn))
	}
	if !b.Complete {
		out = append(out, "…")
	}
	return strings.Join(out, " ")
}

// exitGrounds says what speaks for a class, or against it. A doubt that another one
// names is not told.
func exitGrounds(x *traceflow.Exit) []string {
	out := []string{}
	for _, e := range x.Evidence {
		length := e == traceflow.EvidenceEqualLengths || e == traceflow.EvidenceUnequalLengths || e == traceflow.EvidenceUnknownLengths
		if length && len(x.Next()) < 2 {
			continue // they are compared between ASes
		}
		if word := evidenceWords[e]; word != "" && !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	if x.Unanswered > 0 {
		out = append(out, fmt.Sprintf("%s not answered where paths part", Count(x.Unanswered, "flow")))
	}
	return out
}

// exitWords are the classes as a heading.
var exitWords = map[traceflow.ExitClass]string{
	traceflow.ExitRelax:        "consistent with as-path multipath-relax",
	traceflow.ExitMulti:        "several exits, as by iBGP multipath or borders at equal distance",
	traceflow.ExitSameAS:       "parallel links to one AS, as by eBGP multipath",
	traceflow.ExitIXPPorts:     "parallel ports of one member",
	traceflow.ExitUndetermined: "undetermined",
}

// evidenceWords say what a class rests on.
var evidenceWords = map[traceflow.ExitEvidence]string{
	traceflow.EvidenceOneRouter:      "all leave by one address",
	traceflow.EvidenceAliases:        "all leave by addresses that lead to the same links: one router's",
	traceflow.EvidenceSeveralRouters: "they leave by several addresses that no common link joins",
	traceflow.EvidenceEqualLengths:   "AS paths of equal length",
	traceflow.EvidenceUnequalLengths: "AS paths of unequal lengths",
	traceflow.EvidenceUnknownLengths: "lengths of the AS paths not known",
	traceflow.EvidenceLoneAddress:    "an AS of a single address counts in a length",
	traceflow.EvidenceLinkAddress:    "of a next AS only the two ends of one link are known",
	traceflow.EvidenceRepeated:       "flows that were sent again kept to their way",
	traceflow.EvidenceOneDestination: "flows to one and the same address part",
	traceflow.EvidencePerDestination: "each address goes one way: parts of the prefix may have routes of their own",
}

// ownerWords say how the AS of a first hop is known.
var ownerWords = map[traceflow.OwnerEvidence]string{
	traceflow.OwnerPort:     "a member's port",
	traceflow.OwnerOwnTable: "in your own table",
	traceflow.OwnerRun:      "it and the next hop are announced by it",
	traceflow.OwnerLAN:      "on a peering LAN, the next hop is announced by it",
	traceflow.OwnerMate:     "announced by it, and the other end of its link answered before it",
	traceflow.OwnerOrigin:   "announced by it, and nothing else says so",
	"":                      "not known",
}
