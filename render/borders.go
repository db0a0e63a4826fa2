// SPDX-License-Identifier: BSD-3-Clause

package render

import (
	"fmt"
	"slices"
	"strings"

	"traceflow"
)

// Most of what is told about borders: pairs of ASes, and addresses of one pair.
const (
	mostCrossings = 6
	mostPlaces    = 3
)

// crossing is all borders between two ASes, at one exchange point or at none:
// parallel links have one each.
type crossing []traceflow.Border

// borders says in a sentence for each pair of ASes where packets pass from one
// to the other, and how sure that is. Those that were told already are left out.
func borders(t *traceflow.Trace, told func(b *traceflow.Border) bool) []string {
	var all []crossing
	for _, b := range t.Borders() {
		if told(&b) {
			continue
		}
		at := slices.IndexFunc(all, func(c crossing) bool {
			return c[0].Near.ASN == b.Near.ASN && c[0].Far.ASN == b.Far.ASN && c[0].IXP == b.IXP
		})
		if at < 0 {
			all = append(all, crossing{b})
			continue
		}
		all[at] = append(all[at], b)
	}
	var out []string
	for _, c := range all[:min(len(all), mostCrossings)] {
		far := asName(c[0].Far)
		if c[0].Near.ASN == 0 && c[0].Far.ASN == 0 {
			far = "another"
		}
		text := fmt.Sprintf("%s to %s %s", asName(c[0].Near), far, c.where())
		if ixp := c[0].IXP; ixp != "" {
			text += ", at " + short(ixp)
		}
		text += "; " + c.sure() + "."
		out = append(out, Printable(strings.ToUpper(text[:1])+text[1:]))
	}
	if n := len(all) - mostCrossings; n > 0 {
		out = append(out, fmt.Sprintf("And borders between %s of ASes.", Count(n, "more pair")))
	}
	return out
}

// asName names an AS by number and name.
func asName(s traceflow.BorderSide) string {
	switch {
	case s.ASN == 0:
		return "an AS that is not known"
	case s.Name == "":
		return fmt.Sprintf("AS%d", s.ASN)
	}
	return fmt.Sprintf("AS%d %s", s.ASN, short(s.Name))
}

// short cuts names that would fill a line by themselves.
func short(name string) string {
	const most = 40
	if r := []rune(name); len(r) > most {
		return strings.TrimSpace(string(r[:most-1])) + "…"
	}
	return name
}

// where says at which hops packets leave the nearer AS.
func (c crossing) where() string {
	if len(c) == 1 {
		b := &c[0]
		switch {
		case b.Gap() > 0 && b.Near.TTL == 0:
			return "before " + hop(b.Far.TTL, b.Far.Address)
		case b.Gap() > 0:
			return fmt.Sprintf("between %s and %s", hop(b.Near.TTL, b.Near.Address), hop(b.Far.TTL, b.Far.Address))
		case b.Near.TTL == 0:
			return "right behind this host"
		}
		return "after " + hop(b.Near.TTL, b.Near.Address)
	}
	// Of what lies between this host and the first hop that is known, only the
	// farther side is a hop.
	word, side := "after", func(b *traceflow.Border) *traceflow.BorderSide { return &b.Near }
	if slices.ContainsFunc(c, func(b traceflow.Border) bool { return b.Near.TTL == 0 }) {
		word, side = "before", func(b *traceflow.Border) *traceflow.BorderSide { return &b.Far }
	}
	var ttls []int
	var addresses []string
	for i := range c {
		at := side(&c[i])
		if !slices.Contains(ttls, int(at.TTL)) {
			ttls = append(ttls, int(at.TTL))
		}
		if text := at.Address.String(); at.Address.IsValid() && !slices.Contains(addresses, text) {
			addresses = append(addresses, text)
		}
	}
	slices.Sort(ttls)
	text := fmt.Sprintf("by %s %s TTL %s", Count(len(c), "link"), word, list(ttls, " and "))
	if n := len(addresses); n > mostPlaces {
		addresses = append(addresses[:mostPlaces-1], fmt.Sprintf("%d more", n-mostPlaces+1))
	}
	if len(addresses) > 0 {
		text += " (" + strings.Join(addresses, ", ") + ")"
	}
	return text
}

// sure says how far a crossing can be relied upon.
func (c crossing) sure() string {
	words := map[traceflow.Confidence]string{
		traceflow.ConfidenceHigh: "sure", traceflow.ConfidenceMedium: "likely", traceflow.ConfidenceLow: "a guess",
	}
	counts := make(map[traceflow.Confidence]int)
	early := true // each may as well be one hop earlier
	for i := range c {
		counts[c[i].Confidence]++
		early = early && c[i].Evidence == traceflow.EvidenceOriginRun && c[i].Gap() == 0
	}
	var parts []string
	for _, level := range []traceflow.Confidence{traceflow.ConfidenceHigh, traceflow.ConfidenceMedium, traceflow.ConfidenceLow} {
		switch n := counts[level]; n {
		case 0:
		case len(c):
			parts = append(parts, words[level])
		default:
			parts = append(parts, fmt.Sprintf("%d of them %s", n, words[level]))
		}
	}
	text := strings.Join(parts, ", ")
	if early {
		text += ", here or one hop earlier"
	}
	return text
}
