// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"traceflow"
	"traceflow/internal/picture"
)

// mostRecent is how many round trips the page has of each node, to draw them.
const mostRecent = 40

// pageDetail is what is known of a node beside what the drawing says.
type pageDetail struct {
	ASNs         []uint32     `json:"asns,omitempty"` // all origins, where there are several
	Prefix       string       `json:"prefix,omitempty"`
	OriginSource string       `json:"origin_source,omitempty"`
	NameSource   string       `json:"name_source,omitempty"`
	PlaceSource  string       `json:"place_source,omitempty"`
	LAN          string       `json:"lan,omitempty"`
	LANSource    string       `json:"lan_source,omitempty"`
	Answers      []pageAnswer `json:"answers,omitempty"`
	ReplyTTLs    []int        `json:"reply_ttls,omitempty"`
	// TOS are those quoted that are not the one sent.
	TOS      []int    `json:"tos,omitempty"`
	MPLS     []string `json:"mpls,omitempty"` // each stack once, top first
	In       []string `json:"in,omitempty"`   // interfaces that probes came in by
	Limited  bool     `json:"limited,omitempty"`
	Balancer string   `json:"balancer,omitempty"` // traceflow.Balancer of what begins here
	Width    int      `json:"width,omitempty"`    // of it
	// Recent are round trips in the order of sending; −1 without a reply.
	Recent []int64 `json:"recent_us,omitempty"`
}

// pageAnswer counts replies of one kind.
type pageAnswer struct {
	Kind  string `json:"kind"` // traceflow.ReplyKind
	Type  uint8  `json:"type"`
	Code  uint8  `json:"code"`
	Count int    `json:"count"`
}

// detailsOf collects details of the nodes that answered.
func detailsOf(t *traceflow.Trace, d *picture.Drawing) map[string]*pageDetail {
	out := make(map[string]*pageDetail, len(d.Nodes))
	for i := range d.Nodes {
		if d.Nodes[i].Address != "" {
			out[d.Nodes[i].ID] = &pageDetail{}
		}
	}
	if source := out["source"]; source != nil {
		source.annotate(t.Annotations.Of(t.VantagePoint.Address))
	}
	at := make(map[string]string) // IDs of the drawing by those of the graph
	for i := range t.Graph.Nodes {
		n := &t.Graph.Nodes[i]
		id := pageNode(int(n.TTL), n.Responder)
		x := out[id]
		if x == nil {
			continue
		}
		at[n.ID] = id
		x.annotate(t.Annotations.Of(n.Address))
		if n.InterfaceName != "" {
			x.In = append(x.In, fullName(n.InterfaceName))
		}
	}
	for i := range t.Graph.Diamonds {
		g := &t.Graph.Diamonds[i]
		x := out[at[g.Divergence]]
		if x == nil {
			continue
		}
		x.Width = g.Width
		if g.Balancer != traceflow.BalancerUnknown {
			x.Balancer = string(g.Balancer)
		}
	}
	for i := range t.Exchanges {
		e := &t.Exchanges[i]
		who := traceflow.Responder{Address: e.Reply.Address, Interface: e.Reply.IncomingIndex()}
		x := out[pageNode(int(e.TTL), who)]
		if x == nil {
			x = out[pageNode(int(e.TTL), traceflow.Responder{Address: e.Reply.Address})]
		}
		if x != nil && e.Reply.Kind.Answered() {
			x.take(&e.Reply, t.Config.TOS)
		}
	}
	for _, s := range t.PathStats() {
		for i := range s.Hops {
			h := &s.Hops[i]
			x := out[at[h.Node]]
			if x == nil {
				continue
			}
			x.Limited = x.Limited || h.Limited
			for _, rtt := range h.Recent {
				switch {
				case len(x.Recent) == mostRecent:
				case rtt < 0:
					x.Recent = append(x.Recent, -1)
				default:
					x.Recent = append(x.Recent, rtt.Microseconds())
				}
			}
		}
	}
	return out
}

// pageNode is the picture.Node.ID of what answered.
func pageNode(ttl int, r traceflow.Responder) string {
	if r.Interface == 0 {
		return fmt.Sprintf("%d/%s", ttl, r.Address)
	}
	return fmt.Sprintf("%d/%s#%d", ttl, r.Address, r.Interface)
}

func (x *pageDetail) annotate(a traceflow.Annotation) {
	if len(a.Origin.ASNs) > 1 {
		x.ASNs = a.Origin.ASNs
	}
	if a.Origin.Prefix.IsValid() {
		x.Prefix = a.Origin.Prefix.String()
	}
	if a.Port.Prefix.IsValid() {
		x.LAN = a.Port.Prefix.String()
	}
	x.OriginSource, x.NameSource = fullName(a.Origin.Source), fullName(a.Hostname.Source)
	x.PlaceSource, x.LANSource = fullName(a.Place.Source), fullName(a.Port.Source)
}

// take adds a reply.
func (x *pageDetail) take(r *traceflow.Reply, tos uint8) {
	answer := pageAnswer{Kind: r.Kind.String(), Type: r.ICMPType, Code: r.ICMPCode}
	at := slices.IndexFunc(x.Answers, func(a pageAnswer) bool {
		return a.Kind == answer.Kind && a.Type == answer.Type && a.Code == answer.Code
	})
	if at < 0 {
		at = len(x.Answers)
		x.Answers = append(x.Answers, answer)
	}
	x.Answers[at].Count++
	if r.TTL != 0 {
		x.ReplyTTLs = addOnce(x.ReplyTTLs, int(r.TTL))
	}
	if r.HeaderQuoted && r.QuotedTOS != tos {
		x.TOS = addOnce(x.TOS, int(r.QuotedTOS))
	}
	var stack []string
	for _, l := range r.MPLS {
		stack = append(stack, fmt.Sprintf("%d/%d/%d", l.Label, l.TC, l.TTL))
	}
	if len(stack) > 0 {
		x.MPLS = addOnce(x.MPLS, strings.Join(stack, ", "))
	}
}

// mostValues bounds what a node may have of a kind.
const mostValues = 16

// addOnce adds a value to a sorted list of different ones.
func addOnce[T cmp.Ordered](values []T, v T) []T {
	at, found := slices.BinarySearch(values, v)
	if found || len(values) >= mostValues {
		return values
	}
	return slices.Insert(values, at, v)
}
