// SPDX-License-Identifier: BSD-3-Clause

package traceflow

import "net/netip"

type docExit struct {
	Class      ExitClass       `json:"class"`
	Confidence *Confidence     `json:"confidence"`
	Reason     *ExitReason     `json:"reason"`
	Near       docBorderSide   `json:"near"`
	Branches   []docExitBranch `json:"branches"`
	Vary       ExitVary        `json:"vary"`
	Evidence   []ExitEvidence  `json:"evidence"`
	Flows      int             `json:"flows"`
	Unanswered int             `json:"unanswered"`
}

type docExitBranch struct {
	Exit         docBorderSide  `json:"exit"`
	Entry        docBorderSide  `json:"entry"`
	IXP          *string        `json:"ixp"`
	LAN          *netip.Prefix  `json:"ixp_prefix"`
	Evidence     *OwnerEvidence `json:"evidence"`
	ASPath       []uint32       `json:"as_path"`
	Complete     bool           `json:"complete"`
	Flows        int            `json:"flows"`
	Share        float64        `json:"share"`
	Destinations int            `json:"destinations"`
}

// addExits writes what follows from the rest. It is not read back.
func (d *document) addExits(exits []Exit) {
	d.Exits = []docExit{}
	for i := range exits {
		x := &exits[i]
		doc := docExit{
			Class: x.Class, Confidence: known(x.Confidence), Reason: known(x.Reason), Near: x.Near.document(),
			Vary: x.Vary, Evidence: x.Evidence, Flows: x.Flows, Unanswered: x.Unanswered,
		}
		for k := range x.Branches {
			b := &x.Branches[k]
			doc.Branches = append(doc.Branches, docExitBranch{
				Exit: b.Exit.document(), Entry: b.Entry.document(), IXP: known(b.IXP), LAN: validPrefix(b.LAN),
				Evidence: known(b.Evidence), ASPath: append([]uint32{}, b.ASPath...), Complete: b.Complete,
				Flows: b.Flows, Share: b.Share, Destinations: b.Destinations,
			})
		}
		d.Exits = append(d.Exits, doc)
	}
}
