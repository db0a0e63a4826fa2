// SPDX-License-Identifier: BSD-3-Clause

// Package picture says what a drawing of a trace holds and where it stands: the
// one model that the SVG, the page and the picture of a difference draw. Data
// go in and data come out; nothing is written here.
//
// Of describes a trace, with no place for anything. Merge makes one drawing of
// two, Group one of fewer stations. Fold makes wide columns one bar, and Place
// gives everything its place:
//
//	d := picture.Of(trace)
//	d.Fold(picture.Dense)
//	d.Place(previous) // or nil
//
// Names and other text from outside are in it as they came: whoever writes them
// escapes them.
package picture

import "net/netip"

// Drawing is a network seen from a vantage point, in columns of one TTL each.
// Lengths are in pixels of a drawing shown at its own size, from its upper left
// corner; times are in microseconds, shares and losses from 0 to 1.
type Drawing struct {
	Width   int      `json:"width"`
	Height  int      `json:"height"`
	Columns []Column `json:"columns"`
	Nodes   []Node   `json:"nodes"`
	Links   []Link   `json:"links"`
	Paths   []Path   `json:"paths"`
	Bands   []Band   `json:"bands"` // none where nothing is known of any owner
	Marks   []Mark   `json:"marks"`
	Pipes   []Pipe   `json:"pipes"`
	// By is what Group has grouped it by; "" for a drawing of single nodes.
	By Grouping `json:"by,omitempty"`
	// Merged is set where Merge has made it of two results.
	Merged bool `json:"merged,omitempty"`
	// TooLarge says why nothing has a place: there is too much of it. It is "" for
	// a drawing that can be drawn.
	TooLarge string `json:"too_large,omitempty"`
	// Exits are where paths leave an AS by several ways, those that there is anything
	// to say of. More is how many were too many. All drawings of a result have the same.
	Exits []Exit `json:"-"`
	More  int    `json:"-"`
	// Flows are those of Paths. All drawings of a result have the same.
	Flows []Flow `json:"-"`
}

// Flow is what tells a flow from the others of a result.
type Flow struct {
	ID              int // unique in a drawing
	SourcePort      uint16
	DestinationPort uint16
	Label           uint32 // of IPv6
	to              netip.Addr
	// met are the nodes of its path, the source first, that answered this very
	// flow; "" where others say that it passed there.
	met []string
}

// Column is a TTL. The first is that of the source. In a drawing by AS or by city
// TTL only counts the columns, from 0.
type Column struct {
	TTL int `json:"ttl"`
	// Label is what stands above it, if that is not the TTL.
	Label string `json:"label,omitempty"`
	X     int    `json:"x"` // of its left edge
	W     int    `json:"w"`
}

// Status is what became of a thing from one result to another.
type Status string

// What may have become of it. In a drawing of one result nothing has.
const (
	Unchanged Status = ""
	Gone      Status = "gone"
	New       Status = "new"
)

// Kind is what a node is drawn as.
type Kind string

// The kinds of nodes.
const (
	Source      Kind = "source"
	Destination Kind = "destination"
	Router      Kind = "router"
	Exchange    Kind = "exchange" // a router on the peering LAN of an exchange point
	Silent      Kind = "silent"   // no answer to any try: of each pair of neighbours one
	Bar         Kind = "bar"      // all the nodes of a wide column
	Group       Kind = "group"    // nodes of one owner or city, or of nobody known: Drawing.Group
)

// Node is one station.
type Node struct {
	// ID is the same in every drawing of the network: TTL and address, and of a
	// silent hop the answers on both sides.
	ID     string `json:"id"`
	TTL    int    `json:"ttl"`
	Kind   Kind   `json:"kind"`
	Status Status `json:"status,omitempty"`

	Address   string `json:"address,omitempty"`
	Interface uint32 `json:"interface,omitempty"` // ifIndex, where replies tell it
	Hostname  string `json:"hostname,omitempty"`
	ASN       uint32 `json:"asn,omitempty"` // 0 when not known
	ASName    string `json:"as_name,omitempty"`
	IXP       string `json:"ixp,omitempty"`
	City      string `json:"city,omitempty"`
	Country   string `json:"country,omitempty"`

	Flows   int `json:"flows"` // that passed
	Sent    int `json:"sent"`  // packets
	Replies int `json:"replies"`
	RTT     RTT `json:"rtt_us"`
	// Verdict is what the loss here means, on the path where it is worst:
	// traceflow.HopLoss.
	Verdict string `json:"verdict,omitempty"`
	// Unreached is true for a destination that answered nothing: no link leads
	// to it.
	Unreached bool `json:"unreached,omitempty"`
	// Hidden is how many hops Trace.Mask has hidden behind this source.
	Hidden int `json:"hidden,omitempty"`
	// Ends are the flows that got no further, unless this is the destination.
	Ends []End `json:"ends,omitempty"`
	// Members are what a bar stands for, in the order of address.
	Members []Node `json:"members,omitempty"`
	// Tags stand below it: exits that begin here, and ports that are parallel.
	Tags []Tag `json:"tags,omitempty"`
	// Name is that of a group's owner or city; "" where it is not known.
	Name string `json:"name,omitempty"`
	// Stations are the nodes that a station of a grouped drawing stands for, by
	// their IDs in the drawing of single nodes.
	Stations []string `json:"stations,omitempty"`
	// Addresses is how many of them a group has. Medians are the least and the
	// largest median round trip to one of these; of a single node those of its
	// paths, where some are much slower than others.
	Addresses int     `json:"addresses,omitempty"`
	Medians   []int64 `json:"medians_us,omitempty"`
	// Share is the part of the flows at this TTL that passed; in a drawing by AS or
	// by city, of all flows.
	Share float64 `json:"share"`
	// Before is what it was in the first of two results: Merge.
	Before *Past `json:"before,omitempty"`

	// X is the left edge, Y the axis that links run along, W the width. Above
	// and Below are how far it reaches from its axis, its labels included.
	X     int `json:"x"`
	Y     int `json:"y"`
	W     int `json:"w"`
	Above int `json:"above"`
	Below int `json:"below"`
	// In and Out are what several links share of the axis before and after the
	// station; not there where there is one link or none.
	In  *Track `json:"in,omitempty"`
	Out *Track `json:"out,omitempty"`
	// Lines are the labels above the axis, the topmost first, shortened to the
	// width.
	Lines []string `json:"lines"`
}

// Track is one stroke for the ends of links that run together, as wide as all of
// them. Level is that of most of their flows. Status is set where it is that of all.
type Track struct {
	Status   Status  `json:"status,omitempty"`
	Width    float64 `json:"width"`
	Level    int     `json:"level"`
	Inferred bool    `json:"inferred,omitempty"`
	Stroke   Stroke  `json:"stroke"`
}

// Loss returns the part of the packets that nothing came back for.
func (n *Node) Loss() float64 {
	if n.Sent == 0 {
		return 0
	}
	return 1 - float64(n.Replies)/float64(n.Sent)
}

// RTT is that of traceflow.RTTSummary; all zero where nothing answered.
type RTT struct {
	Min    int64 `json:"min"`
	Median int64 `json:"median"`
	P95    int64 `json:"p95"`
	Max    int64 `json:"max"`
}

// End is how flows ended that did not reach the destination.
type End struct {
	Reason string `json:"reason"` // traceflow.End
	Flows  int    `json:"flows"`
}

// Link is a stroke between two nodes that one and the same flow met at
// neighbouring TTLs.
type Link struct {
	From   string  `json:"from"` // Node.ID
	To     string  `json:"to"`
	Status Status  `json:"status,omitempty"`
	Flows  int     `json:"flows"`
	Share  float64 `json:"share"` // of the flows between these two TTLs
	// Bundle is how many links it stands for: more than 1 at a bar, whose Delta is
	// the largest of theirs, and between groups, where it is the middle one and
	// Deltas are the least and the largest.
	Bundle int     `json:"bundle"`
	Deltas []int64 `json:"deltas_us,omitempty"`
	// IXP is the exchange point on whose peering LAN packets pass from one group to
	// the other.
	IXP string `json:"ixp,omitempty"`
	// Inferred: an end is silent, or nothing was sent to the TTLs between.
	Inferred bool `json:"inferred,omitempty"`
	// Delta is how much longer the round trip to To is than that to From; not
	// there where that says nothing: either end did not answer, or the one farther
	// away answered sooner.
	Delta *int64 `json:"delta_us,omitempty"`
	// Samples are the replies of the end that gave fewer.
	Samples int `json:"samples"`
	// Lost is the loss that begins here and persists to the destination.
	Lost float64 `json:"lost,omitempty"`
	// Before is what it was in the first of two results.
	Before *Past `json:"before,omitempty"`

	// Width is that of the stroke, by share; Level the delay's, from 0 to Levels − 1,
	// or −1 when Delta is not there.
	Width float64 `json:"width"`
	Level int     `json:"level"`
	// Label is written where the link stands out.
	Label string `json:"label,omitempty"`
	// Stroke leads from station to station, or from track to track; LabelX and LabelY
	// are the middle of its bend.
	Stroke Stroke `json:"stroke"`
	LabelX int    `json:"label_x,omitempty"`
	LabelY int    `json:"label_y,omitempty"`
	// Via are the heights at which it passes the columns between those of its ends.
	Via []int `json:"via,omitempty"`
}

// Path is one of the ways from end to end.
type Path struct {
	ID      int      `json:"id"`
	Status  Status   `json:"status,omitempty"`
	Flows   []int    `json:"flows,omitempty"` // Flow.ID; a grouped drawing need not repeat them
	Reached bool     `json:"reached,omitempty"`
	Nodes   []string `json:"nodes"` // Node.ID, the source first
	// Median round trip, packets and replies of the destination; 0 for a path whose
	// last hop is another.
	Median  int64 `json:"median_us,omitempty"`
	Sent    int   `json:"sent,omitempty"`
	Replies int   `json:"replies,omitempty"`
	// Before is what it was in the first of two results.
	Before *Past `json:"before,omitempty"`
	// ends are how its flows ended that did not reach the destination.
	ends []End
}

// Band is the ground behind nodes of one owner.
type Band struct {
	ASN  uint32 `json:"asn"` // 0: not known
	Name string `json:"name"`
	// Tint numbers the owners from 0 in the order of the path; −1 for unknown.
	Tint  int    `json:"tint"`
	Areas []Area `json:"areas"` // do not overlap
}

// Area is an upright rectangle.
type Area struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
	// Named is set where the owner's name stands.
	Named bool `json:"named,omitempty"`
}

// Mark is an upright line between two columns at which packets change.
type Mark struct {
	Kind string `json:"kind"` // "nat"
	// Certain is false where something else may be the cause.
	Certain bool   `json:"certain"`
	Detail  string `json:"detail"`
	TTL     int    `json:"ttl"`   // of the column behind it
	After   string `json:"after"` // Node.ID before it; "" if it is not known
	X       int    `json:"x"`
	Top     int    `json:"top"`
	Bottom  int    `json:"bottom"`
}

// Pipe is a tunnel around nodes and links.
type Pipe struct {
	Kind   string   `json:"kind"`   // traceflow.TunnelKind
	Hidden int      `json:"hidden"` // routers in it that do not show, about; 0 if none
	Label  string   `json:"label"`
	Detail string   `json:"detail"`
	Nodes  []string `json:"nodes"` // Node.ID
	// Strokes are there where a drawing has places.
	Strokes []Stroke `json:"strokes"`
	// X and Y are where the label begins.
	X int `json:"x"`
	Y int `json:"y"`
	// from and to are its TTLs.
	from, to int
}

// Levels is how many levels of delay links are told apart by, and levels the
// first delay of each but the lowest, in microseconds.
const Levels = 5

var levels = [Levels - 1]int64{1_000, 5_000, 20_000, 60_000}

// LevelFrom returns the least delay of a level, in microseconds.
func LevelFrom(level int) int64 {
	if level <= 0 {
		return 0
	}
	return levels[level-1]
}

func levelOf(delta *int64) int {
	if delta == nil {
		return -1
	}
	level := 0
	for level < len(levels) && *delta >= levels[level] {
		level++
	}
	return level
}
