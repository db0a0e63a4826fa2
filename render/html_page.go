// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"math"
	"reflect"
	"slices"
	"strings"

	"traceflow"
	"traceflow/internal/picture"
)

// pageVersion is that of the form of pageData. It is for the script of the same
// program and no exchange format.
const pageVersion = 1

// pageData is what the page shows. Times are in microseconds, shares from 0 to 1.
// All text is printable, and names are no longer than a host's may be.
type pageData struct {
	Version int              `json:"page"`
	Title   string           `json:"title"`
	Heading pageHeading      `json:"heading"`
	Drawing *picture.Drawing `json:"drawing"`
	// Groups are drawings with fewer stations, those that say anything else. Their
	// paths have the IDs of Drawing's, and nothing but their nodes.
	Groups map[picture.Grouping]*pageGroup `json:"groups,omitempty"`
	// Details are what the drawing has no room for, by picture.Node.ID. Nodes
	// that stand in a bar have theirs, too.
	Details map[string]*pageDetail `json:"details"`
	// Exits are where paths leave an AS by several ways: picture.Tag has their index.
	Exits []pageExit `json:"exits"`
	// MoreExits is how many were too many.
	MoreExits int        `json:"more_exits,omitempty"`
	Flows     []pageFlow `json:"flows"`
	Paths     []pagePath `json:"paths"`
}

// pageGroup is a drawing of nodes that are one station together.
type pageGroup struct {
	Drawing *picture.Drawing `json:"drawing"`
}

// pageHeading says what was measured, when, and how sure the result is.
type pageHeading struct {
	Source        string   `json:"source"`
	SourceAddress string   `json:"source_address,omitempty"`
	Target        string   `json:"target"`
	Address       string   `json:"address"`
	Probes        string   `json:"probes"`   // as "UDP port 33452"
	Protocol      string   `json:"protocol"` // traceflow.Protocol
	QUIC          bool     `json:"quic,omitempty"`
	TOS           uint8    `json:"tos,omitempty"`
	Started       string   `json:"started"`
	Duration      int64    `json:"duration_us"`
	Reached       int      `json:"reached"`  // flows
	Followed      int      `json:"followed"` // flows that were followed to their end
	Packets       int      `json:"packets"`
	Replies       int      `json:"replies"`
	Wire          string   `json:"wire,omitempty"`
	Version       string   `json:"version,omitempty"`
	Masked        int      `json:"masked,omitempty"`
	Complete      bool     `json:"complete"`
	Shape         string   `json:"shape"`
	Ending        string   `json:"ending,omitempty"`
	Statement     []string `json:"statement"`
	Measuring     bool     `json:"measuring,omitempty"` // more is to come
	// Difference is there where the page shows two results.
	Difference *pageDifference `json:"difference,omitempty"`
}

// pageFlow is a 5-tuple without what all flows share.
type pageFlow struct {
	ID              int    `json:"id"`
	SourcePort      uint16 `json:"src_port"`
	DestinationPort uint16 `json:"dst_port"`
	Label           uint32 `json:"label,omitempty"`
	// To is where it goes if that is not the destination.
	To string `json:"to,omitempty"`
}

// pagePath is a path hop by hop, with no hop in a bar. Each slice has an entry
// for each hop; those of what was measured begin behind the source.
type pagePath struct {
	ID      int      `json:"id"`
	Flows   []int    `json:"flows"`
	Reached bool     `json:"reached"`
	Length  int      `json:"length"`
	End     string   `json:"end,omitempty"` // why it got no further
	Loss    *float64 `json:"loss,omitempty"`
	// LastTTL is that of the last hop that answered these flows; 0 if none did. AtEnd
	// says that this is the destination: only then are its figures the path's.
	LastTTL int      `json:"last_ttl,omitempty"`
	AtEnd   bool     `json:"at_end,omitempty"`
	Nodes   []string `json:"nodes"` // picture.Node.ID, the source first
	Sent    []int    `json:"sent"`
	Replies []int    `json:"replies"`
	Median  []int64  `json:"median_us"`
	P95     []int64  `json:"p95_us"`
	Verdict []string `json:"verdict"` // traceflow.HopLoss
	// Status and Before are there where the page shows two results: picture.Path.
	Status string    `json:"status,omitempty"`
	Before *pagePast `json:"before,omitempty"`
}

// pagePast is what a path was in the first of two results.
type pagePast struct {
	Flows  int   `json:"flows"`
	Median int64 `json:"median_us,omitempty"`
}

// newPage draws a trace, with everything where it was in earlier pictures.
func newPage(t *traceflow.Trace, before *pageData) *pageData {
	d := picture.Of(t)
	p := &pageData{Version: pageVersion, Drawing: d, Flows: []pageFlow{}, Paths: []pagePath{}}
	p.Title = titleOf(t)
	p.Heading = headingOf(t)
	p.Details = detailsOf(t, d)
	for i := range t.Flows {
		f := &t.Flows[i]
		p.Flows = append(p.Flows, pageFlow{ID: f.ID, SourcePort: f.SourcePort, DestinationPort: f.DestinationPort, Label: f.Label, To: toOther(t, f)})
	}
	p.addPaths(t)
	p.addExits()
	shortNames(d)
	p.addGroups(before)
	arrange(d, before.drawing(""))
	printableIn(reflect.ValueOf(p))
	return p
}

// drawing returns a drawing of the page: that of single nodes, or a grouped one;
// nil if there is none.
func (p *pageData) drawing(by picture.Grouping) *picture.Drawing {
	switch {
	case p == nil:
		return nil
	case by == "":
		return p.Drawing
	case p.Groups[by] == nil:
		return nil
	}
	return p.Groups[by].Drawing
}

// addGroups adds drawings of fewer stations, before the nodes of this one are
// folded.
func (p *pageData) addGroups(before *pageData) {
	for _, by := range picture.Groupings {
		d := p.Drawing.Group(by)
		if d == nil {
			continue
		}
		for i := range d.Paths {
			d.Paths[i] = picture.Path{ID: d.Paths[i].ID, Nodes: d.Paths[i].Nodes}
		}
		arrange(d, before.drawing(by))
		if p.Groups == nil {
			p.Groups = make(map[picture.Grouping]*pageGroup)
		}
		p.Groups[by] = &pageGroup{d}
	}
}

// shortNames makes names no longer than those of hosts may be.
func shortNames(d *picture.Drawing) {
	for i := range d.Nodes {
		n := &d.Nodes[i]
		n.Hostname, n.ASName, n.IXP = fullName(n.Hostname), fullName(n.ASName), fullName(n.IXP)
		n.City, n.Country = fullName(n.City), fullName(n.Country)
	}
}

// arrange gives everything in a drawing its place, and makes lists that hold nothing
// lists in JSON as well.
func arrange(d, before *picture.Drawing) {
	d.Fold(picture.Dense)
	d.Place(before)
	for i := range d.Bands {
		d.Bands[i].Name = fullName(d.Bands[i].Name)
	}
	for i := range d.Links {
		l := &d.Links[i]
		if l.Label == "" && l.Status == picture.Unchanged {
			l.LabelX, l.LabelY = 0, 0 // nothing stands there
		}
		l.Share = shown(l.Share)
	}
	for i := range d.Nodes {
		d.Nodes[i].Share = shown(d.Nodes[i].Share)
	}
	d.Columns, d.Links, d.Paths = notNil(d.Columns), notNil(d.Links), notNil(d.Paths)
	d.Bands, d.Marks, d.Pipes = notNil(d.Bands), notNil(d.Marks), notNil(d.Pipes)
}

// shown leaves digits out of a share that nobody can see.
func shown(share float64) float64 { return math.Round(share*1e6) / 1e6 }

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func headingOf(t *traceflow.Trace) pageHeading {
	h := pageHeading{
		Target: fullName(t.Destination.Name), Address: t.Destination.Address.String(),
		Probes: probesOf(t), Protocol: t.Config.Protocol.String(), QUIC: t.Config.QUIC, TOS: t.Config.TOS,
		Started:  t.Started.UTC().Format("2006-01-02T15:04:05.000Z"),
		Duration: max(0, t.Ended.Sub(t.Started).Microseconds()),
		Packets:  t.Stats.Probes, Replies: t.Stats.Replies,
		Wire: fullName(t.Config.Wire), Version: fullName(t.Version), Masked: t.Config.Masked,
		Complete: t.Complete, Shape: shape(t), Ending: ending(t), Statement: statement(t),
	}
	h.Source = sourceOf(t)
	if a := t.VantagePoint.Address; t.Config.Masked == 0 && a.IsValid() && !a.IsUnspecified() {
		h.SourceAddress = a.String()
	}
	for i := range t.Graph.Walks {
		if t.Graph.Walks[i].Reached() {
			h.Reached++
		}
		if t.Graph.Walks[i].End != traceflow.EndUnknown {
			h.Followed++
		}
	}
	return h
}

// addPaths adds what was measured along each path. The nodes are those of the
// drawing before anything in it is folded.
func (p *pageData) addPaths(t *traceflow.Trace) {
	ends := make(map[int]traceflow.End, len(t.Graph.Walks))
	for i := range t.Graph.Walks {
		ends[t.Graph.Walks[i].Flow.ID] = t.Graph.Walks[i].End
	}
	stats := t.PathStats()
	for i := range stats {
		s := &stats[i]
		out := pagePath{
			ID: s.Path, Flows: s.Flows, Reached: s.Reached, Length: t.Graph.Paths[i].Length,
			Nodes: slices.Clone(p.Drawing.Paths[i].Nodes),
			Sent:  []int{}, Replies: []int{}, Median: []int64{}, P95: []int64{}, Verdict: []string{},
		}
		if !s.Reached {
			out.End = endText(ends[s.Flows[0]].String())
		}
		if loss, known := s.Loss(); known {
			out.Loss = &loss
		}
		verdicts := s.Losses()
		for j := range s.Hops {
			h := &s.Hops[j]
			out.Sent, out.Replies = append(out.Sent, h.Sent), append(out.Replies, h.Replies)
			out.Median, out.P95 = append(out.Median, h.Median.Microseconds()), append(out.P95, h.P95.Microseconds())
			out.Verdict = append(out.Verdict, string(verdicts[j]))
			if h.Replies > 0 {
				out.LastTTL, out.AtEnd = int(h.TTL), h.Address == t.Destination.Address
			}
		}
		p.Paths = append(p.Paths, out)
	}
}

// printableIn makes every text that can be reached from a value printable.
func printableIn(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			printableIn(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				printableIn(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			printableIn(v.Index(i))
		}
	case reflect.Map: // of pointers, by IDs, which are made of addresses
		for _, key := range v.MapKeys() {
			printableIn(v.MapIndex(key))
		}
	case reflect.String:
		v.SetString(Printable(strings.TrimSpace(v.String())))
	default:
	}
}
