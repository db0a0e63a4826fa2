// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"slices"
	"strings"

	"traceflow"
)

// row is a line of the tree, column by column.
type row struct {
	ttl, suffix   string // the TTL or TTLs, and a letter or "+" behind
	tree, address string
	final         bool
	marks         string
	name          string
	short, owner  string // the number alone, and with the name
	mpls          string
	flows, rtt    string
	loss          string
	red           bool // the loss persists
	notes         []aside
}

// aside is a remark at the end of a row.
type aside struct {
	text string
	style
}

// rowBuilder turns lines of a drawing into rows.
type rowBuilder struct {
	*drawing
	glyphs   *glyphs
	labels   map[spot]string
	parallel parallel
	digits   int // of shares
	out      []row
}

// rows returns the rows of a drawing.
func (d *drawing) rows() []row {
	b := rowBuilder{drawing: d, glyphs: d.options.glyphs(), labels: labels(d.trace), parallel: findParallel(&d.trace.Graph)}
	for _, v := range d.vertices {
		if v.known > 0 && 100*v.known < b.seen(int(v.TTL)) {
			b.digits = 1
		}
	}
	for i := 0; i < len(d.lines); {
		n := run(d.lines[i:])
		b.add(d.lines[i : i+n])
		i += n
	}
	if first := max(1, d.trace.Config.FirstTTL); len(d.lines) == 0 && d.unanswered > 0 {
		b.out = append(b.out, row{
			ttl: fmt.Sprint(first), suffix: "+", address: silentCell,
			flows: b.flows(d.unanswered, int(first)), notes: []aside{{text: "nothing answers"}},
		})
	}
	b.addStrangers()
	alignCounts(b.out)
	return b.out
}

// alignCounts makes losses equally long behind the share.
func alignCounts(rows []row) {
	count := func(x *row) int { return len(x.loss) - strings.LastIndex(x.loss, " ") }
	longest := 0
	for i := range rows {
		longest = max(longest, count(&rows[i]))
	}
	for i := range rows {
		if x := &rows[i]; x.loss != "" {
			x.loss += strings.Repeat(" ", longest-count(x))
		}
	}
}

// run returns how many of the first lines are a run of hops that did not answer
// on one and the same way.
func run(lines []line) int {
	n := 1
	for n < len(lines) {
		a, b := lines[n-1], lines[n]
		if !a.silent || !b.silent || a.asked != b.asked || a.ref != "" || b.ref != "" ||
			len(a.next) != 1 || len(b.prev) != 1 || a.next[0].vertex != b.vertex || a.lost+a.beyond+a.dropped > 0 {
			break
		}
		n++
	}
	return n
}

// seen returns how many flows are known to have passed a TTL or to have ended
// before.
func (b *rowBuilder) seen(ttl int) int { return b.all - b.unknown[min(ttl, 255)] }

// flows writes a number of flows at a TTL: as it is where it was asked for, and
// as a share where it follows from the search.
func (b *rowBuilder) flows(n, ttl int) string {
	if b.trace.Config.Paths > 0 {
		return fmt.Sprint(n)
	}
	return part(n, b.seen(ttl), b.digits)
}

// add adds the row of one line, or of a run of silent ones, and those of flows
// that end there.
func (b *rowBuilder) add(lines []line) {
	v, last := lines[0].vertex, lines[len(lines)-1].vertex
	x := row{
		ttl: fmt.Sprint(v.TTL), suffix: strings.TrimLeft(v.ref, "0123456789"), tree: lines[0].tree,
		final: v.final, marks: strings.Join(v.marks, " "), flows: b.flows(v.known, int(v.TTL)),
		loss: v.loss.String(), red: v.loss.persists(),
	}
	if len(lines) > 1 {
		x.ttl += b.glyphs.dash + fmt.Sprint(last.TTL)
	}
	if v.silent {
		x.address = silentCell
		if !v.asked {
			x.address = unprobedCell
		}
		x.address = strings.TrimSpace(strings.Repeat(x.address+" ", min(len(lines), 3)))
	} else {
		b.describe(&x, v.TTL, v.Responder)
	}
	if v.Replies > 0 {
		x.rtt = milliseconds(v.RTT.Median)
	}
	x.notes = b.notes(v, last)
	b.out = append(b.out, x)
	if len(last.next) == 0 {
		b.addEnds(last, underneath(lines[len(lines)-1].tree))
	}
}

// describe sets what is known of an address.
func (b *rowBuilder) describe(x *row, ttl uint8, who traceflow.Responder) {
	a := b.trace.Annotations.Of(who.Address)
	x.address = who.Address.String()
	if by := b.parallel.link(ttl, who); by != "" {
		x.address += " " + by
	}
	x.name = b.options.clean(a.Hostname.Name)
	x.short, x.owner = owner(&a, b.options)
	x.mpls = b.labels[spot{ttl, who.Address}]
}

// addEnds adds rows for the flows that were seen last at a node where nothing
// goes on.
func (b *rowBuilder) addEnds(v *vertex, tree string) {
	if v.final {
		return
	}
	end := func(n int, address, why string) {
		if n > 0 {
			b.out = append(b.out, row{
				ttl: fmt.Sprint(int(v.TTL) + 1), suffix: "+", tree: tree, address: address,
				flows: b.flows(n, int(v.TTL)), notes: []aside{{text: why}},
			})
		}
	}
	end(v.lost, silentCell, "silent to the end")
	top := b.trace.Config.MaxTTL
	if v.TTL >= top {
		end(v.beyond, unprobedCell, fmt.Sprintf("%d is the highest TTL", top))
	} else {
		end(v.beyond, silentCell, fmt.Sprintf("silent up to TTL %d, the highest", top))
	}
	end(v.dropped, unprobedCell, "not followed further")
}

// addStrangers adds rows for nodes that are on no path.
func (b *rowBuilder) addStrangers() {
	for _, n := range b.strangers {
		x := row{ttl: fmt.Sprint(n.TTL), notes: []aside{{"on no flow's path", yellow}}}
		if x.address = silentCell; n.IsValid() {
			b.describe(&x, n.TTL, n.Responder)
		}
		if n.Replies > 0 {
			x.rtt = milliseconds(n.RTT.Median)
		}
		b.out = append(b.out, x)
	}
}

// notes says what the drawing does not: of the way to the first of a run of
// vertices, of the way on from the last, and of the vertex.
func (b *rowBuilder) notes(v, last *vertex) []aside {
	var out []aside
	say := func(s style, when bool, format string, args ...any) {
		if when {
			out = append(out, aside{fmt.Sprintf(format, args...), s})
		}
	}
	if last.meshed {
		say(plain, len(last.next) > 0, "%s", b.leadsTo(last))
	}
	say(plain, v.final && v.Replies > 0, "destination")
	say(plain, v.final && v.Replies == 0, "destination: answers other probes only")
	if e, ok := arrival(v); ok {
		say(plain, e != linkSeen, "%s %s", b.glyphs.from, e)
	}
	for _, s := range last.next {
		if _, ok := arrival(s.vertex); !ok && !last.meshed && s.evidence != linkSeen && !last.silent && !s.silent {
			say(plain, true, "%s %s", b.glyphs.to, s.evidence)
		}
	}
	say(yellow, v.balancer == traceflow.BalancerPerPacket, "balances per packet")
	say(yellow, v.balancer == traceflow.BalancerPerDestination, "balances per destination")
	onward := len(last.next) > 0
	say(yellow, last.refused > 0 && !onward && !last.final, "flows end here")
	say(yellow, last.refused > 0 && onward, "%s here", ends(last.refused, "end"))
	say(yellow, last.lost > 0 && (onward || last.final), "from here on %s silent", are(last.lost))
	say(yellow, last.beyond > 0 && (onward || last.final), "from here on %s silent up to the highest TTL", are(last.beyond))
	look := yellow
	if v.loss.persists() {
		look = red
	}
	meaning := v.loss.meaning(v.final)
	say(look, meaning != "", "%s", meaning)
	return out
}

func ends(n int, verb string) string {
	if n == 1 {
		verb += "s"
	}
	return Count(n, "flow") + " " + verb
}

func are(n int) string {
	if n == 1 {
		return "1 flow is"
	}
	return Count(n, "flow") + " are"
}

// leadsTo names what a vertex of a mesh leads to.
func (b *rowBuilder) leadsTo(v *vertex) string {
	var names []string
	inferred := 0
	for _, s := range v.next {
		name := s.ref
		switch {
		case s.evidence == linkUnseen || s.evidence == sameRouter:
			continue
		case s.evidence == linkInferred && !v.silent && !s.silent:
			name, inferred = "~"+name, inferred+1
		}
		names = append(names, name)
	}
	switch {
	case len(names) == 0:
		names = []string{"none seen"}
	case len(names) > 1 && len(names) == b.width[v.TTL+1] && inferred == 0:
		names = []string{"all"}
	}
	return b.glyphs.to + " " + strings.Join(names, " ")
}

// arrival returns the evidence for the steps to a vertex that the drawing shows
// as one line down to it, and whether it is one and the same for all of them.
func arrival(v *vertex) (evidence, bool) {
	drawn := slices.DeleteFunc(slices.Clone(v.prev), func(s step) bool {
		// A vertex of a mesh names what it leads to, and so what it does not.
		return s.meshed && (s.evidence == linkSeen || s.evidence == linkInferred)
	})
	if len(drawn) > 0 && len(drawn) < len(v.prev) {
		drawn = slices.DeleteFunc(drawn, func(s step) bool { return s.meshed })
	}
	first := linkSeen
	for i, s := range drawn {
		e := s.evidence
		if v.silent || s.silent {
			e = linkSeen // that is what * says
		}
		if i > 0 && e != first {
			return linkSeen, false
		}
		first = e
	}
	return first, true
}

// String says what is wrong with a step, for a note.
func (e evidence) String() string {
	return [...]string{"", "inferred", "not seen", "same router"}[e]
}
