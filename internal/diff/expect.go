// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"traceflow"
	"traceflow/internal/plan"
)

// The kinds of expectations that are more than a kind of change. Those are
// expected by their own names: anywhere, or at the addresses and prefixes given; of
// latency-up and latency-moved up to the time given, such as 5ms.
const (
	expectDrain    = "drain"     // nothing passes one of the values any more
	expectWidth    = "width"     // from so many next hops to so many
	expectRelax    = "relax"     // on or off
	expectNoChange = "no-change" // whatever changes is a regression
)

// expectation is one that was read.
type expectation struct {
	plan.Expectation
	prefixes []netip.Prefix // to drain
	asns     []uint32
	names    []string // interfaces, as routers call them
	latency  time.Duration
	// applied is true where some target had what is drained, seen where the change
	// came.
	applied, seen bool
}

func readExpectation(e plan.Expectation) (*expectation, error) {
	out := &expectation{Expectation: e}
	out.Kind = strings.ReplaceAll(e.Kind, "_", "-")
	wrong := func(format string, args ...any) (*expectation, error) {
		return nil, fmt.Errorf("expectation %q, line %d: %s", e.Kind, e.Line, fmt.Sprintf(format, args...))
	}
	switch out.Kind {
	case expectDrain:
		if len(e.Values) == 0 {
			return wrong("nothing to drain is given")
		}
		for _, v := range e.Values {
			out.readDrain(v)
		}
	case expectWidth:
		if e.From < 1 || e.To < 1 || e.From == e.To {
			return wrong("from %d to %d next hops is no change of width", e.From, e.To)
		}
	case expectRelax:
		if len(e.Values) > 1 || len(e.Values) == 1 && e.Values[0] != "on" && e.Values[0] != "off" {
			return wrong("%q is not one of on, off", strings.Join(e.Values, " "))
		}
	case expectNoChange:
	case string(LatencyUp), string(LatencyMoved):
		for _, v := range e.Values {
			d, err := time.ParseDuration(strings.TrimPrefix(v, "+"))
			if err != nil || d <= 0 {
				return wrong("%q is no time, such as 5ms", v)
			}
			out.latency = max(out.latency, d)
		}
	default:
		if !slices.Contains(kinds, Kind(out.Kind)) {
			return wrong("unknown kind")
		}
		if k := Kind(out.Kind); k == Unmeasured || k == Unstable || k == NotSeen {
			return wrong("what is not known, or did not come, is nothing to expect")
		}
		for _, v := range e.Values {
			out.readDrain(v)
		}
		if len(out.asns)+len(out.names) > 0 {
			return wrong("%q is no address and no prefix", strings.Join(e.Values, " "))
		}
	}
	return out, nil
}

// readDrain reads an AS, a prefix, an address, or the name of an interface.
func (e *expectation) readDrain(v string) {
	if asn, err := strconv.ParseUint(strings.TrimPrefix(strings.ToUpper(v), "AS"), 10, 32); err == nil {
		e.asns = append(e.asns, uint32(asn))
	} else if prefix, err := netip.ParsePrefix(v); err == nil {
		e.prefixes = append(e.prefixes, prefix.Masked())
	} else if a, err := netip.ParseAddr(v); err == nil {
		e.prefixes = append(e.prefixes, netip.PrefixFrom(a, a.BitLen()))
	} else {
		e.names = append(e.names, v)
	}
}

// wanted is what is expected of the targets.
type wanted struct {
	all    []*expectation // of every target
	of1    map[string][]*expectation
	listed []*expectation // each once, in order
}

func checkExpectations(c Comparison) error {
	for _, e := range c.listed() {
		if _, err := readExpectation(e); err != nil {
			return err
		}
	}
	return nil
}

// listed returns every expectation, those of single targets by name.
func (c Comparison) listed() []plan.Expectation {
	out := slices.Clone(c.Expect)
	for _, name := range c.names() {
		out = append(out, c.ExpectOf[name]...)
	}
	return out
}

func (c Comparison) names() (out []string) {
	for name := range c.ExpectOf {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// newWanted reads expectations that were checked.
func newWanted(c Comparison) *wanted {
	w := &wanted{of1: make(map[string][]*expectation)}
	take := func(list []plan.Expectation) (out []*expectation) {
		for _, e := range list {
			if x, err := readExpectation(e); err == nil {
				out = append(out, x)
			}
		}
		w.listed = append(w.listed, out...)
		return out
	}
	w.all = take(c.Expect)
	for _, name := range c.names() {
		w.of1[name] = take(c.ExpectOf[name])
	}
	return w
}

// of marks the changes of a target that were expected, and returns what was
// expected and did not come.
func (w *wanted) of(p *pair, found []*finding) (out []*finding) {
	name := ""
	if t := cmp.Or(p.before, p.after); t != nil {
		name = t.Name
	}
	here := slices.Concat(w.all, w.of1[name])
	for _, e := range here {
		switch e.Kind {
		case expectDrain:
			out = append(out, e.drained(p, found)...)
		case expectWidth: // when all that is drained is known
		case expectRelax:
			for _, f := range found {
				if f.Kind == RelaxOn && !slices.Contains(e.Values, "off") || f.Kind == RelaxOff && !slices.Contains(e.Values, "on") {
					e.accept(f, found)
				}
			}
		case expectNoChange:
			for _, f := range found {
				f.forbidden = true // what is told as a change, that is
			}
		default:
			for _, f := range found {
				if f.Kind == Kind(e.Kind) && e.covers(f) {
					f.Expected, e.seen = true, true
					expectLinks(f, found)
				}
			}
		}
	}
	for i, e := range here {
		if e.Kind == expectWidth {
			out = append(out, e.narrowed(p, here[:i], here, found)...)
		}
	}
	return out
}

// narrowed marks the changes of width that are expected. An expectation is of one
// place: where as many next hops are lost elsewhere, too, it is of those that are
// drained, or nobody knows of which.
func (e *expectation) narrowed(p *pair, done, here []*expectation, found []*finding) []*finding {
	same := func(x *expectation) bool { return x.Kind == expectWidth && x.From == e.From && x.To == e.To }
	if slices.ContainsFunc(done, same) {
		return nil // it was counted with the first of them
	}
	var places, drained []*finding
	for _, f := range found {
		if (f.Kind != WidthDown && f.Kind != WidthUp) || f.Before != width2(e.From) || f.After != width2(e.To) {
			continue
		}
		places = append(places, f)
		if f.Expected {
			drained = append(drained, f)
		}
	}
	var alike []*expectation
	for _, x := range here {
		if same(x) {
			alike = append(alike, x)
		}
	}
	accepted := places
	if len(places) > len(alike) {
		accepted = drained
	}
	for _, f := range accepted {
		e.accept(f, found)
	}
	for _, x := range alike {
		x.seen = x.seen || len(places) > 0
	}
	if len(accepted) > 0 || len(places) == 0 {
		return nil
	}
	return []*finding{missed(p.index, "", fmt.Sprintf("%d next hops became %d at %d places, and are expected to at %d", e.From, e.To, len(places), len(alike)))}
}

// missed is a finding of what did not come as expected; a target below 0 is none.
func missed(target int, before, after string) *finding {
	x := &finding{certain: true}
	x.Kind, x.Target, x.Cause, x.Confidence, x.Before, x.After = NotSeen, target, -1, traceflow.ConfidenceHigh, before, after
	return x
}

// expectLinks marks the links that came and went with a change: to expect it is to
// expect them.
func expectLinks(f *finding, found []*finding) {
	for _, x := range found {
		if x.cause == f && (x.Kind == LinkGone || x.Kind == LinkNew) {
			x.Expected = true
		}
	}
}

// covers reports whether a change of the kind is within what is expected.
func (e *expectation) covers(f *finding) bool {
	if e.latency > 0 {
		return f.rise <= e.latency
	}
	return len(e.prefixes) == 0 || slices.ContainsFunc(e.prefixes, func(x netip.Prefix) bool {
		return f.Near.IsValid() && x.Contains(f.Near) || f.Far.IsValid() && x.Contains(f.Far)
	})
}

// accept marks a change as expected, with its cause and all that follows from
// either, but for what nobody plans: losses, and smaller packets.
func (e *expectation) accept(f *finding, found []*finding) {
	e.applied, e.seen = true, true
	root := f
	for root.cause != nil {
		root = root.cause
	}
	for _, x := range found {
		from := x
		for from.cause != nil {
			from = from.cause
		}
		if from == root && planned(x.Kind) {
			x.Expected = true
		}
	}
}

// planned reports whether a kind of change can be what somebody wants.
func planned(k Kind) bool {
	switch k {
	case Lost, PartialBlackHole, LossUp, Filtered, MTUDown, LatencyUp, Unstable, Unmeasured:
		return false
	default:
		return true
	}
}

// drained marks the moves of flows that passed what is drained, and says where
// some still do.
func (e *expectation) drained(p *pair, found []*finding) []*finding {
	annotations, _ := p.known()
	var passes [2]map[int]bool // by flow
	for side := range passes {
		passes[side] = make(map[int]bool)
		for f := range p.sides[side].tracks {
			passes[side][f] = e.passes(&p.sides[side].tracks[f], annotations)
		}
	}
	var still, was []int
	for f := range p.flows {
		if passes[before][f] {
			was = append(was, f)
		}
		if passes[after][f] {
			still = append(still, f)
		}
	}
	if len(was) == 0 {
		return nil // it is not on the way to this target
	}
	e.applied = true
	for _, f := range found {
		if f.move == nil {
			continue
		}
		left := !slices.ContainsFunc(f.move.flows, func(i int) bool {
			return !passes[before][i] && !p.follows(f.move, i, passes[before]) || passes[after][i]
		})
		if left {
			e.accept(f, found)
		}
	}
	unknown := e.unseen(p, was, annotations)
	switch {
	case len(still) == 0 && len(unknown) == 0:
		e.seen = true
		return nil
	case len(still) == 0:
		x := &finding{certain: true}
		x.Kind, x.Target, x.Cause, x.Confidence, x.Flows, x.Of = Unmeasured, p.index, -1, traceflow.ConfidenceHigh, p.ids(unknown), len(p.flows)
		x.Before = fmt.Sprintf("%d flows pass %s", len(was), strings.Join(e.Values, ", "))
		x.After = fmt.Sprintf("%d of them are not answered there: nobody knows whether they still do", len(unknown))
		return []*finding{x}
	}
	what := e.listed()
	x := missed(p.index, fmt.Sprintf("%d flows pass %s", len(was), what), "drain did not take effect: flows still pass "+what)
	x.Flows, x.Of = p.ids(still), len(p.flows)
	return []*finding{x}
}

// unseen returns the flows that passed what is drained, and are not seen to go
// elsewhere now: they did not move, and nobody answers them where it was.
func (e *expectation) unseen(p *pair, was []int, annotations traceflow.Annotations) (out []int) {
	for _, f := range was {
		if p.moved[f] != nil {
			continue
		}
		for _, ttl := range e.places(&p.sides[before].tracks[f], annotations) {
			if p.cell(after, f, ttl).answers == 0 {
				out = append(out, f)
				break
			}
		}
	}
	return out
}

// follows reports whether a flow moved because others left what is drained: a
// balancer that loses a next hop deals some of the other flows anew.
func (p *pair) follows(m *move, flow int, drained map[int]bool) bool {
	if len(m.gone) == 0 {
		return false
	}
	for _, f := range m.flows {
		if drained[f] && slices.Contains(m.gone, p.at(before, f, m.ttl)) {
			return !drained[flow]
		}
	}
	return false
}

// passes reports whether a flow was answered by what is drained.
func (e *expectation) passes(k *track, annotations traceflow.Annotations) bool {
	return len(e.places(k, annotations)) > 0
}

// places are the TTLs at which a flow was answered by what is drained.
func (e *expectation) places(k *track, annotations traceflow.Annotations) (ttls []int) {
	for _, w := range k.walks {
		for i := range w.Hops {
			r := &w.Hops[i]
			if ttl := int(w.First) + i; r.Kind.Answered() && r.Address != w.Flow.Destination && e.is(r, annotations) && !slices.Contains(ttls, ttl) {
				ttls = append(ttls, ttl)
			}
		}
	}
	return ttls
}

// is reports whether a reply is that of what is drained.
func (e *expectation) is(r *traceflow.Reply, annotations traceflow.Annotations) bool {
	if slices.ContainsFunc(e.prefixes, func(x netip.Prefix) bool { return x.Contains(r.Address) }) {
		return true
	}
	if len(e.asns) > 0 {
		known := annotations.Of(r.Address)
		if asn, _ := known.Owner(); asn != 0 && slices.Contains(e.asns, asn) {
			return true
		}
	}
	for j := range r.Interfaces {
		if name := r.Interfaces[j].Name; name != "" && slices.Contains(e.names, name) {
			return true
		}
	}
	return false
}

// missing returns the expectations that no target showed anything of.
func (w *wanted) missing() (out []*finding) {
	for _, e := range w.listed {
		var words string
		switch {
		case e.Kind == expectDrain && !e.applied:
			words = "nothing passed " + e.listed() + " before: there was nothing to drain"
		case e.Kind == expectWidth && !e.seen:
			words = fmt.Sprintf("no width went from %d to %d, though that is expected", e.From, e.To)
		case e.Kind == expectRelax && !e.seen:
			words = "relax did not turn " + cmp.Or(strings.Join(e.Values, ""), "on or off") + ", though that is expected"
		case slices.Contains(kinds, Kind(e.Kind)) && !e.seen && planned(Kind(e.Kind)):
			words = e.Kind + " is expected and did not come"
		default:
			continue
		}
		out = append(out, missed(-1, "", words))
	}
	return out
}

// listed names what an expectation is about, as far as it fits into a line.
func (e *expectation) listed() string {
	const most = 4
	if n := len(e.Values) - most; n > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(e.Values[:most], ", "), n)
	}
	return strings.Join(e.Values, ", ")
}
