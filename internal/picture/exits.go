// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"fmt"
	"slices"
	"strings"

	"traceflow"
)

// mostExits is how many exits a drawing tells of: what is drawn of one is found
// again in a list of all.
const mostExits = 24

// Exit is a traceflow.Exit by the nodes of a drawing of single nodes.
type Exit struct {
	Found  traceflow.Exit
	Status Status // between two results
	// Near is the Node.ID of where the paths part; "" where it does not answer.
	Near string
	// Leave and Enter have for each branch the nodes that are its last hop in the AS
	// and the first behind: one each, but for interfaces that share an address.
	Leave, Enter [][]string
}

// TagKind is what a tag is about.
type TagKind string

// The kinds of tags.
const (
	TagExit TagKind = "exit" // paths leave an AS by several ways from here on
	TagPort TagKind = "port" // one of several ports of one member on a peering LAN
)

// Tag is a word below a node.
type Tag struct {
	Kind  TagKind `json:"kind"`
	Exit  int     `json:"exit"` // index of Drawing.Exits
	Label string  `json:"label"`
	// Certain is false where the class of the exit could not be told.
	Certain bool   `json:"certain"`
	Status  Status `json:"status,omitempty"`
}

// TagHeight is how much room a tag has below its node.
const TagHeight = 18

// addExits adds exits that there is anything to say of, and their tags.
func (d *describer) addExits() {
	for _, x := range d.trace.Exits() {
		switch {
		case !x.Telling():
		case len(d.Exits) == mostExits:
			d.More++
		default:
			d.Exits = append(d.Exits, d.exit(x))
		}
	}
	d.tag()
}

// exit finds the nodes of an exit.
func (d *describer) exit(found traceflow.Exit) Exit {
	x := Exit{Found: found}
	if at := d.nodesAt(found.Near); len(at) > 0 {
		x.Near = at[0]
	}
	for i := range found.Branches {
		b := &found.Branches[i]
		x.Leave, x.Enter = append(x.Leave, d.nodesAt(b.Exit)), append(x.Enter, d.nodesAt(b.Entry))
	}
	return x
}

// nodesAt returns the nodes with an address at a TTL.
func (d *describer) nodesAt(s traceflow.BorderSide) []string {
	if s.TTL == 0 {
		return []string{sourceID}
	}
	var out []string
	id := fmt.Sprintf("%d/%s", s.TTL, s.Address)
	for i := range d.Nodes {
		if n := &d.Nodes[i]; s.Address.IsValid() && (n.ID == id || strings.HasPrefix(n.ID, id+"#")) {
			out = append(out, n.ID)
		}
	}
	return out
}

// TagTop returns how far below the axis of its node a tag begins, by its index.
func (n *Node) TagTop(i int) int {
	if n.Kind == Bar {
		return n.Below + 4 + TagHeight*i
	}
	return n.Below - TagHeight*(len(n.Tags)-i)
}

// tag gives nodes the tags of the exits, in place of those they have.
func (d *Drawing) tag() {
	at := make(map[string]*Node, len(d.Nodes))
	for i := range d.Nodes {
		d.Nodes[i].Tags = nil
		at[d.Nodes[i].ID] = &d.Nodes[i]
	}
	for i := range d.Exits {
		x := &d.Exits[i]
		t := Tag{Kind: TagExit, Exit: i, Label: x.label(), Certain: x.Found.Class != traceflow.ExitUndetermined, Status: x.Status}
		if n := at[x.Near]; n != nil {
			n.Tags = append(n.Tags, t)
		}
		if x.Found.Class != traceflow.ExitIXPPorts {
			continue
		}
		ports := x.ports()
		for k, id := range ports {
			if n := at[id]; n != nil {
				t.Kind, t.Label = TagPort, fmt.Sprintf("port %d of %d", k+1, len(ports))
				n.Tags = append(n.Tags, t)
			}
		}
	}
}

// label says in a word or two what leaves there.
func (x *Exit) label() string {
	switch x.Found.Class {
	case traceflow.ExitRelax:
		return "relax"
	case traceflow.ExitMulti:
		return fmt.Sprintf("%d exits", len(x.Found.Routers()))
	case traceflow.ExitSameAS:
		return fmt.Sprintf("%d links", len(x.Found.Branches))
	case traceflow.ExitIXPPorts:
		return fmt.Sprintf("%d ports", len(x.ports()))
	case traceflow.ExitUndetermined:
	}
	return "exits?"
}

// ports are the first hops of all branches, each once.
func (x *Exit) ports() []string {
	var out []string
	for _, ids := range x.Enter {
		for _, id := range ids {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// mostTags is how many tags a station of several nodes has.
const mostTags = 3

// inheritTags gives a station of several nodes what leaves at one of them. Single
// ports do not show in it.
func (n *Node) inheritTags(of *Node) {
	for _, t := range of.Tags {
		known := slices.ContainsFunc(n.Tags, func(o Tag) bool { return o.Exit == t.Exit })
		if t.Kind == TagExit && !known && len(n.Tags) < mostTags {
			n.Tags = append(n.Tags, t)
		}
	}
}

// mergeExits takes over the exits of both results: those of the second, and those
// of the first that the second has no more. Two are one if they part at one node
// and are of one class.
func (m *merger) mergeExits(d *Drawing) {
	in := func(all []Exit, x *Exit) bool {
		return slices.ContainsFunc(all, func(o Exit) bool { return o.Near == x.Near && o.Found.Class == x.Found.Class })
	}
	for _, x := range m.after.Exits {
		if !in(m.before.Exits, &x) {
			x.Status = New
		}
		d.Exits = append(d.Exits, x)
	}
	for _, x := range m.before.Exits {
		if !in(m.after.Exits, &x) {
			x.Status = Gone
			d.Exits = append(d.Exits, x)
		}
	}
	d.More = m.after.More
	d.tag()
}

// ConfirmExits leaves those exits of a merged drawing gone or new that a verdict
// calls so. All others that the first result alone has are left out, and those that
// the second alone has are told as unchanged. It comes after Merge and before Fold.
func (d *Drawing) ConfirmExits(is func(*Exit) bool) {
	var kept []Exit
	for i := range d.Exits {
		x := d.Exits[i]
		switch {
		case x.Status == Unchanged || is(&x):
		case x.Status == Gone:
			continue
		default:
			x.Status = Unchanged
		}
		kept = append(kept, x)
	}
	d.Exits = kept
	d.tag()
}
