// SPDX-License-Identifier: BSD-3-Clause

package picture

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"traceflow/internal/layout"
)

// Sizes in pixels. A letter is as wide as those of wide fonts are on average:
// which font a viewer has is not known.
const (
	margin     = 16
	letter     = 67 // tenths
	LineHeight = 14 // from one label line to the next
	reach      = 10 // of a station from its axis, with some room
	labelRoom  = 8  // from the axis to the lowest label's foot
	nodeGap    = 12
	tightGap   = 4
	ownerGap   = 22 // between nodes of two owners: the name stands there
	bandHead   = 20 // above the highest node, for the names of owners
	pipeRoom   = 16 // below a node in a tunnel, for its label
	stubRoom   = 8  // below a node where paths end
	narrowest  = 62 // holds any round trip
	widest     = 170
	groupWidth = 110 // holds a range of round trips
	barWidth   = 148
	barHeight  = 168
	// A column with more nodes than this has one line of labels.
	roomy = 16
)

// Place says where everything stands. Nodes that were in the drawing before,
// which may be nil, keep their places as far as new ones leave them room. A
// drawing that is placed twice is the same both times. Where there is more than can
// be drawn, nothing has a place, and TooLarge says so.
func (d *Drawing) Place(before *Drawing) {
	if d.TooLarge = d.tooLarge(); d.TooLarge != "" {
		return
	}
	p := &placer{Drawing: d, index: make(map[string]int, len(d.Nodes))}
	for i := range d.Nodes {
		p.index[d.Nodes[i].ID] = i
	}
	p.columns()
	p.measureNodes()
	p.heights(before)
	p.across()
	p.strokes()
	p.bands()
	p.marks()
	p.pipes()
}

type placer struct {
	*Drawing
	index   map[string]int
	members [][]int // indices of Nodes by column, the highest first
}

func (p *placer) node(id string) *Node { return &p.Nodes[p.index[id]] }

// column returns the index of a TTL's column.
func (p *placer) column(ttl int) int { return ttl - p.Columns[0].TTL }

func (p *placer) columns() {
	first, last := math.MaxInt, 0
	for i := range p.Nodes {
		first, last = min(first, p.Nodes[i].TTL), max(last, p.Nodes[i].TTL)
	}
	p.Columns = nil
	for ttl := first; ttl <= last; ttl++ {
		p.Columns = append(p.Columns, Column{TTL: ttl, Label: p.columnLabel(ttl)})
	}
	p.members = make([][]int, len(p.Columns))
	for i := range p.Nodes {
		c := p.column(p.Nodes[i].TTL)
		p.members[c] = append(p.members[c], i)
	}
}

// columnLabel names a column that is no TTL.
func (d *Drawing) columnLabel(column int) string {
	switch {
	case !d.byOwner():
		return ""
	case column > 0:
		return fmt.Sprint(column)
	case d.By == ByCity:
		return "city"
	}
	return "AS"
}

// byOwner reports whether columns count owners, or cities.
func (d *Drawing) byOwner() bool { return d.By == ByAS || d.By == ByCity }

// measureNodes writes labels and sizes. They follow from names, and of what was
// measured only from whether there is an answer, and from whether paths differ.
func (p *placer) measureNodes() {
	tunnel := make(map[string]bool)
	for i := range p.Pipes {
		tunnel[p.Pipes[i].Nodes[0]] = true
	}
	for c := range p.members {
		tight := len(p.members[c]) > roomy
		width := narrowest
		for _, i := range p.members[c] {
			n := &p.Nodes[i]
			n.label(tight)
			n.Above, n.Below = labelRoom+LineHeight*len(n.Lines), reach
			if n.Kind == Bar {
				n.Above, n.Below = barHeight/2+LineHeight*len(n.Lines), barHeight/2
				width = max(width, barWidth)
			}
			if n.Kind == Group {
				width = max(width, groupWidth)
			}
			if len(n.Ends) > 0 {
				n.Below += stubRoom
			}
			if tunnel[n.ID] {
				n.Below += pipeRoom
			}
			if n.Kind != Bar { // whose height that is
				n.Below += TagHeight * len(n.Tags)
			}
			for _, line := range n.Lines {
				width = max(width, letterWidth(len([]rune(line)))+8)
			}
		}
		p.Columns[c].W = min(width, widest)
		for _, i := range p.members[c] {
			p.Nodes[i].W = p.Columns[c].W
		}
	}
}

// label writes the lines above a node: its name, the address if that is another,
// and the round trip.
func (n *Node) label(tight bool) {
	n.Lines = nil
	fits := (widest - 8) * 10 / letter
	address := n.Address
	if n.Interface != 0 {
		address += fmt.Sprintf(" if %d", n.Interface)
	}
	name := Shorten(cmp.Or(n.Hostname, address, string(n.Kind)), fits)
	switch {
	case n.Kind == Bar:
		n.Lines = n.barLines()
		return
	case n.Kind == Group:
		n.Lines = n.groupLines(tight, fits)
		return
	case n.Kind == Silent && tight:
		n.Lines = []string{"*"}
		return
	case n.Kind == Silent:
		n.Lines = []string{"no answer"}
		return
	case n.Hidden == 1:
		n.Lines = []string{"1 hop hidden"}
		return
	case n.Hidden > 0:
		n.Lines = []string{fmt.Sprintf("%d hops hidden", n.Hidden)}
		return
	case tight:
		n.Lines = []string{name}
		return
	case n.Hostname != "" && address != "":
		n.Lines = []string{name, Shorten(address, fits)}
	default:
		n.Lines = []string{name}
	}
	switch {
	case n.Unreached:
		n.Lines = append(n.Lines, "not reached")
	case n.Replies > 0:
		n.Lines = append(n.Lines, n.roundTrip())
	}
}

// roundTrip is the median, or from which to which where paths differ; in a drawing
// of two results both medians, where these differ: a span would look like a change.
func (n *Node) roundTrip() string {
	now := Milliseconds(n.RTT.Median)
	if n.Before == nil && len(n.Medians) > 0 {
		return span(n.Medians)
	}
	if n.Before != nil && n.Before.Replies > 0 {
		if then := Milliseconds(n.Before.RTT.Median); then != now {
			return strings.TrimSuffix(then, " ms") + " → " + now
		}
	}
	return now
}

// groupLines says of a group whose it is, how large, and how far away.
func (n *Node) groupLines(tight bool, fits int) []string {
	name := n.Name
	if name == "" {
		name = "not known whose"
	}
	if r := []rune(name); len(r) > fits {
		name = strings.TrimSpace(string(r[:fits-1])) + "…" // the number stands first
	}
	lines := []string{name}
	if tight {
		return lines
	}
	lines = append(lines, count(n.Addresses, "address"))
	if n.Replies > 0 {
		lines = append(lines, span(n.Medians))
	}
	return lines
}

// span writes the least and the largest of some round trips.
func span(medians []int64) string {
	least, most := Milliseconds(medians[0]), Milliseconds(medians[1])
	if least == most {
		return least
	}
	return strings.TrimSuffix(least, " ms") + "–" + most
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ses", n, noun)
}

// barLines says of a bar how many there are, how evenly flows are spread, and
// the worst of them.
func (n *Node) barLines() []string {
	least, most, worst := 1.0, 0.0, 0.0
	for i := range n.Members {
		m := &n.Members[i]
		least, most = math.Min(least, m.Share), math.Max(most, m.Share)
		if m.Kind != Silent {
			worst = math.Max(worst, m.Loss())
		}
	}
	lost := "no loss"
	if worst > 0 {
		lost = fmt.Sprintf("worst: %.0f %% unanswered", 100*worst)
	}
	return []string{
		fmt.Sprintf("%d next hops", len(n.Members)),
		fmt.Sprintf("%.1f to %.1f %% each", 100*least, 100*most),
		fmt.Sprintf("slowest %s", Milliseconds(n.RTT.Median)),
		lost,
	}
}

func letterWidth(letters int) int { return letters * letter / 10 }

// Shorten leaves the middle out of text that is longer than n letters: both ends
// of names and addresses tell more.
func Shorten(text string, n int) string {
	r := []rune(text)
	if len(r) <= n || n < 3 {
		return text
	}
	head := n / 2
	return string(r[:head]) + "…" + string(r[len(r)-(n-head-1):])
}

// heights sets Y.
func (p *placer) heights(before *Drawing) {
	g := &layout.Graph{Gap: nodeGap, GroupGap: ownerGap, Boxes: make([]layout.Box, len(p.Nodes))}
	owned := p.owned()
	for i := range p.Nodes {
		n := &p.Nodes[i]
		box := layout.Box{Key: key(n), Column: p.column(n.TTL), Above: n.Above, Below: n.Below}
		if len(p.members[box.Column]) > roomy {
			box.Above -= nodeGap - tightGap
		}
		if owned {
			box.Group = fmt.Sprint(n.ASN)
		}
		g.Boxes[i] = box
	}
	passings := p.addPassings(g)
	var places map[string]int
	if before != nil {
		places = make(map[string]int, len(before.Nodes))
		for i := range before.Nodes {
			places[key(&before.Nodes[i])] = before.Nodes[i].Y
		}
		before.passed(places)
	}
	y := layout.Arrange(g, places)
	top, bottom := math.MaxInt, math.MinInt
	for i := range g.Boxes {
		b := &g.Boxes[i]
		if i < len(p.Nodes) {
			b.Above = p.Nodes[i].Above
		}
		top, bottom = min(top, y[i]-b.Above), max(bottom, y[i]+b.Below)
	}
	shift := margin - top
	if owned {
		shift += bandHead
	}
	for i := range p.Nodes {
		p.Nodes[i].Y = y[i] + shift
	}
	for i := range p.Links {
		p.Links[i].Via = nil
	}
	for _, x := range passings {
		l := &p.Links[x.link]
		l.Via = append(l.Via, y[x.box]+shift)
	}
	p.Height = bottom + shift + margin
	for c := range p.members {
		slices.SortFunc(p.members[c], func(a, b int) int { return p.Nodes[a].Y - p.Nodes[b].Y })
	}
}

// key is a node's ID, made so that text sorts as addresses do.
func key(n *Node) string {
	a, err := netip.ParseAddr(n.Address)
	if err != nil {
		return fmt.Sprintf("%03d ~%s", n.TTL, n.ID)
	}
	return fmt.Sprintf("%03d %x %s", n.TTL, a.AsSlice(), n.ID)
}

// The channel between two columns is as wide as what bends in it needs.
const (
	leastChannel = 48
	mostChannel  = 190
	stubChannel  = 76 // where paths end
	// A drawing is at least this part of its height wide, so that it fills more of
	// a window than a stripe.
	leastWidth = 0.8
)

// across sets X of columns and nodes.
func (p *placer) across() {
	channel := make([]int, len(p.Columns))
	for i := range channel {
		channel[i] = leastChannel
	}
	for i := range p.Links {
		l := &p.Links[i]
		y, c := p.node(l.From).Y, p.column(p.node(l.From).TTL)
		for _, next := range append(slices.Clone(l.Via), p.node(l.To).Y) {
			channel[c] = max(channel[c], min(leastChannel+abs(y-next)/3, mostChannel))
			y, c = next, c+1
		}
	}
	for i := range p.Nodes {
		if c := p.column(p.Nodes[i].TTL); len(p.Nodes[i].Ends) > 0 {
			channel[c] = max(channel[c], stubChannel)
		}
	}
	widen(channel, p.Columns, int(leastWidth*float64(p.Height)))
	x := margin
	for c := range p.Columns {
		p.Columns[c].X = x
		for _, i := range p.members[c] {
			p.Nodes[i].X = x
		}
		x += p.Columns[c].W
		if last := c == len(p.Columns)-1; !last || channel[c] > leastChannel {
			x += channel[c]
		}
	}
	p.Width = x + margin
}

// widen makes channels wider, each by as many times, until columns and channels
// are that wide together. What follows the last column stays.
func widen(channel []int, columns []Column, width int) {
	inner := channel[:len(channel)-1]
	sum := 0
	for _, w := range inner {
		sum += w
	}
	for _, c := range columns {
		width -= c.W
	}
	if sum == 0 || width <= sum {
		return
	}
	for i := range inner {
		inner[i] = inner[i] * width / sum
	}
}

func abs(n int) int { return max(n, -n) }
