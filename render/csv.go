// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"traceflow"
)

// csvHeader names the columns of CSV. Units are in the names, as in JSON.
var csvHeader = []string{
	"destination", "destination_address", "started",
	"path", "path_flows", "reached", "protocol", "src_port", "dst_port", "flow_label",
	"ttl", "kind", "address", "interface_index", "refusal",
	"hostname", "asn", "as_name", "country", "city", "ixp", "ixp_member_asn",
	"share", "sent", "replies", "loss", "loss_kind",
	"rtt_min_us", "rtt_mean_us", "rtt_median_us", "rtt_p95_us", "rtt_max_us", "rtt_stddev_us", "jitter_us",
	"mpls",
}

// CSV writes one row for each hop of each path, below a line of names (RFC 4180,
// with lines that end as those of Unix do). An empty cell is not known. Text that
// strangers wrote never begins as a formula does, so that spreadsheets leave it
// alone, and is one line.
//
// path_flows is how many flows took the path, src_port and flow_label those of
// one of them. asn and as_name are of whoever most likely has the address: see
// [traceflow.Annotation.Owner]. share is the part of all flows that passed this node of the TTL,
// loss that of packets without a reply, both 0 to 1; sent and what follows are
// of this path alone. kind is router, ixp, silent or destination; refusal the
// marks of the tables; loss_kind is that of [traceflow.HopLoss]; mpls has
// label/class/TTL of each entry, top first.
func CSV(w io.Writer, t *traceflow.Trace, o Options) error {
	c := csv.NewWriter(w)
	if !o.Continued {
		if err := c.Write(csvHeader); err != nil {
			return err
		}
	}
	n := newNodes(t)
	shares := make(map[uint8]int) // flows by TTL
	for i := range n.all {
		shares[n.all[i].TTL] += len(n.all[i].flows)
	}
	for _, p := range t.PathStats() {
		at := slices.IndexFunc(t.Flows, func(f traceflow.Flow) bool { return f.ID == p.Flows[0] })
		f := &t.Flows[at]
		losses := p.Losses()
		for i := range p.Hops {
			h, x := &p.Hops[i], n.byID[p.Hops[i].Node]
			asn, name := x.note.Owner()
			row := []string{
				cell(t.Destination.Name), t.Destination.Address.String(), t.Started.UTC().Format(time.RFC3339Nano),
				strconv.Itoa(p.Path), strconv.Itoa(len(p.Flows)), strconv.FormatBool(p.Reached), f.Protocol.String(),
				strconv.Itoa(int(f.SourcePort)), strconv.Itoa(int(f.DestinationPort)), strconv.FormatUint(uint64(f.Label), 10),
				strconv.Itoa(int(h.TTL)), string(x.kind), x.cellAddress(), known(uint64(h.Interface)), strings.Join(x.refusals, " "),
				cell(x.note.Hostname.Name), known(uint64(asn)), cell(name),
				cell(x.note.Place.Country), cell(x.note.Place.City), cell(x.note.Port.IXP), known(uint64(x.note.Port.Member)),
				fraction(len(x.flows), shares[h.TTL]), strconv.Itoa(h.Sent), strconv.Itoa(h.Replies),
				fraction(h.Sent-h.Replies, h.Sent), string(losses[i]),
			}
			for _, d := range []time.Duration{h.Best, h.Mean, h.Median, h.P95, h.Worst, h.Deviation, h.Jitter} {
				row = append(row, microseconds(&h.RTTStats, d))
			}
			if err := c.Write(append(row, x.labels())); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

// cell makes text that strangers wrote harmless. What begins with one of these
// signs, or what Unicode has beside them, is a formula to spreadsheets; an
// apostrophe before it makes it text. A cell that begins with one gets another, so
// that nothing is taken away where one is.
func cell(s string) string {
	s = Printable(shorten(strings.TrimSpace(s), mostCell))
	if s != "" && strings.ContainsRune("=+-@'＝＋－＠\uFFFD", []rune(s)[0]) {
		return "'" + s
	}
	return s
}

// mostCell is the longest text in a cell, in characters: that of the longest name
// in DNS.
const mostCell = 253

// cellAddress is empty for a silent hop.
func (x *nodeText) cellAddress() string {
	if !x.IsValid() {
		return ""
	}
	return x.Address.String()
}

// labels writes the MPLS label stack.
func (x *nodeText) labels() string {
	var out []string
	for _, l := range x.mpls {
		out = append(out, fmt.Sprintf("%d/%d/%d", l.Label, l.TC, l.TTL))
	}
	return strings.Join(out, " ")
}

// known is empty for 0, which stands for not known.
func known(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

func fraction(part, whole int) string {
	if whole == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(part)/float64(whole), 'f', 4, 64)
}

func microseconds(s *traceflow.RTTStats, d time.Duration) string {
	if s.Replies == 0 {
		return ""
	}
	return strconv.FormatInt(d.Microseconds(), 10)
}
