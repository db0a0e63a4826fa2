// SPDX-License-Identifier: BSD-3-Clause

package diff

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// fill writes the findings into the report: changes, severities, events.
func (r *Report) fill(found []*finding, rules *rules) {
	at := make(map[*finding]int, len(found))
	for i, f := range found {
		at[f] = i
	}
	for _, f := range found {
		c := f.Change
		c.Cause = -1
		if i, ok := at[f.cause]; ok && f.cause != nil {
			c.Cause = i
		}
		slices.Sort(c.Flows)
		if rules.judge(&c); f.forbidden && c.Severity == Review {
			c.Severity = Regression
		}
		r.Changes = append(r.Changes, c)
		r.Severity = max(r.Severity, c.Severity)
		if c.Target >= 0 {
			r.Targets[c.Target].Severity = max(r.Targets[c.Target].Severity, c.Severity)
		}
	}
	r.group(found)
}

// lead puts a cause before what follows from it, unless that is worse or says more
// of it: whose the new way is.
func (r *Report) lead(e *Event) {
	worst := &r.Changes[e.Changes[0]]
	switch worst.Kind {
	case ASPathChanged, IXPLeft, IXPEntered, RelaxOff, RelaxOn:
		return
	default:
	}
	for i, c := range e.Changes {
		if r.Changes[c].Cause < 0 && r.Changes[c].Severity == worst.Severity {
			copy(e.Changes[1:i+1], e.Changes[:i])
			e.Changes[0] = c
			return
		}
	}
}

// where is what events of several targets have in common.
type where struct {
	kind      Kind
	near, far netip.Addr
	words     string
}

// group makes events: a change that stands for itself, all that follows from it,
// and the same at the same place in other targets.
func (r *Report) group(found []*finding) {
	events := make(map[where]*Event)
	var order []*Event
	roots := make([]int, len(r.Changes))
	for i := range r.Changes {
		root := i
		for r.Changes[root].Cause >= 0 {
			root = r.Changes[root].Cause
		}
		roots[i] = root
	}
	for i := range r.Changes {
		root := roots[i]
		k := whereOf(&r.Changes[root])
		e := events[k]
		if e == nil {
			e = &Event{}
			events[k] = e
			order = append(order, e)
		}
		e.Changes = append(e.Changes, i)
		if t := r.Changes[i].Target; t >= 0 && !slices.Contains(e.Targets, t) {
			e.Targets = append(e.Targets, t)
		}
	}
	for _, e := range order {
		slices.SortStableFunc(e.Changes, func(a, b int) int {
			x, y := &r.Changes[a], &r.Changes[b]
			return cmp.Or(int(y.Severity)-int(x.Severity), rank(x.Kind)-rank(y.Kind), x.Target-y.Target)
		})
		slices.Sort(e.Targets)
		r.lead(e)
		head := &r.Changes[e.Changes[0]]
		e.Kind, e.Severity = head.Kind, head.Severity
		e.Title = r.title(e, found)
	}
	slices.SortStableFunc(order, func(a, b *Event) int {
		return cmp.Or(int(b.Severity)-int(a.Severity), rank(a.Kind)-rank(b.Kind), len(b.Targets)-len(a.Targets))
	})
	for _, e := range order {
		r.Events = append(r.Events, *e)
	}
}

// whereOf is the place that a change is grouped by. What has none is grouped by its
// words, and what is of the target alone stays alone.
func whereOf(c *Change) where {
	w := where{kind: c.Kind, near: c.Near, far: c.Far}
	switch c.Kind {
	case Lost, PartialBlackHole, LossUp, LossDown, Recovered, LatencyUp, LatencyDown, AddressChanged, MTUDown, MTUUp:
		if !c.Near.IsValid() {
			w.words = fmt.Sprint(c.Target)
		}
	case Unmeasured, Unstable, NotSeen:
		w.near, w.far = netip.Addr{}, netip.Addr{}
		w.words = c.After
	case WidthDown, WidthUp, Rerouted, LinkGone, LinkNew:
		// The same node may lose a next hop for one target and move all flows of
		// another: it is one thing that happened to the two.
		w.kind = Rerouted
	default:
		w.words = c.Before + "\x00" + c.After
	}
	return w
}

// phrases say what happened in a few words.
var phrases = map[Kind]string{
	Lost: "unreachable", PartialBlackHole: "partial black hole", LossUp: "packets are lost", Filtered: "refused",
	WidthDown: "fewer next hops", MTUDown: "smaller packets only", ASPathChanged: "another AS path",
	IXPLeft: "exchange point left", IXPEntered: "exchange point entered", RelaxOff: "as-path relax off", RelaxOn: "as-path relax on",
	LatencyUp: "slower on the same path", LatencyMoved: "slower because flows moved", LinkGone: "next hop gone", LinkNew: "new next hop",
	Rerouted: "rerouted", Rehashed: "flows dealt anew over the same links", WidthUp: "more next hops", MPLSChanged: "MPLS tunnel changed",
	NATChanged: "address translation changed", Remarked: "marked otherwise", ReturnPath: "replies come another way",
	Recovered: "reachable again", LossDown: "less loss", LatencyDown: "faster", MTUUp: "larger packets get through",
	AddressChanged: "resolves to another address", Unstable: "too restless to tell", Unmeasured: "cannot tell",
}

// title says in one line what happened, where, and to how many targets.
func (r *Report) title(e *Event, found []*finding) string {
	var b strings.Builder
	switch {
	case len(e.Targets) == 1 && len(r.Targets) > 0:
		b.WriteString(brief(plain(r.Targets[e.Targets[0]].Name)))
	case len(e.Targets) > 1:
		fmt.Fprintf(&b, "%d of %d targets", len(e.Targets), len(r.Targets))
	default:
		b.WriteString("plan")
	}
	i := e.Changes[0]
	c := &r.Changes[i]
	b.WriteString(": ")
	switch gone := found[i].gone; {
	case (c.Kind == WidthDown || c.Kind == LinkGone) && c.Far.IsValid():
		fmt.Fprintf(&b, "next hop %s", r.host(c.Far))
		if n := len(gone) - 1; n > 0 && c.Kind != LinkGone {
			fmt.Fprintf(&b, " and %d more", n)
		}
		b.WriteString(r.at(c) + " gone")
	case (c.Kind == WidthUp || c.Kind == LinkNew) && c.Far.IsValid():
		fmt.Fprintf(&b, "new next hop %s%s", r.host(c.Far), r.at(c))
	case c.Kind == NotSeen:
		b.WriteString(plain(c.After))
	case found[i].ends && c.Near.IsValid():
		fmt.Fprintf(&b, "%s at TTL %d between %s and %s", phrases[c.Kind], c.TTL, r.host(c.Near), r.host(c.Far))
	default:
		b.WriteString(phrases[c.Kind] + r.at(c))
	}
	switch {
	case c.Kind == NotSeen:
	case c.Kind == WidthDown || c.Kind == WidthUp:
		fmt.Fprintf(&b, ", %s→%s", strings.Fields(c.Before)[0], c.After)
	case c.Kind == LinkGone || c.Kind == LinkNew:
	case c.Before != "" && c.After != "":
		fmt.Fprintf(&b, ": %s, now %s", plain(c.Before), plain(c.After))
	case c.Before != "" || c.After != "":
		b.WriteString(": " + plain(c.Before+c.After))
	}
	if n := len(c.Flows); n > 0 && c.Of > 0 && len(e.Targets) == 1 && c.Kind != PartialBlackHole && c.Kind != Lost && c.Kind != Rehashed {
		fmt.Fprintf(&b, " (%d of %d flows)", n, c.Of)
	}
	if c.Expected {
		b.WriteString(", as expected")
	}
	return b.String()
}

// host is an address, with its name where that is known.
func (r *Report) host(a netip.Addr) string {
	if name := r.Names[a]; name != "" {
		return fmt.Sprintf("%s (%s)", a, plain(name))
	}
	return a.String()
}

// at says where a change is.
func (r *Report) at(c *Change) string {
	switch {
	case c.TTL > 0 && c.Near.IsValid() && c.Near != c.Far:
		return fmt.Sprintf(" at TTL %d behind %s", c.TTL, r.host(c.Near))
	case c.TTL > 0:
		return fmt.Sprintf(" at TTL %d", c.TTL)
	}
	return ""
}

// longestName is how much of a target's name a title has: what is longer is no name
// that anybody gave to a host.
const longestName = 253

// brief cuts a name that is too long.
func brief(name string) string {
	letters := []rune(name)
	if len(letters) <= longestName {
		return name
	}
	return string(letters[:longestName-1]) + "…"
}

// plain makes one line of printable text of what strangers may have written.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r == 0xfeff {
			return '?'
		}
		return r
	}, s)
}
