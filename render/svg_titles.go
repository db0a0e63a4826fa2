// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"cmp"
	"fmt"
	"strings"

	"traceflow"
	"traceflow/internal/picture"
)

// linkTitle says what is known of a link.
func (s *svg) linkTitle(l *picture.Link) string {
	out := fmt.Sprintf("%s → %s", s.who(l.From), s.who(l.To))
	if l.Bundle > 1 {
		out = fmt.Sprintf("%s, %s", Count(l.Bundle, "link"), out)
	}
	out += fmt.Sprintf(": %s, %s %s", Count(l.Flows, "flow"), percentage(l.Share), s.ofWhich())
	switch {
	case l.Delta != nil && len(l.Deltas) == 2:
		out += fmt.Sprintf("; round trip longer by %s (median of links, %s to %s, %s)", picture.Milliseconds(*l.Delta), picture.Milliseconds(l.Deltas[0]), picture.Milliseconds(l.Deltas[1]), replies(l.Samples))
	case l.Delta != nil && l.Bundle > 1 && s.d.By == "":
		out += fmt.Sprintf("; round trip longer by %s at most", picture.Milliseconds(*l.Delta))
	case l.Delta != nil:
		out += fmt.Sprintf("; round trip longer by %s (median, %s)", picture.Milliseconds(*l.Delta), replies(l.Samples))
	default:
		out += "; what it adds to the round trip: N/A"
	}
	if l.IXP != "" {
		out += "; across the peering LAN of " + fullName(l.IXP)
	}
	if l.Inferred {
		out += "; inferred: nobody said that the two are neighbours"
	}
	if l.Lost > 0 {
		out += fmt.Sprintf("; %s lost from here to the destination", percentage(l.Lost))
	}
	return out + became(l.Status, l.Before)
}

// ofWhich says of which flows shares are.
func (s *svg) ofWhich() string {
	if s.d.By == picture.ByAS || s.d.By == picture.ByCity {
		return "of all"
	}
	return "of those at this TTL"
}

// became says what became of something from the first of two results to the
// second.
func became(status picture.Status, before *picture.Past) string {
	switch {
	case status == picture.Gone:
		return "; gone: the figures are those from before"
	case status == picture.New:
		return "; new"
	case before == nil:
		return ""
	}
	out := fmt.Sprintf("; before: %s, %s", Count(before.Flows, "flow"), percentage(before.Share))
	if before.Replies > 0 {
		out += ", round trip " + picture.Milliseconds(before.RTT.Median)
	}
	return out
}

func replies(n int) string {
	if n == 1 {
		return "1 reply"
	}
	return Count(n, "reply")
}

// who names a node by its ID.
func (s *svg) who(id string) string {
	n := s.nodes[id]
	switch {
	case n == nil:
		return id
	case n.Kind == picture.Group:
		return cmp.Or(fullName(n.Name), "hops of nobody known")
	}
	ttl, name, ok := strings.Cut(id, "/")
	switch {
	case !ok:
		return id
	case n.Kind == picture.Silent && ttl == "silent":
		return "silent hops"
	case n.Kind == picture.Silent:
		name = "silent hop"
	case n.Kind == picture.Bar:
		name = "next hops"
	}
	return fmt.Sprintf("%s at TTL %s", name, ttl)
}

// nodeTitle says what is known of a node.
func (s *svg) nodeTitle(n *picture.Node) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	grouped := s.ofWhich() == "of all"
	switch n.Kind {
	case picture.Group:
		add("%s: %s", cmp.Or(fullName(n.Name), "Nobody known"), Count(n.Addresses, "address"))
	case picture.Silent:
		if grouped {
			return fmt.Sprintf("%s; %s%s", Count(len(n.Stations), "silent hop"), Count(n.Flows, "flow"), became(n.Status, n.Before))
		}
		add("Silent hop at TTL %d: no answer to %s", n.TTL, Count(n.Sent, "packet"))
		add("%s", Count(n.Flows, "flow"))
		return strings.Join(parts, "; ") + became(n.Status, n.Before)
	case picture.Bar:
		add("%d next hops at TTL %d", len(n.Members), n.TTL)
	case picture.Source:
		add("Source %s %s", fullName(n.Hostname), n.Address)
		return strings.Join(parts, "; ")
	case picture.Destination, picture.Exchange, picture.Router:
		if grouped {
			add("%s %s", n.Address, fullName(n.Hostname))
			break
		}
		add("%s %s at TTL %d", n.Address, fullName(n.Hostname), n.TTL)
	}
	if n.Unreached {
		return "The destination answered nothing"
	}
	if n.Interface != 0 {
		add("interface %d", n.Interface)
	}
	if n.ASN != 0 {
		add("AS%d %s", n.ASN, fullName(n.ASName))
	}
	if n.IXP != "" {
		add("on the peering LAN of %s", fullName(n.IXP))
	}
	if place := strings.TrimSpace(fullName(n.City) + " " + fullName(n.Country)); place != "" {
		add("%s", place)
	}
	add("%s, %s %s", Count(n.Flows, "flow"), percentage(n.Share), s.ofWhich())
	add("%d of %s answered", n.Replies, Count(n.Sent, "packet"))
	if n.Replies > 0 {
		add("round trip %s median, %s to %s", picture.Milliseconds(n.RTT.Median), picture.Milliseconds(n.RTT.Min), picture.Milliseconds(n.RTT.Max))
	}
	switch n.Verdict {
	case string(traceflow.LossPersists):
		add("the loss persists to the destination")
	case string(traceflow.LossLocal):
		add("the router answers less than it forwards: no loss of the path")
	case string(traceflow.LossUnclear):
		add("too little to tell what the loss means")
	}
	return strings.Join(parts, "; ") + became(n.Status, n.Before)
}
