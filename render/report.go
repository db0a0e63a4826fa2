// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"traceflow"
)

// Report writes figures for each hop of each path, as mtr does for one path.
func Report(w io.Writer, t *traceflow.Trace, o Options) error {
	return PathReport(w, t, t.PathStats(), o)
}

// PathReport is Report of statistics that were kept otherwise, such as those of
// the live screen. The paths are those of t.Graph; worst of all come those that
// do not reach the destination, then those that lose most on the whole way, then
// the slowest. Of loss it says what it means: see [traceflow.PathStats.Losses].
func PathReport(w io.Writer, t *traceflow.Trace, stats []traceflow.PathStats, o Options) error {
	r := newReport(t, stats, o)
	b := bufio.NewWriter(w)
	if o.Continued {
		fmt.Fprintln(b)
	}
	r.heading(b)
	if len(r.paths) > 1 {
		r.overview(b)
	}
	for i := range r.paths {
		r.path(b, &r.paths[i])
	}
	r.legend(b)
	return b.Flush()
}

// report is what is being written, and what was used of the legend.
type report struct {
	trace *traceflow.Trace
	paths []reportPath
	flows map[int]*traceflow.Flow
	nodes *nodes
	Options
	used map[traceflow.HopLoss]bool
}

type reportPath struct {
	*traceflow.PathStats
	losses []traceflow.HopLoss
	rank   int // 0: ends before the destination, 1: reaches it, 2: not followed to an end
}

func newReport(t *traceflow.Trace, stats []traceflow.PathStats, o Options) *report {
	r := &report{trace: t, nodes: newNodes(t), flows: make(map[int]*traceflow.Flow, len(t.Flows)), Options: o, used: make(map[traceflow.HopLoss]bool)}
	for i := range t.Flows {
		r.flows[t.Flows[i].ID] = &t.Flows[i]
	}
	stopped := make(map[int]bool) // by Path.ID
	for i := range t.Graph.Walks {
		w := &t.Graph.Walks[i]
		stopped[w.Path] = stopped[w.Path] || w.End == traceflow.EndUnreachable || w.End == traceflow.EndSilent
	}
	for i := range stats {
		p := reportPath{PathStats: &stats[i], losses: stats[i].Losses(), rank: 2}
		switch {
		case p.Reached:
			p.rank = 1
		case stopped[p.Path]:
			p.rank = 0
		}
		r.paths = append(r.paths, p)
	}
	slices.SortStableFunc(r.paths, func(a, b reportPath) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.persistent(), a.persistent()), cmp.Compare(b.delay(), a.delay()))
	})
	return r
}

// persistent is the loss on the way to the destination, 0 where that is not sure.
func (p *reportPath) persistent() float64 {
	if loss, known := p.Loss(); known && p.losses[len(p.losses)-1] == traceflow.LossPersists {
		return loss
	}
	return 0
}

func (p *reportPath) delay() time.Duration {
	if h := p.last(); h != nil {
		return h.Median
	}
	return 0
}

func (p *reportPath) last() *traceflow.HopStats {
	if len(p.Hops) == 0 {
		return nil
	}
	return &p.Hops[len(p.Hops)-1]
}

func (r *report) heading(w io.Writer) {
	t := r.trace
	fmt.Fprintf(w, "%s to %s\n", end(t.VantagePoint.Hostname, t.VantagePoint.Address), end(t.Destination.Name, t.Destination.Address))
	fmt.Fprintf(w, "%s by %s, %s; times in ms\n", Count(len(r.paths), "path"), strings.ToUpper(t.Config.Protocol.String()), t.Started.UTC().Format(time.DateTime+" UTC"))
}

// end names one end of a trace.
func end(name string, address netip.Addr) string {
	switch {
	case address.IsUnspecified():
		return hiddenHost
	case name == "" || name == address.String():
		return address.String()
	}
	return fmt.Sprintf("%s (%s)", stranger(name), address)
}

// overview lists all paths, the worst first.
func (r *report) overview(w io.Writer) {
	fmt.Fprintf(w, "\n%4s %5s %4s  %s %5s %5s %5s  %s\n", "Path", "Flows", "Hops", "Loss% ", "Snt", "Med", "P95", "One flow")
	for i := range r.paths {
		p := &r.paths[i]
		loss, sent, median, p95 := "    - ", "-", "-", "-"
		length := 0
		if h := p.last(); h != nil {
			length = int(h.TTL)
			if p.Reached {
				loss, sent = r.loss(h, p.losses[len(p.losses)-1]), fmt.Sprint(h.Sent)
				median, p95 = delay(&h.RTTStats, h.Median), delay(&h.RTTStats, h.P95)
			}
		}
		hops := fmt.Sprint(length)
		if !p.Reached {
			hops = fmt.Sprintf(">%d", length)
		}
		fmt.Fprintf(w, "%4d %5d %4s  %s %5s %5s %5s  %s\n", p.Path, len(p.Flows), hops, loss, sent, median, p95, r.flow(p))
	}
}

// flow says how one flow of a path differs from others: what to send to follow
// the path again.
func (r *report) flow(p *reportPath) string {
	if len(p.Flows) == 0 || r.flows[p.Flows[0]] == nil {
		return "-"
	}
	return distinction(&r.trace.Flows[0], r.flows[p.Flows[0]])
}

// distinction says what tells a flow from the first.
func distinction(first, f *traceflow.Flow) string {
	switch {
	case f.Destination != first.Destination:
		return "to " + f.Destination.String()
	case f.Label != 0:
		return fmt.Sprintf("flow label %d", f.Label)
	case f.DestinationPort != first.DestinationPort && f.SourcePort == first.SourcePort:
		return fmt.Sprintf("to port %d", f.DestinationPort)
	case f.Protocol == traceflow.ProtocolICMP:
		return fmt.Sprintf("checksum %d", f.SourcePort)
	}
	return fmt.Sprintf("from port %d", f.SourcePort)
}

// reportColumns head the figures of a hop. Times are milliseconds.
const reportColumns = " Loss%    Snt  Last   Avg  Best  Wrst StDev   Med   P95 Jittr"

// path writes the table of one path.
func (r *report) path(w io.Writer, p *reportPath) {
	state := "does not reach the destination"
	switch {
	case p.Reached:
		state = "reaches the destination, " + Count(int(p.last().TTL), "hop")
	case p.rank == 2:
		state = "not followed to its end"
	}
	one := "one "
	if len(p.Flows) == 1 {
		one = ""
	}
	fmt.Fprintf(w, "\nPath %d: %s, %s%s; %s\n", p.Path, Count(len(p.Flows), "flow"), one, r.flow(p), state)
	hosts, wide := r.hosts(p)
	// Figures that find no room beside the host stand below it.
	beside := "\n" + strings.Repeat(" ", len("TTL "))
	if wide {
		beside = ""
	}
	fmt.Fprintf(w, "TTL %s%s%s\n", hosts[0], beside, reportColumns)
	for i := range p.Hops {
		h := &p.Hops[i]
		fmt.Fprintf(w, "%3d %s%s %s %5d", h.TTL, hosts[i+1], beside, r.loss(h, p.losses[i]), h.Sent)
		for _, d := range []time.Duration{h.Last, h.Mean, h.Best, h.Worst, h.Deviation, h.Median, h.P95, h.Jitter} {
			fmt.Fprintf(w, " %5s", delay(&h.RTTStats, d))
		}
		fmt.Fprintln(w)
	}
}

// hosts are the cells that say who stands at the hops of a path, below their
// title, all as wide; wide is whether there is room for the figures beside them.
func (r *report) hosts(p *reportPath) (cells []string, wide bool) {
	rows := [][]string{{"Host", "", ""}}
	for i := range p.Hops {
		rows = append(rows, r.host(&p.Hops[i]))
	}
	room := mostName
	if r.Width > 0 {
		room = r.Width - len("TTL ") - len(reportColumns)
	}
	widths := columnWidths(rows)
	fixed := widths[0] + widths[1] // what is never shortened
	if wide = r.Width == 0 || fixed+min(widths[2], leastName) <= room; !wide {
		room = r.Width - len("TTL ")
	}
	widths[2] = min(widths[2], max(leastName, room-fixed))
	for _, row := range rows {
		text := pad(row[0], widths[0]) + pad(row[1], widths[1]) + pad(shorten(row[2], widths[2]), widths[2])
		if !wide {
			text = strings.TrimRight(text, " ")
		}
		cells = append(cells, text)
	}
	return cells, wide
}

// host returns address, AS and name, each with the space before it.
func (r *report) host(h *traceflow.HopStats) []string {
	if !h.IsValid() {
		return []string{silentCell, "", ""}
	}
	cells := []string{h.Address.String(), "", ""}
	if h.Interface != 0 {
		cells[0] += fmt.Sprintf(" if %d", h.Interface)
	}
	if x := r.nodes.byID[h.Node]; x != nil && len(x.refusals) > 0 {
		cells[0] += " " + strings.Join(x.refusals, " ")
	}
	note := r.trace.Annotations.Of(h.Address)
	if as, _ := note.Owner(); as != 0 {
		cells[1] = fmt.Sprintf(" AS%d", as)
	}
	if name := note.Hostname.Name; name != "" {
		cells[2] = " " + Printable(name)
	}
	return cells
}

func columnWidths(rows [][]string) []int {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, text := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	return widths
}

// lossSigns stand beside a loss. Their meaning is below the tables.
var lossSigns = map[traceflow.HopLoss]struct{ sign, meaning, color string }{
	traceflow.LossNone:     {sign: " "},
	traceflow.LossUnclear:  {"?", "too little was answered to tell whether the loss persists to the destination", ""},
	traceflow.LossPersists: {"!", "loss that persists to the destination: what lies behind loses about as much", "\x1b[1;31m"},
	traceflow.LossLocal:    {"~", "loss of answers, not of traffic: that hop answers less than it gets (rate limit)", "\x1b[2m"},
}

// loss writes the loss at a hop and what it means, 6 columns wide.
func (r *report) loss(h *traceflow.HopStats, verdict traceflow.HopLoss) string {
	if h.Sent == 0 {
		return "    - "
	}
	r.used[verdict] = true
	s := lossSigns[verdict]
	text := fmt.Sprintf("%5.1f%s", 100*h.Loss(), s.sign)
	if r.Color && s.color != "" {
		text = s.color + text + "\x1b[0m"
	}
	return text
}

// legend explains the signs that were used.
func (r *report) legend(w io.Writer) {
	separator := "\n"
	for _, verdict := range []traceflow.HopLoss{traceflow.LossPersists, traceflow.LossLocal, traceflow.LossUnclear} {
		if r.used[verdict] {
			fmt.Fprintf(w, "%s%s %s\n", separator, lossSigns[verdict].sign, lossSigns[verdict].meaning)
			separator = ""
		}
	}
}

// delay writes a time of statistics in milliseconds; "-" where nothing was
// answered.
func delay(s *traceflow.RTTStats, d time.Duration) string {
	if s.Replies == 0 {
		return "-"
	}
	return milliseconds(d)
}
